# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# daemon.bash - what the scripts about `run` share beside lib.bash: beginning and ending a daemon, waiting for what must become true.
. tests/e2e/lib.bash

pid= address=
# What a scenario has left behind must not outlive it, however it ended.
leave_none() {
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
    pid=
}
cleanup() {
    leave_none
    unserve
}

# until_true COMMAND…: within a minute, however slow the machine; how long it took is nobody's promise here.
until_true() {
    local i
    for ((i = 0; i < 600; i++)); do
        "$@" 2>/dev/null && return 0
        sleep 0.1
    done
    wrong "never true: $*: $(tail -n 3 log | cut -c -300)"
    return 1
}
# logged TEXT [TEXT]: a line of the daemon's log holds it, and the second one, too.
logged() { grep -F -- "$1" log | grep -qF -- "${2:-}"; }

# start: `run` with c.json, its log in the file log, where it listens in $address.
start() {
    leave_none
    "$syncline" -c c.json run >out 2>log </dev/null &
    pid=$!
    until_true logged 'is in force' && address=$(grep -o 'http://127[0-9.:]*' log | tail -n 1)
}
# ends [RC [SIGNAL]]: with that exit code (0) on that signal (TERM).
ends() {
    kill "-${2:-TERM}" "$pid"
    wait "$pid" 2>/dev/null
    is "the exit code after ${2:-TERM}" $? "${1:-0}"
    pid=
}

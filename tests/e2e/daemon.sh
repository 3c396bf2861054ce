#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# daemon.sh - `run`: pairs kept in step while processes are killed, configs edited, and it is told to end.
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/daemon.bash

has() { [ "$(get "$1" .v)" = "$2" ]; }
gone() { ! kill -0 "$1" 2>/dev/null || [ "$(state_of "$1")" = Z ]; }
state_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f1; }

# A pair of folders NAME-a and NAME-b, with more members.
pair() { echo "\"$1\": {\"a\": {\"connection\": \"f\", \"object\": \"$1-a\"}, \"b\": {\"connection\": \"f\", \"object\": \"$1-b\"}, \"every\": \"200ms\"${2:+, $2}}"; }
# config PAIRS [LISTEN]: moved there whole, as an editor would.
config() {
    mkdir -p d/{one,two,three,four}-{a,b}
    cat >c.new <<END
{"listen": "${2:-127.0.0.1:0}",
 "connections": {"f": {"plugin": "jsondir", "settings": {"root": "d"}}},
 "pairs": {$1}}
END
    mv c.new c.json
}
three() { config "$(pair one), $(pair two), $(pair three '"verify_every": "1s"')"; }

# children COMMAND: the processes of the daemon that do that.
children() { pgrep -P "$pid" -f " $1\$"; }
other_than() { local now && now=$(children "$1" | head -n 1) && [ -n "$now" ] && [ "$now" != "$2" ]; }
page() { curl -s --max-time 20 "$address/$1"; }
metric() { page metrics | sed -n "s/^syncline_$1 //p"; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
metric_over() { [ "$(metric "$1")" -gt "$2" ]; }

keeps_in_step() {
    local p all
    three
    for p in one two three; do put d/$p-a/r '{"v": 1}'; done
    start
    for p in one two three; do until_true has d/$p-b/r 1; done
    put d/two-b/r '{"v": 2}'
    until_true has d/two-a/r 2
    is healthz "$(page healthz)" ok
    is readyz "$(page readyz)" ready
    is "an unknown page" "$(curl -s -o /dev/null -w '%{http_code}' "$address/api")" 404
    is "another method" "$(curl -s -w '%{http_code}' -d x "$address/metrics")" $'not by this method\n405'
    is "a body where none belongs" "$(curl -s -w '%{http_code}' -X GET -d x "$address/metrics")" $'too large\n413'
    is "a page that leads nowhere" "$(curl -s "$address/metrics/")" 'there is nothing here'
    until_true metric_is 'pair_written_total{pair="two",side="a",op="update"}' 1
    is "pairs" "$(metric pairs)" 3
    is "figures of no pair but these" "$(page metrics | grep -c '^syncline_pair_lag_seconds{')" 3
    until_true test -s state/pairs/three/last-verify
    # the other commands go on beside it
    run 0 status
    says out "is at work (process $pid)"
    run 0 status --json one
    is "status --json" "$(js '.[0] | [.daemon, .config_refused]')" "[$pid,null]"
    run 0 sync
    run 0 verify one
    run 1 run
    says err "already, as process $pid: stop that one first"
    all="$pid $(pgrep -P "$pid")"
    ends 0
    for p in $all; do gone "$p" || wrong "process $p is left behind"; done
    run 0 status
    hides out 'is at work'
}

# A conflict and a parked record wait for a person, are told once, counted, and settled while it runs.
people() {
    config "$(pair one)"
    put d/one-a/r '{"v": 1}'
    start
    until_true has d/one-b/r 1
    kill -STOP "$(children worker | head -n 1)"
    put d/one-a/r '{"v": 2}'
    put d/one-b/r '{"v": 3}'
    kill -CONT "$(children worker | head -n 1)"
    until_true metric_is 'pair_conflicts{pair="one"}' 1
    run 0 conflicts --json
    run 0 conflicts resolve "$(js '.[0].id')" --take a
    until_true has d/one-b/r 2
    until_true metric_is 'pair_conflicts{pair="one"}' 0
    ends 0
}

killed_children() {
    local victim
    three
    put d/one-a/r '{"v": 1}'
    start
    until_true has d/one-b/r 1
    for what in worker gateway worker; do
        victim=$(children $what | head -n 1)
        kill -9 "$victim"
        until_true other_than $what "$victim"
    done
    is "health after it" "$(page healthz)" ok
    until_true metric_over worker_restarts_total 1
    is "gateways replaced" "$(metric gateway_restarts_total)" 1
    says log 'was killed by signal 9'
    put d/one-a/r '{"v": 2}'
    until_true has d/one-b/r 2
    ends 0
}

edited_configs() {
    three
    start
    config "$(pair one '"evry": "1s"')"
    until_true logged 'the edited config is refused, the old one stays: c.json:'
    says log "evry"
    metric_is config_refused 1 || wrong 'metrics do not tell that the config is refused'
    put d/two-a/r '{"v": 1}'
    until_true has d/two-b/r 1
    run 2 status
    config "$(pair one), $(pair four)"
    put d/four-a/r '{"v": 1}'
    until_true has d/four-b/r 1
    until_true metric_is config_refused 0
    is "pairs of the new config" "$(metric pairs)" 2
    put d/three-a/r '{"v": 9}'
    until_true metric_over 'pair_runs_total{pair="four"}' 3
    is "a pair that was taken out" "$(get d/three-b/r .v)" gone
    # another state needs another daemon; another port does not
    sed -i 's/"listen"/"state": "elsewhere", "listen"/' c.json
    until_true logged 'needs a daemon of its own'
    run 0 status # of the state that the file names now
    hides out 'is at work'
    config "$(pair one)" localhost:0
    until_true test "$(grep -c 'listening on' log)" -ge 1
    until_true two_addresses
    address=$(grep -o 'http://[0-9.:]*' log | tail -n 1)
    until_true test "$(page healthz)" = ok
    rm c.json
    kill -HUP "$pid"
    until_true logged 'no such file; write one with'
    put d/one-a/r '{"v": 1}'
    until_true has d/one-b/r 1
    ends 0
}
two_addresses() { [ "$(grep -c 'listening on' log)" -ge 2 ]; }

# A pair that cannot run says so once, in the log and in `status`, backs off, and holds no other up.
one_pair_fails() {
    three
    rm -r d/two-b && touch d/two-b
    put d/one-a/r '{"v": 1}'
    start
    until_true has d/one-b/r 1
    until_true metric_over 'pair_failures_total{pair="two"}' 1
    is "how often the log says it" "$(grep -c '"error".*two-b' log)" 1
    run 0 status two
    says out 'did not come to its end: '
    run 0 status --json
    is "the error in status" "$(js 'map(select(.last_error)) | [length, (.[0].last_error | test("two-b"))]')" '[1,true]'
    rm d/two-b && mkdir d/two-b
    put d/two-a/r '{"v": 1}'
    kill -HUP "$pid" # whoever mended it need not wait for the backoff
    until_true has d/two-b/r 1
    until_true logged 'runs again'
    run 0 status two
    hides out 'did not come to its end'
    ends 0
}

# A connector dropped into a plugin folder: a broken one is refused, a good one is taken in.
dropped_connectors() {
    mkdir -m 755 plugins
    config "$(pair one)"
    sed -i 's#"listen"#"plugins": ["plugins"], "listen"#' c.json
    start
    head -c 2000 "$BUILD/plugins/jsondir.so" >torn && chmod 644 torn && mv torn plugins/jsondir.so
    until_true logged 'the edited config is refused'
    says log jsondir.so
    put d/one-a/r '{"v": 1}'
    until_true has d/one-b/r 1
    # no worker can take the place of one that is lost meanwhile: that is said once, and tried less and less often
    kill -9 "$(children worker | head -n 1)"
    until_true logged 'a new worker refuses the config that is in force'
    sleep 2
    is "how often that is said" "$(grep -c 'a new worker refuses' log)" 1
    install -m 644 "$BUILD/plugins/jsondir.so" whole && mv whole plugins/jsondir.so
    until_true metric_is config_reloads_total 2
    is "refused" "$(metric config_refused)" 0
    put d/one-a/r '{"v": 2}'
    until_true has d/one-b/r 2
    ends 0
}

# The refusal stands in `status`, whose own config is good, until a good one is taken in.
refusal_in_status() {
    three
    start
    cp c.json good.json
    config "$(pair one '"mode": "backwards"')"
    until_true logged 'is refused'
    "$syncline" -c good.json status >out
    says out 'the edited one is refused'
    says out 'backwards'
    ends 0
}

# What keeps it from its work is said in one sentence, and nothing is left behind.
no_beginning() {
    config "$(pair one '"evry": "1s"')"
    run 2 run
    says err 'evry'
    config "$(pair one)" 127.0.0.1:1x
    run 2 run
    config "$(pair one)" nowhere.invalid:80
    run 1 run
    says err 'is no address of this machine'
    config "$(pair one)" 192.0.2.1:8631
    run 1 run
    says err 'is not to be had'
    config "$(pair one)"
    start
    config "$(pair one)" "${address#http://}"
    mkdir other && cp -r c.json d other/
    cd other || exit
    run 1 run
    says err 'is in use by another program'
    cd ..
    ends 0
    run 2 worker
    says err 'a worker is started by'
    run 2 gateway
    says err 'the gateway is started by'
    rm c.json
    run 2 run
    says err 'no such file'
}

# kill -9 of the first process: the others end, and the next one takes over.
supervisor_killed() {
    local p all
    three
    start
    put d/one-a/r '{"v": 1}'
    until_true has d/one-b/r 1
    all=$(pgrep -P "$pid")
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    for p in $all; do until_true gone "$p"; done
    start
    put d/one-a/r '{"v": 2}'
    until_true has d/one-b/r 2
    ends 0 INT
}

# A run in flight ends before the daemon does; a second signal does not wait for it. The run is held by stopping its worker.
run_in_flight() { # run_in_flight once|twice
    local p
    printf 'touch asked\nwhile [ ! -e go ]; do sleep 0.1; done\n' >slow.sh
    config "$(pair one), \"slow\": {\"a\": {\"connection\": \"s\", \"object\": \"t\"}, \"b\": {\"connection\": \"f\", \"object\": \"four-b\"}, \"every\": \"1s\"}"
    sed -i "s#\"connections\": {#\"connections\": {\"s\": {\"plugin\": \"exec\", \"settings\": {\"command\": [\"sh\", \"slow.sh\"]}},#" c.json
    start
    until_true test -e asked
    for p in $(children worker); do kill -STOP "$p"; done
    kill "$pid"
    until_true logged 'stopping: '
    gone "$pid" && wrong 'it did not wait for the run in flight'
    p=$(pgrep -P "$pid")
    if [ "$1" = once ]; then
        kill -CONT $p
        wait "$pid"
        is "the exit code after SIGTERM" $? 0
    else
        kill "$pid"
        wait "$pid"
        is "the exit code after a second SIGTERM" $? 1
    fi
    pid=
    for p in $p; do until_true gone "$p"; done
}

# What systemd is told: ready once it works, signs of life, stopping.
notified() {
    command -v python3 >/dev/null || { problem="SKIP needs python3"; return; }
    three
    python3 - "$PWD/said" <<'END' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
s.settimeout(60)
open("bound", "w").close()
with open(sys.argv[1], "w", buffering=1) as f:
    while True:
        m = s.recv(4096).decode()
        f.write(m + "\n")
        if m == "STOPPING=1":
            break
END
    local listener=$!
    until_true test -e bound
    export NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=400000
    start
    unset NOTIFY_SOCKET WATCHDOG_USEC
    until_true grep -q WATCHDOG said
    is "first" "$(head -n 1 said)" READY=1
    ends 0
    wait "$listener"
    is "last" "$(tail -n 1 said)" STOPPING=1
}

# On a terminal its log is for a reader, and no worker writes its progress into it.
on_a_terminal() {
    command -v script >/dev/null || { problem="SKIP needs script, of bsdutils"; return; }
    three
    put d/one-a/r '{"v": 1}'
    script -qfec "$syncline -c c.json run" log </dev/null >/dev/null 2>&1 &
    pid=$!
    until_true has d/one-b/r 1
    until_true logged ' info: one: 1 seen, 1 written'
    hides log $'\033'
    ends 0
}

scenario "three pairs are kept in step, and the commands go on beside it" keeps_in_step
scenario "what waits for a person is settled while it runs" people
scenario "killed workers and gateways come back" killed_children
scenario "a broken config edit is refused, a good one taken in" edited_configs
scenario "a pair that cannot run holds no other up" one_pair_fails
scenario "a broken connector is refused, a good one taken in" dropped_connectors
scenario "status tells why an edited config is refused" refusal_in_status
scenario "what keeps it from its work is said" no_beginning
scenario "kill -9 of the supervisor ends its children" supervisor_killed
scenario "a run in flight ends before the daemon does" run_in_flight once
scenario "a second signal does not wait for it" run_in_flight twice
scenario "systemd is told" notified
scenario "on a terminal it logs for a reader, without progress" on_a_terminal
finish

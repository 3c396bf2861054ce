# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib.bash - what the end-to-end scripts share: a folder for each scenario, running the program, saying what is wrong.
set -u
case ${BUILD:=build} in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
syncline=$BUILD/syncline
passed=0 failed=0 skipped=0 problem=
top=$(mktemp -d) && [ -d "$top" ] || exit 2
readonly top # taken for something else, it would make `rm -rf "$top/work"` remove /work
trap 'cd /; cleanup; rm -rf "$top"' EXIT
cleanup() { unserve; } # a script with mounts or children of its own defines it anew
unset SYNCLINE_CONFIG

[ -x "$syncline" ] || { echo "FAIL build: $syncline is not there; run \`make\`"; echo "0 passed, 1 failed"; exit 1; }

# wrong WHAT: keeps the first thing that is wrong in this scenario.
wrong() { [ -n "$problem" ] || problem=$*; }

# serve COMMAND…: a server that prints `port N` and serves until its standard input ends; its port is in $port, what else it prints behind
# that in $behind_port. also COMMAND…: one beside those there are.
lib_servers=() lib_server_ends=()
serve() {
    unserve
    also "$@"
}
also() {
    local here=server.${#lib_servers[@]} end
    : >"$here"
    rm -f "$here.held"
    mkfifo "$here.held"
    "$@" <"$here.held" >"$here" 2>"$here.err" &
    lib_servers+=($!)
    exec {end}>"$here.held"
    lib_server_ends+=("$end")
    for _ in {1..400}; do
        grep -q '^port ' "$here" && break
        sleep 0.05
    done
    read -r _ port behind_port <"$here"
    [ -n "$port" ] || wrong "the server has not started: $(head -n 3 "$here.err")"
}
unserve() {
    local end
    [ ${#lib_servers[@]} -eq 0 ] || { kill "${lib_servers[@]}"; wait "${lib_servers[@]}"; } 2>/dev/null
    for end in "${lib_server_ends[@]}"; do exec {end}>&-; done
    lib_servers=() lib_server_ends=()
}

# scenario NAME FUNCTION [ARG…]: in a folder of its own with sides x and y.
scenario() {
    local name=$1
    shift
    problem=
    rm -rf "${top:?}/work" && mkdir -p "$top/work/x" "$top/work/y" && cd "$top/work" || exit 2
    "$@"
    if [ "${problem#SKIP }" != "$problem" ]; then
        echo "SKIP: $name: ${problem#SKIP }"
        skipped=$((skipped + 1))
    elif [ -n "$problem" ]; then
        echo "FAIL $name: $problem"
        failed=$((failed + 1))
    else
        echo "ok $name"
        passed=$((passed + 1))
    fi
}

finish() {
    echo "$passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
    [ "$failed" -eq 0 ]
    exit
}

# With ISOLATION=runner every connection of a config written here has its connector in a process of its own.
isolate() { [ ! -f c.json ] || sed -i 's/\("plugin": "[a-z]*"\), "settings"/\1, "isolation": "'"$ISOLATION"'", "settings"/' c.json; }

# run RC ARG…: the program with c.json; RC may be 1|2; what it said is in the files out and err.
run() {
    local want=$1 rc
    shift
    [ -z "${ISOLATION:-}" ] || isolate
    "$syncline" -c c.json "$@" >out 2>err </dev/null
    rc=$?
    [[ "|$want|" == *"|$rc|"* ]] || wrong "\`syncline $*\` exits $rc, not $want: $(head -c 300 err | tr '\n' ' ')$(head -c 300 out | tr '\n' ' ')"
}

# killed_at N: a run that is killed while the simulated API at $port answers its n-th request, carried out if n is even. Returns how the run
# ended: 137, or by itself before its n-th request. Killed by the clock it would be over on one machine and not begun on another.
killed_at() {
    local at=http://127.0.0.1:$port/_peer pid rc before
    unanswered() { curl -sS "$at/state" | jq '.struck["no answer comes"] // 0'; }
    before=$(unanswered)
    curl -sS "$at/knobs" -d "{\"no answer comes\": {\"nth\": $1, \"value\": $(($1 % 2))}}"
    "$syncline" -c c.json sync >out 2>err </dev/null &
    pid=$!
    while kill -0 $pid 2>/dev/null && [ "$(unanswered)" -eq "$before" ]; do sleep 0.01; done
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    rc=$?
    curl -sS "$at/knobs" -d '{"no answer comes": false}'
    return $rc
}
# killed_each N…: runs killed so, one after the other; as many as that must have been.
killed_each() {
    local n killed=0
    for n; do
        killed_at "$n"
        [ $? -ne 137 ] || killed=$((killed + 1))
    done
    echo "counts: $killed runs killed"
    [ $killed -eq $# ] || wrong "only $killed of $# runs were killed before their end"
}

# is WHAT GOT WANT
is() { [ "$2" = "$3" ] || wrong "$1 is '$(head -c 300 <<<"$2")', not '$(head -c 300 <<<"$3")'"; }
# says FILE TEXT: out or err holds the text.
says() { grep -qF -- "$2" "$1" || wrong "$1 does not say '$2' but '$(head -c 400 "$1" | tr '\n' ' ')'"; }
hides() { ! grep -qF -- "$2" "$1" || wrong "$1 says '$2'"; }
# js FILTER: of the lines in out, as one list.
js() { jq -rcs "$1" out 2>/dev/null || echo 'no JSON'; }

# put FILE JSON: x/1 is x/1.json.
put() { mkdir -p "$(dirname "$1")" && printf '%s\n' "$2" >"$1.json"; }
get() { if [ -e "$1.json" ]; then jq -r "$2" "$1.json"; else echo gone; fi; }
# sorted DIR: the records of a folder, one a line: id and content in one spelling.
sorted() {
    local f
    for f in "$1"/*.json; do
        [ -e "$f" ] && printf '%s %s\n' "$(basename "$f" .json)" "$(jq -cS . "$f")"
    done
}

# config MEMBERS [TOP]: a pair p of the folders x and y with these members, and further members of the config itself.
config() {
    cat >c.json <<EOF
{
  ${2:+$2,}
  "connections": {
    "x": {"plugin": "jsondir", "settings": {"root": "x"}},
    "y": {"plugin": "jsondir", "settings": {"root": "y"}}
  },
  "pairs": {"p": {"a": {"connection": "x", "object": "."}, "b": {"connection": "y", "object": "."}${1:+, $1}}}
}
EOF
}

# The line of `sync --json` keeps its promise of keys and sums.
whole_line() {
    is "$1: keys" "$(js '.[0] | keys - ["pair","run","ok","ms","seen","applied","unchanged","filtered","conflict","parked","pending","withheld","writes","calls"] | length')" 0
    is "$1: missing keys" "$(js '.[0] as $o | ["pair","run","ok","ms","seen","applied","unchanged","filtered","conflict","parked","pending","withheld","writes","calls"] - ($o | keys) | join(",")')" ""
    is "$1: seen is the sum" "$(js 'map(.seen == .applied + .unchanged + .filtered + .conflict + .parked + .pending + .withheld) | all')" true
    is "$1: writes and calls" "$(js 'map([.writes.a,.writes.b | (has("create") and has("update") and has("delete"))] + [.calls | has("a") and has("b")] | all) | all')" true
}
# writes: how many the last sync --json made on both sides.
writes() { js 'map(.writes[] | add) | add'; }
# quiet: a second run finds nothing to write and exits with RC (0).
quiet() {
    run "${1:-0}" sync --json
    whole_line "second run"
    is "writes of a second run" "$(writes)" 0
}

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# chaos.sh - `run` with its processes killed all the time while records and the config are edited: nothing is lost, nothing doubled (I12, I18, I19).
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/lib.bash
pairs=12 rounds=$((60 * ${TEST_SCALE:-100} / 100)) pid=
[ "$rounds" -ge 20 ] || rounds=20
cleanup() { [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; }

config() {
    local i all=
    for ((i = 0; i < pairs; i++)); do
        mkdir -p "d/$i-a" "d/$i-b"
        all+="${all:+,} \"p$i\": {\"a\": {\"connection\": \"f\", \"object\": \"$i-a\"}, \"b\": {\"connection\": \"f\", \"object\": \"$i-b\"}, \"every\": \"300ms\"}"
    done
    printf '{"listen": "127.0.0.1:0", "connections": {"f": {"plugin": "jsondir", "settings": {"root": "d"}}}, "pairs": {%s}}\n' "$all" >c.new
    mv c.new c.json
}
start() {
    "$syncline" -c c.json run >out 2>>log </dev/null &
    pid=$!
}
# A process of the family, now and then the first one; another is started in its place, as systemd would.
strike() {
    local victims victim
    mapfile -t victims < <(pgrep -P "$pid")
    if [ $((RANDOM % 8)) -eq 0 ] || [ ${#victims[@]} -eq 0 ]; then
        kill -9 "$pid"
        wait "$pid" 2>/dev/null
        start
    else
        victim=${victims[RANDOM % ${#victims[@]}]}
        kill -9 "$victim" 2>/dev/null
    fi
}
# One system writes its records as ever; which side a pair is edited on is its number's, so that no two edits conflict.
edit() {
    local i=$((RANDOM % pairs)) r=$((RANDOM % 5))
    local side=a
    [ $((i % 2)) -eq 0 ] || side=b
    printf '{"v": %d}\n' "$1" >"d/$i-$side/.new" && mv "d/$i-$side/.new" "d/$i-$side/r$r.json"
    last[i * 5 + r]=$1
}
in_step() {
    local i
    for ((i = 0; i < pairs; i++)); do
        [ "$(sorted "d/$i-a")" = "$(sorted "d/$i-b")" ] || return 1
    done
}

chaos() {
    local i key left
    local last=() side
    RANDOM=${CHAOS_SEED:-6}
    config
    start
    for ((i = 1; i <= rounds; i++)); do
        edit "$i"
        strike
        [ $((i % 10)) -ne 0 ] || config
        sleep 0.2
    done
    for ((i = 0; i < 600; i++)); do
        in_step && break
        sleep 0.1
    done
    in_step || wrong "the sides do not come together; CHAOS_SEED=${CHAOS_SEED:-6}"
    for key in "${!last[@]}"; do
        for side in a b; do
            is "record $((key % 5)) of pair $((key / 5)) on $side" "$(get "d/$((key / 5))-$side/r$((key % 5))" .v)" "${last[$key]}"
        done
    done
    is "records in all" "$(find d -name '*.json' | wc -l)" $((2 * ${#last[@]}))
    left="$pid $(pgrep -P "$pid")"
    kill "$pid"
    wait "$pid"
    is "the exit code" $? 0
    pid=
    for i in $left; do ! kill -0 "$i" 2>/dev/null || wrong "process $i is left behind"; done
    run 0 status
    run 0 verify --json
    is "what differs" "$(js 'map(.differ) | add')" 0
    echo "counts: $rounds strikes, ${#last[@]} records"
}

scenario "processes killed all the time: every edit arrives once (I12, I18, I19)" chaos
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# chaos.sh - fifty pairs under `run`, its processes killed, stopped and crashed five times a second (CHAOS_SECONDS=15, CHAOS_SEED=6).
cd "$(dirname "$0")/../.." || exit 2
tree=$PWD
. tests/e2e/lib.bash
export BUILD

chaos() {
    python3 "$tree/tests/e2e/chaos.py" >out 2>err </dev/null || wrong "$(grep '^wrong: ' out || tail -n 5 err); the log is $(keep)"
    grep '^counts: ' out
}
# keep: the log of a failed test stays beside this script's own.
keep() {
    mkdir -p "$BUILD/logs" && cp log "$BUILD/logs/chaos.log" && echo "$BUILD/logs/chaos.log"
}

scenario "processes killed, stopped and crashed, connectors and config replaced: every edit arrives, once (I12, I18, I19, I20)" chaos
finish

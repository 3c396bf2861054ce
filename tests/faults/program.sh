#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# program.sh - whole runs of the program on a disk that is cut off, broken or full, and with memory that ends; arguments replay one fault.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}

scenario() { printf '%s\t%s\n' "$1" "${*:2}"; }

scenarios() {
    scenario "power cuts at every call of a first run (I18, I19, I20)" cut first
    scenario "power cuts at every call of a run with changes on both sides (I18, I19, I20)" cut delta
    scenario "every call in the state folder of a first run refused, once and from there on (I18, I20)" refuse first state
    scenario "every call in the state folder of a run with changes refused, once and from there on (I18, I20)" refuse delta state
    scenario "every call in the data of a first run refused, once and from there on (I19, I20)" refuse first data
    scenario "every call in the data of a run with changes refused, once and from there on (I19, I20)" refuse delta data
    scenario "allocations of a first run refused, once and from there on (I20)" nomem first
    scenario "allocations of a run with changes refused, once and from there on (I20)" nomem delta
    scenario "allocations of a run with an expression refused, once and from there on (I20)" nomem expression
}

if nm -D "$BUILD/syncline" 2>/dev/null | grep -q __asan; then
    echo "SKIP: AddressSanitizer must be loaded first, so no failing disk can be preloaded; the release build tests it"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
if [ $# -gt 0 ]; then
    scenario "$*" "$@" | python3 tests/faults/program.py "$BUILD"
else
    scenarios | python3 tests/faults/program.py "$BUILD"
fi

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# runner.sh - a hostile connector in a runner is named and harms nobody; the other pair of the same config goes on.
cd "$(dirname "$0")/../.." || exit 2
tree=$PWD
. tests/e2e/lib.bash
umask 022

# hostile NAME RC TEXT: a pair with that connector fails so, beside one that is well.
hostile() {
    mkdir -p plugins o
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -fPIC -fvisibility=hidden -shared -I"$tree/sdk/include" -o "plugins/$1.so" \
        "$tree/tests/runner/$1.c" || { wrong "$1.c does not build"; return; }
    put x/1 '{"v": 1}'
    cat >c.json <<END
{"plugins": ["plugins"], "connections": {
  "bad": {"plugin": "$1", "isolation": "runner", "limits": {"silence": "2s", "memory_mb": 256}},
  "o": {"plugin": "jsondir", "settings": {"root": "o"}},
  "x": {"plugin": "jsondir", "settings": {"root": "x"}, "isolation": "runner"},
  "y": {"plugin": "jsondir", "settings": {"root": "y"}, "isolation": "runner"}},
 "pairs": {
  "evil": {"a": {"connection": "bad", "object": "o"}, "b": {"connection": "o", "object": "."}, "mode": "one_way"},
  "good": {"a": {"connection": "x", "object": "."}, "b": {"connection": "y", "object": "."}}}}
END
    run "$2" sync
    says err "$3"
    [ "$2" -eq 2 ] || is "the other pair" "$(get y/1 .v)" 1
    [ ! -e /tmp/syncline-spilled ] || { rm -f /tmp/syncline-spilled; wrong "$1 wrote a file of its own"; }
}

# Files of its own settings are in reach: the ordinary connectors do all they do in this process.
ordinary() {
    put x/1 '{"v": 1}'
    config ''
    run 0 check
    says out "in a process of its own: no network, no other processes, and no files but those in its settings"
    run 0 sync
    put y/1 '{"v": 2}'
    run 0 sync
    is "the edit" "$(get x/1 .v)" 2
    quiet
}

# A look at what there is runs nothing of it in the program itself.
listed() {
    hostile early 2 "its runner died in being loaded: "
    config '' '"plugins": ["plugins"]'
    run 0 plugins
    says out "plugins/early.so: its runner died in being loaded: "
    says out "jsondir "
}

# What it is by itself is no command for people.
by_hand() {
    "$syncline" runner >out 2>err </dev/null
    is "the exit code" $? 2
    says err "runner is what syncline starts by itself"
}

ISOLATION=runner
scenario "ordinary connectors in runners" ordinary
ISOLATION=
scenario "a runner started by hand" by_hand
scenario "crash" hostile crash 1 "bad: its runner died in pull: "
scenario "hang" hostile hang 1 "bad: its runner died in pull: it was silent for 2000 ms, and was ended"
scenario "scribble" hostile scribbles 1 "bad: its runner died in pull: "
scenario "garble" hostile garbles 1 "it sent what is no answer, and was ended"
scenario "lie" hostile lies 1 "bad: connector lies broke its contract in pull"
scenario "crash while loading" hostile early 2 "its runner died in being loaded: "
scenario "crash while listed" listed
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# regressions.sh - one small scenario a bug: each failed before its fix.
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/lib.bash

config() { # config PAIR-MEMBERS
    mkdir -p x/t y/t
    cat >c.json <<END
{"connections": {"l": {"plugin": "jsondir", "settings": {"root": "x"}}, "r": {"plugin": "jsondir", "settings": {"root": "y"}}},
 "pairs": {"p": {"a": {"connection": "l", "object": "t"$2}, "b": {"connection": "r", "object": "t"}$1}}}
END
}

# An edit on b was taken from the inbox while a's record stood outside the filter, and then overwritten from the base (I5, I29).
edit_while_outside() {
    config '' ', "filter": ".e"'
    echo '{"e": true, "k": "1", "v": 1}' >x/t/p.json
    run 0 sync
    echo '{"e": false, "k": "1", "v": 1}' >x/t/p.json
    run 0 sync
    echo '{"e": true, "k": "edited on b", "v": 1}' >y/t/p.json
    run 0 sync
    echo '{"e": true, "k": "1", "v": 9}' >x/t/p.json
    run 0 sync
    is "a after the return" "$(jq -c '[.k, .v]' x/t/p.json)" '["edited on b",9]'
    is "b after the return" "$(jq -c '[.k, .v]' y/t/p.json)" '["edited on b",9]'
}

# A computed field was computed from the base, which holds only mapped fields, whenever only the other side had changed (I7).
computed_from_unread() {
    config ', "fields": [{"a": "v", "b": "v"}, {"b": "title", "from_a": "\"of \" + .org"}]' ''
    echo '{"v": 1, "org": "Acme"}' >x/t/p.json
    run 0 sync
    echo '{"v": 2, "title": "of Acme"}' >y/t/p.json
    run 0 sync --json
    is "writes on b" "$(js '.[0].writes.b.update')" 0
    is "b" "$(jq -c . y/t/p.json)" '{"v":2,"title":"of Acme"}'
    is "a" "$(jq -c .v x/t/p.json)" 2
}

# A value given by a person reaches both sides, and the loser is in the history (I5).
value_of_a_person() {
    config '' ''
    echo '{"v": 1}' >x/t/p.json
    run 0 sync
    echo '{"v": 2}' >x/t/p.json
    echo '{"v": 3}' >y/t/p.json
    run 3 sync
    run 0 conflicts --json
    run 0 conflicts resolve "$(js '.[0].id')" --value 7
    run 0 sync
    is "a" "$(jq -c .v x/t/p.json)" 7
    is "b" "$(jq -c .v y/t/p.json)" 7
    run 0 history --json
    is "what was lost" "$(js '[.[] | select(has("lost")) | .lost] | unique')" '[3]'
}

# A record deleted while its filter was edited stayed hidden behind the database's cursor (I1, I29).
delete_under_edited_filter() {
    config ', "deletes": {"policy": "delete"}' ''
    sed -i 's/"plugin": "jsondir", "settings": {"root": "x"}/"plugin": "sqlite", "settings": {"file": "x.db"}/' c.json
    sqlite3 x.db "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')"
    run 0 sync
    sed -i '0,/"object": "t"/s//"object": "t", "filter": ".v != null"/' c.json
    sqlite3 x.db "DELETE FROM t WHERE id = 2"
    run 0 sync
    is "b right after the filter was edited" "$(ls y/t | wc -l)" 2
    run 0 sync
    is "b one run later" "$(ls y/t)" 1.json
}

scenario "an edit made while its partner was outside the filter survives the return" edit_while_outside
scenario "a computed field is computed from the whole record" computed_from_unread
scenario "a person's value reaches both sides" value_of_a_person
scenario "a delete beside an edited filter is seen one run later" delete_under_edited_filter
finish

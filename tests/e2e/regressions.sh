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
    run 0 sync
    is "b" "$(ls y/t)" 1.json
}

# A number that came back from a CSV file after its record had been deleted here came back as a string.
type_of_a_recreated_value() {
    cat >c.json <<END
{"connections": {"l": {"plugin": "jsondir", "settings": {"root": "x"}}, "r": {"plugin": "csv", "settings": {"root": "y", "key": "id"}}},
 "pairs": {"p": {"a": {"connection": "l", "object": "."}, "b": {"connection": "r", "object": "t"}}}}
END
    echo '{"v": 1}' >x/p.json
    run 0 sync
    rm x/p.json
    sed -i 's/^p,.*/p,2/' y/t.csv
    run 0 sync
    is "a" "$(jq -c . x/p.json)" '{"v":2}'
}

# Two people agreed by hand; the next verify still counted the conflict as differing (I4).
verify_solved_by_hand() {
    config '' ''
    echo '{"v": 1}' >x/t/p.json
    run 0 sync
    echo '{"v": 2}' >x/t/p.json
    echo '{"v": 3}' >y/t/p.json
    run 3 sync
    run 3 verify --json
    is "differ" "$(js '.[-1].differ')" 1
    echo '{"v": 3}' >x/t/p.json
    run 0 verify --json
    is "equal" "$(js '.[-1] | [.equal, .differ]')" '[1,0]'
    run 0 sync
    run 0 conflicts
    says out 'no conflicts'
}

# A record that cannot be read was in no class of a plan that had not seen it before (I25).
plan_of_unreadable() {
    config '' ''
    echo '{"v": 1}' >x/t/p.json
    echo '{"v": ' >x/t/q.json
    run 3 plan
    says out 'q.json: line 2, column 1'
    run 3 verify --json
    is "differ" "$(js '.[-1] | [.equal, .differ]')" '[0,2]'
}

# A record that was deleted on one side counted as equal (I26).
verify_sees_delete() {
    config '' ''
    echo '{"v": 1}' >x/t/p.json
    run 0 sync
    rm y/t/p.json
    run 3 verify --json
    is "differ" "$(js '.[-1] | [.equal, .differ]')" '[0,1]'
}

# A number given as otherwise arrived as a text where the side has no schema (I32).
otherwise_typed() {
    config ', "fields": [{"a": "p", "b": "prio", "values": {"low": 1, "high": 2}, "otherwise": 0}]' ''
    echo '{"p": "odd"}' >x/t/p.json
    run 0 sync
    is "b" "$(jq -c .prio y/t/p.json)" 0
}

scenario "I5 I29: an edit made while its partner was outside the filter survives the return" edit_while_outside
scenario "I7: a computed field is computed from the whole record" computed_from_unread
scenario "I5: a person's value reaches both sides" value_of_a_person
scenario "I32: a value that comes back after a delete has the type it had" type_of_a_recreated_value
scenario "I1 I29: a delete beside an edited filter is seen" delete_under_edited_filter
scenario "I4: a conflict solved by hand does not differ" verify_solved_by_hand
scenario "I25: a plan accounts for what cannot be read" plan_of_unreadable
scenario "I26: verify counts a record that one side deleted" verify_sees_delete
scenario "I32: otherwise keeps its type" otherwise_typed
finish

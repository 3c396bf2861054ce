#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# contract.sh - what the outside is promised: exit codes, JSON shapes, policies and commands, seen through the program itself.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash

three() { for i in 1 2 3; do put "x/r$i" "{\"title\":\"t$i\",\"n\":$i}"; done; }
in_step() { three; config "${1:-}"; run "${2:-0}" sync; }
# many N: that many records in step.
many() {
    for ((i = 1; i <= $1; i++)); do put "x/r$i" "{\"title\":\"t$i\"}"; done
    config "$2"
    run 0 sync
}

first_sync() {
    three
    put y/.hidden '{}'
    config
    run 0 sync --json
    whole_line "first run"
    is "creates on b" "$(js '.[0].writes.b.create')" 3
    is "pair and ok" "$(js '.[0] | [.pair, .ok]')" '["p",true]'
    is "side b" "$(sorted y)" "$(sorted x)"
    quiet
    is "unchanged" "$(js '.[0].unchanged')" 3
    run 0 --json sync
    whole_line "--json before the command"
    run 0 sync p --json
    whole_line "--json after the operand"
}

both_ways() {
    in_step
    put x/r1 '{"title":"X","n":1}'
    put y/r2 '{"title":"t2","n":22}'
    put x/new '{"title":"from x"}'
    put y/other '{"title":"from y"}'
    run 0 sync --json
    whole_line sync
    is "counts" "$(js '.[0] | [.seen, .applied, .unchanged, .writes.a.create, .writes.a.update, .writes.b.create, .writes.b.update]')" '[5,4,1,1,1,1,1]'
    is "sides" "$(sorted y)" "$(sorted x)"
    quiet
}

usage_errors() {
    config
    run 2 nonsense
    run 2 sync --nonsense
    run 2 sync nopair
    says err nopair
    run 2 apply
    rm c.json
    run 2 sync
    says err c.json
    "$syncline" --help >out 2>err || wrong "--help exits $?"
    says out sync
    "$syncline" sync --help >out 2>err || wrong "sync --help exits $?"
}

default_config() {
    three
    config
    mv c.json syncline.json
    "$syncline" sync >out 2>err || wrong "sync with syncline.json exits $?: $(cat err)"
    is "side b" "$(sorted y)" "$(sorted x)"
}

missing_root() {
    in_step
    mv x x.away
    run '1|2' sync --json
    says err x
    is "side b" "$(sorted y)" "$(sorted x.away)"
    mv x.away x
    quiet
}

unknown_key() {
    config '"confilct": "a", "on_leave": "explode"' '"histroy": {"keep": "90d"}'
    run 2 check
    says err 'c.json:2:'
    says err history
    says err conflict
    says err archive
    grep -qE 'c\.json:[0-9]+:[0-9]+: .*confilct' err || wrong "no file:line:column: $(cat err)"
    run 2 sync
    [ ! -e state ] || wrong "a refused config made state"
}

comments_and_commas() {
    three
    config
    sed -i -e '1s|^|// a comment\n/* more */|' -e '$s|^}|,}|' c.json
    run 0 sync
    is "side b" "$(sorted y)" "$(sorted x)"
}

literal_secret() {
    config '' '"users": []'
    sed -i 's|"root": "y"|"root": {"env": "NO_SUCH"}|' c.json
    run 2 check
    config
    sed -i 's|"object": "."}\(.*\)$|"object": "."}\1|; s|"y": {"plugin": "jsondir"|"y": {"plugin": "jsondri"|' c.json
    run 2 check
    says err jsondir
}

conflict_manual() {
    in_step
    put x/r1 '{"title":"X","n":7}'
    put y/r1 '{"title":"Y","n":1}'
    run 3 sync --json
    whole_line sync
    is "conflict" "$(js '.[0].conflict')" 1
    is "the other field flows" "$(get y/r1 .n)" 7
    is "title on a" "$(get x/r1 .title)" X
    is "title on b" "$(get y/r1 .title)" Y
    run 0 conflicts --json
    is "conflict's keys" "$(js '.[0] | [has("id","pair","a","b","field","before","after","base","reason")] | all')" true
    is "conflict" "$(js '.[0] | [.pair, .a, .b, .field, .base]')" '["p","r1","r1","title","t1"]'
    local id
    id=$(js '.[0].id')
    run 0 conflicts list
    says out "$id"
    run 0 conflicts show "$id"
    says out title
    quiet 3
    run 3 status --json
    is "status" "$(js '.[0] | [.pair, .conflicts]')" '["p",1]'
    run 0 conflicts resolve "$id" --take b
    run 0 sync
    is "title on a" "$(get x/r1 .title)" Y
    run 0 conflicts --json
    is "conflicts left" "$(js length)" 0
    quiet
}

conflict_value() {
    in_step
    put x/r1 '{"title":"X","n":1}'
    put y/r1 '{"title":"Y","n":1}'
    run 3 sync
    run 0 conflicts --json
    run 0 conflicts resolve "$(js '.[0].id')" --value '"Z"'
    run 0 sync
    is "both" "$(get x/r1 .title)$(get y/r1 .title)" ZZ
    quiet
    run 2 conflicts resolve 999999 --take a
}

conflict_policy() {
    in_step "\"conflict\": \"$1\""
    put x/r1 "{\"title\":\"X\",\"n\":$3}"
    touch -d '1 hour ago' x/r1.json
    put y/r1 "{\"title\":\"Y\",\"n\":$4}"
    run "$2" sync
    is "a" "$(get x/r1 '[.title,.n]|join(" ")')" "$5"
    is "b" "$(get y/r1 '[.title,.n]|join(" ")')" "$6"
    quiet "$2"
}

loser_in_history() {
    conflict_policy a 0 5 6 "X 5" "X 5"
    run 0 history p r1 --json
    says out '"Y"'
    run 0 why p r1 title
    says out Y
}

merge_sets() {
    put x/r1 '{"tags":["p","q"]}'
    config '"conflict": "merge"'
    run 0 sync
    put x/r1 '{"tags":["p","q","r"]}'
    put y/r1 '{"tags":["q"]}'
    run 0 sync
    is "a" "$(get x/r1 '.tags|sort|join("")')" qr
    is "b" "$(get y/r1 '.tags|sort|join("")')" qr
    quiet
}

planned() {
    in_step
    put x/r1 '{"title":"X","n":1}'
    put y/fresh '{"title":"new"}'
    rm x/r3.json
    local before
    before=$(sorted x; sorted y)
    run 0 plan --json
    is "an update's keys" "$(js 'map(select(.op == "update"))[0] | [has("pair","a","b","field","before","after","base","reason")] | all')" true
    is "the update" "$(js 'map(select(.op == "update"))[0] | [.pair, .a, .b, .field, .before, .after, .base]')" '["p","r1","r1","title","t1","X","t1"]'
    is "the create" "$(js 'map(select(.op == "create"))[0] | [.pair, .b, .field, .before, .after]')" '["p","fresh","title",null,"new"]'
    is "sides after plan" "$(sorted x; sorted y)" "$before"
    run 4 plan --exit-code
    run 0 plan
    says out title
    is "sides after plan" "$(sorted x; sorted y)" "$before"
    run 0 sync
    run 0 plan --exit-code
}

applied() {
    in_step
    put x/r1 '{"title":"X","n":1}'
    put x/r2 '{"title":"X2","n":2}'
    put x/new '{"title":"N"}'
    run 0 plan -o plan.json
    is "mode" "$(stat -c %a plan.json)" 600
    put x/late '{"title":"not in the plan"}'
    put y/r2 '{"title":"edited after","n":2}'
    run 3 apply plan.json
    grep -q r2 out err || wrong "the item left out is not named: $(cat out err)"
    is "planned update" "$(get y/r1 .title)" X
    is "planned create" "$(get y/new .title)" N
    is "not planned" "$(get y/late .title)" gone
    is "left out" "$(get y/r2 .title)" "edited after"
    local before
    before=$(stat -c '%n %Y %Z %i' y/*)
    "$syncline" -c c.json apply plan.json >out 2>err
    is "y after applying twice" "$(stat -c '%n %Y %Z %i' y/*)" "$before"
    run 3 sync
    is "sync goes on" "$(get y/late .title)" "not in the plan"
    quiet 3
}

applied_clean() {
    in_step
    put x/r1 '{"title":"X","n":1}'
    rm x/r2.json
    put y/new '{"title":"N"}'
    run 0 plan -o plan.json
    run 0 apply plan.json
    is "planned update" "$(get y/r1 .title)" X
    is "planned create" "$(get x/new .title)" N
    run 0 apply plan.json
    quiet
}

changed_config() {
    in_step
    put x/r1 '{"title":"X","n":1}'
    run 0 plan -o plan.json
    config '"conflict": "a"'
    run 2 apply plan.json
    is "nothing written" "$(get y/r1 .title)" t1
    config
    run 0 apply plan.json
    is "written" "$(get y/r1 .title)" X
    run 2 apply missing.json
    echo '{}' >bad.json
    run 2 apply bad.json
}

delete_policy() { # POLICY WANT-ON-B
    in_step "\"deletes\": {\"policy\": \"$1\"}"
    rm x/r1.json
    run 0 sync
    is "b" "$(get y/r1 .title)" "$2"
    is "a" "$(get x/r1 .title)" "${3:-gone}"
    quiet
    put y/r1 '{"title":"again","n":1}'
    run 0 sync
    is "a after an edit on b" "$(get x/r1 .title)" "$4"
}

archived() {
    in_step '"deletes": {"policy": "archive"}'
    rm x/r1.json
    run 0 sync
    is "b" "$(get y/r1 .title)" gone
    is "archive" "$(get y/.archive/r1 .title)" t1
    quiet
}

unlinked_stays() {
    in_step
    rm x/r1.json
    run 0 sync
    is "b stays" "$(get y/r1 .title)" t1
    run 0 links p --json
    is "link's keys" "$(js 'map([has("pair","a","b")] | all) | all')" true
    is "the link" "$(js 'map(select(.b == "r1"))[0].state')" unlinked
    run 0 status --json
    quiet
    run 0 unlink p b:r1 --forget
    run 0 sync
    is "created again once forgotten" "$(get x/r1 .title)" t1
}

edit_beats_delete() {
    in_step '"deletes": {"policy": "delete"}'
    rm x/r1.json
    put y/r1 '{"title":"edited","n":1}'
    run 0 sync --json
    whole_line sync
    is "created again on a in the same run" "$(get x/r1 .title)" edited
    is "records on a" "$(sorted x | wc -l)" 3
    is "b" "$(get y/r1 .title)" edited
    quiet
}

guard_count() {
    many 30 '"deletes": {"policy": "delete"}'
    for i in {1..10}; do rm "x/r$i.json"; done
    run 0 sync --json
    is "10 of 30 go" "$(js '.[0].writes.b.delete')" 10
    is "left on b" "$(sorted y | wc -l)" 20
    for i in {11..21}; do rm "x/r$i.json"; done
    put x/r30 '{"title":"flows"}'
    put x/new '{"title":"flows"}'
    run 3 sync --json
    whole_line sync
    is "11 of 20 are withheld" "$(js '.[0] | [.withheld, .writes.b.delete, .writes.b.update, .writes.b.create]')" '[11,0,1,1]'
    run 3 status --json
    is "status" "$(js '.[0].withheld')" 11
    run 3 sync --json
    is "still" "$(writes)" 0
    run 0 approve p --deletes 10
    run 3 sync --json
    is "10 approved of 11: none" "$(js '.[0].writes.b.delete')" 0
    run 3 sync
    run 0 approve p --deletes 11
    run 0 sync --json
    is "11 approved" "$(js '.[0] | [.writes.b.delete, .applied, .withheld]')" '[11,11,0]'
    quiet
    is "both" "$(sorted y)" "$(sorted x)"
}

guard_percent() {
    many 200 '"deletes": {"policy": "delete"}'
    for i in {1..20}; do rm "x/r$i.json"; done
    run 0 sync --json
    is "10 % go" "$(js '.[0].writes.b.delete')" 20
    for i in {21..39}; do rm "x/r$i.json"; done
    run 3 sync --json
    is "19 of 180 wait" "$(js '.[0] | [.writes.b.delete, .withheld]')" '[0,19]'
    for i in {21..39}; do put "x/r$i" "{\"title\":\"t$i\"}"; done
    run 0 sync --json
    is "they came back" "$(js '.[0] | [.writes.b.delete, .withheld]')" '[0,0]'
    quiet
    is "both" "$(sorted y)" "$(sorted x)"
}

# A delete that was read in a run that failed on the other side is not forgotten.
delete_in_failed_run() {
    local plugin
    sqlite3 t.db "CREATE TABLE r (id TEXT PRIMARY KEY NOT NULL, title TEXT)"
    cat >notes.sh <<EOF
while read -r line; do
    case \$line in
    *'"call":"pull"'*) [ ! -e fail ] || { echo '{"error":{"class":"retry","message":"fails on purpose"}}'; continue; } ;;
    esac
    printf '%s\n' "\$line" | python3 $root/plugins/exec/examples/notes.py \$PWD/y
done
EOF
    for plugin in '"sqlite", "settings": {"file": "t.db"}' '"csv", "settings": {"root": ".", "key": "id"}'; do
        rm -rf state y && mkdir y
        sqlite3 t.db "DELETE FROM r; INSERT INTO r VALUES ('r1','t1'), ('r2','t2')"
        printf 'id,title\nr1,t1\nr2,t2\n' >r.csv
        cat >c.json <<EOF
{ "connections": { "t": {"plugin": $plugin}, "y": {"plugin": "exec", "settings": {"command": ["sh", "notes.sh"]}} },
  "pairs": { "p": {"a": {"connection": "t", "object": "r"}, "b": {"connection": "y", "object": "notes"}, "deletes": {"policy": "delete"},
                   "fields": [{"a": "title", "b": "title"}]} } }
EOF
        run 0 sync
        is "created" "$(cat y/r1.txt)" t1
        sqlite3 t.db "DELETE FROM r WHERE id = 'r1'"
        sed -i /^r1/d r.csv
        touch fail
        run 1 sync
        rm fail
        run 0 sync
        [ ! -e y/r1.txt ] || wrong "y/r1.txt is still there with ${plugin%%,*}"
        quiet
    done
}

empty_listing() {
    many 20 '"deletes": {"policy": "delete"}'
    rm x/*.json
    run 3 sync
    is "b" "$(sorted y | wc -l)" 20
    run 0 approve p --deletes 20
    run 0 sync
    is "b" "$(sorted y | wc -l)" 0
}

leaves_filter() { # ON_LEAVE
    put x/r1 '{"title":"t1","open":true}'
    put x/r2 '{"title":"t2","open":false}'
    config "\"on_leave\": \"$1\", \"fields\": [{\"a\":\"title\",\"b\":\"title\"}]"
    sed -i 's|"connection": "x", "object": "."|&, "filter": ".open"|' c.json
    run 0 sync --json
    whole_line sync
    is "filtered" "$(js '.[0] | [.filtered, .writes.b.create]')" '[1,1]'
    is "outside" "$(get y/r2 .title)" gone
    put x/r1 '{"title":"left","open":false}'
    run 0 sync
    case $1 in
    archive) is "b" "$(get y/r1 .title)$(get y/.archive/r1 .title)" "gonet1" ;;
    *) is "b" "$(get y/r1 .title)" t1 ;;
    esac
    quiet
    put x/r1 '{"title":"back","open":true}'
    run 0 sync
    case $1 in
    keep) is "b goes on" "$(get y/r1 .title)" back ;;
    unlink) is "b stays" "$(get y/r1 .title)" t1 ;;
    esac
    quiet
}

first_review() {
    put x/r1 '{"k":1,"title":"a"}'
    put y/s1 '{"k":1,"title":"a"}'
    put y/s2 '{"k":2,"title":"b"}'
    config '"match": ["k"]'
    run 3 sync --json
    whole_line review
    is "writes" "$(writes)" 0
    run 3 sync
    is "a" "$(sorted x | wc -l)" 1
    run 3 status
    says out "its first run waits for you: look at \`syncline plan p\`, then \`syncline approve p --first-run\`"
    run 3 status --json
    is "review" "$(js '.[0].review')" true
    run 0 approve p --first-run
    run 0 status
    run 0 sync --json
    is "created what had no partner" "$(js '.[0] | [.writes.a.create, .writes.b.create]')" '[1,0]'
    run 0 links p --json
    is "matched" "$(js 'map(select(.a == "r1" and .b == "s1")) | length')" 1
    quiet
}

first_review_plan() {
    put x/r1 '{"k":1,"title":"a"}'
    put y/s1 '{"k":1,"title":"a"}'
    put y/s2 '{"k":2,"title":"b"}'
    config '"match": ["k"]'
    "$syncline" -c c.json plan -o plan.json >out 2>err
    run 0 apply plan.json
    is "a" "$(sorted x | wc -l)" 2
    quiet
}

first_doubling() {
    put x/r1 '{"k":1}'
    put y/s1 '{"k":1}'
    config '"first_run": "match_or_create"'
    run 2 check --online
    says err 'would double 2 records'
    run 2 check
    says err 'would double 2 records'
    run 2 sync
    config '"first_run": "create_only"'
    run 0 sync
    is "a" "$(sorted x | wc -l)" 2
    quiet
}

match_keys() {
    put x/r1 '{"email":"a@x.test","title":"a"}'
    put x/r2 '{"email":"b@x.test","title":"b"}'
    put x/r3 '{"name":"n","city":"c","title":"c"}'
    put y/s1 '{"email":"a@x.test","title":"a"}'
    put y/s3 '{"name":"n","city":"c","title":"c"}'
    put y/s4 '{"email":"d@x.test","title":"d"}'
    config '"first_run": "match_or_create", "match": ["email", ["name", "city"]]'
    run 0 sync --json
    is "creates" "$(js '.[0] | [.writes.a.create, .writes.b.create]')" '[1,1]'
    run 0 links p --json
    is "links" "$(js 'map("\(.a)-\(.b)") | sort | join(" ")')" "r1-s1 r2-r2 r3-s3 s4-s4"
    quiet
    config '"first_run": "match_only", "match": ["email"]'
    rm -rf state && rm x/s4.json
    run 0 sync --json
    is "match_only creates" "$(js '.[0] | [.writes.a.create, .writes.b.create]')" '[0,0]'
}

ambiguous() {
    put x/r1 '{"k":1,"title":"a"}'
    put y/s1 '{"k":1,"title":"a"}'
    put y/s2 '{"k":1,"title":"b"}'
    config '"first_run": "match_or_create", "match": ["k"]'
    run 3 sync --json
    whole_line sync
    is "writes" "$(writes)" 0
    run 0 conflicts --json
    says out s1
    says out s2
    run 0 link p r1 s1
    run 0 conflicts --json
    "$syncline" -c c.json sync --json >out 2>err
    run 0 links p --json
    is "linked by hand" "$(js 'map(select(.a == "r1" and .b == "s1")) | length')" 1
}

one_way() {
    in_step '"mode": "one_way"'
    put y/r1 '{"title":"drift","n":1}'
    put y/own '{"title":"stays"}'
    put x/r2 '{"title":"X","n":2}'
    run 3 sync --json
    whole_line sync
    is "a is not written" "$(js '.[0].writes.a | add')" 0
    is "a" "$(get x/r1 .title)$(get x/own .title)" t1gone
    is "b" "$(get y/r1 .title) $(get y/r2 .title)" "drift X"
    quiet 3
    run 0 conflicts --json
    is "drift" "$(js '.[0] | [.kind, .a, .field]')" '["drift","r1","title"]'
}

drift_revert() {
    in_step '"fields": [{"a":"title","b":"title","direction":"a_to_b","drift":"revert"},{"a":"n","b":"n"}]'
    put y/r1 '{"title":"drift","n":5}'
    run 0 sync
    is "b" "$(get y/r1 '[.title,.n]|join(" ")')" "t1 5"
    is "a" "$(get x/r1 '[.title,.n]|join(" ")')" "t1 5"
    quiet
}

held_lock() {
    in_step
    local holder
    for ((i = 1; i <= 4000; i++)); do printf '{"title":"%d"}\n' "$i" >"x/m$i.json"; done
    "$syncline" -c c.json sync >first.out 2>&1 &
    holder=$!
    for _ in {1..200}; do [ -n "$(find y -name 'm*' -print -quit)" ] && break; sleep 0.01; done
    kill -STOP $holder
    run 1 sync --no-wait
    says err "$holder"
    run 0 status
    "$syncline" -c c.json sync --json >second.out 2>second.err &
    local second=$!
    kill -CONT $holder
    wait $holder || wrong "the holder ends with $?: $(cat first.out)"
    wait $second || wrong "the one that waited ends with $?: $(cat second.err)"
    is "records on b" "$(find y -name '*.json' | wc -l)" 4003
    quiet
}

sigterm() {
    for ((i = 1; i <= 5000; i++)); do printf '{"title":"%d"}\n' "$i" >"x/m$i.json"; done
    config
    "$syncline" -c c.json sync >first.out 2>&1 &
    local child=$!
    for _ in {1..200}; do [ -n "$(find y -name 'm*' -print -quit 2>/dev/null)" ] && break; sleep 0.01; done
    kill -TERM $child
    wait $child
    local rc=$?
    [ $rc -le 1 ] || wrong "a terminated run exits $rc: $(cat first.out)"
    run 0 sync
    is "records on b" "$(find y -name '*.json' | wc -l)" 5000
    quiet
}

filter_tested() {
    put x/r1 '{"title":"t1","open":true}'
    put x/r2 '{"title":"t2","open":false}'
    config '"fields": [{"a":"title","b":"name"},{"b":"label","from_a":"\"[\" + .title + \"]\"","direction":"a_to_b"}]'
    sed -i 's|"connection": "x", "object": "."|&, "filter": ".open"|' c.json
    run 0 test-filter p r1
    says out '[t1]'
    run 0 test-filter p r2
    hides out '[t2]x'
    run '1|2' test-filter p none
    says err none
    run 0 sync
    is "b" "$(get y/r1 '[.name,.label]|join(" ")')" "t1 [t1]"
}

values_map() {
    put x/r1 '{"s":"open"}'
    put x/r2 '{"s":"odd"}'
    put x/r3 '{"s":"resolved"}'
    config '"fields": [{"a":"s","b":"status","values":{"open":"o","resolved":"closed"}}]'
    run 3 sync --json
    whole_line sync
    is "b" "$(get y/r1 .status) $(get y/r3 .status)" "o closed"
    run 0 parked --json
    is "parked's keys" "$(js '.[0] | [has("id","pair","a","b","reason")] | all')" true
    is "parked" "$(js '.[0] | [.pair, .a]')" '["p","r2"]'
    says out odd
    local id
    id=$(js '.[0].id')
    run 0 parked show "$id"
    put y/r1 '{"status":"closed"}'
    put x/r2 '{"s":"open"}'
    run 0 sync --json
    is "applied and parked" "$(js '.[0] | [.applied, .parked]')" '[2,0]'
    is "a" "$(get x/r1 .s)" resolved
    is "b" "$(get y/r2 .status)" o
    run 0 parked --json
    is "parked left" "$(js length)" 0
    quiet
}

values_otherwise() {
    put x/r1 '{"s":"odd"}'
    put x/r2 '{"s":"open"}'
    config '"fields": [{"a":"s","b":"status","values":{"open":"o"},"otherwise":"unknown","otherwise_a":"open"}]'
    run 0 sync
    is "b" "$(get y/r1 .status) $(get y/r2 .status)" "unknown o"
    put y/r2 '{"status":"strange"}'
    run 0 sync
    is "a" "$(get x/r2 .s)" open
    quiet
}

whys() {
    in_step
    put x/r1 '{"title":"X","n":1}'
    run 0 sync
    run 0 why p r1 title
    says out title
    says out 'a.title ↔ b.title: a "X" (base "t1"), b "t1" (base "t1"); a won'
    run 0 why p r1 title --json
    is "why's keys" "$(js 'map([has("base_a","base_b","value_a","value_b","rule","winner","run","reason")] | all) | all')" true
    says out t1
    run 0 why p r1
    says out n
    run 0 why p b:r1 title
    run 0 why p r1 title --json
    says out '"X"'
    run 0 history --json
    is "history's keys" "$(js 'map([has("pair","a","b","field","before","after","base","reason")] | all) | all')" true
    run 0 history p r1 --since 1h
    says out X
    run 0 history p --since 2100-01-01 --json
    is "later than now" "$(js length)" 0
    run 0 history p
    run 2 why p
    run 0 status --json
    is "last run" "$(js '.[0].last_run')" "$("$syncline" -c c.json history --json | jq -rs 'last.run')"
    run 0 sync --json
    local idle
    idle=$(js '.[0].run')
    run 0 status --json
    is "last run, which found nothing" "$(js '.[0].last_run')" "$idle"
    run 0 status
    says out "(run $idle)"
}

undone() {
    in_step '"deletes": {"policy": "delete"}'
    put x/r1 '{"title":"X","n":1}'
    put x/new '{"title":"created"}'
    rm x/r3.json
    run 0 sync --json
    local run_id
    run_id=$(js '.[0].run')
    run 0 undo "$run_id" --dry-run
    says out 'would be restored: r1 on b, title: "X" → "t1"'
    run 0 undo "$run_id" --dry-run --json
    is "what undo would do" "$(js 'map(select(.what == "restored") | [.id, .field, .before, .after])')" '[["r1","title","X","t1"]]'
    is "a dry run writes nothing" "$(get y/r1 .title)$(get y/new .title)$(get y/r3 .title)" Xcreatedgone
    run 0 undo "$run_id"
    is "the update" "$(get y/r1 .title)" t1
    is "the create" "$(get y/new .title)" gone
    is "the delete" "$(get y/r3 '[.title,.n]|join(" ")')" "t3 3"
    run 0 sync --json
    whole_line sync
    is "the restored value goes across" "$(get x/r1 .title)" t1
    is "the created one is not created again" "$(get y/new .title) $(get x/new .title)" "gone created"
    is "the deleted one stays" "$(get y/r3 .title)" t3
    quiet
    run 2 undo 01NOSUCHRUN
}

undone_except() {
    in_step
    put x/r1 '{"title":"X","n":1}'
    put x/r2 '{"title":"X","n":2}'
    run 0 sync --json
    local run_id
    run_id=$(js '.[0].run')
    put y/r1 '{"title":"edited since","n":1}'
    run 0 undo "$run_id"
    is "edited since" "$(get y/r1 .title)" "edited since"
    is "taken back" "$(get y/r2 .title)" t2
}

verified() {
    in_step
    run 0 verify
    run 0 verify --json
    is "equal" "$(js '.[0] | [.pair, .equal, .differ]')" '["p",3,0]'
    put y/r1 '{"title":"other","n":1}'
    run 3 verify
    says out r1
    run 3 verify --json
    is "a is not written" "$(get x/r1 .title)" t1
    run 0 verify --repair
    run 0 verify
    is "both" "$(sorted y)" "$(sorted x)"
}

# digests: of both sides, by the last verify --json.
digests() { js '.[-1].digest | [.a, .b] | join(" ")'; }

verified_by_digest() {
    three
    config '"fields": [{"a": "title", "b": "name"}, {"a": "n", "b": "n"}, {"a": "own", "b": "own", "direction": "a_to_b", "drift": "ignore"}]'
    run 3 verify --json
    is "nothing on b" "$(js '.[-1].digest.b')" 00000000000000000000000000000000
    run 0 sync
    run 0 verify --json
    local first=$(digests)
    is "equal" "${first% *}" "${first#* }"
    run 0 verify
    says out "digest of a ${first% *}, of b ${first% *}"
    printf '{ "own": 1, "n": 1.0, "name": "t1" }' >y/r1.json
    run 0 verify --json
    is "another spelling: equal" "$(js '.[-1].digest | .a == .b')" true
    put y/r1 '{"name":"t1","n":1,"other":"not mapped"}'
    mv x/r2.json keep && run 3 verify --json
    is "a record less: a differs, b does not" "$(js '.[-1].digest | [.a != .b, .b]')" "[true,\"${first#* }\"]"
    mv keep x/r2.json
    run 0 verify --json
    is "as before" "$(digests)" "$first"
    put y/r1 '{"name":"edited","n":1}'
    run 3 verify --json
    is "an edit on b" "$(js '.[-1].digest | [.a, .a != .b]')" "[\"${first% *}\",true]"
    run 0 verify --repair --json
    is "repaired" "$(js '.[-1].digest | .a == .b')" true
    [ "$(digests)" != "$first" ] || wrong "the digests of other content are the same"
}

verify_after_conflict() {
    in_step
    put x/r1 '{"title":"X","n":1}'
    put y/r1 '{"title":"Y","n":1}'
    run 3 sync
    run 3 verify
    says out r1
}

by_hand() {
    put x/r1 '{"title":"a"}'
    put y/s1 '{"title":"a"}'
    put y/s2 '{"title":"b"}'
    config '"first_run": "match_only", "match": ["k"]'
    run 0 sync
    touch y/s2.json
    run 0 sync
    is "match_only creates nothing later" "$(find x -name '*.json' | wc -l)" 1
    run 0 link p r1 s1
    run 0 links p --json
    is "linked" "$(js 'map(select(.a == "r1" and .b == "s1")) | length')" 1
    run 0 sync
    put x/r1 '{"title":"A"}'
    run 0 sync
    is "b" "$(get y/s1 .title)" A
    run 0 unlink p r1
    put x/r1 '{"title":"AA"}'
    run 0 sync
    is "cut" "$(get y/s1 .title)" A
    quiet
    run 0 link p r1 s1
    "$syncline" -c c.json sync >out 2>err
    [ $? -le 3 ] || wrong "sync after linking again: $(cat err)"
    run 2 link p r1
    run 2 unlink p nosuch
}

listed_plugins() {
    cd "$top/work" && rm -f c.json syncline.json
    "$syncline" plugins >out 2>err || wrong "plugins exits $?: $(cat err)"
    local name
    for name in jsondir csv sqlite exec; do says out $name; done
    "$syncline" plugins sqlite >out 2>err || wrong "plugins sqlite exits $?: $(cat err)"
    says out file
    "$syncline" plugins --json >out 2>err || wrong "plugins --json exits $?"
    [ "$(js length)" -ge 4 ] || wrong "plugins --json prints $(js length) lines"
    "$syncline" plugins nosuch >out 2>err && wrong "plugins nosuch exits 0"
    says err nosuch
}

checked() {
    in_step '"conflict": "newest"'
    run 0 check
    says out T1
    run 0 check --online
    config '"fields": [{"a":"title","b":"title"},{"a":"n","b":"nn","values":{"1":"x","2":"x"}}]'
    "$syncline" -c c.json check >out 2>err
    [ $? -le 2 ] || wrong "check dies"
}

two_pairs() {
    mkdir -p z
    three
    cat >c.json <<'EOF'
{ "connections": {
    "x": {"plugin": "jsondir", "settings": {"root": "x"}},
    "y": {"plugin": "jsondir", "settings": {"root": "y"}},
    "z": {"plugin": "jsondir", "settings": {"root": "z"}} },
  "pairs": { "one": {"a": {"connection": "x", "object": "."}, "b": {"connection": "y", "object": "."}},
             "two": {"a": {"connection": "y", "object": "."}, "b": {"connection": "z", "object": "."}} } }
EOF
    run 0 sync --json
    is "a line a pair" "$(js 'map(.pair) | join(" ")')" "one two"
    is "x to z" "$(sorted z)" "$(sorted x)"
    run 0 sync two --json
    is "one pair" "$(js 'map(.pair) | join(" ")')" two
    mv z z.away
    put x/r1 '{"title":"X","n":1}'
    run '1|2' sync
    is "the other pair goes on" "$(get y/r1 .title)" X
    mv z.away z
    run 0 status --json
    is "status of both" "$(js 'map(.pair) | join(" ")')" "one two"
    run 0 sync
    is "z" "$(get z/r1 .title)" X
}

types_kept() {
    printf '{"id18":123456789012345678,"dec":0.10,"big":1e400,"t":"x","nil":null,"no":false,"list":[1,"a",{"k":2.50}],"obj":{"z":1,"a":[]},"empty":""}\n' >x/r1.json
    config
    run 0 sync
    is "exact" "$(tr -d ' \n' <y/r1.json | grep -oE '123456789012345678|:0\.10|1e400|1E\+?400|2\.50' | tr '\n' ' ')" "1e400 :0.10 123456789012345678 2.50 "
    is "nothing else" "$(jq -S 'del(.big)' y/r1.json)" "$(jq -S 'del(.big)' x/r1.json)"
    quiet
}

root=$PWD
scenario "I11: a first sync, its line, and nothing the second time" first_sync
scenario "I2: changes and creates go both ways" both_ways
scenario "usage errors exit 2" usage_errors
scenario "syncline.json is the default config" default_config
scenario "I26: a missing folder is an error, no empty listing" missing_root
scenario "unknown keys are refused with place and suggestion" unknown_key
scenario "comments and trailing commas" comments_and_commas
scenario "wrong settings and unknown plugins are refused" literal_secret
scenario "I4: conflict: waits, shows, resolves" conflict_manual
scenario "conflict: a value by hand" conflict_value
scenario "I5: conflict a" conflict_policy a 0 5 6 "X 5" "X 5"
scenario "I5: conflict b" conflict_policy b 0 5 6 "Y 6" "Y 6"
scenario "I5: conflict newest" conflict_policy newest 0 5 6 "Y 6" "Y 6"
scenario "I5: conflict min" conflict_policy min 0 5 6 "X 5" "X 5"
scenario "I5: conflict max" conflict_policy max 0 5 6 "Y 6" "Y 6"
scenario "I5: the loser is in history and why" loser_in_history
scenario "I9: conflict merge: sets" merge_sets
scenario "plan writes nothing and says everything" planned
scenario "apply: exactly the plan, once, without what changed since" applied
scenario "apply: a plan that still holds exits 0" applied_clean
scenario "apply: refused under a changed config" changed_config
scenario "deletes unlink" delete_policy unlink t1 gone gone
scenario "deletes delete" delete_policy delete gone gone again
scenario "deletes ignore" delete_policy ignore t1 gone gone
scenario "deletes recreate" delete_policy recreate t1 t1 again
scenario "deletes archive" archived
scenario "I30: an unlinked record stays until it is forgotten" unlinked_stays
scenario "I27: an edit beats a delete" edit_beats_delete
scenario "I28: guard: more than 10" guard_count
scenario "I28: guard: more than 10 %" guard_percent
scenario "I22 I26: a delete read in a failed run is not forgotten" delete_in_failed_run
scenario "I26 I28: guard: an empty listing" empty_listing
scenario "I29: on_leave keep" leaves_filter keep
scenario "I29: on_leave unlink" leaves_filter unlink
scenario "I29: on_leave archive" leaves_filter archive
scenario "I21: first run: review until approved" first_review
scenario "I21: first run: review until a plan is applied" first_review_plan
scenario "I21: first run: check names doubling" first_doubling
scenario "I30: match keys, ranked and compound" match_keys
scenario "I30: ambiguous records are listed, never guessed" ambiguous
scenario "I34 I39: one_way and drift" one_way
scenario "I39: drift revert of one field" drift_revert
scenario "a held lock: --no-wait names the pid, others wait" held_lock
scenario "SIGTERM ends a run cleanly" sigterm
scenario "test-filter" filter_tested
scenario "I23: values: unknown values park" values_map
scenario "values: otherwise both ways" values_otherwise
scenario "why and history" whys
scenario "I5: undo" undone
scenario "I6: undo leaves what was edited since" undone_except
scenario "I1: verify" verified
scenario "I12: verify prints a digest of each side" verified_by_digest
scenario "verify sees an open conflict" verify_after_conflict
scenario "link and unlink by hand" by_hand
scenario "plugins without a config" listed_plugins
scenario "check" checked
scenario "two pairs in one config" two_pairs
scenario "I32: types and numbers come across exactly" types_kept
finish

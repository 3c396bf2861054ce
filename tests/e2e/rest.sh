#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# rest.sh - the rest connector against a simulated API and a SQLite table: both ways, refused configs, lost replies, kills.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
command -v sqlite3 >/dev/null && command -v curl >/dev/null && command -v jq >/dev/null || exit 77

# start PROFILE: a fresh API.
start() { serve "$BUILD/tests/peers/peer" "$1"; }
# ask PATH [JSON]: of the API itself.
ask() { curl -sS "http://127.0.0.1:$port$1" ${2:+-d "$2"}; }
knobs() { ask /_peer/knobs "$1" >/dev/null; }
edit() { ask /_peer/put "$1" >/dev/null; }
state() { ask /_peer/state | jq -rc "$1"; }
sql() { sqlite3 -cmd '.timeout 5000' t.db "$1"; }

# The API's and the table's records, title and n, in one spelling.
theirs() { ask '/items?limit=100' | jq -rc '.items[] | "\(.title)|\(.n)"' | sort; }
ours() { sql 'select title, n from t' | sort; }

by_token='{"type": "cursor", "token_from": "/next_token", "token_to": {"name": "page_token"}, "size_to": {"name": "limit", "value": 3}}'
by_delete='{"mode": "delete", "path": "/items/{id}"}'
# How the profile generic is described; EXTRA members of its resource, PAIR members of the pair.
items() {
    sql 'create table if not exists t (id integer primary key, title text, n integer, modified text)'
    cat >c.json <<JSON
{
  "connections": {
    "api": {"plugin": "rest", "settings": {"base_url": "http://127.0.0.1:$port", "resources": {"items": {
      "key": "/id", "version": {"kind": "etag"}, "external_key": {"field": "/external_id"},
      "list": {"path": "/items", "records": "/items",
        "page": ${PAGE:-$by_token},
        "since": {"to": {"name": "updated_since"}, "field": "/updated_at", "overlap_s": 5}},
      "get": {"path": "/items/{id}"},
      "create": {"path": "/items", "idempotency_header": "Idempotency-Key"},
      "update": {"path": "/items/{id}", "method": "${METHOD:-PATCH}", "guard": {"type": "if_match"}},
      "delete": ${DELETE:-$by_delete}${1:+, $1}}}}},
    "db": {"plugin": "sqlite", "settings": {"file": "t.db"}}
  },
  "pairs": {"p": {"a": {"connection": "api", "object": "items"}, "b": {"connection": "db", "object": "t"},
    "match": ["n"], "first_run": "match_or_create",
    "fields": [{"a": "title", "b": "title"}, {"a": "n", "b": "n"}]${2:+, $2}}}
}
JSON
}
seed() {
    for i in 1 2 3 4 5 6 7; do edit "{\"title\":\"a$i\",\"n\":$i}"; done
    sql "insert into t (title, n) values ('b1', 11), ('b2', 12)"
}
in_step() {
    is "sides" "$(theirs)" "$(ours)"
    run 0 sync --json
    whole_line idle
    is "writes of an idle run" "$(writes)" 0
}

# Edits on both sides go across, whole listings or deltas; an idle run writes nothing.
both_ways() {
    start generic
    items
    seed
    run 0 sync --json
    whole_line first
    is "records" "$(ours | wc -l)" 9
    in_step
    edit "$(ask '/items?limit=1' | jq -c '.items[0] | {id, title: "edited there"}')"
    sql "update t set title = 'edited here' where n = 11"
    sql "insert into t (title, n) values ('new', 20)"
    run 0 sync --json
    is "writes" "$(writes)" 3
    in_step
    is "doubles" "$(state .doubles)" 0
}

# struck: which faults the API knows to have played, for the counts.
struck() { printf 'counts: %s: %s\n' "$1" "$(state '[.struck | to_entries[] | select(.value > 0) | "\(.value) \(.key)"] + ["\(.repeats) repeats", "\(.creates) creates"] | join(", ")')"; }

for_each_paging() {
    local type
    declare -A pages=(
        [link_header]='{"type": "link_header", "size_to": {"name": "limit", "value": 2}}'
        [next_url]='{"type": "next_url", "token_from": "/next_url", "size_to": {"name": "limit", "value": 2}}'
        [page]='{"type": "page", "token_to": {"name": "page"}, "size_to": {"name": "limit", "value": 2}}'
        [offset]='{"type": "offset", "token_to": {"name": "offset"}, "size_to": {"name": "limit", "value": 2}, "stop": {"on": "short_page"}}'
    )
    for type in "${!pages[@]}"; do
        rm -rf ./*
        start generic
        PAGE=${pages[$type]} items
        seed
        run 0 sync --json
        is "$type: records" "$(ours | wc -l)" 9
        in_step
    done
}

deletes() {
    start generic
    items '' '"deletes": {"policy": "delete", "max": 5}'
    seed
    run 0 sync
    sql "delete from t where title = 'a1'"
    ask /_peer/delete "$(ask '/items?limit=3' | jq -c '.items[] | select(.title == "a3") | {id}')" >/dev/null
    run 0 verify --repair || true
    run 0 sync
    is "sides" "$(theirs)" "$(ours)"
}

# A sweep sees a delete in the next run, where a list of changes would not.
swept() {
    start generic
    items '"deleted": {"mode": "sweep"}' '"deletes": {"policy": "delete", "max": 5}'
    seed
    run 0 sync
    ask /_peer/delete "$(ask '/items?limit=3' | jq -c '.items[] | select(.title == "a3") | {id}')" >/dev/null
    run 0 sync
    is "records" "$(ours | wc -l)" 8
    in_step
}

# A record whose status says so is deleted.
by_status() {
    start generic
    items '"deleted": {"mode": "status", "field": "/status", "eq": "gone"}' '"deletes": {"policy": "delete", "max": 5}'
    seed
    run 0 sync
    edit "$(ask '/items?limit=3' | jq -c '.items[] | select(.title == "a3") | {id, status: "gone"}')"
    run 0 sync
    is "records" "$(ours | grep -c .)" 8
    run 0 sync --json
    is "writes" "$(writes)" 0
}

# A delete here closes the record there, once; it does not come back as a new one.
closed() {
    start generic
    DELETE='{"mode": "close", "path": "/items/{id}", "set": {"status": "gone"}}' \
        items '"deleted": {"mode": "status", "field": "/status", "eq": "gone"}' '"deletes": {"policy": "'"$1"'", "max": 5}'
    seed
    run 0 sync
    sql "delete from t where n = 3"
    run 0 sync --json
    is "deletes" "$(js '.[0].writes.a.delete')" 1
    is "the record" "$(ask '/items?limit=100' | jq -rc '.items[] | select(.n == 3) | [.title, .status] | join(" ")')" "a3 gone"
    quiet
    is "records" "$(ours | wc -l)" 8
}

replaced() {
    start generic
    METHOD=PUT items
    edit '{"title":"a1","n":1,"extra":"kept"}'
    run 0 sync
    sql "update t set title = 'new'"
    run 0 sync
    is "what no side maps stays" "$(ask /items | jq -rc '.items[] | [.title, .extra] | join(" ")')" "new kept"
}

refusals() {
    start generic
    items '"colour": 1'
    run 2 sync
    says err 'resources.items.colour: this key is not known here; use one of'
    items '"lable": "/title"'
    run 2 sync
    says err 'resources.items.lable: this key is not known here; did you mean "label"?'
    PAGE='{"type": "pages"}' items
    run 2 sync
    says err 'resources.items.list.page.type: "pages" is not known here; use one of none, link_header, next_url, cursor, page, offset'
    items
    sed -i 's|"records": "/items",|& "query": {"of": [1]},|' c.json
    run 2 sync
    says err 'resources.items.list.query.of: a text is expected; write one in quotes'
    PAGE='{"type": "cursor"}' items
    run 2 sync
    says err 'resources.items.list.page.token_from: missing'
}

lost_replies() {
    start generic
    items
    seed
    for i in {1..40}; do sql "insert into t (title, n) values ('l$i', 100 + $i)"; done
    knobs '{"the reply is lost": {"of_1000": 300}, "5xx after the effect": {"of_1000": 200}, "seed": 7}'
    for turn in 1 2 3 4; do
        sql "update t set title = title || '$turn' where n < 130"
        "$syncline" -c c.json sync >out 2>err
        [ $? -le 3 ] || wrong "sync: $(cat err)"
    done
    struck "lost replies"
    ask /_peer/calm '{}' >/dev/null
    run '0|1' sync
    in_step
    is "doubles" "$(state .doubles)" 0
}

kills() {
    start generic
    items
    seed
    for i in {1..30}; do sql "insert into t (title, n) values ('k$i', 100 + $i)"; done
    killed_each 1 2 3 5 8 12
    struck kills
    ask /_peer/calm '{}' >/dev/null
    run 0 sync
    is "records" "$(ours | wc -l)" 39
    in_step
    is "doubles" "$(state .doubles)" 0
}

# Two runs at once on one account keep its limit together: alone each would use it up.
one_account() {
    start generic
    items
    sql "create table u (id integer primary key, title text, n integer)"
    for i in {1..45}; do sql "insert into t (title, n) values ('t', $i); insert into u (title, n) values ('u', $i)"; done
    jq '.connections.api += {limits: {requests_per_minute: 1200, in_flight: 2}} | .pairs.p as $p | .pairs = ({t: "t", u: "u"} | map_values(
        {a: {connection: "db", object: .}, b: $p.a, mode: "one_way", fields: $p.fields, match: $p.match, first_run: "create_only"}))' c.json >two.json
    mv two.json c.json
    knobs '{"requests a second": 30}'
    "$syncline" -c c.json sync t >out.t 2>err.t &
    local other=$!
    run 0 sync u
    wait $other || wrong "the other run fails: $(cat err.t)"
    ask /_peer/calm '{}' >/dev/null
    is "records" "$(ask '/items?limit=100' | jq '.items | length')" 90
    struck "two runs, one account"
    is "refused, of 20 a second where 30 are permitted" "$(state '.struck["requests a second"] // 0')" 0
}

# fault KNOBS [MEMBERS [SECONDS]]: records as old as that when the faults begin; both sides are edited while it strikes, one run of three is killed; calm again, they are in step and nothing is doubled.
fault() {
    local turn third
    start generic
    items "\"late_s\": 1${2:+, $2}"
    seed
    run 0 sync
    sleep "${3:-0}"
    third=$(ask '/items?limit=100' | jq -c '.items[] | select(.n == 3).id')
    knobs "$1"
    for turn in 1 2 3; do
        edit "{\"id\": $third, \"title\": \"theirs $turn\"}"
        sql "update t set title = 'ours $turn' where n = 12; insert into t (title, n) values ('new', 100 + $turn)"
        case $turn in
        2) killed_at 2 ;;
        *) "$syncline" -c c.json sync >out 2>err ;;
        esac
        [[ $? =~ ^[0-3]$|^137$ ]] || wrong "sync exits otherwise: $(cat err)"
    done
    struck "$1"
    ask /_peer/calm '{}' >/dev/null
    ask /_peer/clock '{"ahead_ms": 7200000}' >/dev/null # past what a fault keeps waiting there
    sleep 1.1
    "$syncline" -c c.json sync >out 2>err
    "$syncline" -c c.json verify --repair >out 2>err
    run 0 sync
    is "records" "$(ours | wc -l)" 12
    in_step
    is "doubles" "$(state .doubles)" 0
}
calls=("the reply is lost" "the request is lost" "the request arrives late" "5xx after the effect" "429 for a write" "a write is refused"
    "5xx" "401" "an answer without content" "an answer that is no JSON" "an empty listing" "half a listing" "rows repeated between pages"
    "rows skipped between pages" "pages of different orders" "a page comes again" "a page is missing" "the cursor expires"
    "pages in a circle")
always=("small pages" "times of one second" "times of one minute" "times in another zone" "no times" "another order" "answers without the record" "no versions")

scenario "edits on both sides, and an idle run writes nothing" both_ways
scenario "every kind of paging lists all" for_each_paging
scenario "deletes go across" deletes
scenario "a sweep sees deletes in each run" swept
scenario "a status can mean deleted" by_status
scenario "a record can be closed instead of deleted" closed delete
scenario "an archived record is closed" closed archive
scenario "a record that is replaced keeps what is not mapped" replaced
scenario "a config that cannot be meant is refused by path" refusals
scenario "I19 lost replies to creates double nothing" lost_replies
scenario "I18 I19 kills double nothing and lose nothing" kills
scenario "F21 two runs on one account are as one client" one_account
for name in "${calls[@]}"; do scenario "I12 I19 $name" fault "{\"$name\": {\"of_1000\": 400}, \"seed\": 5}"; done
for name in "${always[@]}"; do scenario "I12 I19 $name" fault "{\"$name\": true}"; done
scenario "I12 I19 the index lags" fault '{"the index lags": true}' '"index_lag_s": 2'
scenario "I12 I19 stale reads" fault '{"stale reads": 500}' '"stale_s": 1' 0.6
finish

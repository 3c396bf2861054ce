#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# zendesk.sh - the zendesk connector against a simulated Zendesk and a SQLite table: both ways, comments, custom fields, lost replies, kills.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
command -v sqlite3 >/dev/null && command -v curl >/dev/null && command -v jq >/dev/null || exit 77
peer=$BUILD/tests/peers/peer
export TOKEN=oauth-1

# A fresh account; its port is in $port.
start() { serve "$peer" zendesk; }
# Another account beside it; its port is in $other.
start_other() {
    local first=$port
    also "$peer" zendesk
    other=$port port=$first
}
# there COMMAND…: to the other account.
there() { local port=$other; "$@"; }
# order WHAT JSON: of the API's keeper. ask PATH: of the API.
order() { curl -sS "http://127.0.0.1:$port/_peer/$1" -d "$2"; }
ask() { curl -sS -H "Authorization: Bearer $TOKEN" "http://127.0.0.1:$port/api/v2$1"; }
state() { curl -sS "http://127.0.0.1:$port/_peer/state" | jq -rc "$1"; }
edit() { order put "$1" >/dev/null; }
later() { order clock '{"ahead_ms": 65000}' >/dev/null; } # past the minute that the export leaves out
sql() { sqlite3 -cmd '.timeout 5000' t.db "$1"; }

theirs() { ask '/tickets?page%5Bsize%5D=100' | jq -rc '.tickets[] | "\(.subject)|\(.status)|\(.priority)"' | sort; }
ours() { sql "select title, case status when 'resolved' then 'solved' when 'on_hold' then 'hold' else status end, priority from t" | sort; }

# tickets [PAIR [FIELDS]]: members of the pair, and further rules.
tickets() {
    sql 'create table if not exists t (id integer primary key, title text, body text, status text, priority text, severity text, modified text)'
    cat >c.json <<JSON
{
  "connections": {
    "desk": {"plugin": "zendesk", "settings": {"base_url": "http://127.0.0.1:$port", "token": {"env": "TOKEN"}, "late_s": 1, "index_lag_s": 0}},
    "db": {"plugin": "sqlite", "settings": {"file": "t.db"}}
  },
  "pairs": {"p": {"a": {"connection": "desk", "object": "tickets"}, "b": {"connection": "db", "object": "t"},
    "match": ["title"], "first_run": "match_or_create",
    "fields": [{"a": "title", "b": "title"}, {"a": "body", "b": "body"}, {"a": "status", "b": "status"}, {"a": "priority", "b": "priority"}${2:+, $2}]${1:+, $1}}}
}
JSON
}
seed() {
    local i
    for i in 1 2 3 4 5; do edit "{\"subject\": \"a$i\", \"description\": \"text $i\", \"priority\": \"low\"}"; done
    sql "insert into t (title, body, status, priority) values ('b1', 'x', 'on_hold', 'high'), ('b2', 'y', 'new', 'normal')"
    later
}
in_step() {
    is "sides" "$(theirs)" "$(ours)"
    later
    run 0 sync --json
    whole_line idle
    is "writes of an idle run" "$(writes)" 0
    later
    run 0 sync --json
    is "writes of an idle run" "$(writes)" 0
    is "requests of a run without news" "$(js '.[0].calls.a')" 1
}

# Edits on both sides go across; what has news of nothing costs one request.
both_ways() {
    start
    tickets
    seed
    run 0 sync --json
    whole_line first
    is "records" "$(ours | wc -l)" 7
    in_step
    edit '{"id": 1, "status": "pending"}'
    sql "update t set status = 'resolved' where title = 'b1'"
    sql "insert into t (title, body, status, priority) values ('new', 'z', 'open', 'urgent')"
    later
    run 0 sync --json
    is "writes" "$(writes)" 3
    in_step
    is "doubles" "$(state .doubles)" 0
    is "comments without a word on who sees them" "$(order limits '{}' | jq .without_public)" 0
}

deletes() {
    start
    tickets '"deletes": {"policy": "delete", "max": 5}'
    seed
    run 0 sync
    order delete '{"id": 2}' >/dev/null
    sql "delete from t where title = 'a4'"
    later
    run 0 sync
    is "here" "$(ours | grep -c a2)" 0
    is "there" "$(theirs | grep -c a4)" 0
    in_step
}

# A field of the account's own, and a filter by one.
own_fields() {
    start
    tickets '"a": {"connection": "desk", "object": "tickets", "filter": ".[\"custom.360001\"] == true"}' '{"a": "custom.360002", "b": "severity"}'
    sed -i 's/"a": {"connection": "desk", "object": "tickets"}, //' c.json
    edit '{"subject": "a1", "custom_fields": [{"id": 360001, "value": true}, {"id": 360002, "value": "sev1"}]}'
    edit '{"subject": "a2", "custom_fields": [{"id": 360001, "value": false}, {"id": 360002, "value": "sev1"}]}'
    later
    run 0 sync
    is "escalated" "$(sql 'select title, severity from t')" "a1|sev1"
    sql "update t set severity = 'sev2'"
    later
    run 0 sync
    is "severity" "$(ask /tickets/1 | jq -r '.ticket.custom_fields[] | select(.id == 360002).value')" sev2
    sql "update t set severity = 'sev9'"
    later
    run '3' sync
    run '0|3' parked
    says out "is not one of the options of the field"
    tickets '' '{"a": "custom.1", "b": "severity"}'
    run 2 sync
    says err "has no field 'custom.1'"
}

lost_replies() {
    local i
    start
    tickets
    seed
    for i in {1..20}; do sql "insert into t (title, body, status, priority) values ('l$i', 'x', 'open', 'low')"; done
    order knobs '{"the reply is lost": {"of_1000": 300}, "5xx after the effect": {"of_1000": 200}, "seed": 7}' >/dev/null
    for i in 1 2 3; do
        sql "update t set priority = 'high' where title = 'l$i'"
        "$syncline" -c c.json sync >out 2>err
        [ $? -le 3 ] || wrong "sync: $(cat err)"
        later
    done
    order calm '{}' >/dev/null
    run '0|1|3' sync
    later
    run '0' sync
    in_step
    is "records" "$(ours | wc -l)" 27
    is "doubles" "$(state .doubles)" 0
}

kills() {
    local i
    start
    tickets
    seed
    for i in {1..20}; do sql "insert into t (title, body, status, priority) values ('k$i', 'x', 'open', 'low')"; done
    killed_each 1 2 3 4 6 7
    order calm '{}' >/dev/null
    later
    run 0 sync
    is "records" "$(ours | wc -l)" 27
    in_step
    is "doubles" "$(state .doubles)" 0
}

# Two accounts, and what is said of a ticket in either.
two_accounts() {
    start
    start_other
    cat >c.json <<JSON
{
  "connections": {
    "desk": {"plugin": "zendesk", "settings": {"base_url": "http://127.0.0.1:$port", "token": {"env": "TOKEN"}, "late_s": 1, "index_lag_s": 0}},
    "code": {"plugin": "zendesk", "settings": {"base_url": "http://127.0.0.1:$other/api/v2/", "token": {"env": "TOKEN"}, "late_s": 1, "index_lag_s": 0}}
  },
  "pairs": {"p": {"a": {"connection": "desk", "object": "tickets", "filter": ".tags | index(\"escalated\") != null"},
    "b": {"connection": "code", "object": "tickets"}, "create": "a_to_b", "match": ["title"], "first_run": "match_or_create",
    "fields": [{"a": "title", "b": "title"}, {"a": "body", "b": "body", "direction": "a_to_b"}, {"a": "status", "b": "status"}],
    "children": [{"a": "comments", "b": "comments"}]}}
}
JSON
}
both_later() { later; there later; }
# said TICKET: what was said of it, but for its first comment, in order.
said() { ask "/tickets/$1/comments?page%5Bsize%5D=100" | jq -rc '[.comments[1:][].plain_body | split("\n")[-1]] | join(" ")'; }
each_once() {
    is "here" "$(said 2 | tr ' ' '\n' | sort | uniq | wc -l)" "$1"
    is "here, each once" "$(said 2 | wc -w)" "$1"
    is "there, each once" "$(there said 1 | tr ' ' '\n' | sort | tr '\n' ' ')" "$(said 2 | tr ' ' '\n' | sort | tr '\n' ' ')"
}

comments() {
    local i
    two_accounts
    edit '{"subject": "not escalated"}'
    edit '{"subject": "Login loops", "description": "Since noon", "tags": ["escalated"]}'
    order comment '{"ticket": 2, "author": 101, "body": "d1", "public": true}' >/dev/null
    both_later
    run 0 sync
    is "tickets there" "$(there theirs)" "Login loops|open|null"
    both_later
    run 0 sync
    for i in 1 2 3; do
        order comment "{\"ticket\": 2, \"author\": 101, \"body\": \"desk$i\", \"public\": true}" >/dev/null
        there order comment "{\"ticket\": 1, \"author\": 102, \"body\": \"code$i\", \"public\": false}" >/dev/null
    done
    both_later
    run 0 sync
    both_later
    run 0 sync
    each_once 7
    both_later
    run 0 sync --json
    is "writes of an idle run" "$(writes)" 0
    is "comments without a word on who sees them" "$(order limits '{}' | jq .without_public)" 0
}

# The replies to every third write are lost, and runs are killed: each comment once on either side.
comments_under_faults() {
    local i
    two_accounts
    edit '{"subject": "not escalated"}'
    edit '{"subject": "Login loops", "description": "Since noon", "tags": ["escalated"]}'
    both_later
    run 0 sync
    order knobs '{"the reply is lost": {"of_1000": 300}, "seed": 3}' >/dev/null
    there order knobs '{"the reply is lost": {"of_1000": 300}, "seed": 4}' >/dev/null
    for i in 1 2 3 4 5 6; do
        order comment "{\"ticket\": 2, \"author\": 101, \"body\": \"desk$i\", \"public\": true}" >/dev/null
        there order comment "{\"ticket\": 1, \"author\": 101, \"body\": \"code$i\", \"public\": true}" >/dev/null
        both_later
        case $i in
        2 | 4) killed_at "$i" ;;
        *) "$syncline" -c c.json sync >out 2>err ;;
        esac
    done
    order calm '{}' >/dev/null
    there order calm '{}' >/dev/null
    sleep 1.1
    for i in 1 2 3; do
        both_later
        "$syncline" -c c.json sync >out 2>err
    done
    run 0 sync
    each_once 12
}

# fault NAME: edits on both sides while it strikes, one run of three killed; calm again they are in step and nothing is doubled.
fault() {
    local turn
    start
    tickets
    seed
    run 0 sync
    order knobs "{\"$1\": {\"of_1000\": 400}, \"seed\": 5}" >/dev/null
    for turn in 1 2 3; do
        edit "{\"id\": 3, \"subject\": \"theirs $turn\"}"
        sql "update t set title = 'ours $turn' where body = 'y'; insert into t (title, body, status, priority) values ('new $turn', 'x', 'open', 'low')"
        later
        case $turn in
        2) killed_at 2 ;;
        *) "$syncline" -c c.json sync >out 2>err ;;
        esac
        [[ $? =~ ^[0-3]$|^137$ ]] || wrong "sync exits otherwise: $(cat err)"
    done
    order calm '{}' >/dev/null
    order clock '{"ahead_ms": 7300000}' >/dev/null
    sleep 1.1
    "$syncline" -c c.json sync >out 2>err
    "$syncline" -c c.json verify --repair >out 2>err
    run 0 sync
    is "records" "$(ours | wc -l)" 10
    in_step
    is "doubles" "$(state .doubles)" 0
}
faults=("the request is lost" "an answer without content" "an empty listing" "the cursor expires")

scenario "I12 edits on both sides, and a run without news is one request" both_ways
scenario "deletes go across" deletes
scenario "custom fields, a filter by one, and one that is not there" own_fields
scenario "I19 lost replies to creates double nothing" lost_replies
scenario "comments both ways, each once, never echoed" comments
scenario "I18 I19 comments under lost replies and kills, each once" comments_under_faults
scenario "I18 I19 kills double nothing and lose nothing" kills
for name in "${faults[@]}"; do scenario "I12 I19 $name" fault "$name"; done
finish

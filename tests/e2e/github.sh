#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# github.sh - a simulated GitHub against a SQLite table, and against another one with comments: both ways, lost replies, kills, refusals.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
command -v sqlite3 >/dev/null && command -v curl >/dev/null && command -v jq >/dev/null || exit 77
peer=$BUILD/tests/peers/peer
declare -A ports=()

# start NAME…: a fresh GitHub each.
start() {
    local name
    unserve
    for name; do
        also "$peer" github
        ports[$name]=$port
    done
}
# ask NAME PATH [JSON]: of the API itself.
ask() { curl -sS "http://127.0.0.1:${ports[$1]}$2" ${3:+-d "$3"}; }
order() { ask "$1" "/_peer/$2" "$3" >/dev/null; }
state() { ask "$1" "/_peer/state?by=title" | jq -rc "$2"; }
sql() { sqlite3 -cmd '.timeout 5000' t.db "$1"; }
connection() { printf '"%s": {"plugin": "github", "settings": {"base_url": "http://127.0.0.1:%s", "owner": "acme", "repo": "desk", "token": {"env": "TOKEN"}, "write_pause_ms": 0}}' "$1" "${ports[$1]}"; }
export TOKEN=token-canary

# --- with a table ---

table() {
    start hub
    sql 'create table t (id integer primary key, title text, body text, status text, modified text)'
    cat >c.json <<JSON
{
  "connections": {$(connection hub), "db": {"plugin": "sqlite", "settings": {"file": "t.db"}}},
  "pairs": {"p": {"a": {"connection": "hub", "object": "issues"}, "b": {"connection": "db", "object": "t"},
    "match": ["title"], "first_run": "match_or_create",
    "fields": [{"a": "title", "b": "title"}, {"a": "body", "b": "body"}, {"a": "status", "b": "status"}]${1:+, $1}}}
}
JSON
    for i in 1 2 3 4 5 6 7; do order hub put "{\"title\":\"a$i\",\"body\":\"text $i\"}"; done
    order hub put '{"title":"a pull request","pull_request":{"url":"x"}}'
    sql "insert into t (title, body, status) values ('b1', 'x', 'open'), ('b2', null, 'closed')"
}
theirs() { state hub '.records[] | select(.pull_request | not) | "\(.title)|\(.body // "" | sub("\n*<!-- syncline:[0-9a-f]* -->$"; ""))|\(.state)"' | sort; }
ours() { sql "select title, coalesce(body, ''), status from t" | sort; }
in_step() {
    is "sides" "$(theirs)" "$(ours)"
    quiet
    is "doubles" "$(state hub .doubles)" 0
}

both_ways() {
    table
    run 0 sync
    is "records" "$(ours | wc -l)" 9
    in_step
    order hub put '{"number": 1, "title": "edited there", "state": "closed"}'
    sql "update t set body = 'edited here', status = 'closed' where title = 'b1'"
    sql "insert into t (title, status) values ('new', 'open')"
    run 0 sync --json
    is "writes" "$(writes)" 3
    in_step
    is "issues with a key in their bodies" "$(state hub '[.records[] | select((.body // "") | test("<!-- syncline:[0-9a-f]{32} -->$"))] | length')" 3
}

# A poll with nothing new: one request, and none that a limit counts.
polled() {
    table
    run 0 sync
    quiet
    quiet
    local spent
    spent=$(ask hub /_peer/limits '{}' | jq .core)
    run 0 sync --json
    is "calls" "$(js '.[0].calls.a')" 1
    is "requests that the limit counts" "$(ask hub /_peer/limits '{}' | jq .core)" "$spent"
}

archived() {
    table '"deletes": {"policy": "archive", "max": 5}'
    run 0 sync
    sql "delete from t where title = 'a1'"
    run 0 sync
    is "the issue" "$(state hub '.records[] | select(.title == "a1") | [.state, .state_reason] | join(" ")')" "closed not_planned"
    run 0 sync --json
    is "writes" "$(writes)" 0
    is "rows" "$(ours | wc -l)" 8
}

struck() { printf 'counts: %s: %s\n' "$1" "$(state hub '[.struck | to_entries[] | select(.value > 0) | "\(.value) \(.key)"] + ["\(.creates) creates"] | join(", ")')"; }

lost_replies() {
    table
    for i in {1..25}; do sql "insert into t (title, body, status) values ('l$i', 'b', 'open')"; done
    order hub knobs '{"the reply is lost": {"of_1000": 300}, "5xx after the effect": {"of_1000": 200}, "seed": 7}'
    for turn in 1 2 3; do
        sql "update t set body = 'turn $turn' where title like 'l1%'"
        "$syncline" -c c.json sync >out 2>err
        [ $? -le 3 ] || wrong "sync: $(cat err)"
    done
    struck "lost replies"
    order hub calm '{}'
    run '0|1' sync
    run 0 sync
    in_step
}

# A kill, and a request that is lost before its effect: it is made again once GitHub cannot be working on it any more, after ten seconds.
kills() {
    local port
    table
    port=${ports[hub]}
    for i in {1..20}; do sql "insert into t (title, body, status) values ('k$i', 'b', 'open')"; done
    order hub knobs '{"the request is lost": 2, "5xx after the effect": 4}'
    killed_each 8
    struck "a kill"
    order hub calm '{}'
    run '0|1|3' sync
    sleep 10.5
    run '0|1' sync
    run 0 sync
    in_step
}

# fault KNOBS: both sides are edited while it strikes; calm again, they are in step.
fault() {
    table
    run 0 sync
    order hub knobs "$1"
    for turn in 1 2; do
        order hub put "{\"number\": 3, \"title\": \"theirs $turn\"}"
        sql "update t set body = 'ours $turn' where title = 'b1'"
        "$syncline" -c c.json sync >out 2>err
        [[ $? =~ ^[0-3]$ ]] || wrong "sync exits otherwise: $(cat err)"
    done
    struck "$1"
    order hub calm '{}'
    "$syncline" -c c.json verify --repair >out 2>err
    run '0|1' sync
    run 0 sync
    in_step
}

# refused STATE RC TEXT: one line says what is wrong and what to do; put right again, all goes on.
refused() {
    table
    run 0 sync
    sql "update t set title = 'wanted' where title = 'b1'"
    order hub repository "$1"
    run "$2" sync
    says err "$3"
    hides err token-canary
    order hub repository '{"archived": false, "permission": true, "issues": true, "visible": true, "name": false}'
    run 0 sync
    in_step
}

# The record alone is set aside; the others go on.
too_long() {
    table
    run 0 sync
    sql "insert into t (title, body, status) values ('long', printf('%.70000c', 'x'), 'open'), ('short', 'x', 'open')"
    run 3 sync
    is "created" "$(theirs | grep -c '^short')" 1
    run 0 --json parked
    says out "body is too long (maximum is 65536 characters)"
    sql "update t set body = 'shorter' where title = 'long'"
    run 0 sync
    in_step
}

# --- two of them, with comments ---

pair() {
    start left right
    cat >c.json <<JSON
{
  "connections": {$(connection left), $(connection right)},
  "pairs": {"p": {"a": {"connection": "left", "object": "issues"}, "b": {"connection": "right", "object": "issues"},
    "first_run": "match_or_create", "match": ["title"],
    "fields": [{"a": "title", "b": "title"}, {"a": "status", "b": "status"}, {"a": "labels", "b": "labels"}],
    "children": [{"a": "comments", "b": "comments", "mode": "append"}]}}
}
JSON
    order left put '{"title": "one"}'
    order right put '{"title": "two"}'
    run 0 sync
}
# said NAME TITLE: an issue's comments, without their keys.
said() {
    ask "$1" /_peer/comments '{}' | jq -rc --arg n "$(state "$1" ".records[] | select(.title == \"$2\").number")" \
        '.[] | select(.issue_url | endswith("/" + $n)) | .body | sub("\n*<!-- syncline:[0-9a-f]* -->$"; "") | split("\n") | last'
}
comments() {
    local i
    pair
    for i in {1..20}; do
        order left comment "{\"issue\": 1, \"body\": \"left $i\"}"
        order right comment "{\"issue\": 2, \"body\": \"right $i\", \"login\": \"bo-gh\"}"
    done
    order left knobs '{"the reply is lost": {"of_1000": 200}, "seed": 5}'
    order right knobs '{"the reply is lost": {"of_1000": 200}, "seed": 6}'
    for i in 1 2 3; do
        "$syncline" -c c.json sync >out 2>err
        [ $? -le 3 ] || wrong "sync: $(cat err)"
    done
    order left calm '{}'
    order right calm '{}'
    for i in 1 2 3; do "$syncline" -c c.json sync >out 2>err; done
    run 0 sync
    is "comments on the left" "$(said left one | sort)" "$({ seq 20 | sed 's/^/left /'; seq 20 | sed 's/^/right /'; } | sort)"
    is "comments on the right" "$(said right one | sort)" "$(said left one | sort)"
    is "in their order" "$(said right one | grep left)" "$(seq 20 | sed 's/^/left /')"
    quiet
}

scenario "edits on both sides, keys that nobody sees, and an idle run writes nothing" both_ways
scenario "a poll with nothing new is one request that no limit counts" polled
scenario "a deleted row's issue is closed as not planned" archived
scenario "I19 lost replies to creates double nothing" lost_replies
scenario "I18 I19 a kill and lost requests double nothing and lose nothing" kills
for name in "an answer that is no JSON" "an empty listing" "half a listing" "rows repeated between pages" "rows skipped between pages" "a page comes again" "the cursor expires"; do
    scenario "I12 I19 $name" fault "{\"$name\": {\"of_1000\": 300}, \"small pages\": 3, \"seed\": 5}"
done
scenario "an archived repository" refused '{"archived": true}' '1|2|3' "an archived repository takes no writes: unarchive it"
scenario "a token without the permission" refused '{"permission": false}' '1|2|3' "give the token the permission issues=write"
scenario "issues switched off" refused '{"issues": false}' '1|2|3' "switch issues on in the repository's settings"
scenario "I26 a repository that the token may not see any more" refused '{"visible": false}' '1|2|3' "it is not there, or the token may not see it: look at owner and repo"
scenario "a repository with another name" refused '{"name": "acme/new"}' '1|2|3' "repository acme/desk is called acme/new now: put that into owner and repo"
scenario "I23 a body over the limit" too_long
scenario "I19 comments of both sides, each once, in order, never echoed" comments
finish

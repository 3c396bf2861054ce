#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# replay.sh - a run is recorded to one file without a secret in it, and replayed from it without a network.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
command -v sqlite3 >/dev/null && command -v curl >/dev/null && command -v jq >/dev/null || exit 77
canary='c4n4ry/+ "secret"'

start() { serve "$BUILD/tests/peers/peer" generic; }
ask() { curl -sS "http://127.0.0.1:$port$1" ${2:+-d "$2"}; }
edit() { ask /_peer/put "$1" >/dev/null; }
sql() { sqlite3 -cmd '.timeout 5000' "${DB:-t.db}" "$1"; }

# The client's secret and the key are the canary. LIMITS: members of the connection.
describe() {
    local auth=${1:-"{\"type\": \"client_credentials\", \"token_url\": \"/oauth/token\", \"client_id\": \"me\", \"client_secret\": {\"env\": \"KEY\"}}"}
    sql 'create table if not exists t (id integer primary key, title text, n integer, modified text)'
    cat >c.json <<JSON
{"connections": {
    "api": {"plugin": "rest", "settings": {"base_url": "http://127.0.0.1:$port", "auth": $auth, "resources": {"items": {
      "key": "/id", "version": {"kind": "etag"}, "external_key": {"field": "/external_id"},
      "list": {"path": "/items", "records": "/items",
        "page": {"type": "cursor", "token_from": "/next_token", "token_to": {"name": "page_token"}, "size_to": {"name": "limit", "value": 3}},
        "since": {"to": {"name": "updated_since"}, "field": "/updated_at", "overlap_s": 5}},
      "get": {"path": "/items/{id}"}, "create": {"path": "/items", "idempotency_header": "Idempotency-Key"},
      "update": {"path": "/items/{id}", "method": "PATCH", "guard": {"type": "if_match"}},
      "delete": {"mode": "delete", "path": "/items/{id}"}}}}},
    "db": {"plugin": "sqlite", "settings": {"file": "t.db"}}},
  "pairs": {"p": {"a": {"connection": "api", "object": "items"}, "b": {"connection": "db", "object": "t"},
    "match": ["n"], "first_run": "match_or_create", "fields": [{"a": "title", "b": "title"}, {"a": "n", "b": "n"}]}}}
JSON
}
seed() {
    for i in 1 2 3 4 5 6 7; do edit "{\"title\":\"a$i\",\"n\":$i}"; done
    sql "insert into t (title, n) values ('b1', 11), ('b2', 12), ('b3', 13), ('b4', 14), ('b5', 15), ('b6', 16)"
}
client() { ask /_peer/credentials "$(jq -n --arg s "$KEY" '{client_id: "me", client_secret: $s}')" >/dev/null; }
# What a run changed in the table, and what it said of itself but for how long it took.
rows() { sql 'select id, title, n, modified from t order by id'; }
said() { jq -c 'del(.ms)' out; }
# keep, again: the state and the table before a run, and back to them.
keep() { rm -rf kept && mkdir kept && cp -a t.db kept/ && { [ ! -e state ] || cp -a state kept/; }; }
again() { rm -rf state t.db && cp -a kept/. .; }
# replayed RC WANT_SAID WANT_ROWS: the run from run.tape, without an API.
replayed() {
    again
    run "$1" sync --json --replay run.tape
    is "what the replay says" "$(said)" "$2"
    is "what the replay leaves" "$(rows)" "$3"
}

recorded() {
    export KEY=$canary
    start
    describe
    client
    ask /_peer/knobs '{"credentials are needed": true}' >/dev/null
    seed
    keep
    run 0 sync --json --record run.tape
    is "mode of the file" "$(stat -c %a run.tape)" 600
    hides run.tape "c4n4ry"
    hides run.tape "$(printf '%s' "me:$KEY" | base64 -w0)"
    is "credentials in the file" "$(jq -rs '[.[].request? // empty | .headers[] | select(.[0] == "Authorization") | .[1]] | unique | join(",")' run.tape)" '***'
    is "tokens in the file" "$(jq -rs '[.[] | select(.request.url? // "" | endswith("/oauth/token")) | .answer.body | fromjson | .access_token] | unique | join(",")' run.tape)" '***'
    local first_said first_rows
    first_said=$(said) first_rows=$(rows)
    is "rows" "$(rows | wc -l)" 13
    cp run.tape first.tape
    edit "$(ask '/items?limit=1' -H "Authorization: x" | jq -c '{id: "1", title: "edited there"}')"
    sql "update t set title = 'edited here' where n = 11; insert into t (title, n) values ('new', 20)"
    mkdir second && cp -a state t.db second/
    rm run.tape
    run 0 sync --json --record run.tape
    local second_said second_rows
    second_said=$(said) second_rows=$(rows)
    unserve
    KEY=another-secret
    rm -rf kept.1 && mv kept kept.1 && mv second kept
    replayed 0 "$second_said" "$second_rows"
    rm -rf kept && mv kept.1 kept && mv first.tape run.tape
    replayed 0 "$first_said" "$first_rows"
    [ ! -e state/tokens/api ] || wrong "a replay keeps tokens, which are none"
    [ ! -e state/shared ] || wrong "a replay, whose time is not now, has a say in how fast the server may be asked"
    printf 'counts: %s exchanges replayed\n' "$(grep -c '"request"' run.tape)"
}

# Faults are in the file like any answer: retries, waits and what was uncertain end as they did, in no time.
faults() {
    export KEY=$canary
    start
    describe '{"type": "api_key", "name": "key", "in": "query", "value": {"env": "KEY"}}'
    seed
    keep
    ask /_peer/knobs '{"the reply is lost": 3, "5xx": {"nth": 2, "times": 2}, "429 for a write": 2, "401": 9}' >/dev/null
    run "0|1|3" sync --json --record run.tape
    local rc code first_said first_rows
    first_said=$(said) first_rows=$(rows)
    "$syncline" -c c.json status >/dev/null 2>&1
    unserve
    hides run.tape "c4n4ry"
    says run.tape '"no answer"'
    again
    "$syncline" -c c.json sync --json --replay run.tape >out 2>err
    is "what the replay says" "$(said)" "$first_said"
    is "what the replay leaves" "$(rows)" "$first_rows"
    hides err "recorded"
}

# What is asked otherwise than then is named, with what was recorded; so is what is left over, and another state.
changed() {
    export KEY=$canary
    start
    describe '{"type": "bearer", "token": {"env": "KEY"}}'
    seed
    keep
    run 0 sync --record run.tape
    unserve
    run 2 sync --record run.tape
    says err "name a file that is not there yet"
    run 2 sync --replay run.tape
    says err "made before the recorded run"
    again
    sql "update t set title = 'other' where n = 11"
    run 1 sync --replay run.tape
    cp err said
    says said "the replay strayed: api: POST http://127.0.0.1:$port/items: it"
    says said "is not the request that was recorded: its body is"
    says said 'other'
    says said 'recorded was'
    says said 'b1'
    again
    sql "delete from t where n in (11, 12, 13, 14, 15, 16)"
    run 1 sync --replay run.tape
    says err "recorded requests were not made again, the first is api: POST http://127.0.0.1:$port/items"
    again
    sed -i 's/"limit", "value": 3/"size", "value": 3/' c.json
    run 1 sync --replay run.tape
    says err "its URL is"
    sed -i 's#"path": "/items", "records"#"path": "/things", "records"#' c.json
    again
    run 1 sync --replay run.tape
    says err "it was not recorded; the next recorded one of api is GET http://127.0.0.1:$port/items"
}

refused() {
    export KEY=x
    port=1
    describe '{"type": "none"}'
    run 2 sync --replay nothing.tape
    says err "the recording cannot be read"
    : >empty.tape
    run 2 sync --replay empty.tape
    says err "the recording is empty"
    echo '{"title": "no recording"}' >other.tape
    run 2 sync --replay other.tape
    says err "this is no line of a recording"
    run 2 sync --replay other.tape --record new.tape
    says err "exclude each other"
    run 2 sync --record missing/run.tape
    says err "a recording cannot begin there"
    echo "{\"syncline_recording\": 1, \"started_ms\": 1, \"seed\": \"$(printf '%064d' 0)\"}" >other.tape
    run 2 sync --replay other.tape
    says err "is not a recording of this pair"
}

scenario "a recorded run is replayed without a network, and holds no secret" recorded
scenario "so is one in which requests were lost, refused and repeated" faults
scenario "what is not as it was recorded is named" changed
scenario "what --record did not write is refused" refused
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# realpeers.sh - the rest connector against servers that nobody here wrote: json-server and a SCIM server, both ways, killed in the middle.
tree=$(cd "$(dirname "$0")/../.." && pwd)
cd "$tree" || exit 2
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
for tool in sqlite3 curl jq; do
    command -v $tool >/dev/null || { echo "SKIP: $tool is not installed"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
done

# The packages of the lock file, once for each build folder.
packages=$BUILD/tests/peers/real
installed() {
    cmp -s "$tree/tests/peers/real/package-lock.json" "$packages/installed" && cp "$tree/tests/peers/real/serve.mjs" "$packages" && return
    rm -rf "$packages" && mkdir -p "$packages" && cp "$tree"/tests/peers/real/*.* "$packages" &&
        (cd "$packages" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1 </dev/null) &&
        cp "$packages/package-lock.json" "$packages/installed"
}
why=
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    why="node and npm are not installed; with Debian's nodejs and npm this runs"
elif ! installed; then
    why="npm could not install the servers: $(tail -n 1 "$packages/npm.log" 2>/dev/null)"
fi
if [ -n "$why" ]; then
    [ "${CI:-}" != true ] || { echo "FAIL real servers: $why"; echo "0 passed, 1 failed"; exit 1; }
    echo "SKIP: $why"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

# start KIND ARGUMENT: a fresh server.
start() { serve node "$packages/serve.mjs" "$@"; }
ask() { curl -sS -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "http://127.0.0.1:$port$1" "${@:2}"; }
token=canary-of-the-real

# killed N FUNCTION: syncs are killed, each a little later, until one comes to its end; counts how many were cut in the middle.
killed() {
    local ms=4 n=0
    while [ $ms -lt 20000 ]; do
        { timeout -s KILL "$(printf '0.%03d' $((ms % 1000)) | sed "s/^0/$((ms / 1000))/")" "$syncline" -c c.json sync >out 2>err; } 2>/dev/null && break
        n=$((n + 1)) ms=$((ms * 5 / 4 + 5))
    done
    [ $n -gt 0 ] || wrong "no run was killed before its end"
    echo "counts: $n kills, $1 records"
}
# in_step: both sides hold the same, each once, and an idle run writes nothing.
in_step() {
    is "sides" "$(theirs)" "$(ours)"
    is "records that are there twice" "$(theirs | uniq -d)" ""
    is "records" "$(theirs | wc -l)" "$1"
    quiet
}

# --- json-server and a table ---

sql() { sqlite3 -cmd '.timeout 5000' t.db "$1"; }
json_server() {
    theirs() { ask /tickets | jq -rc '.[] | "\(.n)|\(.title)"' | sort; }
    ours() { sql 'select n, title from t' | sort; }
    jq -n '{tickets: [range(1; 10) | {id: ., title: "theirs \(.)", n: ., kept: {of: "theirs"}}]}' >db.json
    sql "create table t (id integer primary key, title text, n integer);
         with recursive k(i) as (select 101 union all select i + 1 from k where i < 140) insert into t (title, n) select 'ours ' || i, i from k"
    start json "$PWD/db.json"
    cat >c.json <<JSON
{
  "connections": {
    "api": {"plugin": "rest", "settings": {"base_url": "http://127.0.0.1:$port", "resources": {"tickets": {
      "key": "/id", "label": "/title", "version": {"kind": "hash"}, "external_key": {"field": "/external_id"},
      "list": {"path": "/tickets", "query": {"_page": "1"}, "page": {"type": "link_header", "size_to": {"name": "_limit", "value": 7}}},
      "get": {"path": "/tickets/{id}"},
      "create": {"path": "/tickets"},
      "update": {"path": "/tickets/{id}", "method": "${1:-PATCH}"},
      "delete": {"mode": "delete", "path": "/tickets/{id}"},
      "late_s": 1}}}},
    "db": {"plugin": "sqlite", "settings": {"file": "t.db"}}
  },
  "pairs": {"p": {"a": {"connection": "api", "object": "tickets"}, "b": {"connection": "db", "object": "t"},
    "match": ["n"], "first_run": "match_or_create", "deletes": {"policy": "delete"},
    "fields": [{"a": "title", "b": "title"}, {"a": "n", "b": "n"}]}}
}
JSON
    killed 49
    sleep 1.1 # until what a killed run had sent can no more take effect
    run 0 sync
    in_step 49
    ask /tickets/3 -X PATCH -d '{"title": "edited there"}' >/dev/null
    ask /tickets/4 -X DELETE >/dev/null
    ask /tickets -d '{"title": "new there", "n": 10}' >/dev/null
    sql "update t set title = title || ' again' where n between 101 and 120; delete from t where n = 130; insert into t (title, n) values ('new here', 200)"
    killed 49
    sleep 1.1
    run 0 sync
    in_step 49
    is "an edit there" "$(sql 'select title from t where n = 3')" "edited there"
    is "what is not mapped" "$(ask /tickets/1 | jq -c .kept)" '{"of":"theirs"}'
    is "deleted on either side" "$(sql 'select count(*) from t where n in (4, 130)')" 0
}

# --- SCIM users and a folder ---

scim() {
    local i
    theirs() { ask '/scim/v2/Users?count=1000' | jq -rc '.Resources[] | [.userName, .displayName, .active] | @tsv' | sort; }
    ours() { jq -rc '[.login, .name, .active] | @tsv' x/*.json | sort; }
    start scim "$token"
    for i in {1..9}; do
        ask /scim/v2/Users -o created -d "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"u$i\",\"displayName\":\"theirs $i\",\"active\":true,\"title\":\"kept\"}"
    done
    for i in {11..40}; do put "x/h$i" "{\"login\":\"u$i\",\"name\":\"ours $i\",\"active\":$([ $((i % 2)) = 0 ] && echo true || echo false)}"; done
    cat >c.json <<JSON
{
  "connections": {
    "idp": {"plugin": "rest", "settings": {"base_url": "http://127.0.0.1:$port/scim/v2", "auth": {"type": "bearer", "token": {"env": "SCIM_TOKEN"}},
      "resources": {"users": {
        "key": "/id", "label": "/userName", "version": {"kind": "etag", "field": "/meta/version"},
        "external_key": {"field": "/externalId", "to": {"name": "filter"}, "filter": "externalId eq \"{key}\""},
        "list": {"path": "/Users", "records": "/Resources",
          "page": {"type": "offset", "first": 1, "token_to": {"name": "startIndex"}, "size_to": {"name": "count", "value": 3}, "stop": {"total": "/totalResults"}}},
        "get": {"path": "/Users/{id}"},
        "create": {"path": "/Users", "ok": [201], "set": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}},
        "update": {"path": "/Users/{id}", "method": "PUT"},
        "delete": {"mode": "delete", "path": "/Users/{id}", "ok": [204]},
        "late_s": 1}}}},
    "hr": {"plugin": "jsondir", "settings": {"root": "."}}
  },
  "pairs": {"p": {"a": {"connection": "idp", "object": "users"}, "b": {"connection": "hr", "object": "x"},
    "match": [["userName"]], "first_run": "match_or_create", "deletes": {"policy": "delete"},
    "fields": [{"a": "userName", "b": "login"}, {"a": "displayName", "b": "name"}, {"a": "active", "b": "active"}]}}
}
JSON
    SCIM_TOKEN=another run 2 sync
    export SCIM_TOKEN=$token
    killed 39
    sleep 1.1
    run 0 sync
    in_step 39
    i=$(ask '/scim/v2/Users?filter=userName%20eq%20%22u5%22' | jq -r '.Resources[0].id')
    ask "/scim/v2/Users/$i" -X DELETE
    i=$(ask '/scim/v2/Users?filter=userName%20eq%20%22u6%22' | jq -r '.Resources[0].id')
    ask "/scim/v2/Users/$i" -X PUT -o put -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u6","displayName":"edited there","active":false,"title":"kept"}'
    put x/h12 '{"login":"u12","name":"edited here","active":false,"room":7}'
    rm x/h13.json
    killed 37
    sleep 1.1
    run 0 sync
    in_step 37
    is "an edit there" "$(jq -rs '.[] | select(.login == "u6") | .name' x/*.json)" "edited there"
    is "an edit here" "$(theirs | grep '^u12')" $'u12\tedited here\tfalse'
    is "what is not mapped" "$(ask '/scim/v2/Users?filter=userName%20eq%20%22u7%22' | jq -r '.Resources[0].title')" kept
    ! grep -rqF "$token" out err state || wrong "the token is in what was said or kept"
}

scenario "I12 I18 I19 json-server and a table come in step, killed in the middle" json_server
scenario "I12 I18 I19 and where a record is replaced as a whole" json_server PUT
scenario "I12 I18 I19 SCIM users and a folder come in step, killed in the middle" scim
finish

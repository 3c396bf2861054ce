#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# negative.sh - an API that leads astray, floods or stalls: each attempt is refused by name, changes nothing, and gets no credential.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
tree=$PWD
command -v sqlite3 >/dev/null && command -v curl >/dev/null && command -v jq >/dev/null && command -v python3 >/dev/null || exit 77
export KEY='c4n4ry/+ value' TRUST=
n_refused=0

# start [CERT KEY]
start() {
    serve python3 "$tree/tests/peers/hostile.py" "$KEY" "$@"
    foreign=${behind_port#foreign }
    url=$([ $# -gt 0 ] && echo https || echo http)://127.0.0.1:$port
}
ask() { curl -sS ${TRUST:+--cacert "$TRUST"} "$url$1"; }
seen() { ask /_seen | jq -r "$1"; }
sql() { sqlite3 -cmd '.timeout 5000' t.db "$1"; }

bearer='{"type": "bearer", "token": {"env": "KEY"}}'
in_query='{"type": "api_key", "name": "key", "in": "query", "value": {"env": "KEY"}}'
in_header='{"type": "api_key", "name": "X-Key", "value": {"env": "KEY"}}'
basic='{"type": "basic", "user": "ann", "password": {"env": "KEY"}}'
by_client='{"type": "client_credentials", "token_url": "/token", "client_id": "me", "client_secret": {"env": "KEY"}}'

# describe AUTH [PAGING]
describe() {
    sql 'create table if not exists t (id integer primary key, title text, n integer)'
    cat >c.json <<JSON
{"connections": {
    "api": {"plugin": "rest", "limits": {"timeout": "${TIMEOUT:-20s}"}, ${TRUST:+"\"ca_file\": \"$TRUST\","}
      "settings": {"base_url": "$url", "auth": $1, "resources": {"items": {
        "key": "/id", "list": {"path": "/items", "records": "/items", "page": ${2:-"{\"type\": \"link_header\"}"}},
        "get": {"path": "/items/{id}"}, "create": {"path": "/items"},
        "update": {"path": "/items/{id}", "method": "PATCH"}}}}},
    "db": {"plugin": "sqlite", "settings": {"file": "t.db"}}},
  "pairs": {"p": {"a": {"connection": "api", "object": "items"}, "b": {"connection": "db", "object": "t"},
    "match": ["n"], "first_run": "match_or_create", "fields": [{"a": "title", "b": "title"}, {"a": "n", "b": "n"}]}}}
JSON
}

# refused MODE SENTENCE: after a good run; the run fails in that sentence, the table stays, and the stranger has seen nothing.
refused() {
    local before
    rm -rf state t.db
    ask /_mode/plain >/dev/null
    describe "${AUTH:-$bearer}" "${PAGING:-}"
    run 0 sync
    before=$(sql 'select * from t')
    is "records" "$(sql 'select count(*) from t')" 2
    ask "/_mode/$1" >/dev/null
    run 1 sync
    says err "$2"
    hides err "c4n4ry"
    hides out "c4n4ry"
    is "$1: the table" "$(sql 'select * from t')" "$before"
    is "$1: requests to the stranger" "$(seen .foreign)" 0
    [ "$(seen .home_credentials)" -gt 0 ] || wrong "the API itself has seen no credential: this test sees nothing"
    n_refused=$((n_refused + 1))
}

elsewhere="is not this connection's server"
astray() {
    start
    local AUTH
    for AUTH in "$bearer" "$in_query" "$in_header" "$basic" "$by_client"; do
        refused redirect "its redirect is refused: http://127.0.0.1:$foreign $elsewhere (http://127.0.0.1:$port)"
        refused next_link "its next link is refused: http://127.0.0.1:$foreign $elsewhere"
        refused metadata "its redirect is refused: http://169.254.169.254:80 $elsewhere"
    done
    AUTH=$bearer
    PAGING='{"type": "next_url", "token_from": "/next_url"}' refused next_url "http://127.0.0.1:$foreign"
    refused named_redirect "its redirect is refused: http://localhost:$port $elsewhere"
    refused file "neither http nor https"
    refused with_user "a URL with a user or password in it is refused"
    refused circle "redirected too often"
}

# An edit in the table is to go to the API, which sends the writer elsewhere.
astray_writing() {
    start
    describe "$bearer"
    run 0 sync
    sql "update t set title = 'edited' where n = 1"
    ask /_mode/write_redirect >/dev/null
    run 0 sync
    says err "1: it is not known whether this was carried out: PATCH /items/1: PATCH $url/items/1: its redirect is refused: http://127.0.0.1:$foreign"
    is "requests to the stranger" "$(seen .foreign)" 0
    rm -rf state
    describe "$by_client"
    ask /_mode/token_redirect >/dev/null
    run "1|2" sync
    says err "the token server $url/token answered 307"
    [ "$(seen .tokens)" -gt 0 ] || wrong "the token server was not asked"
    is "requests to the stranger" "$(seen .foreign)" 0
}

flooded() {
    start
    refused bomb "unpacks to more than a hundred times its size"
    refused endless "the answer is larger than 16777216 bytes"
    refused headers_endless "the answer's headers are larger than 65536 bytes"
    refused deep "nested too deep"
    refused wide "more values than allowed"
}

# A server that never ends its headers is left after the timeout, as often as a request is tried.
stalled() {
    start
    TIMEOUT=1s refused headers_slow "timed out"
}

# certificate NAME: a key and a certificate of 127.0.0.1 that vouches for itself.
certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 2 -subj /CN=here \
        -addext "subjectAltName=IP:127.0.0.1" >/dev/null 2>&1
}

encrypted() {
    command -v openssl >/dev/null || { problem="SKIP openssl is not installed"; return; }
    certificate good && certificate other || { problem="SKIP openssl makes no certificate here"; return; }
    TRUST=$PWD/good.pem
    start good.pem good.key
    refused downgrade "its redirect is refused: http://127.0.0.1:$port $elsewhere (https://127.0.0.1:$port)"
    refused redirect "its redirect is refused: http://127.0.0.1:$foreign $elsewhere"
    local before
    before=$(seen .home)
    sed -i 's#good.pem#other.pem#' c.json
    run 1 sync
    says err "certificate"
    is "requests over a connection that is not trusted" "$(seen .home)" "$before"
    sed -i 's#other.pem#missing.pem#' c.json
    run 2 check
    says err "name a file with the certificates (PEM) that its server is verified by"
    TRUST=
}

# A name that leads to an address of this machine or its network is refused unless the config allows it.
private() {
    start
    describe "$bearer"
    sed -i "s#\"base_url\": \"$url\"#\"base_url\": \"http://a.localhost:$port\"#; s#\"plugin\": \"rest\",#& \"allow_plain_http\": true,#" c.json
    run 1 sync
    says err "it leads to a loopback address"
    is "requests" "$(seen .home)" 0
    sed -i 's#"allow_plain_http": true,##' c.json
    run 1 sync
    says err "http:// is for loopback only"
    is "requests" "$(seen .home)" 0
}

scenario "redirects and next links to elsewhere: another port, name, scheme, 169.254.169.254" astray
scenario "writers and askers of tokens are not led elsewhere either" astray_writing
scenario "a gzip bomb, a body and headers without end, JSON too deep and too wide" flooded
scenario "headers that come too slowly" stalled
scenario "https to http, and a certificate that is not trusted" encrypted
scenario "private addresses and plain http" private
echo "counts: $n_refused answers refused, no credential left"
finish

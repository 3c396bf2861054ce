#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# canary.sh - a secret in every option that is one, and a server that shows it to everybody: it is in no output, log, state, recording or core file.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
tree=$PWD
for tool in sqlite3 curl jq python3 openssl; do command -v $tool >/dev/null || exit 77; done
secrets=$top/secrets
mkdir -p "$secrets/credentials" && chmod 700 "$secrets"
export CREDENTIALS_DIRECTORY=$secrets/credentials SYNCLINE_LOG=debug
# With bytes that JSON, URLs and base64 each write otherwise.
export KEY='c4n4ry/+ "ö" c4n4ry' SIGNING='h00k-c4n4ry-s1gn1ng' BEFORE='h00k-c4n4ry-b3f0re'
fresh=$(python3 -c 'import sys; print(sys.argv[1][::-1])' "$KEY")
(umask 077 && printf '%s\n' "$KEY" >"$secrets/key" && printf '%s\n' "$KEY" >"$secrets/credentials/key" &&
    openssl genrsa -traditional -out "$secrets/rsa.pem" 2048 2>/dev/null &&
    openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out "$secrets/ec.pem" 2>/dev/null)
n_commands=0 n_files=0

start() {
    serve python3 "$tree/tests/peers/hostile.py" "$KEY"
    url=http://127.0.0.1:$port
}
mode() { curl -sS "$url/_mode/$1" >/dev/null; }
sql() { sqlite3 -cmd '.timeout 5000' t.db "$1"; }

describe() {
    sql 'create table if not exists t (id integer primary key, title text, n integer)'
    cat >c.json <<JSON
{"connections": {
    "api": {"plugin": "rest", "limits": {"timeout": "5s"}, "settings": {"base_url": "$url", "auth": $1,
      "webhook_secret": {"env": "SIGNING"}, "webhook_secret_before": {"env": "BEFORE"},
      "webhook": {"header": "X-Signature", "about": {"items": {"key": "/id"}}},
      "resources": {"items": {
        "key": "/id", "list": {"path": "/items", "records": "/items"}, "get": {"path": "/items/{id}"},
        "create": {"path": "/items"}, "update": {"path": "/items/{id}", "method": "PATCH"}}}}},
    "db": {"plugin": "sqlite", "settings": {"file": "t.db"}}},
  "pairs": {"p": {"a": {"connection": "api", "object": "items"}, "b": {"connection": "db", "object": "t"},
    "match": ["n"], "first_run": "match_or_create", "fields": [{"a": "title", "b": "title"}, {"a": "n", "b": "n"}]}}}
JSON
}

# say ARG…: whatever comes of it; all that it says is kept in the folder said.
say() {
    n_commands=$((n_commands + 1))
    "$syncline" -c c.json "$@" >"said/$n_commands.out" 2>"said/$n_commands.err" </dev/null
}
say_all() {
    local c
    for c in check "check --online" status "history p" "why p 1" "why p 1 title" "links p" parked conflicts plan "verify" plugins; do
        # shellcheck disable=SC2086
        say $c
        # shellcheck disable=SC2086
        say --json $c
    done
    say plan -o "plan.$n_commands"
}

# spellings of each text on standard input: as it is, in a URL, in JSON, and in base64 wherever in a longer text it may stand.
spellings() {
    python3 -c '
import base64, json, sys, urllib.parse
for s in filter(None, sys.stdin.read().split("\n")):
    b = s.encode()
    print(s, urllib.parse.quote(s, safe=""), urllib.parse.quote_plus(s), json.dumps(s)[1:-1], json.dumps(s, ensure_ascii=False)[1:-1],
          base64.b64encode(b"me:" + b).decode(), base64.b64encode(b"ann:" + b).decode(), sep="\n")
    for skip in range(3):
        n = (len(b) + skip) // 3 * 3 - skip
        for code in base64.b64encode, base64.urlsafe_b64encode:
            print(code(b"x" * skip + b[:n]).decode()[4 if skip else 0:].rstrip("="))
' | sort -u
}
# absent WHAT FILE…: none of the lines of the file `looked_for` stands anywhere below here, but for the files named.
absent() {
    local what=$1 hits
    shift
    n_files=$((n_files + $(find . -type f | wc -l)))
    hits=$(grep -rlaFf looked_for . $(printf -- '--exclude=%s ' looked_for "$@") 2>/dev/null | head -n 3)
    [ -z "$hits" ] || wrong "$what: a secret is in $hits: $(grep -haFf looked_for $hits | head -c 300 | tr '\n' ' ')"
}

# through AUTH [KEYFILE]: every command, then the ones that ask, while the server refuses, fails, refuses writes, and is away.
through() {
    mkdir -p said
    start
    describe "$1"
    run 0 sync --record good.tape
    [ "$(curl -sS "$url/_seen" | jq .home_credentials)" -gt 0 ] || wrong "the server has seen no credential: this test sees nothing"
    local m
    say_all
    for m in echo_401 echo_422_writes echo_500; do
        mode "$m"
        sql "update t set title = '$m' where n = 1"
        say sync --record "$m.tape"
        [ "$m" = echo_500 ] || { say check --online && say --json verify && say_all; }
    done
    unserve
    say --json sync --record away.tape
    say parked
    say status
    grep -q 401 said/*.err || wrong "no command says what the server answered: this test sees nothing"
    printf '%s\n' "$KEY" "$SIGNING" "$BEFORE" "$fresh" c4n4ry c4n4ry-s1gn1ng c4n4ry-b3f0re | spellings >looked_for
    if [ -n "${2:-}" ]; then grep -v -e '---' "$secrets/$2" | grep -E '.{20}' >>looked_for; fi
}

secret='{"env": "KEY"}'
basic() { through "{\"type\": \"basic\", \"user\": \"ann\", \"password\": $secret}" && absent basic; }
bearer() { through "{\"type\": \"bearer\", \"token\": $secret}" && absent bearer; }
from_file() { through "{\"type\": \"bearer\", \"token\": {\"file\": \"$secrets/key\"}}" && absent file; }
from_credential() { through '{"type": "bearer", "token": {"credential": "key"}}' && absent credential; }
key_in_header() { through "{\"type\": \"api_key\", \"name\": \"X-Key\", \"prefix\": \"Key \", \"value\": $secret}" && absent header; }
key_in_query() { through "{\"type\": \"api_key\", \"name\": \"key\", \"in\": \"query\", \"value\": $secret}" && absent query; }
oauth1() {
    through "{\"type\": \"oauth1\", \"consumer_key\": \"k\", \"consumer_secret\": $secret, \"token_id\": \"t\", \"token_secret\": $secret}" &&
        absent oauth1
}
by_client() {
    through "{\"type\": \"client_credentials\", \"token_url\": \"/token\", \"client_id\": \"me\", \"client_secret\": $secret, \"client_auth\": \"$1\"}"
    absent "client in $1"
}
by_jwt() {
    through "{\"type\": \"jwt\", \"token_url\": \"/token\", \"alg\": \"$1\", \"iss\": \"me\", \"private_key\": {\"file\": \"$secrets/$2\"}}" "$2"
    absent "jwt $1"
}
# The rotated tokens are kept, in one file that only its owner may read, and nowhere else.
rotated() {
    through "{\"type\": \"refresh_token\", \"token_url\": \"/token\", \"client_id\": \"me\", \"client_secret\": $secret, \"refresh_token\": $secret}"
    grep -qaF "$(jq -rn --arg s "refresh-$fresh" '$s | tojson | .[1:-1]')" state/tokens/api || wrong "the rotated token is not kept in state/tokens/api"
    is "mode of the kept tokens" "$(stat -c %a state/tokens/api)" 600
    mv state/tokens/api "$secrets/kept"
    absent "refresh token"
    mv "$secrets/kept" state/tokens/api
    printf '%s\n' "$KEY" | spellings >looked_for
    absent "refresh token of the config"
}

# A secret that is written into the config is refused, and not shown.
literal() {
    mkdir -p said
    url=http://127.0.0.1:1
    describe "{\"type\": \"bearer\", \"token\": \"literal-c4n4ry\"}"
    run 2 check
    cp out err said/
    rm c.json
    echo c4n4ry >looked_for
    absent literal
}

# A program that dies leaves a core file here; syncline, with the secret in its memory, does not.
core_file() {
    if grep -qa __asan_init "$syncline"; then problem="SKIP sanitizers write no core files"; return; fi
    ulimit -c unlimited 2>/dev/null || { problem="SKIP core files are not allowed here"; return; }
    (sleep 60 & kill -SEGV $!; wait) >/dev/null 2>&1
    [ "$(find . -name 'core*' | wc -l)" -gt 0 ] || { problem="SKIP nothing leaves a core file here (see /proc/sys/kernel/core_pattern)"; return; }
    rm -f core*
    start
    describe "{\"type\": \"bearer\", \"token\": $secret}"
    local signal pid
    for signal in SEGV ABRT; do
        mode headers_slow
        "$syncline" -c c.json sync >out 2>err </dev/null &
        pid=$!
        for _ in {1..200}; do
            [ "$(curl -sS "$url/_seen" | jq .home_credentials)" -gt "${before:-0}" ] && break
            sleep 0.05
        done
        before=$(curl -sS "$url/_seen" | jq .home_credentials)
        kill "-$signal" "$pid"
        wait "$pid" 2>/dev/null
        is "its end" "$?" "$((128 + $(kill -l $signal)))"
        is "core files after SIG$signal" "$(find . -name 'core*')" ""
    done
    ulimit -S -c 0
}

levels() {
    config
    SYNCLINE_LOG=loud run 2 check
    says err "SYNCLINE_LOG is none of error, warn, info and debug"
    SYNCLINE_LOG=error run 0 check
}

# They wait for the server's recovery most of the time: side by side. begin NAME FUNCTION ARG…
begun=()
begin() {
    local at="$top/beside/${#begun[@]}"
    begun+=("$1")
    mkdir -p "$at/work"
    (
        cd "$at/work" || exit 2
        problem=
        "${@:2}"
        printf '%s' "$problem" >"$at/problem"
        echo "$n_commands $n_files" >"$at/counts"
    ) &
}
ended() {
    local n
    problem=$(cat "$top/beside/$1/problem" 2>/dev/null || echo "it left no result")
    read -r -a n <"$top/beside/$1/counts"
    n_commands=$((n_commands + n[0])) n_files=$((n_files + n[1]))
}

begin "basic" basic
begin "bearer, from the environment" bearer
begin "bearer, from a file" from_file
begin "bearer, from a credential of systemd" from_credential
begin "a key in a header" key_in_header
begin "a key in the query" key_in_query
begin "a client's secret, as Basic" by_client basic
begin "a client's secret, in the body" by_client body
begin "a refresh token, rotated" rotated
begin "a private key, RS256" by_jwt RS256 rsa.pem
begin "a private key, ES256" by_jwt ES256 ec.pem
begin "OAuth 1.0a" oauth1
wait
for i in "${!begun[@]}"; do scenario "${begun[i]}" ended "$i"; done
scenario "a secret written into the config" literal
scenario "a core file" core_file
scenario "levels of the log" levels
echo "counts: $n_commands commands, $n_files files looked through"
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# api.sh - /api/v1 of a running daemon: every example of its manual, who is refused, what nobody can smuggle in, and runs that go on beside it.
# shellcheck source=tests/e2e/daemon.bash
. tests/e2e/daemon.bash
command -v curl >/dev/null && command -v jq >/dev/null || exit 77
manual=$PWD/configs/man/syncline-api.7
token='tok+/=%&"en-0123456789'

has() { [ "$(get "$1" "$2")" = "$3" ]; }

# desk_config [API] [EVERY]: tickets of x and issues of y; API: the members of the config that open it.
desk_config() {
    (umask 077 && printf '%s\n' "$token" >api-token)
    cat >c.new <<END
{"listen": "127.0.0.1:0"${1-, \"api\": {\"token\": {\"file\": \"api-token\"\}\}},
 "connections": {"x": {"plugin": "jsondir", "settings": {"root": "x"}}, "y": {"plugin": "jsondir", "settings": {"root": "y"}}},
 "pairs": {"tickets": {"a": {"connection": "x", "object": "."}, "b": {"connection": "y", "object": "."}, "every": "${2:-1h}",
   "match": ["id"], "first_run": "match_or_create", "deletes": {"policy": "delete", "max": 0, "max_percent": 0}}}}
END
    mv c.new c.json
}
# ask METHOD PATH [BODY] [CURL…]: its body is in the file out, its status in $status.
ask() {
    local method=$1 path=$2 body=${3-}
    shift 2
    [ $# -eq 0 ] || shift
    status=$(curl -sS -g --max-time 60 -o out -w '%{http_code}' -X "$method" -H "Authorization: Bearer $token" \
        ${body:+-H 'Content-Type: application/json' --data-binary "$body"} "$@" "$address$path")
}
# answers STATUS METHOD PATH [BODY] [CURL…]
answers() {
    local want=$1
    shift
    ask "$@"
    [ "$status" = "$want" ] || wrong "$1 $2 ${3-} answers $status, not $want: $(head -c 300 out)"
    jq -e . out >/dev/null 2>&1 || wrong "$1 $2: the answer is no JSON: $(head -c 200 out)"
}
items() { jq -c ".items | $1" out; }

# What waits for a person: a conflict of T-1 (that is resolved again and again) and a parked T-2.
something_waits() {
    put x/T-1 '{"title": "one"}' && put x/T-3 '{"title": "three"}'
    start
    until_true has y/T-3 .title three
    ask GET /api/v1/status
    run_of_all=$(items '.[0].last_run' | tr -d '"')
    put x/T-1 '{"title": "one of x"}' && put y/T-1 '{"title": "one of y"}'
    echo '{"title": ' >x/T-2.json
    answers 202 POST /api/v1/sync '{"pair": "tickets"}'
    until_true waiting conflicts
    until_true waiting parked
}
waiting() { answers 200 GET "/api/v1/$1" && waits=$(items '.[0].id' | tr -d '"') && [ "$waits" != null ] && [ -n "$waits" ]; }

# The manual's examples: a line with method, path and body, and the status below it. (told to be replayed by syncline-api.7)
every_example() {
    local method path body n=0
    desk_config
    something_waits
    while read -r method path body; do
        read -r want
        if [[ "$path$body" == *CONFLICT* ]]; then
            until_true again_in_conflict
            waiting conflicts
        fi
        if [[ "$path$body" == *PARKED* ]]; then
            answers 202 POST /api/v1/sync '{"pair": "tickets"}'
            echo "{\"title\": $n" >x/T-2.json
            until_true waiting parked
        fi
        path=${path//CONFLICT/$waits} body=${body//CONFLICT/$waits}
        path=${path//PARKED/$waits} body=${body//PARKED/$waits} body=${body//RUN/$run_of_all}
        answers "$want" "$method" "$path" "$body"
        is "$path: its keys" "$(jq -c 'keys' out)" '["items","messages","ok","waits"]'
        n=$((n + 1))
    done < <(grep -A1 -E '^(GET|POST) /api/v1/' "$manual" | grep -v '^--')
    [ "$n" -ge 25 ] || wrong "the manual has only $n examples"
    # every route of the table has one
    sed -n '/^} rows\[\] = {/,/^};/p' "$host_api" | grep -oE '"(GET|POST)"|^    \{"[a-z]+"' | tr -d '{" ' | paste -d' ' - - | while read -r path method; do
        grep -qE "^$method /api/v1/$path( |\?|/|$)" "$manual" || echo "$method $path"
    done >missing
    is "routes without an example" "$(cat missing)" ""
    ends
}
host_api=$PWD/host/daemon/api.c
again_in_conflict() {
    waiting conflicts && return 0
    put x/T-1 "{\"title\": \"x $RANDOM\"}" && put y/T-1 "{\"title\": \"y $RANDOM\"}"
    answers 202 POST /api/v1/sync '{"pair": "tickets"}'
    until_true waiting conflicts
}

# What a person decides over the API is done by the daemon, without another word.
decisions_act() {
    desk_config '' 200ms
    sed -i 's#"connections"#"api": {"token": {"file": "api-token"}}, "connections"#' c.json
    something_waits
    waiting conflicts
    answers 200 POST /api/v1/resolve "{\"id\": \"$waits\", \"value\": \"decided\"}"
    until_true has y/T-1 .title decided
    is "x" "$(get x/T-1 .title)" decided
    put x/T-2 '{"title": "two"}'
    until_true has y/T-2 .title two
    answers 200 GET '/api/v1/why?pair=tickets&id=T-1&field=title'
    is "why" "$(items 'map(.after) | contains(["decided"])')" true
    rm x/T-3.json
    until_true withheld
    answers 200 POST /api/v1/approve '{"pair": "tickets", "deletes": 1}'
    until_true has y/T-3 .title gone
    answers 200 POST /api/v1/unlink '{"pair": "tickets", "id": "T-2"}'
    put x/T-2 '{"title": "alone"}'
    answers 200 POST /api/v1/verify '{"pair": "tickets"}'
    is "y/T-2" "$(get y/T-2 .title)" two
    answers 200 GET '/api/v1/links?pair=tickets'
    is "links" "$(items 'map([.a, .state])')" '[["T-1","linked"],["T-2","unlinked"]]'
    ends
}
withheld() { answers 200 GET /api/v1/status && [ "$(items '.[0].withheld')" = 1 ] && [ "$(jq .waits out)" = true ]; }

# Whoever has no token, a wrong one, or sits on another site's page; what is too large; and nothing of the token in any answer or log.
refused() {
    desk_config
    put x/T-1 '{"title": "one"}'
    start
    until_true has y/T-1 .title one
    for header in '' 'Authorization: Bearer ' 'Authorization: Bearer wrong-token-0123456789' "Authorization: Basic $token" "X-Token: $token"; do
        status=$(curl -sS -o out -D head -w '%{http_code}' ${header:+-H "$header"} "$address/api/v1/status")
        is "status with '$header'" "$status" 401
        is "code" "$(jq -r .error.code out)" unauthorized
        grep -qi '^WWW-Authenticate: Bearer' head || wrong 'it does not say how to authenticate'
    done
    is "a token in the query" "$(curl -sS -o /dev/null -w '%{http_code}' "$address/api/v1/status?token=x&access_token=y")" 401
    answers 403 POST /api/v1/unlink '{"pair": "tickets", "id": "T-1"}' -H 'Origin: http://evil.example'
    answers 403 POST /api/v1/unlink '{"pair": "tickets", "id": "T-1"}' -H 'Sec-Fetch-Site: cross-site'
    answers 415 POST /api/v1/unlink '' --data-binary '{"pair": "tickets", "id": "T-1"}' -H 'Content-Type: text/plain'
    answers 200 GET /api/v1/status '' -H "Origin: $address" -H 'Sec-Fetch-Site: same-origin'
    curl -sS -g -o /dev/null -D head -H "Authorization: Bearer $token" -H 'Origin: http://evil.example' "$address/api/v1/status"
    grep -qi '^Access-Control' head && wrong 'other sites may read its answers'
    is "a preflight" "$(curl -sS -o /dev/null -w '%{http_code}' -X OPTIONS "$address/api/v1/status")" 405
    is "the link is still there" "$("$syncline" -c c.json links --json tickets | jq -rs 'map(.state) | join(",")')" linked
    # not kept by anything between
    curl -sS -g -o /dev/null -D head -H "Authorization: Bearer $token" "$address/api/v1/status"
    grep -qi '^Cache-Control: no-store' head || wrong 'its answers may be kept'
    # too large, announced or not, and a body that is none
    head -c 70000 /dev/zero | tr '\0' 'a' >big
    is "70 kB" "$(curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" -H 'Content-Type: application/json' --data-binary @big "$address/api/v1/drop")" 413
    is "70 kB in pieces" "$(curl -sS -o /dev/null -w '%{http_code}' -H 'Transfer-Encoding: chunked' -H "Authorization: Bearer $token" -H 'Content-Type: application/json' --data-binary @big "$address/api/v1/drop")" 413
    answers 400 POST /api/v1/drop '{"id": '
    answers 405 POST /api/v1/status '{}'
    answers 405 GET /api/v1/drop
    answers 404 GET /api/v1/run
    answers 404 GET /api/v1/status/../../../etc/passwd '' --path-as-is
    answers 404 POST /api/v1/sync '{"pair": "nobody"}'
    ends
    hides log "$token"
}

# No argument of an asker is an option, a command or a path of the program.
smuggled() {
    local word
    desk_config
    put x/T-1 '{"title": "one"}'
    put x/--forget '{"title": "odd id"}'
    start
    until_true has y/T-1 .title one
    for word in --forget --json --help -c --given --repair '$(touch evil)' '`touch evil`' '; touch evil' '../evil' "'" 'a\nb' '| touch evil'; do
        ask POST /api/v1/link "{\"pair\": \"tickets\", \"a\": \"$word\", \"b\": \"$word\"}"
        ask POST /api/v1/drop "{\"id\": \"$word\"}"
        ask POST /api/v1/undo "{\"run\": \"$word\"}"
        is "undo of $word" "$status" 400
        ask POST /api/v1/plan "{\"pair\": \"$word\"}"
        is "plan of $word" "$status" 400
        hides out usage
        ask GET "/api/v1/plugins/$(jq -rn --arg w "$word" '$w | @uri')"
        hides out 'usage:'
    done
    [ ! -e evil ] || wrong 'a word was carried out'
    answers 200 GET '/api/v1/why?pair=tickets&id=--forget'
    is "a record with an odd id" "$(items '.[0].a')" '"--forget"'
    answers 200 POST /api/v1/unlink '{"pair": "tickets", "id": "--forget"}'
    answers 200 GET '/api/v1/links?pair=tickets'
    is "its link is cut, not forgotten" "$(items 'map(select(.a == "--forget") | .state)')" '["unlinked"]'
    # the same on the command line
    run 0 links --json -- tickets
    run 0 why tickets -- --forget
    run 2 why tickets --forget
    says err "'--forget' is no option"
    ends
}

# A secret that gets into a record, a reason or a sentence does not get out.
secrets() {
    desk_config
    put x/T-1 "$(jq -cn --arg t "$token" '{title: "the token is \($t) indeed"}')"
    start
    until_true test -e y/T-1.json
    answers 200 GET '/api/v1/history?pair=tickets&id=T-1'
    is "history" "$(items '.[0].after')" '"the token is *** indeed"'
    ask POST /api/v1/undo "$(jq -cn --arg t "$token" '{run: $t}')"
    is "an error" "$(jq -r .error.message out)" "no run '***' has written anything; see \`syncline history\`"
    ends
    hides log "$token"
}

# Without a token in the config there is no API, and it comes and goes with an edit.
off_and_on() {
    desk_config ''
    start
    answers 403 GET /api/v1/status
    says out 'the API is off: give the config a token'
    is "the rest is there" "$(curl -sS "$address/healthz")" ok
    desk_config
    kill -HUP "$pid"
    until_true on
    echo 'another-token-0123456789' >api-token
    kill -HUP "$pid"
    until_true not_on
    token='another-token-0123456789' answers 200 GET /api/v1/pairs
    ends
}
on() { ask GET /api/v1/status && [ "$status" = 200 ]; }
not_on() { ask GET /api/v1/status && [ "$status" = 401 ]; }

# An edited config that is refused is not what commands of the API go by either.
config_in_force() {
    desk_config
    put x/T-1 '{"title": "one"}'
    start
    until_true has y/T-1 .title one
    sed -i 's/"every"/"evry"/' c.json
    until_true logged 'is refused'
    run 2 links tickets
    answers 200 GET '/api/v1/links?pair=tickets'
    answers 200 GET /api/v1/status
    is "it tells" "$(items '.[0].config_refused | test("evry")')" true
    ends
}

# Many at once, while runs go on: each gets an answer, few processes at a time, and records flow.
crowd() {
    local i
    desk_config
    sed -i 's/"1h"/"200ms"/' c.json
    put x/T-0 '{"title": "0"}'
    start
    until_true has y/T-0 .title 0
    for ((i = 1; i <= 60; i++)); do
        curl -sS -g -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer $token" "$address/api/v1/status" &
        [ "$i" = 30 ] && put x/T-0 '{"title": "30"}'
    done >codes
    most=0
    for ((i = 0; i < 20; i++)); do
        n=$(pgrep -c -P "$pid" -f ' --given ')
        most=$((n > most ? n : most))
        sleep 0.02
    done
    wait $(jobs -p | grep -v "^$pid$")
    [ "$most" -le 4 ] || wrong "$most commands at once"
    is "answers other than well, or later please" "$(grep -cv '^200$\|^503$' codes)" 0
    is "answers" "$(wc -l <codes)" 60
    [ "$(grep -c '^200$' codes)" -ge 30 ] || wrong "only $(grep -c '^200$' codes) of 60 were answered well"
    until_true has y/T-0 .title 30
    ends
}

# A pair that is at work for longer than an asker can wait is busy, not broken; the daemon that ends takes its errands along.
at_work() {
    printf 'touch asked\nwhile [ ! -e go ]; do sleep 0.1; done\n' >slow.sh
    desk_config
    sed -i 's#"y": {"plugin": "jsondir", "settings": {"root": "y"}}#"y": {"plugin": "exec", "settings": {"command": ["sh", "slow.sh"]}}#' c.json
    put x/T-1 '{"title": "one"}'
    start
    until_true test -e asked
    answers 409 POST /api/v1/approve '{"pair": "tickets", "deletes": 1}'
    is "code" "$(jq -r .error.code out)" busy
    says out 'is in use by process'
    answers 200 GET /api/v1/status
    is "it runs" "$(items '.[0].running')" true
    (ask POST /api/v1/approve '{"pair": "tickets", "deletes": 1}') &
    until_true pgrep -P "$pid" -f ' --given approve '
    all=$(pgrep -P "$pid")
    touch go
    ends
    for one in $all; do ! kill -0 "$one" 2>/dev/null || wrong "process $one is left behind"; done
    wait
}

scenario "every example of the manual" every_example
scenario "decisions are carried out by the running daemon" decisions_act
scenario "without the token, from elsewhere, too large: refused" refused
scenario "nothing that is asked becomes an option or a command" smuggled
scenario "secrets do not get out" secrets
scenario "the API is there when the config gives it a token" off_and_on
scenario "commands go by the config in force" config_in_force
scenario "a crowd is served a few at a time, and runs go on" crowd
scenario "a pair at work is busy" at_work
finish

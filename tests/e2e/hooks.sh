#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hooks.sh - webhooks: good ones lead to the write whatever dies, bad ones are answered alike and take nothing in, floods keep no good one out.
# shellcheck source=tests/e2e/daemon.bash
. tests/e2e/daemon.bash
command -v python3 >/dev/null && command -v curl >/dev/null && command -v jq >/dev/null || exit 77
deliver_py=$PWD/tests/peers/deliver.py
export HOOK_TOKEN=0f6b1c2d3e4f5a6b7c8d9eTOKEN HOOK_BEFORE=former-9876543210abcdefTOKEN HOOK_SECRET='hush hush hush'

has() { [ "$(get "y/$1" .title)" = "$2" ]; }
children() { pgrep -P "$pid" -f " $1\$"; }
receivers() { [ "$(children receiver | wc -l)" = "$1" ]; }
ready() { logged 'is in force' && children receiver >/dev/null; }
page() { curl -s --max-time 20 "$address/$1"; }
metric() { page metrics | sed -n "s/^syncline_$1 //p"; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
count_of() { metric "hooks_total{connection=\"api\",outcome=\"$1\"}"; }

ask() { curl -sS "http://127.0.0.1:$port$1" ${2:+-d "$2"}; }
state() { ask /_peer/state | jq -rc "$1"; }
# put TITLE: a new record of the API, or of $1's id with another title; its id is said.
edit() { ask /_peer/put "$1" | jq -r '.id'; }

# The API tells by webhooks alone: the pair polls once a day.
config() { # config [HOOKS] [CONNECTION-MEMBERS]
    cat >c.new <<JSON
{"listen": "127.0.0.1:0", "connections": {
  "api": {"plugin": "rest", "settings": {"base_url": "http://127.0.0.1:$port",
    "webhook": {"header": "X-Signature-256", "prefix": "sha256=", "key": "/record/id", "resource": "items"},
    "webhook_secret": {"env": "HOOK_SECRET"},
    "resources": {"items": {"key": "/id", "version": {"kind": "etag"},
      "list": {"path": "/items", "records": "/items",
        "page": {"type": "cursor", "token_from": "/next_token", "token_to": {"name": "page_token"}},
        "since": {"to": {"name": "updated_since"}, "field": "/updated_at", "overlap_s": 5}},
      "get": {"path": "/items/{id}"}}}}${2:+, $2},
    "hooks": ${1:-{\"token\": {\"env\": \"HOOK_TOKEN\"\}\}}},
  "y": {"plugin": "jsondir", "settings": {"root": "y"}}},
 "pairs": {"p": {"a": {"connection": "api", "object": "items"}, "b": {"connection": "y", "object": "."}, "mode": "one_way",
   "every": "1d", "first_run": "create_only", "fields": [{"a": "title", "b": "title"}]}}}
JSON
    mv c.new c.json
}
start() {
    "$syncline" -c c.json run >out 2>log </dev/null &
    pid=$!
    until_true ready && address=$(grep -o 'http://127[0-9.:]*' log | tail -n 1)
}
# begin: an API with a record, a daemon that has taken it across.
begin() {
    serve "$BUILD/tests/peers/peer" generic
    ask /_peer/knobs '{"webhooks": true}' >/dev/null
    ask /_peer/credentials '{"webhook_secret": "'"$HOOK_SECRET"'"}' >/dev/null
    config "$@"
    ask /_peer/put '{"title": "first"}' >/dev/null
    id=$(ask '/items?limit=1' | jq -r '.items[0].id')
    start
    until_true has "$id" first
    ask /_peer/hooks >/dev/null # that one was told
}
deliver() { "$deliver_py" "$address" "$HOOK_TOKEN" "$HOOK_SECRET" "$@"; }
# told: what the API has told since, delivered as it told it; the answers, one a line.
told() { ask /_peer/hooks | jq -r '.[].body' | deliver send; }
# What a delivery that is not taken must leave as it is.
taken_in() { find state/hooks -type f -exec cksum {} + 2>/dev/null; state '[.requests, .creates]'; }

# No word of a secret is anywhere that anybody looks.
nothing_told() {
    local f
    for f in log out err; do
        [ ! -f $f ] || { hides $f "$HOOK_TOKEN" && hides $f "$HOOK_BEFORE" && hides $f "$HOOK_SECRET"; }
    done
    grep -rqF -e "$HOOK_TOKEN" -e "$HOOK_SECRET" state && wrong "the state holds a token"
}

good_ones() {
    begin
    ask /_peer/put "{\"id\": \"$id\", \"title\": \"second\"}" >/dev/null
    is "answers" "$(told)" 202
    until_true has "$id" second
    is accepted "$(count_of accepted)" 1
    # the same once more, as senders do; no worker changes meanwhile what is kept
    local body victim
    until_true metric_is running 0
    for victim in $(children worker); do kill -STOP "$victim"; done
    body="{\"record\":{\"id\":\"$id\"},\"n\":7}"
    is "a new one" "$(deliver send <<<"$body")" 202
    until_true metric_is 'hooks_total{connection="api",outcome="accepted"}' 2
    local before
    before=$(cksum state/hooks/data.mdb)
    is "again" "$(deliver send <<<"$body")" 202
    is "seen again" "$(count_of seen_again)" 1
    is "what is kept" "$(cksum state/hooks/data.mdb)" "$before"
    for victim in $(children worker); do kill -CONT "$victim"; done
    ends
    nothing_told
}

bad_ones() {
    begin
    local before answers
    before=$(taken_in)
    answers=$(deliver bad)
    is "different answers" "$(wc -l <<<"$answers")" 1
    grep -q "^'HTTP/1.1 404 .*there is nothing here" <<<"$answers" || wrong "the answer is $answers"
    printf 'counts: %s refused alike\n' "${answers##*\' }"
    answers=$(deliver flips)
    is "answers to flipped bits" "$(tail -n 1 <<<"$answers")" "$(head -n 1 <<<"$answers")x404"
    printf 'counts: %s flipped bits refused\n' "$(head -n 1 <<<"$answers")"
    is "what was taken in" "$(taken_in)" "$before"
    is accepted "$(count_of accepted)" 0
    # what does not depend on any secret is told at once
    local token
    for token in "$HOOK_TOKEN" wrong; do
        is "too large" "$(head -c 1100000 /dev/zero | curl -s -w '%{http_code}' --data-binary @- "$address/hooks/api/$token")" $'too large\n413'
        is "too large, by parts" "$(head -c 1100000 /dev/zero | curl -s -w '%{http_code}' -H 'Transfer-Encoding: chunked' --data-binary @- "$address/hooks/api/$token")" $'too large\n413'
        is "another method" "$(curl -s -w '%{http_code}' "$address/hooks/api/$token")" $'not by this method\n405'
    done
    # it is said once, with the way out, and nobody's token
    is "how often the log tells of strays" "$(grep -c 'which takes none: correct the address at its sender' log)" 1
    is "how often of forged ones" "$(grep -c 'does the sender sign with webhook_secret' log)" 1
    run 0 status
    says out 'webhooks'
    run 0 status --json
    is "in status" "$(js '.[0].hooks_trouble | test("^webhooks")')" true
    metric 'hooks_stray_total' | grep -q '^[1-9]' || wrong "strays are not counted"
    is "labels" "$(page metrics | grep -o 'hooks_total{connection="[a-z]*"' | sort -u)" 'hooks_total{connection="api"'
    ends
    nothing_told
}

# beside WHAT [N]: deliver.py goes on with that until `alone`, whose last word is in $said.
beside() {
    rm -f held2 said && mkfifo held2
    deliver "$@" <held2 >said 2>said.err &
    beside_pid=$!
    exec 8>held2
    until_true grep -q on said
}
alone() {
    exec 8>&-
    wait "$beside_pid"
    said=$(tail -n 1 said)
}

# Under what comes at it from strangers, good ones are all taken and lead to the write.
under() { # under NAME WHAT [N]
    local name=$1 i quiet loud
    shift
    begin
    deliver good 20 4 >/dev/null
    quiet=$(deliver good 400 4)
    is "alone" "$(head -n 1 <<<"$quiet")" 400x202
    beside "$@"
    loud=$(deliver good 400 4)
    is "under it" "$(head -n 1 <<<"$loud")" 400x202
    for i in 1 2 3 4 5; do
        ask /_peer/put "{\"id\": \"$id\", \"title\": \"edit $i\"}" >/dev/null
        is "an edit's answer" "$(told)" 202
        until_true has "$id" "edit $i"
    done
    is health "$(page healthz)" ok
    alone
    is "nothing else was accepted" "$(count_of accepted)" 825
    printf 'counts: good ones alone: %s; %s: %s\n' "$(tail -n 1 <<<"$quiet")" "$name" "$(tail -n 1 <<<"$loud")"
    [ "$said" -gt 0 ] || wrong "$name: nothing came"
    printf 'counts: %s: %s in all\n' "$name" "$said"
    is "the gateway was not replaced" "$(metric gateway_restarts_total)" 0
    is "the receiver was not replaced" "$(metric receiver_restarts_total)" 0
    ends
    nothing_told
}

# What was answered 202 is not lost, whichever process dies right after it. The lists of the API are an hour behind: only who is told to read
# the record sees what it holds now.
killed() { # killed all|receiver|gateway
    local victims victim i
    begin
    ask /_peer/knobs '{"the index lags": 3600000}' >/dev/null
    for i in 1 2 3; do
        # no worker takes the hint before the kill
        for victim in $(children worker); do kill -STOP "$victim"; done
        ask /_peer/put "{\"id\": \"$id\", \"title\": \"killed $i\"}" >/dev/null
        is "the answer" "$(told)" 202
        if [ "$1" = all ]; then
            victims="$pid $(pgrep -P "$pid")"
            kill -9 $victims
            wait "$pid" 2>/dev/null
            start
        else
            victims=$(children "$1")
            kill -9 $victims
            for victim in $(children worker); do kill -CONT "$victim"; done
        fi
        until_true has "$id" "killed $i"
    done
    ends
}

# A disk that takes nothing more: nothing is acknowledged, nothing lost, and when there is room again it goes on.
full_disk() {
    [ "$(id -u)" = 0 ] && mkdir -p state && mount -t tmpfs -o size=2m,mode=700 none state 2>/dev/null || {
        problem="SKIP needs root and a tmpfs"
        return
    }
    begin
    head -c 4m /dev/zero >state/fill 2>/dev/null
    is "answers" "$(deliver good 20 4 | sed -n 1p)" 20x503
    is "accepted" "$(count_of accepted)" 0
    [ "$(count_of failed)" = 20 ] || wrong "failed ones are not counted but $(count_of failed)"
    rm state/fill
    ask /_peer/put "{\"id\": \"$id\", \"title\": \"room again\"}" >/dev/null
    is "with room" "$(told)" 202
    until_true has "$id" "room again"
    ends
    umount state
}

# A thousand at once for one record are few runs and few reads.
thousand() {
    local runs before
    begin
    before=$(state .requests)
    ask /_peer/put "{\"id\": \"$id\", \"title\": \"of a thousand\"}" >/dev/null
    is "answers" "$(ID=$id deliver good 1000 50 | sed -n 1p)" 1000x202
    until_true has "$id" "of a thousand"
    is "accepted" "$(count_of accepted)" 1000
    runs=$(metric 'pair_runs_total{pair="p"}')
    printf 'counts: 1000 webhooks of one record: %s runs, %s requests\n' "$runs" "$(($(state .requests) - before))"
    [ "$runs" -lt 200 ] || wrong "there were $runs runs for one record"
    ends
}

# Both tokens, and both secrets, while a sender is told the new one; then the old one leads nowhere.
rotation() {
    begin '{"token": {"env": "HOOK_TOKEN"}, "token_before": {"env": "HOOK_BEFORE"}}'
    is "the new token" "$(deliver send <<<'{"n": 1}')" 202
    is "the one before" "$("$deliver_py" "$address" "$HOOK_BEFORE" "$HOOK_SECRET" send <<<'{"n": 2}')" 202
    run 0 check
    says out "api: webhooks come to /hooks/api/TOKEN (two tokens are taken), and rest verifies who sent them"
    hides out "$HOOK_TOKEN"
    config
    until_true metric_is config_reloads_total 2
    until_true receivers 1
    is "the one before, later" "$("$deliver_py" "$address" "$HOOK_BEFORE" "$HOOK_SECRET" send <<<'{"n": 3}')" 404
    is "the new token, later" "$(deliver send <<<'{"n": 4}')" 202
    # a config without webhooks takes none, and has nobody for them
    config '' ''
    sed -i 's/^    "hooks": .*/    "limits": {}},/' c.json
    until_true metric_is config_reloads_total 3
    until_true receivers 0
    is "without hooks" "$(deliver send <<<'{"n": 5}')" 404
    nothing_told
    ends
}

# While the config is edited again and again, each is taken or is to be repeated: none is refused, and none that was taken is lost.
reloads() {
    local i answers
    begin
    deliver good 600 4 >answers &
    local sender=$!
    for i in 2 3 4 5; do
        config '' "\"limits\": {\"in_flight\": $i}"
        until_true metric_is config_reloads_total "$i"
    done
    wait "$sender"
    answers=$(head -n 1 answers)
    [[ "$answers" =~ ^[0-9]+x202(\ [0-9]+x503)?$ ]] || wrong "answers: $answers"
    printf 'counts: while the config was edited four times: %s\n' "$answers"
    is "accepted" "$(count_of accepted)" "${answers%%x*}"
    ends
}

# A connector in a process of its own, which dies: its deliveries are to be repeated, and are taken by the next one.
in_a_runner() {
    begin '' '"isolation": "runner"'
    is "answers" "$(deliver good 50 4 | sed -n 1p)" 50x202
    kill -9 $(pgrep -P "$(children receiver)")
    deliver good 20 4 >/dev/null
    is "after its death" "$(deliver good 20 4 | sed -n 1p)" 20x202
    deliver bad | grep -q '22 kinds' || wrong "bad ones are told apart"
    ends
    nothing_told
}

# The process that listens has nothing to give away, and no way out.
closed_in() {
    begin
    local gateway
    gateway=$(children gateway)
    nm -D "$syncline" 2>/dev/null | grep -q __asan || # it would keep a sanitizer from its work
        is "filter" "$(sed -n 's/^Seccomp:\t//p' "/proc/$gateway/status")" 2
    if [ -r "/proc/$gateway/environ" ]; then
        tr '\0' '\n' <"/proc/$gateway/environ" >environment
        hides environment HOOK
    fi
    run 2 receiver
    says err 'the receiver is started by'
    ends
}

scenario "I2 a good one leads to the write; again it changes nothing" good_ones
scenario "I36 bad ones are answered alike, byte for byte, and nothing is taken in" bad_ones
scenario "while anything bad floods it, good ones are all taken" under "under a flood of bad ones" flood
scenario "while callers that say nothing crowd it, good ones are all taken" under "among 900 slow callers" slow 900
scenario "I22 what was answered 202 leads to the write, though all are killed" killed all
scenario "I22 what was answered 202 leads to the write, though its receiver is killed" killed receiver
scenario "I22 what was answered 202 leads to the write, though the gateway is killed" killed gateway
scenario "a full disk takes none and loses none" full_disk
scenario "a thousand for one record are few reads" thousand
scenario "two tokens are taken while one is being changed" rotation
scenario "an edited config loses none" reloads
scenario "a connector in a runner verifies" in_a_runner
scenario "the process that listens is closed in" closed_in
finish

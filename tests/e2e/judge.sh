#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# judge.sh - every request of the Zendesk and GitHub connectors is held against the published description of its API, by Prism.
tree=$(cd "$(dirname "$0")/../.." && pwd)
cd "$tree" || exit 2
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
specs=${SPECS:-$tree/../shared/specs}
judge=$BUILD/tests/peers/judge
peer=$BUILD/tests/peers/peer
pids=()
cleanup() { [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null; }
export ZENDESK_TOKEN=apitoken-1 GITHUB_TOKEN=github-1

installed() {
    cmp -s "$tree/tests/peers/judge/package-lock.json" "$judge/installed" && return
    rm -rf "$judge" && mkdir -p "$judge" && cp "$tree"/tests/peers/judge/*.json "$judge" &&
        (cd "$judge" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1 </dev/null) &&
        cp "$judge/package-lock.json" "$judge/installed"
}
why=
if [ ! -f "$specs/github-issues.openapi.json" ]; then
    why="the descriptions are not there; name their folder in SPECS"
elif ! command -v node >/dev/null || ! command -v npm >/dev/null || ! command -v jq >/dev/null || ! command -v curl >/dev/null; then
    why="node, npm, jq and curl are needed"
elif ! installed; then
    why="npm could not install the judge: $(tail -n 1 "$judge/npm.log" 2>/dev/null)"
fi
if [ -n "$why" ]; then
    echo "SKIP: $why"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

# judged PROFILE DESCRIPTION [JQ]: a simulated API behind the judge, whose port is in $port and whose words are in PROFILE.log.
judged() {
    local behind
    : >"$1.port"
    mkfifo "$1.held"
    "$peer" "$1" <"$1.held" >"$1.port" &
    pids+=($!)
    exec {held}>"$1.held" # as long as this script is there
    until grep -q '^port ' "$1.port"; do sleep 0.05; done
    behind=$(cut -d' ' -f2 "$1.port")
    jq "${3:-.}" "$specs/$2" >"$1.json"
    port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
    NO_COLOR=1 node "$judge/node_modules/@stoplight/prism-cli/dist/index.js" proxy -h 127.0.0.1 -p "$port" \
        "$1.json" "http://127.0.0.1:$behind" >"$1.log" 2>&1 &
    pids+=($!)
    for _ in {1..600}; do
        grep -q 'is listening' "$1.log" && break
        sleep 0.1
    done
    grep -q 'is listening' "$1.log" || wrong "the judge of $1 has not started: $(tail -n 2 "$1.log")"
}
# verdict PROFILE LEAST: what the judge says of all requests of this profile.
verdict() {
    local n bad
    n=$(grep -c 'Request received' "$1.log")
    bad=$(sed 's/\x1b\[[0-9;]*m//g' "$1.log" | grep 'Violation: request' | sed 's/^.*Violation/Violation/')
    echo "counts: $1: $n requests judged, $(grep -c . <<<"$bad") of them not as described"
    [ "$n" -ge "$2" ] || wrong "$1: only $n requests were judged"
    is "$1: what is not as described" "$(sort -u <<<"$bad" | head -n 5)" ""
}
ask() { curl -fsS -H 'Authorization: Bearer oauth-1' -H 'Content-Type: application/json' "$@"; }
order() { curl -fsS "http://127.0.0.1:$(cut -d' ' -f2 "$1.port")/_peer/$2" -d "$3" >/dev/null; }
direct() { # PROFILE METHOD PATH [JSON]: somebody else, past the judge
    ask -X "$2" "http://127.0.0.1:$(cut -d' ' -f2 "$1.port")$3" ${4:+-d "$4"}
}
any() { "$syncline" -c c.json "$@" >out 2>err || [ $? -le 3 ] || wrong "$*: $(cat err)"; }

# The slice of Zendesk's description says that start_time is required, also beside a cursor that Zendesk itself hands out, and gives
# update_many no body; its own documentation says otherwise. That of GitHub leaves out the repository itself.
zendesk_slice='walk(if type == "object" and .name? == "start_time" then .required = false else . end)
    | (.paths | to_entries[] | select(.key | endswith("/update_many")) | .key) as $k
    | .paths[$k].put.requestBody = {content: {"application/json": {schema: {type: "object"}}}}'
github_slice='.paths["/repos/{owner}/{repo}"] = {parameters: [{name: "owner", in: "path", required: true, schema: {type: "string"}},
    {name: "repo", in: "path", required: true, schema: {type: "string"}}], get: {responses: {"200": {description: "the repository"}}}}'

escalation() {
    judged zendesk zendesk-tickets.openapi.json "$zendesk_slice"
    local desk=$port
    judged github github-issues.openapi.json "$github_slice"
    cat >c.json <<CONFIG
{
  "connections": {
    "desk": {"plugin": "zendesk", "settings": {"base_url": "http://127.0.0.1:$desk", "late_s": 0, "email": "agent@acme.test", "api_token": {"env": "ZENDESK_TOKEN"}}},
    "code": {"plugin": "github", "settings": {"base_url": "http://127.0.0.1:$port", "owner": "acme", "repo": "desk", "late_s": 0,
             "token": {"env": "GITHUB_TOKEN"}, "write_pause_ms": 0}},
  },
$(sed -n '/^  \/\/ Who is who/,$p' "$tree/configs/escalation.jsonc")
CONFIG
    order zendesk user '{"id": 501, "name": "Ann Lee", "email": "ann@acme.test", "role": "agent"}'
    for i in 1 2 3 4 5; do
        direct zendesk POST /api/v2/tickets "{\"ticket\": {\"subject\": \"t$i\", \"comment\": {\"body\": \"b\", \"public\": false}, \"tags\": [\"escalated\"]}}" >/dev/null
        order zendesk comment "{\"ticket\": $i, \"author\": 501, \"body\": \"a word\", \"public\": false}"
    done
    order zendesk clock '{"ahead_ms": 200000}'
    any check --online
    any sync
    direct github PATCH /repos/acme/desk/issues/1 '{"state": "closed", "state_reason": "completed", "assignees": ["ann-gh"], "title": "other"}' >/dev/null
    direct github POST /repos/acme/desk/issues/2/comments '{"body": "an answer"}' >/dev/null
    order github knobs '{"the reply is lost": 1}'
    order zendesk knobs '{"the reply is lost": 1}'
    order zendesk comment '{"ticket": 3, "author": 501, "body": "more", "public": false}'
    for _ in 1 2 3; do
        order zendesk clock '{"ahead_ms": 200000}'
        any sync
    done
    any verify
    is "issues" "$(direct github GET '/repos/acme/desk/issues?state=all' | jq length)" 5
    is "the answer came over" "$(direct zendesk GET /api/v2/tickets/2/comments | jq '.comments | length')" 3
    verdict zendesk 15
    verdict github 15
}

# Everything else the connectors write: labels, milestones, reasons, custom fields, deletes.
folder() {
    judged zendesk zendesk-tickets.openapi.json "$zendesk_slice"
    local desk=$port
    judged github github-issues.openapi.json "$github_slice"
    order github milestone '{"title": "4.2"}'
    mkdir -p y
    put x/1 '{"title": "one", "body": "text", "labels": ["bug", "a/b"], "milestone": "4.2", "status": "open", "assignee": "ann-gh"}'
    put x/2 '{"title": "two", "body": "text", "labels": [], "milestone": null, "status": "closed", "assignee": null}'
    put y/1 '{"title": "one", "body": "text", "status": "open", "priority": "high", "tags": ["vip"], "type": "incident"}'
    put y/2 '{"title": "two", "body": "text", "status": "pending", "priority": "low", "tags": [], "type": "question"}'
    cat >c.json <<CONFIG
{
  "connections": {
    "desk": {"plugin": "zendesk", "settings": {"base_url": "http://127.0.0.1:$desk", "late_s": 0, "email": "agent@acme.test", "api_token": {"env": "ZENDESK_TOKEN"}}},
    "code": {"plugin": "github", "settings": {"base_url": "http://127.0.0.1:$port", "owner": "acme", "repo": "desk", "late_s": 0,
             "token": {"env": "GITHUB_TOKEN"}, "write_pause_ms": 0}},
    "x": {"plugin": "jsondir", "settings": {"root": "x"}}, "y": {"plugin": "jsondir", "settings": {"root": "y"}}
  },
  "pairs": {
    "i": {"a": {"connection": "x", "object": "."}, "b": {"connection": "code", "object": "issues"}, "deletes": {"policy": "archive"},
      "fields": [{"a": "title", "b": "title"}, {"a": "body", "b": "body"}, {"a": "labels", "b": "labels"}, {"a": "milestone", "b": "milestone"},
                 {"a": "status", "b": "status"}, {"a": "assignee", "b": "assignee"}]},
    "t": {"a": {"connection": "y", "object": "."}, "b": {"connection": "desk", "object": "tickets"}, "deletes": {"policy": "delete"},
      "fields": [{"a": "title", "b": "title"}, {"a": "body", "b": "body", "direction": "a_to_b", "drift": "ignore"}, {"a": "status", "b": "status"},
                 {"a": "priority", "b": "priority"}, {"a": "tags", "b": "tags"}, {"a": "type", "b": "type"}]}
  }
}
CONFIG
    any sync
    put x/1 '{"title": "uno", "body": "more", "labels": ["ui"], "milestone": null, "status": "closed", "assignee": null}'
    put y/1 '{"title": "uno", "body": "text", "status": "resolved", "priority": "urgent", "tags": ["vip", "new"], "type": "problem"}'
    order zendesk clock '{"ahead_ms": 200000}'
    any sync
    rm x/2.json y/2.json
    order zendesk clock '{"ahead_ms": 200000}'
    any sync
    is "labels" "$(direct github GET /repos/acme/desk/issues/1 | jq -c '[.title, .state, (.labels | map(.name))]')" '["uno","closed",["ui"]]'
    is "ticket" "$(direct zendesk GET /api/v2/tickets/1 | jq -c '.ticket | [.subject, .status, .priority]')" '["uno","solved","urgent"]'
    verdict zendesk 6
    verdict github 6
}

scenario "escalated tickets and their comments: every request is as the APIs describe it" escalation
cleanup
pids=()
scenario "what else is written: every request is as the APIs describe it" folder
finish

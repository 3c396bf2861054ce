#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# support.sh - configs/support.jsonc on a simulated Zendesk and GitHub: three pairs on one account, once and under `run`, within the account's limit.
cd "$(dirname "$0")/../.." || exit 2
configs=$PWD/configs
. tests/e2e/daemon.bash
command -v curl >/dev/null && command -v jq >/dev/null && command -v sqlite3 >/dev/null || exit 77
pids=()
cleanup() { [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null; leave_none; }
export ZENDESK_TOKEN=oauth-1 GITHUB_TOKEN=github-1

serve() { # PROFILE: its port is in $port
    : >"$1.port"
    mkfifo "$1.held"
    "$BUILD/tests/peers/peer" "$1" <"$1.held" >"$1.port" &
    pids+=($!)
    exec {held}>"$1.held"
    for _ in {1..200}; do
        grep -q '^port ' "$1.port" && break
        sleep 0.05
    done
    port=$(cut -d' ' -f2 "$1.port")
}
order() { curl -fsS "$1/_peer/$2" -d "$3"; }
zendesk() { curl -fsS -H 'Authorization: Bearer oauth-1' -H 'Content-Type: application/json' -X "$1" "$desk/api/v2$2" ${3:+-d "$3"}; }
github() { curl -fsS -H 'Authorization: Bearer github-1' "$code/repos/acme/desk$1"; }
table() { sqlite3 support/analysis.db "$1"; }
refused() { curl -fsS "$desk/_peer/state" | jq '[.struck["requests a second"], .struck["429"]] | map(. // 0) | add'; }

# The example as it is, but for where the two services are; then its tables, as its first lines say. PROFILE: of the desk.
example() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}"
    pids=()
    cp -r "$configs/support" "$configs/syncline.schema.json" .
    serve "$1"
    desk=http://127.0.0.1:$port
    serve github
    code=http://127.0.0.1:$port
    sed -e "s#\"subdomain\": \"acme\"#\"base_url\": \"$desk\", \"late_s\": 1#; s#\"owner\": \"acme\"#\"base_url\": \"$code\", \"write_pause_ms\": 0, \"late_s\": 1, &#" \
        "$configs/support.jsonc" >c.json
    is "both are told of" "$(grep -c "127.0.0.1" c.json)" 2
    sqlite3 support/analysis.db <support/tickets.sql
    order "$desk" user '{"id": 501, "name": "Ann Lee", "email": "ann@acme.test", "role": "agent"}' >/dev/null
    order "$desk" user '{"id": 502, "name": "A customer", "email": "who@else.test", "role": "end-user"}' >/dev/null
}
ticket() { zendesk POST /tickets "{\"ticket\": {\"subject\": \"$1\", \"comment\": {\"body\": \"text\", \"public\": false}, \"tags\": [\"$2\"]}}" | jq .ticket.id; }

once() {
    local t
    example zendesk
    t=$(ticket one escalated)
    ticket two vip >/dev/null
    order "$desk" comment "{\"ticket\": $t, \"author\": 501, \"body\": \"look here\", \"public\": false}" >/dev/null
    order "$desk" clock '{"ahead_ms": 200000}' >/dev/null # its exports are a minute late
    run 0 check
    run 0 check --online
    run 0 sync
    is "issues" "$(github '/issues?state=all' | jq -c 'map([.title, .comments])')" '[["one",1]]'
    is "the table" "$(table 'SELECT title, status, tags, channel IS NOT NULL FROM tickets ORDER BY title')" $'one|open|["escalated"]|1\ntwo|open|["vip"]|1'
    is "the agents" "$(tail -n +2 support/people/agents.csv | cut -d, -f2-4 | grep -c ',agent$\|,admin$')" "$(tail -n +2 support/people/agents.csv | wc -l)"
    is "one of them" "$(grep -o 'Ann Lee.*' support/people/agents.csv | cut -d, -f1-3)" 'Ann Lee,ann@acme.test,agent'
    order "$desk" clock '{"ahead_ms": 200000}' >/dev/null
    quiet
    # a full comparison finds nothing either, and the copy is a copy
    run 0 verify
    table 'UPDATE tickets SET title = "changed here" WHERE title = "two"'
    run 0 sync
    is "an edit of the table is taken back" "$(table 'SELECT count(*) FROM tickets WHERE title = "two"')" 1
}

# Three runs at once, again and again, ask one account: together they stay within what it allows, and it has nothing to refuse.
within_the_limit() {
    local i
    example zendesk-at-once
    for i in 1 2 3 4 5 6; do ticket "t$i" escalated >/dev/null; done
    order "$desk" knobs '{"requests a second": 20}' >/dev/null
    sed -i -E 's/"every": "[0-9a-z]+"/"every": "100ms"/; s/"requests_per_minute": 200/"requests_per_minute": 600/; s#^  "state"#  "listen": "127.0.0.1:0", &#' c.json
    is "every pair is often due" "$(grep -c '"every": "100ms"' c.json)" 3
    "$syncline" -c c.json run >out 2>log </dev/null &
    pid=$!
    until_true spent 60
    address=$(grep -o 'http://127[0-9.:]*' log | tail -n 1)
    workers=$(curl -sS "$address/metrics" | sed -n 's/^syncline_workers //p')
    until_true has_all
    kill -TERM "$pid"
    wait "$pid"
    is "the exit code" $? 0
    pid=
    [ "${workers:-0}" -ge 3 ] || wrong "only $workers workers"
    echo "counts: $(asked) requests, $(refused) refused, $workers workers"
    is "requests that it had to refuse" "$(refused)" 0
    # the limit is one: who does not keep to it is refused
    zendesk GET '/users/me?[1-60]' >/dev/null 2>&1
    [ "$(refused)" -gt 0 ] || wrong "the simulated account refuses nobody"
}
asked() { curl -fsS "$desk/_peer/state" | jq .requests; }
spent() { [ "$(asked)" -ge "$1" ]; }
has_all() { [ "$(table 'SELECT count(*) FROM tickets')" = 6 ] && [ "$(github '/issues?state=all' | jq length)" = 6 ]; }

scenario "I11 the example syncs tickets, comments and people; a second run writes nothing" once
scenario "three workers on one account stay within its limit" within_the_limit
finish

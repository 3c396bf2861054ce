#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# escalation.sh - a simulated Zendesk and GitHub: tickets become issues once, comments go both ways in order, whatever fails; and what it costs.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
command -v curl >/dev/null && command -v jq >/dev/null && command -v sqlite3 >/dev/null || exit 77
peer=$BUILD/tests/peers/peer
here=$PWD
export ZENDESK_TOKEN=oauth-1 GITHUB_TOKEN=github-1

ask() { curl -fsS -H 'Authorization: Bearer oauth-1' -H 'Content-Type: application/json' "$@"; }
order() { curl -fsS "$1/_peer/$2" -d "$3"; }
zendesk() { ask -X "$1" "$desk/api/v2$2" ${3:+-d "$3"}; }
github() { ask -X "$1" "$code/repos/acme/desk$2" ${3:+-d "$3"}; }
# The help desk tells of a change when it is a minute old.
later() { order "$desk" clock '{"ahead_ms": 200000}' >/dev/null; }
settled() { later && sleep 1.2; } # what a lost answer left open is certain after late_s
sync_any() { "$syncline" -c c.json sync >out 2>err || [ $? -le 3 ] || wrong "sync: $(cat err)"; }

# Both services and the config of configs/escalation.jsonc.
both() {
    serve "$peer" zendesk
    desk=http://127.0.0.1:$port
    also "$peer" github
    code=http://127.0.0.1:$port
    cat >c.json <<CONFIG
{
  "connections": {
    "desk": {"plugin": "zendesk", "settings": {"base_url": "$desk", "late_s": 1, "token": {"env": "ZENDESK_TOKEN"}}},
    "code": {"plugin": "github", "settings": {"base_url": "$code", "owner": "acme", "repo": "desk",
             "token": {"env": "GITHUB_TOKEN"}, "write_pause_ms": 0, "late_s": 1}},
  },
$(sed -n '/^  \/\/ Who is who/,$p' "$here/configs/escalation.jsonc")
CONFIG
    order "$desk" user '{"id": 501, "name": "Ann Lee", "email": "ann@acme.test", "role": "agent"}' >/dev/null
}
ticket() { zendesk POST /tickets "{\"ticket\": {\"subject\": \"$1\", \"comment\": {\"body\": \"text of $1\", \"public\": false}, \"tags\": [\"${2:-escalated}\"]}}" | jq .ticket.id; }
say_here() { order "$desk" comment "{\"ticket\": $1, \"author\": 501, \"body\": \"$2\", \"public\": false}" >/dev/null; }
say_there() { github POST "/issues/$1/comments" "{\"body\": \"$2\"}" >/dev/null; }
# What was said, one a line, without the line that says by whom and the key.
words='split("\n\n<!--")[0] | split("\n\n") | last'
here_said() {
    local after='' page
    while page=$(zendesk GET "/tickets/$1/comments?page%5Bsize%5D=100${after:+&page%5Bafter%5D=$after}"); do
        jq -c '.comments[]' <<<"$page"
        [ "$(jq .meta.has_more <<<"$page")" = true ] || break
        after=$(jq -r .meta.after_cursor <<<"$page")
    done | tail -n +2 | jq -r ".body | $words" # the first one is the ticket's text
}
there_said() {
    local page
    for page in 1 2 3; do github GET "/issues/$1/comments?per_page=100&page=$page" | jq -r ".[].body | $words"; done
}
calls() { jq -s "map(.calls.$1) | add" out; }

once_and_again() {
    local t
    both
    t=$(ticket one)
    ticket other vip >/dev/null
    later
    run 0 sync
    is "issues" "$(github GET '/issues?state=all' | jq -c 'map(.title)')" '["one"]'
    later
    quiet
    github PATCH /issues/1 '{"state": "closed", "state_reason": "completed", "assignees": ["ann-gh"]}' >/dev/null
    run 0 sync
    is "ticket" "$(zendesk GET "/tickets/$t" | jq -c '.ticket | [.status, .assignee_id]')" '["solved",501]'
    zendesk PUT "/tickets/$t" '{"ticket": {"status": "open"}}' >/dev/null
    later
    run 0 sync
    is "issue" "$(github GET /issues/1 | jq -r .state)" open
    later
    quiet
    zendesk PUT "/tickets/$t" '{"ticket": {"tags": ["vip"], "subject": "changed"}}' >/dev/null
    later
    run 0 sync
    is "a ticket that left keeps its issue as it is" "$(github GET /issues/1 | jq -r .title)" one
    zendesk PUT "/tickets/$t" '{"ticket": {"tags": ["escalated"]}}' >/dev/null
    later
    run 0 sync
    is "and goes on when it is back" "$(github GET /issues/1 | jq -r .title)" changed
    is "issues" "$(github GET '/issues?state=all' | jq length)" 1
}

nobody_known() {
    local t
    both
    t=$(ticket one)
    later
    run 0 sync
    github PATCH /issues/1 '{"assignees": ["octocat"], "title": "renamed"}' >/dev/null
    run 3 sync
    run 0 parked
    says out "nobody is known to be 'octocat' on side a; add a line with both names to \`users\`"
    is "the title goes on" "$(zendesk GET "/tickets/$t" | jq -r .ticket.subject)" renamed
}

# A file's plain text is the name that GitHub itself has for somebody: for that nobody needs to stand in the config.
plain_names() {
    both
    cat >c.json <<CONFIG
{
  "connections": {
    "x": {"plugin": "jsondir", "settings": {"root": "x"}},
    "code": {"plugin": "github", "settings": {"base_url": "$code", "owner": "acme", "repo": "desk", "token": {"env": "GITHUB_TOKEN"}}}
  },
  "users": [{"x": "ann@acme.test", "code": "ann-gh"}],
  "pairs": {"p": {"a": {"connection": "x", "object": "."}, "b": {"connection": "code", "object": "issues"},
    "fields": [{"a": "title", "b": "title"}, {"a": "who", "b": "assignee"}]}}
}
CONFIG
    put x/1 '{"title": "one", "who": "octocat"}'
    put x/2 '{"title": "two", "who": "ann@acme.test"}'
    run 0 sync
    is "assignees" "$(github GET '/issues?state=all' | jq -c 'map([.title, .assignees[0].login]) | sort')" '[["one","octocat"],["two","ann-gh"]]'
    github PATCH /issues/1 '{"assignees": ["bo-gh"]}' >/dev/null
    run 0 sync
    is "and back" "$(cat x/*.json | jq -sc 'map(.who) | sort')" '["ann@acme.test","bo-gh"]'
}

costs() {
    local t
    both
    order "$code" knobs '{"small pages": false}' >/dev/null
    run 0 sync
    t=$(ticket one)
    for i in 1 2 3; do say_here "$t" "comment $i"; done
    later
    run 0 sync --json
    is "comments there" "$(there_said 1 | paste -sd,)" "comment 1,comment 2,comment 3"
    local spent=$(($(calls a) + $(calls b)))
    echo "counts: calls to escalate a ticket with 3 comments: $spent"
    [ "$spent" -le 8 ] || wrong "a ticket with 3 comments costs $spent calls"
    for _ in 1 2; do
        later
        run 0 sync
    done
    local before after
    before=$(order "$code" limits '{}' | jq .unchanged)
    run 0 sync --json
    after=$(order "$code" limits '{}' | jq .unchanged)
    echo "counts: calls of a poll with nothing changed: $(calls a) a, $(calls b) b, of which 304: $((after - before))"
    [ "$(calls a)" -le 1 ] && [ "$(calls b)" -le 1 ] || wrong "an idle poll costs $(calls a) and $(calls b) calls"
    is "of them not counted by GitHub" "$((after - before))" "$(calls b)"
}

# Fifty comments on each side at once, answers lost, runs killed: each once on each side, in order.
fifty_each() {
    local t i theirs ours port
    both
    t=$(ticket one)
    later
    run 0 sync
    for i in $(seq 10 59); do
        say_here "$t" "support $i"
        say_there 1 "engineering $i"
    done
    later
    order "$desk" knobs '{"the reply is lost": {"of_1000": 60}, "answers take their time": 3, "seed": 3}' >/dev/null
    order "$code" knobs '{"the reply is lost": {"of_1000": 60}, "answers take their time": 3, "seed": 4}' >/dev/null
    for i in 1 2 3 2 1; do
        for port in "${desk##*:}" "${code##*:}"; do
            killed_each "$i"
            later
        done
    done
    for _ in 1 2 3; do
        sync_any
        settled
    done
    for knob in "$desk" "$code"; do order "$knob" calm '{}' >/dev/null; done
    for _ in 1 2 3; do
        settled
        sync_any
    done
    ours=$(for i in $(seq 10 59); do echo "support $i"; done)
    theirs=$(for i in $(seq 10 59); do echo "engineering $i"; done)
    echo "counts: comments on each side: $(here_said "$t" | wc -l), $(there_said 1 | wc -l)"
    is "comments on the ticket" "$(here_said "$t")" "$ours"$'\n'"$theirs"
    is "comments on the issue" "$(there_said 1)" "$theirs"$'\n'"$ours"
    later
    quiet
}

the_demo() {
    bash "$here/configs/demo/escalate" "$PWD/demo" >told 2>&1 || wrong "it ends with $?: $(tail -n 3 told)"
    says told "A help desk with 200 tickets, 30 of them escalated"
    says told "issues in the tracker: 30, of them doubled: 0"
    says told "status: solved, assignee: Ann Lee"
    is "each note once" "$(grep -c 'internal: .*Note [1-5] of the release' told)" 5
}

scenario "a ticket becomes an issue once, and both are kept in step" once_and_again
scenario "an assignee nobody knows is asked for, and everything else flows" nobody_known
scenario "plain names are the system's own, those in users are translated" plain_names
scenario "what it costs" costs
scenario "I18 I19 I20 fifty comments on each side at once, replies lost, runs killed: each once, in order" fifty_each
scenario "I19 the demo: 200 tickets, 30 issues exactly" the_demo
finish

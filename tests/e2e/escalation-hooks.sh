#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# escalation-hooks.sh - the daemon between a simulated Zendesk and GitHub: driven by webhooks alone, or by none; each comment once, in order.
# shellcheck source=tests/e2e/daemon.bash
. tests/e2e/daemon.bash
command -v python3 >/dev/null && command -v curl >/dev/null && command -v jq >/dev/null || exit 77
peer=$BUILD/tests/peers/peer
here=$PWD
export ZENDESK_TOKEN=oauth-1 GITHUB_TOKEN=github-1
export DESK_HOOK=desk-0123456789abcdef CODE_HOOK=code-0123456789abcdef DESK_HOOK_SECRET='a secret of the desk' CODE_HOOK_SECRET='a secret of the code'

teller=''
cleanup() {
    leave_none
    [ -z "$teller" ] || kill -9 "$teller" 2>/dev/null
    unserve
}
order() { curl -fsS "$1/_peer/$2" -d "$3" >/dev/null; }
zendesk() { curl -fsS -H 'Authorization: Bearer oauth-1' -H 'Content-Type: application/json' -X "$1" "$desk/api/v2$2" ${3:+-d "$3"}; }
github() { curl -fsS -H 'Authorization: Bearer github-1' -H 'Content-Type: application/json' -X "$1" "$code/repos/acme/desk$2" ${3:+-d "$3"}; }
# The export of the help desk tells of a change when it is a minute old; a ticket that is asked for shows it at once.
later() { order "$desk" clock '{"ahead_ms": 200000}'; }
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

# begin EVERY: both services with one escalated ticket, and a daemon that has made its issue.
begin() {
    serve "$peer" zendesk
    desk=http://127.0.0.1:$port
    also "$peer" github
    code=http://127.0.0.1:$port
    cat >c.json <<CONFIG
{
  "listen": "127.0.0.1:0",
  "connections": {
    "desk": {"plugin": "zendesk", "settings": {"base_url": "$desk", "late_s": 1, "token": {"env": "ZENDESK_TOKEN"},
             "webhook_secret": {"env": "DESK_HOOK_SECRET"}}, "hooks": {"token": {"env": "DESK_HOOK"}}},
    "code": {"plugin": "github", "settings": {"base_url": "$code", "owner": "acme", "repo": "desk", "token": {"env": "GITHUB_TOKEN"},
             "write_pause_ms": 0, "late_s": 1, "webhook_secret": {"env": "CODE_HOOK_SECRET"}}, "hooks": {"token": {"env": "CODE_HOOK"}}},
  },
$(sed -n '/^  \/\/ Who is who/,$p' "$here/configs/escalation.jsonc" | sed "s/\"every\": \"60s\"/\"every\": \"$1\"/")
CONFIG
    order "$desk" user '{"id": 501, "name": "Ann Lee", "email": "ann@acme.test", "role": "agent"}'
    ticket=$(zendesk POST /tickets '{"ticket": {"subject": "one", "comment": {"body": "text", "public": false}, "tags": ["escalated"]}}' | jq .ticket.id)
    later
    start
    until_true first_run_over
}
# The ticket's run has its comments' behind it, in the same job.
first_run_over() {
    github GET /issues/1 >/dev/null && curl -fsS "$(cat address)/metrics" >metrics && grep -qx 'syncline_running 0' metrics &&
        grep -q '^syncline_pair_runs_total{pair="escalations.comments"} [1-9]' metrics
}
alive() { jobs -pr | grep -qx "$1"; }
children() { pgrep -P "$pid" -f " $1\$"; }
begin_it() {
    "$syncline" -c c.json run >out 2>>log </dev/null 9>&- & # the webhooks' end is not its to hold
    pid=$!
}
# One that has found the lock of the last one still held, by a process about to end, is begun again.
in_force() {
    alive "$pid" || begin_it
    grep -q 'is in force' log && children receiver >/dev/null
}
start() {
    begin_it
    until_true in_force
    grep -o 'http://127[0-9.:]*' log | tail -n 1 >address.new && mv address.new address # whole at any moment: the webhooks' end reads it
}
fifty_each() {
    for i in $(seq 10 59); do
        order "$desk" comment "{\"ticket\": $ticket, \"author\": 501, \"body\": \"support $i\", \"public\": false}"
        github POST /issues/1/comments "{\"body\": \"engineering $i\"}" >/dev/null
    done
}
all_there() { [ "$(here_said "$ticket" | wc -l)" -ge 100 ] && [ "$(there_said 1 | wc -l)" -ge 100 ]; }
# Each once, those of one side in their order; and a run finds nothing left to do.
as_it_must_be() {
    local who want
    here_said "$ticket" >here
    there_said 1 >there
    is "comments on the ticket" "$(wc -l <here)" 100
    is "comments on the issue" "$(wc -l <there)" 100
    for who in support engineering; do
        want=$(for i in $(seq 10 59); do echo "$who $i"; done)
        is "of $who on the ticket" "$(grep "^$who" here)" "$want"
        is "of $who on the issue" "$(grep "^$who" there)" "$want"
    done
    later
    run 0 sync
    quiet
    is "hints that wait" "$("$BUILD/tests/unit/test_hooks" waiting state escalations escalations.comments)" 0
}

told_all() { ! alive "$teller"; }

# The pair polls once a day: what comes across comes by webhooks. Replies and requests are lost, and any process is killed.
by_webhooks() {
    local victim kind knob
    begin 1d
    fifty_each
    is "across before any webhook" "$(here_said "$ticket" | grep -c engineering) $(there_said 1 | grep -c support)" "0 0"
    mkfifo told
    "$here/tests/peers/tell.py" "$desk" "$code" "$ticket" address <told >telling 2>telling.err &
    teller=$!
    exec 9>told
    order "$desk" knobs '{"the reply is lost": {"of_1000": 40}, "the request is lost": {"of_1000": 20}, "answers take their time": 2, "seed": 3}'
    order "$code" knobs '{"the reply is lost": {"of_1000": 40}, "the request is lost": {"of_1000": 20}, "answers take their time": 2, "seed": 4}'
    for kind in worker receiver gateway worker receiver worker gateway all; do
        sleep 0.5
        if [ $kind = all ]; then
            victim="$pid $(pgrep -P "$pid")"
            kill -9 $victim
            wait "$pid" 2>/dev/null
            start
        else
            victim=$(children $kind | head -n 1)
            [ -z "$victim" ] || kill -9 "$victim"
        fi
    done
    for knob in "$desk" "$code"; do order "$knob" calm '{}'; done
    until_true all_there
    exec 9>&-
    until_true told_all || kill "$teller"
    wait "$teller" || wrong "the webhooks: $(tail -n 1 telling.err)"
    teller=
    echo "counts: $(cat telling)"
    ends
    as_it_must_be
}

# Not one webhook arrives: the poll is the truth.
by_polls() {
    begin 1s
    fifty_each
    later
    until_true all_there
    ends
    as_it_must_be
}

scenario "I19 I20 I22 fifty comments on each side, webhooks twice and in no order, replies lost, processes killed: each once, in order (F16)" by_webhooks
scenario "I1 I19 all webhooks are lost: the poll finds everything (F18)" by_polls
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# status.sh - what `status` tells: when a pair runs next, its lag, what a connection has left, a full disk; and nothing that is no longer so.
# shellcheck source=tests/e2e/daemon.bash
. tests/e2e/daemon.bash
command -v curl >/dev/null && command -v jq >/dev/null || exit 77

mounted=
cleanup() {
    leave_none
    unserve
    [ -z "$mounted" ] || umount "$mounted" 2>/dev/null
}
status_has() { "$syncline" -c c.json status --json >out 2>err; [ "$(js "$1")" = true ]; }
soon='(. | sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601) - now'

# Without a daemon the config says when; with one the daemon does, and once it is gone it is not asked any more.
next_runs() {
    put x/1 '{"title":"one"}'
    config '"every": "1h"' '"listen": "127.0.0.1:0"'
    run 0 status
    says out 'next run now, if `syncline run` is started'
    run 0 sync
    run 0 status --json
    is "next by the config" "$(js ".[0].next_run | $soon | . > 3500 and . <= 3600")" true
    is "nothing of a daemon" "$(js '.[0] | [.daemon, .running, .failures, .disk_full]')" '[null,false,0,false]'
    is "a folder has no budget" "$(js '.[0].connections | map_values(.state)')" '{"a":null,"b":null}'
    start
    until_true status_has ".[0] | .daemon != null and .lag_s < 100 and .next_run and (.next_run | $soon | . > 1 and . <= 5400)"
    run 0 status
    says out 'next run 2'
    says out '; lag '
    hides out 'is started'
    ends 137 KILL
    run 0 status
    hides out 'is at work'
    says out 'if `syncline run` is started'
    is "the board is still there" "$(grep -c . state/daemon.pairs)" 1
}

# A pair that fails is said to, how often, and when it is tried again; a run that lasts is said to run.
failing_and_running() {
    printf 'touch asked\nwhile [ ! -e go ]; do sleep 0.1; done\nexit 1\n' >slow.sh
    config '"every": "200ms"' '"listen": "127.0.0.1:0"'
    sed -i 's#"y": {"plugin".*#"y": {"plugin": "exec", "settings": {"command": ["sh", "slow.sh"]}}#' c.json
    start
    until_true test -e asked
    until_true status_has '.[0].running and .[0].next_run == null'
    run 0 status
    says out 'runs now'
    touch go
    until_true status_has '.[0].failures > 1 and .[0].last_error != null'
    until_true "$syncline" -c c.json status
    until_true says_failures
    ends
}
says_failures() { "$syncline" -c c.json status 2>/dev/null | grep -q 'runs in a row failed'; }

api() { curl -sS "http://127.0.0.1:$port$1" ${2:+-d "$2"}; }
api_config() { # LIMITS
    cat >c.json <<JSON
{"connections": {
    "api": {"plugin": "rest", "limits": {$1}, "settings": {"base_url": "http://127.0.0.1:$port", "resources": {"items": {
      "key": "/id", "list": {"path": "/items", "records": "/items",
      "page": {"type": "cursor", "token_from": "/next_token", "token_to": {"name": "page_token"}, "size_to": {"name": "limit", "value": 3}}}}}}},
    "x": {"plugin": "jsondir", "settings": {"root": "x"}}},
 "pairs": {"p": {"a": {"connection": "api", "object": "items"}, "b": {"connection": "x", "object": "."}, "mode": "one_way",
   "fields": [{"a": "title", "b": "title"}]}}}
JSON
}

# What the server says of its limit is told, and what was refused counted.
budget() {
    serve "$BUILD/tests/peers/peer" generic
    api /_peer/put '{"title": "one"}' >/dev/null
    api_config '"requests_per_minute": 6000'
    run 0 status
    hides out 'connection api'
    api /_peer/knobs '{"requests a second": 50, "429": {"nth": 2}}' >/dev/null
    run 0 sync
    run 0 sync
    run 0 status --json
    is "known" "$(js '.[0].connections.a | [.connection, .state != null, .limit, .left >= 0, .refused, .faults]')" '["api",true,50,true,1,0]'
    run 0 status
    says out 'connection api: '
    says out ' of 50 left'
    says out ' a minute'
    # a long pause that the server wants is not news to be looked for in a log
    api /_peer/knobs '{"429": {"nth": 1, "value": 7200}}' >/dev/null
    run 1 sync
    run 0 status
    says out 'it asked for a pause, until 2'
    is "state" "$("$syncline" -c c.json status --json | jq -r .connections.a.state)" waits
}

# A server that gives no good answer is left alone for a while: that is said, and so is its end.
down() {
    serve "$BUILD/tests/peers/peer" generic
    api /_peer/put '{"title": "one"}' >/dev/null
    api_config '"timeout": "2s"'
    api /_peer/knobs '{"5xx": {"of_1000": 1000}}' >/dev/null
    run 1 sync
    run 0 status --json
    is "down" "$(js '.[0].connections.a | [.state, .again_at != null, .faults >= 5]')" '["down",true,true]'
    run 0 status
    says out 'met no good answer; it is asked again at 2'
    says out 'did not come to its end'
}

# tiny KIB: the state on a file system of that size.
tiny() {
    mkdir -p state
    mount -t tmpfs -o "size=$1k,mode=755" none state 2>/dev/null || { problem="SKIP no file system can be mounted here"; return 1; }
    mounted=$PWD/state
}

# A record with two fields set aside, one that is set aside before it has a partner, and one that is well: each is counted once.
counted_once() {
    config '"first_run": "match_or_create", "fields": [{"a": "t", "b": "t"}, {"a": "s", "b": "s", "values": {"open": "todo"}}, {"a": "u", "b": "u", "values": {"low": "minor"}}]'
    put x/1 '{"t": "one", "s": "open", "u": "low"}'
    put x/2 '{"t": "two", "s": "open", "u": "low"}'
    run 0 sync
    put x/1 '{"t": "one", "s": "odd", "u": "odd"}'
    put x/3 '{"t": "three", "s": "odd", "u": "low"}'
    run 3 sync
    run 0 parked list --json
    is "what is listed" "$(js length)" 3
    run 3 status --json
    is "counts" "$(js '.[0] | [.in_step, .excluded, .conflicts, .parked, .withheld, .pending, .unlinked]')" '[1,0,0,2,0,0,0]'
    run 3 status
    says out 'p: 1 in step, 2 parked'
}

# However little room is left when a state is made: one sentence and exit code 1, never the end by a signal; then it goes on. (I18)
full_disk_at_birth() {
    local left
    put x/1 '{"title":"one"}'
    config
    tiny 256 || return
    for ((left = 0; left <= 256; left += 4)); do
        rm -rf state/* y/*
        head -c $(((256 - left) * 1024)) /dev/zero >state/fill 2>/dev/null
        run '0|1' sync
        [ -z "$problem" ] || { wrong "with $left KiB: $problem"; break; }
        [ ! -s err ] || grep -qi 'space' err || { wrong "with $left KiB no word of space: $(head -c 200 err)"; break; }
        rm -f state/fill
        run 0 sync
        is "the record, once there is room ($left KiB)" "$(get y/1 .title)" one
        [ -z "$problem" ] || break
    done
    umount "$mounted" && mounted=
}

# A disk that fills up while the daemon works: its other commands still answer, and say the way out.
full_disk_at_work() {
    put x/1 '{"title":"one"}'
    config '"every": "200ms"' '"listen": "127.0.0.1:0"'
    tiny 20000 || return
    start
    until_true test -e y/1.json
    head -c 30000000 /dev/zero >state/fill 2>/dev/null
    rm -f state/pairs/p/ballast
    head -c 30000000 /dev/zero >>state/fill 2>/dev/null
    run 0 status
    says out 'the disk under the state is full: free space at '
    run 0 status --json
    is disk_full "$(js '.[0].disk_full')" true
    rm state/fill
    put x/2 '{"title":"two"}'
    until_true test -e y/2.json
    run 0 status
    hides out 'disk'
    ends
    umount "$mounted" && mounted=
}

scenario "when a pair runs next is the daemon's word while it lives, and the config's else" next_runs
scenario "a pair that runs, and one that fails, are said to" failing_and_running
scenario "what a server's limit leaves is told" budget
scenario "a server that does not answer is told" down
scenario "I25 a record set aside is counted once, and as nothing else" counted_once
scenario "I18 a state begun on a full disk ends no process by a signal" full_disk_at_birth
scenario "a full disk is said, with the way out" full_disk_at_work
finish

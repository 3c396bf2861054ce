#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hostile.sh - one daemon with good pairs and every hostile connector of tests/runner beside them: each is named, contained, and parked.
cd "$(dirname "$0")/../.." || exit 2
tree=$PWD
. tests/e2e/daemon.bash
command -v curl >/dev/null && command -v jq >/dev/null || exit 77
umask 022

cleanup() { leave_none; rm -f /tmp/syncline-spilled; }
has() { [ "$(get "$1" .v)" = "$2" ]; }
metric() { curl -s --max-time 20 "$address/metrics" | sed -n "s/^syncline_$1 //p"; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
metric_over() { [ "$(metric "$1")" -gt "$2" ]; }
runs() { # a busy gateway may say that it is busy
    local i n=
    for ((i = 0; i < 300; i++)); do
        n=$(metric "pair_runs_total{pair=\"$1\"}")
        [ -n "$n" ] && break
        sleep 0.1
    done
    echo "${n:-0}"
}
status_says() { "$syncline" -c c.json status --json "$1" >said 2>&1; jq -r '.last_error // ""' said | grep -qF -- "$2"; }

# build NAME: into plugins, there at once or not at all.
build() {
    mkdir -p plugins
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -fPIC -fvisibility=hidden -shared -I"$tree/sdk/include" -o plugins/new \
        "$tree/tests/runner/$1.c" && mv plugins/new "plugins/$1.so" || wrong "$1.c does not build"
}

# config NAME…: good pairs g and h, and one of each of these connectors. With $more_top and $more: members of the config, of each bad connection.
config() {
    local c= p= name
    for name in "$@"; do
        c+=", \"$name\": {\"plugin\": \"$name\", \"limits\": {\"silence\": \"1s\", \"memory_mb\": 128}${more:+, $more}}"
        p+=", \"$name\": {\"a\": {\"connection\": \"$name\", \"object\": \"o\"}, \"b\": {\"connection\": \"f\", \"object\": \"$name\"}, \"mode\": \"one_way\", \"every\": \"200ms\"}"
        mkdir -p "f/$name"
    done
    mkdir -p f/{g,h}-{a,b}
    cat >c.new <<END
{"listen": "127.0.0.1:0", "plugins": ["plugins"]${more_top:+, $more_top},
 "connections": {"f": {"plugin": "jsondir", "settings": {"root": "f"}}$c},
 "pairs": {
  "g": {"a": {"connection": "f", "object": "g-a"}, "b": {"connection": "f", "object": "g-b"}, "every": "200ms"},
  "h": {"a": {"connection": "f", "object": "h-a"}, "b": {"connection": "f", "object": "h-b"}, "every": "200ms"}$p}}
END
    mv c.new c.json
}
more_top= more=

# What each is named by, in the log and in `status`; what only a sandbox keeps it from; whether it dies in each run, and is parked.
hostile=(
    'crash|its runner died in pull: killed by signal 11||dies'
    'hang|its runner died in pull: it was silent for 1000 ms, and was ended||'
    'deaf|its runner died in pull: it was silent for 1000 ms, and was ended||'
    'leak|at its memory limit of 128 MB||'
    'scribbles|its runner died in pull: ||dies'
    'garbles|it sent what is no answer, and was ended||'
    'forges|it sent what is no answer, and was ended||'
    'lies|connector lies broke its contract in pull||'
    'forks|forks: fork: Operation not permitted|sandbox|'
    'sockets|sockets: socket: Operation not permitted|sandbox|'
    'execs|execs: exec: Operation not permitted|sandbox|'
    'peeks|peeks: open: Permission denied|sandbox|'
    'spills|spills: create: Permission denied|sandbox|'
    'kills|kills: kill: Operation not permitted|sandbox|'
)

sanitized=$(grep -aqs __asan_init "$syncline" && echo yes)

# Those that this kernel and this build can contain.
choose() {
    local row name says needs dies
    config
    "$syncline" -c c.json check >out 2>err || wrong "check: $(cat err)"
    rows=()
    for row in "${hostile[@]}"; do
        IFS='|' read -r name says needs dies <<<"$row"
        [ -n "$needs" ] && grep -q 'this kernel has n' out && continue
        [[ $name == leak && -n $sanitized ]] && continue
        [ -z "$sanitized" ] || row=${row/killed by signal 11/} # a sanitizer ends it in words of its own
        rows+=("$row")
    done
}

# Two records that must go from a to b while all that goes on.
good_go_on() { # good_go_on VALUE
    put f/g-a/r "{\"v\": $1}"
    put f/h-a/r "{\"v\": $1}"
    until_true has f/g-b/r "$1" && until_true has f/h-b/r "$1"
}

all_at_once() {
    local row name says needs dies names=() n=0 with without workers
    choose
    start
    good_go_on 1
    sleep 3
    without=$(($(runs g) + $(runs h)))
    ends
    for row in "${rows[@]}"; do
        build "${row%%|*}"
        names+=("${row%%|*}")
    done
    config "${names[@]}"
    start
    good_go_on 2
    workers=$(pgrep -P "$pid" -f ' worker$' | sort | tr '\n' ' ')
    sleep 3
    with=$(($(runs g) + $(runs h)))
    for row in "${rows[@]}"; do
        IFS='|' read -r name says needs dies <<<"$row"
        until_true logged "$says" "\"$name\"" || return
        [ -n "$dies" ] || until_true status_says "$name" "${says#its runner died in pull: }" || return # it may be parked by now, too
        [ -z "$dies" ] || until_true logged "connection $name is parked" || return
        [ -z "$dies" ] || until_true status_says "$name" 'its pairs wait 30 minutes' || return
        n=$((n + 1))
    done
    good_go_on 3
    until_true metric_is 'connection_parked{connection="crash"}' 1
    metric_over 'connection_runner_deaths_total{connection="crash"}' 4 || wrong "deaths: $(metric 'connection_runner_deaths_total{connection="crash"}')"
    "$syncline" -c c.json status --json crash >out
    is "status of its connection" "$(js '.[0].connections.a | [.connection, .runner_deaths > 4, (.parked_until // "" | test("^20"))]')" '["crash",true,true]'
    "$syncline" -c c.json status >out
    says out "connection crash: its connector's process has died "
    says out ' times since `syncline run` began'
    says out '    it is parked until 2'
    says out ', the last one died like this: '
    says out '    put a repaired connector in its folder, edit the config, or send SIGHUP to try again at once'
    is "how often it is said" "$(grep -c 'connection crash is parked' log)" 1
    until_true metric_is worker_restarts_total 0
    for name in $workers; do kill -0 "$name" 2>/dev/null || wrong "worker $name is gone"; done
    [ ! -e /tmp/syncline-spilled ] || wrong 'a file was spilled'
    # the way out that the sentence names
    kill -HUP "$pid"
    until_true metric_is 'connection_parked{connection="crash"}' 0 || return
    metric_over 'connection_runner_deaths_total{connection="crash"}' 4 || wrong 'SIGHUP forgets what was counted'
    n_runs=$(runs crash)
    until_true metric_over 'pair_runs_total{pair="crash"}' "$n_runs"
    ends
    pgrep -f "runner --fd 3 --plugin $PWD/plugins" >left && wrong "runners are left behind: $(cat left)"
    echo "counts: $n connectors contained; runs of the good pairs in 3 s: $without alone, $with beside them"
}

# A repaired connector in its place is taken in, and its pair runs again.
repaired() {
    build crash
    config crash
    start
    until_true logged 'connection crash is parked' || return
    sed 's/return host->ctx.*/return host->ctx ? end_page(host) : 0;/' "$tree/tests/runner/crash.c" >well.c
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -fPIC -fvisibility=hidden -shared -I"$tree/sdk/include" -I"$tree/tests/runner" \
        -o plugins/new well.c || wrong 'the repaired one does not build'
    mv plugins/new plugins/crash.so
    until_true logged 'runs again' '"crash"' || return
    until_true status_says crash ''
    is "its error is over" "$(jq -r .last_error said)" null
    ends
}

# In the worker itself nothing keeps a connector from hanging: there the supervisor ends the run.
worker_hangs() {
    build hang
    more_top='"run_silence": "1s"' more='"isolation": "none"'
    config hang
    more_top= more=
    start
    until_true logged 'its run gave no sign of life for 1 s and was ended' '"hang"' || return
    until_true status_says hang 'let connectors whose isolation is none have runners, or raise run_silence'
    good_go_on 2
    until_true metric_over worker_restarts_total 0
    ends
}

# A connector that dies of being loaded is refused with its reason: nothing else changes.
loads_badly() {
    build early
    config early
    run 2 run
    says err 'early.so: its runner died in being loaded: '
    config
    start
    good_go_on 1
    config early
    until_true logged 'the edited config is refused' 'its runner died in being loaded: ' || return
    good_go_on 2
    until_true metric_is config_refused 1
    ends
}

# The file of a loaded connector is cut short under its runner, as a copy over it would: named, and mended by a whole one.
cut_short() {
    mkdir plugins
    install -m 644 "$BUILD/plugins/jsondir.so" plugins/jsondir.so
    config
    start
    good_go_on 1
    head -c 3000 "$BUILD/plugins/jsondir.so" >plugins/jsondir.so
    until_true logged 'the edited config is refused' 'jsondir.so: it is cut short at 3000 bytes' || return
    until_true logged 'has changed since it was loaded' || return
    run 2 status
    says err 'it is cut short at 3000 bytes'
    install -m 644 "$BUILD/plugins/jsondir.so" whole && mv whole plugins/jsondir.so
    good_go_on 2
    # moved there, a broken one is refused and the old one goes on
    head -c 3000 "$BUILD/plugins/jsondir.so" >torn && chmod 644 torn && mv torn plugins/jsondir.so
    until_true metric_is config_refused 1 || return
    good_go_on 3
    ends
}

# Only the file whose SHA-256 the config has is loaded, by every command.
allowed_only() {
    local hex
    mkdir plugins
    install -m 644 "$BUILD/plugins/jsondir.so" plugins/jsondir.so
    hex=$(sha256sum plugins/jsondir.so | cut -c -64)
    config
    sed -i "s/\"plugin\": \"jsondir\"/&, \"plugin_sha256\": \"$hex\"/" c.json
    run 0 check
    start
    good_go_on 1
    printf x >>plugins/jsondir.so # which the linker would not mind
    until_true logged 'the edited config is refused' "the config allows only $hex" || return
    says log "its SHA-256 is $(sha256sum plugins/jsondir.so | cut -c -64)"
    run 2 sync
    says err "the config allows only $hex"
    ends
}

# Of a batch one record is deadly: run after run in smaller company, until it is parked alone and all others are there.
one_record_kills() {
    local i n=0
    build deadly
    mkdir -p f/src
    for i in {1..40}; do put f/src/r$i "{\"title\": \"t$i\"}"; done
    cat >c.json <<END
{"listen": "127.0.0.1:0", "plugins": ["plugins"],
 "connections": {"f": {"plugin": "jsondir", "settings": {"root": "f"}}, "bad": {"plugin": "deadly"}},
 "pairs": {"p": {"a": {"connection": "f", "object": "src"}, "b": {"connection": "bad", "object": "o"}, "mode": "one_way",
   "every": "200ms", "fields": [{"a": "title", "b": "title"}]}}}
END
    start
    until_true metric_is 'pair_parked{pair="p"}' 1 || return
    until_true metric_over 'connection_runner_deaths_total{connection="bad"}' 1
    is "parked, for one record" "$(metric 'connection_parked{connection="bad"}')" 0
    ends
    run 3 status
    hides out "connector's process" # without a daemon it is the past
    run 3 status --json
    is "in step and parked" "$(js '.[0] | [.in_step, .parked]')" '[39,1]'
    run 0 parked --json
    is "which" "$(js 'map(.a)')" '["r7"]'
    is "why" "$(js '.[0].reason | test("dies of this write, also when it is alone")')" true
    n=$(grep -c 'its runner died in write' log)
    [ "$n" -le 4 ] || wrong "it took $n runs"
    is "the log names the record" "$(grep "^{" log | jq -rsc 'map(select(.msg | test("it is not known"))) | [any(.a == "r7"), all(. as $l | .pair == "p" and (.run | length) == 26 and (.msg | startswith($l.a + ": ")))]')" '[true,true]'
    is "and each run that wrote" "$(grep "^{" log | jq -rc 'select(.msg | test(" written [(]run ")) | .run as $r | .msg | contains($r)' | sort -u)" true
    hides log 'is parked: its connector'
}

scenario "one deadly record is parked alone, all others arrive (I23, I19)" one_record_kills
scenario "all of them at once: each is named and contained, the good pairs go on (I23)" all_at_once
scenario "a repaired connector is taken in" repaired
scenario "a worker that hangs is ended" worker_hangs
scenario "a connector that dies of being loaded is refused" loads_badly
scenario "a loaded file that is cut short" cut_short
scenario "only the file of the given SHA-256" allowed_only
finish

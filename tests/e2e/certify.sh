#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# certify.sh - certify proves the connectors that are here, and catches each broken one by the check it should fail.
cd "$(dirname "$0")/../.." || exit 2
tree=$PWD
. tests/e2e/lib.bash
certify=$BUILD/certify
# The example of the exec connector is found beside the sources, and disks are slow.
[ -d /dev/shm ] && [ -w /dev/shm ] && export TMPDIR=/dev/shm
counts_ok=0

# certified RC ARG…: what it says is in out and err.
certified() {
    local want=$1 rc
    shift
    (cd "$tree" && "$certify" "$@") >out 2>err </dev/null
    rc=$?
    ended "$want" "$rc" "$*"
}
ended() {
    local want=$1 rc=$2
    shift 2
    [ "$rc" = "$want" ] || wrong "\`certify $*\` exits $rc, not $want: $(grep -h -e FAIL -e certify: out err | head -n 3 | tr '\n' ' ')"
    counts_ok=$((counts_ok + $(grep -c '^ok ' out)))
}

# copied NAME: a copy of the connector, so that what is proven is not kept beside the one that other tests use.
copied() {
    mkdir -p shipped && cp "$BUILD/plugins/$1.so" shipped/ && chmod go-w shipped
}

# ahead NAME…: those whose systems are mostly waited for are proven beside the others.
declare -A proving
ahead() {
    local name folder
    for name; do
        folder=$top/ahead/$name
        mkdir -p "$folder/shipped" && cp "$BUILD/plugins/$name.so" "$folder/shipped/" && chmod go-w "$folder/shipped"
        (cd "$tree" && exec "$certify" "$folder/shipped/$name.so") >"$folder/out" 2>"$folder/err" </dev/null &
        proving[$name]=$!
    done
}

# proves NAME LEAST TIER: all is ok, with that many checks and that tier.
proves() {
    if [ -n "${proving[$1]:-}" ]; then
        local rc
        wait "${proving[$1]}"
        rc=$?
        cp "$top/ahead/$1/out" "$top/ahead/$1/err" .
        ended 0 $rc "$1.so"
    else
        copied "$1"
        certified 0 "$PWD/shipped/$1.so"
    fi
    local n
    n=$(grep -c '^ok ' out)
    [ "$n" -ge "$2" ] || wrong "$n checks are ok, not $2"
    hides out "FAIL"
    hides out "NOT PROVEN"
    says out "tier: $3 declared, $3 proven"
}

proves_exec() {
    command -v python3 >/dev/null || { problem="SKIP python3 is not installed"; return; }
    proves exec 90 1
}

# The simulated API, as one where records are closed instead of deleted.
proves_closing() {
    serve "$BUILD/tests/peers/peer" generic
    cat >c.json <<EOF
{"pairs": {}, "connections": {"t": {"plugin": "rest", "settings": {"base_url": "http://127.0.0.1:$port", "resources": {"items": {
  "key": "/id", "version": {"kind": "etag"}, "late_s": 0,
  "list": {"path": "/items", "records": "/items", "page": {"type": "link_header", "size_to": {"name": "limit", "value": 100}},
    "since": {"to": {"name": "updated_since"}, "field": "/updated_at"}},
  "get": {"path": "/items/{id}"}, "create": {"path": "/items"}, "update": {"path": "/items/{id}", "method": "PUT"},
  "delete": {"mode": "close", "path": "/items/{id}", "set": {"state": "closed"}},
  "deleted": {"mode": "status", "field": "/state", "eq": "closed"}}}}}}}
EOF
    copied rest
    certified 0 "$PWD/shipped/rest.so" --config "$PWD/c.json"
    hides out "FAIL"
    says out "records are put away"
    unserve
}

# build NAME: a connector of tests/certify, and a config with a connection of it.
build() {
    mkdir -p plugins data
    "$CC" -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -shared -I"$tree/sdk/include" \
        -o "plugins/$1.so" "$tree/tests/certify/$1.c" 2>err || wrong "does not compile: $(head -n 3 err)"
    chmod go-w plugins plugins/*.so
    cat >c.json <<EOF
{"plugins": ["plugins"], "pairs": {}, "connections": {"t": {"plugin": "$1", "settings": {"root": "data"}}}}
EOF
}

whole() {
    build whole
    certified 0 "$PWD/plugins/whole.so" --config "$PWD/c.json"
    hides out "FAIL"
    is "records left behind" "$(find data -name '*.rec' | wc -l)" 0
    "$syncline" certify "$PWD/plugins/whole.so" --config "$PWD/c.json" >again 2>err || wrong "the command fails: $(cat err)"
    is "checks that the command says are ok" "$(grep -c '^ok ' again)" "$(grep -c '^ok ' out)"
}

# catches NAME CHECK: that check fails, and the program says so.
catches() {
    build "$1"
    certified 1 "$PWD/plugins/$1.so" --config "$PWD/c.json"
    grep -q "^FAIL $2 " out || wrong "$2 does not fail, but $(grep -o '^FAIL [^ ]*' out | tr '\n' ' ')"
}

# plugins_say NAME TEXT; TEXT is in what is told of the connector.
plugins_say() {
    run 0 plugins "$1"
    says out "$2"
}

# What is proven counts for that very binary: kept beside it, it decides together with what is declared.
kept() {
    build whole
    plugins_say whole "declared, not proven here; \`syncline certify $PWD/plugins/whole.so\` proves it"
    certified 0 "$PWD/plugins/whole.so" --config "$PWD/c.json"
    plugins_say whole "    proven by certify"
    run 0 plugins whole --json
    is "abilities that are not proven" "$(js '.[0].not_proven')" "[]"
    is "abilities that are proven" "$(js '.[0] | .caps - .proven | map(select(startswith("reaches") | not))')" "[]"
    is "mode of what is kept" "$(stat -c %a plugins/whole.proven)" 644
    echo "no JSON" >plugins/whole.proven
    plugins_say whole "declared, not proven here"
}

withdrawn() {
    build ignores-version
    sed -i 's#"pairs": {}#"pairs": {"p": {"a": {"connection": "t", "object": "things"}, "b": {"connection": "u", "object": "things"}}}#
        s#"root": "data"}}#&, "u": {"plugin": "ignores-version", "settings": {"root": "other"}}#' c.json
    mkdir other
    run 0 check
    says out "an edit made while we write is never overwritten"
    says out "declared, not proven here"
    certified 1 "$PWD/plugins/ignores-version.so" --config "$PWD/c.json"
    run 0 check
    hides out "an edit made while we write is never overwritten"
    says out "an edit made between our read and our write may be overwritten"
    says out "T1"
    plugins_say ignores-version "certify did not prove conditional-write: not relied on; the rest is proven"
    run 0 plugins ignores-version --json
    is "what it can" "$(js '.[0].caps | index("conditional-write")')" null
    certified 1 "$PWD/plugins/ignores-version.so" --config "$PWD/c.json"
    says out "FAIL conditional.update" # it is what is declared that is judged, also the second time
    printf ' ' >>plugins/ignores-version.so
    plugins_say ignores-version "declared; what was proven here was another build"
    says out "conditional-write"
    rm plugins/ignores-version.proven && mkdir plugins/ignores-version.proven
    certified 1 "$PWD/plugins/ignores-version.so" --config "$PWD/c.json"
    says err "what was proven is not kept"
}

refuses() {
    echo "no plugin" >plain.so
    chmod go-w plain.so
    certified 2 "$PWD/plain.so"
    is "lines of a file that is no plugin" "$(wc -l <err)" 1
    certified 2 "$PWD/missing.so"
    certified 2
    build whole
    certified 2 "$PWD/plugins/whole.so"
    says err "--config"
    mkdir -p alone && cp "$syncline" alone/syncline
    alone/syncline certify plugins/whole.so >out 2>err && wrong "it certifies without the program that does"
    says err "install it beside syncline"
    cp "$certify" alone/certify
    alone/certify "$BUILD/plugins/rest.so" >out 2>err && wrong "it certifies rest without an API"
    says err "the simulated API tests/peers/peer is not beside certify"
    certified 2 "$BUILD/plugins/jsondir.so" --config "$PWD/c.json"
    says err "no connection of connector jsondir"
}

ahead rest github zendesk
scenario "jsondir is proven" proves jsondir 60 1
scenario "csv is proven" proves csv 60 1
scenario "sqlite is proven" proves sqlite 60 1
scenario "rest is proven on the simulated API that certify brings, through its faults" proves rest 130 1
scenario "rest is proven where a record is closed instead of deleted" proves_closing
scenario "github is proven on a simulated one" proves github 100 2
scenario "zendesk is proven on the simulated API that certify brings" proves zendesk 120 1
scenario "memory is proven" proves memory 60 3
scenario "the example of exec is proven" proves_exec
scenario "a connector from elsewhere is proven on the connection of a config" whole
scenario "what is proven is kept beside the binary, and hosts say so" kept
scenario "what is declared and not proven is not relied on, for that very binary" withdrawn
scenario "what is no plugin, or has no data, is refused with a sentence" refuses

# Each broken connector of tests/certify with the check that it should fail. A kill meets a torn record only by chance, a full disk each time.
while read -r name check; do
    scenario "$name is caught by $check" catches "$name" "$check"
done <<'EOF'
forgets-field update.every
early-complete pull.complete
fixed-version version.changes
restless-version version.stays
error-tombstone fault.get-starved
doubling reserved.repeat
stores-nothing create.stores
ignores-version conditional.update
batch-lie batch.one-bad
leaks-file clean.files
touches-unmapped update.frame
skipping-cursor seen.update
tears fault.no-room
chatters clean.stdout
EOF
echo "counts: $counts_ok checks of certify were ok"
finish

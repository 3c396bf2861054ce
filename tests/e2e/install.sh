#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# install.sh - `make install` puts a whole Syncline somewhere: it syncs, isolates and certifies from there; `make uninstall` takes all of it away.
cd "$(dirname "$0")/../.." || exit 2
tree=$PWD
. tests/e2e/lib.bash

# What is installed is what was built: a make that thinks otherwise would build it anew.
! grep -aq __asan_init "$syncline" || export MODE=asan

# made TARGET [DESTDIR]: into $top/there, or below DESTDIR.
made() {
    local where=("PREFIX=$top/there")
    [ -z "${2:-}" ] || where=(PREFIX=/usr "DESTDIR=$2")
    make -s -C "$tree" "$1" "BUILD=$BUILD" "${where[@]}" >made 2>&1 || wrong "make $1: $(tail -n 3 made)"
}

works_from_there() {
    made install
    syncline=$top/there/bin/syncline
    run 0 plugins --json
    is "connectors" "$(js 'map(.name) | sort | join(" ")')" "$(cd "$tree/plugins" && printf '%s\n' */ | tr -d / | sort | tr '\n' ' ' | sed 's/ $//')"
    put x/r '{"v": 1}'
    config '"first_run": "match_or_create"'
    run 0 sync
    is "v" "$(get y/r .v)" 1
    put x/s '{"v": 2}'
    ISOLATION=runner run 0 sync
    is "v, by runners" "$(get y/s .v)" 2
    TMPDIR=$PWD "$syncline" certify "$top/there/lib/syncline/plugins/jsondir.so" >out 2>err || wrong "certify: $(head -n 3 err)"
    says out "tier: 1 declared, 1 proven"
    run 0 --help
}

# What an author compiles against is there, and found by pkg-config.
compiles() {
    local flags
    command -v pkg-config >/dev/null || { problem="SKIP needs pkg-config"; return; }
    flags=$(PKG_CONFIG_PATH=$top/there/lib/pkgconfig pkg-config --cflags syncline) || wrong "pkg-config does not know syncline"
    # shellcheck disable=SC2086 # a list of words
    "${CC:-gcc}" -std=c11 -fPIC -shared $flags -o whole.so "$tree/tests/certify/whole.c" -D_GNU_SOURCE 2>err ||
        wrong "a connector does not compile: $(head -n 3 err)"
}

leaves_nothing() {
    made uninstall
    is "what is left" "$(find "$top/there" -type f)" ""
}

staged() {
    made install "$PWD/stage"
    [ -x stage/usr/bin/syncline ] || wrong "no program in the stage"
    is "what names the stage" "$(grep -rl "$PWD/stage" stage --include=*.pc --include=*.service)" ""
    made uninstall "$PWD/stage"
    is "what is left" "$(find stage -type f)" ""
}

scenario "an installed Syncline syncs, isolates and certifies" works_from_there
syncline=$BUILD/syncline
scenario "its headers are found by pkg-config" compiles
scenario "uninstalled, nothing is left" leaves_nothing
scenario "below DESTDIR nothing knows of the stage" staged
finish

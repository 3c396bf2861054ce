#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# readme.sh - runs the README's tour and compares what it prints, but for run ids, times and entry numbers.
set -u
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/tour"
ln -s "$(realpath "${BUILD:-build}")/syncline" "$work/bin/syncline"
export PATH="$work/bin:$PATH"

normal() {
    sed -E 's/[0-9A-HJKMNP-TV-Z]{26}/RUN/g; s/[0-9]+ ms\)/N ms)/; s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g; s/^[0-9]{5,}  /ID  /; s/conflict [0-9]{5,}/conflict ID/'
}

# Each command of the console blocks, with its here-document, on its own; what follows is what it must print.
awk -v out="$work" '
    /^```console/ { inside = 1; next }
    /^```/ { inside = 0; next }
    !inside { next }
    here { print > cmd; if ($0 == "END") here = 0; next }
    /^\$ / { n++; cmd = sprintf("%s/%03d.cmd", out, n); want = sprintf("%s/%03d.want", out, n); print substr($0, 3) > cmd; printf "" > want
             if ($0 ~ /<<.END/) here = 1; next }
    { print > want }
' "$root/README.md"

passed=0 failed=0
cd "$work/tour" || exit 1
for cmd in "$work"/*.cmd; do
    got=$(bash "$cmd" 2>&1 | normal)
    want=$(normal < "${cmd%.cmd}.want")
    if [ "$got" = "$want" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n--- the README says\n%s\n--- it prints\n%s\n' "$(cat "$cmd")" "$want" "$got"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 10 ]

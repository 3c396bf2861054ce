#!/bin/sh
# SPDX-License-Identifier: MIT
# lines.sh - a file of JSON lines as a read-only source, in plain POSIX shell and awk: the least a connector can be.
#
#     "log": {"plugin": "exec", "settings": {"command": ["sh", "lines.sh", "/var/log/orders.jsonl"]}}
#
# Each line is one JSON object that holds "id": "..."; the line goes to the host as it is, so numbers stay exact. It
# needs no JSON parser: a request begins with "protocol" and "call", always in that order, so its call can be seen by eye.
set -u
LC_ALL=C
export LC_ALL
file=${1:?usage: lines.sh FILE}

fail() { # CLASS MESSAGE, both without quotes
    printf '{"error":{"class":"%s","message":"%s"}}\n' "$1" "$2"
}

records() {
    awk '
    /^[ \t\r]*$/ { next }
    match($0, /"id"[ \t]*:[ \t]*"[^"\\]+"/) {
        id = substr($0, RSTART, RLENGTH)
        sub(/^"id"[ \t]*:[ \t]*/, "", id)
        printf "{\"record\":{\"id\":%s,\"fields\":%s}}\n", id, $0
        next
    }
    { printf "{\"unreadable\":{\"id\":\"line %d\",\"class\":\"rejected\",\"message\":\"line %d has no id: add one\"}}\n", NR, NR }
    ' "$file"
}

while IFS= read -r request; do
    case $request in
    '{"protocol":1,"call":"check"'*)
        if [ -r "$file" ]; then echo '{"done":true}'; else fail config "the file is not there or not readable: correct the command"; fi ;;
    '{"protocol":1,"call":"describe"'*)
        echo '{"object":{"name":"lines","caps":["complete","open_schema"]}}'
        echo '{"done":true}' ;;
    '{"protocol":1,"call":"pull"'*)
        if records; then
            echo '{"page":{"kind":"complete"}}'
            echo '{"done":true}'
        else
            fail retry "the file cannot be read: the next run tries again"
        fi ;;
    *)
        fail unsupported "lines.sh only lists" ;;
    esac
done

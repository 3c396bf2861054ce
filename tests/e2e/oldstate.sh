#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# oldstate.sh - yesterday's state under today's data, no state at all, one side emptied, another folder: no delete, no lost edit, one sentence.
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
N=20

# Side y by what it is. A record is known by its number n, whatever its id; edits are edits of the title.
y_settings() {
    case $kind in
    jsondir) echo '"jsondir", "settings": {"root": "y"}' ;;
    csv) echo '"csv", "settings": {"root": "y", "key": "id"}' ;;
    *) echo '"sqlite", "settings": {"file": "y/t.db"}' ;;
    esac
}
y_begin() {
    case $kind in
    jsondir) mkdir -p y/t ;;
    csv) echo 'id,title,n' >y/t.csv ;;
    text) sqlite3 y/t.db "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, title TEXT, n INTEGER)" ;;
    number) sqlite3 y/t.db "CREATE TABLE t (id INTEGER PRIMARY KEY, title TEXT, n INTEGER)" ;;
    esac
}
y_list() { # n=title, sorted
    case $kind in
    jsondir) cat y/t/*.json 2>/dev/null | jq -r '"\(.n)=\(.title)"' ;;
    csv) tail -n +2 y/t.csv | tr -d '\r' | awk -F, '{print $3 "=" $2}' ;;
    *) sqlite3 y/t.db "SELECT n || '=' || title FROM t" ;;
    esac | sort -n
}
y_edit() { # N TITLE
    case $kind in
    jsondir) put "$(grep -lE "\"n\": ?$1\b" y/t/*.json | sed 's/\.json$//')" "{\"title\":\"$2\",\"n\":$1}" ;;
    csv) sed -i -E "s/^([^,]*),[^,]*,$1(\r?)$/\1,$2,$1\2/" y/t.csv ;;
    *) sqlite3 y/t.db "UPDATE t SET title = '$2' WHERE n = $1" ;;
    esac
}
y_new() { # N TITLE
    case $kind in
    jsondir) put "y/t/s$1" "{\"title\":\"$2\",\"n\":$1}" ;;
    csv) echo "s$1,$2,$1" >>y/t.csv ;;
    text) sqlite3 y/t.db "INSERT INTO t VALUES ('s$1', '$2', $1)" ;;
    number) sqlite3 y/t.db "INSERT INTO t (title, n) VALUES ('$2', $1)" ;;
    esac
}
y_delete() {
    case $kind in
    jsondir) rm "$(grep -lE "\"n\": ?$1\b" y/t/*.json)" ;;
    csv) sed -i -E "/,$1\r?$/d" y/t.csv ;;
    *) sqlite3 y/t.db "DELETE FROM t WHERE n = $1" ;;
    esac
}
y_empty() {
    case $kind in
    jsondir) rm y/t/*.json ;;
    csv) echo 'id,title,n' >y/t.csv ;;
    *) sqlite3 y/t.db "DELETE FROM t" ;;
    esac
}
x_list() { cat x/t/*.json 2>/dev/null | jq -r '"\(.n)=\(.title)"' | sort -n; }
x_edit() { put "$(grep -lE "\"n\": ?$1\b" x/t/*.json | sed 's/\.json$//')" "{\"title\":\"$2\",\"n\":$1}"; }
x_new() { put "x/t/r$1" "{\"title\":\"$2\",\"n\":$1}"; }
x_delete() { rm "$(grep -lE "\"n\": ?$1\b" x/t/*.json)"; }

# begin KIND [MEMBERS]: N records in step under a policy that deletes.
begin() {
    kind=$1
    mkdir -p x/t
    y_begin
    for ((i = 1; i <= N; i++)); do x_new "$i" "t$i"; done
    cat >c.json <<EOF
{"connections": {"x": {"plugin": "jsondir", "settings": {"root": "x"}}, "y": {"plugin": $(y_settings)}},
 "pairs": {"p": {"a": {"connection": "x", "object": "t"}, "b": {"connection": "y", "object": "t"},
                 "fields": [{"a": "title", "b": "title"}, {"a": "n", "b": "n"}], "deletes": {"policy": "delete"}${2:+, $2}}}}
EOF
    run 0 sync
    is "y at the start" "$(y_list)" "$(x_list)"
}

# Nothing that was there may be gone, nothing may be there twice, and every title is on its side still or in the history.
look() {
    x_list >x.then
    y_list >y.then
}
kept() {
    "$syncline" -c c.json history --json | jq -r '.before, .after, .lost, .kept.title? | select(. != null)' | sort -u >history.now
    local side
    for side in x y; do
        "${side}_list" >$side.now
        is "$1: gone from $side" "$(comm -23 <(cut -d= -f1 $side.then | sort) <(cut -d= -f1 $side.now | sort) | tr '\n' ' ')" ""
        is "$1: twice on $side" "$(cut -d= -f1 $side.now | sort | uniq -d | tr '\n' ' ')" ""
        is "$1: lost from $side" "$(comm -23 <(cut -d= -f2 $side.then | sort -u) <(cut -d= -f2 $side.now | sort -u) | comm -23 - history.now | tr '\n' ' ')" ""
    done
}
no_deletes() { is "$1: deletes" "$(js 'map(.writes[].delete) | add')" 0; }

restored() { # HOW KIND [MEMBERS]
    local how=$1
    shift
    begin "$@"
    cp -a state yesterday
    x_edit 1 X1
    y_edit 2 Y2
    x_new 30 new30
    y_new 31 new31
    x_edit 7 X7
    y_delete 3
    run 0 sync
    # and since the last run that today's state knew of
    x_edit 1 t1 # back to what yesterday's state believes both to hold
    x_edit 4 X4
    y_edit 5 Y5
    x_edit 7 both-x
    y_edit 7 both-y
    x_new 40 new40
    y_delete 6
    if [ "$how" = replaced ]; then rm -rf state && mv yesterday state; else cp -a yesterday/. state/; fi
    look
    run 3 sync --json
    whole_line "the run that finds out"
    no_deletes "the run that finds out"
    says err "the state is older than the data"
    says err "1 deletes withheld"
    kept "the run that finds out"
    is "what was new is on y" "$(y_list | grep -c '=new')" 3
    is "what was new is on x" "$(x_list | grep -c '=new')" 3
    run 3 sync --json
    no_deletes "the next run"
    hides err "everything was compared anew"
    kept "the next run"
    run 0 approve p --deletes 1
    "$syncline" -c c.json sync --json >out 2>err
    is "approved" "$(js 'map(.writes[].delete) | add')" 1
    is "it was number 6" "$(x_list | grep -c '^6=')" 0
}

lost() {
    begin "$@"
    x_edit 1 X1
    y_edit 2 Y2
    x_new 30 new30
    y_new 31 new31
    rm -rf state
    look
    run 3 sync --json
    whole_line "the review"
    is "the review writes" "$(writes)" 0
    says err "first run, nothing written: $([ "$kind" = number ] && echo 20 || echo 18) records matched"
    run 0 approve p --first-run
    "$syncline" -c c.json sync --json >out 2>err
    no_deletes "after the review"
    kept "after the review"
}

emptied() {
    begin "$@"
    y_empty
    look
    run 3 sync --json
    no_deletes "y is empty"
    says err "$N deletes withheld: more than the guard allows for $N links"
    kept "y is empty"
    run 3 sync --json
    no_deletes "y is still empty"
    kept "y is still empty"
}

# Another folder behind the same connection: nothing was deleted there, and the first one goes on when it is back.
moved() {
    begin "$@"
    mkdir -p other/t
    cp -a x/t/r1.json x/t/r2.json other/t
    sed -i 's/"root": "x"/"root": "other"/' c.json
    look
    run 0 sync --json
    whole_line "the other folder"
    no_deletes "the other folder"
    says err "18 records of side a are not where the changed connection 'x' leads"
    run 0 sync --json
    no_deletes "the other folder again"
    y_edit 9 Y9
    run 0 sync
    sed -i 's/"root": "other"/"root": "x"/' c.json
    run 0 sync --json
    no_deletes "back again"
    kept "back again"
    is "the edit made meanwhile" "$(x_list | grep '^9=')" "9=Y9"
    quiet
}

for kind in jsondir csv text number; do
    scenario "I21: yesterday's state, y is $kind" restored replaced "$kind"
    scenario "I21: yesterday's state, side a wins, y is $kind" restored replaced "$kind" '"conflict": "a"'
    # where the ids are not the same on both sides and a record was edited, only a key tells who it is
    if [ "$kind" = number ]; then keys='"match": ["n"]'; else keys=; fi
    scenario "I21: no state, y is $kind" lost "$kind" "$keys"
    scenario "I28: y emptied, y is $kind" emptied "$kind"
    scenario "I26 I29: another folder, y is $kind" moved "$kind"
done
scenario "I21: yesterday's state copied over today's" restored overwritten jsondir
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# badinput.sh - what is broken, hostile or in the way: one clear line that names it, nothing lost, other records flow; odd values come across exactly.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash

mounted=
cleanup() { [ -z "$mounted" ] || umount "$mounted" 2>/dev/null; }

good() { put x/good1 '{"title":"g1"}' && put x/good2 '{"title":"g2"}'; }

# parks WORD…: a run parks bad (x/bad.json), says so with these words, and everything else flows; once mended it flows too.
parks() {
    config
    run 3 sync --json
    is "counts" "$(js '.[0] | [.seen, .applied, .parked, .writes.b.create]')" '[3,2,1,2]'
    run 0 parked --json
    is "parked" "$(js 'map([.pair, .a])')" '[["p","bad"]]'
    is "lines" "$(js '.[0].reason | split("\n") | length')" 1
    says out bad
    local word
    for word; do says out "$word"; done
    quiet 3
    rm -rf x/bad.json
    put x/bad '{"title":"mended"}'
    run 0 sync
    is "once mended" "$(get y/bad .title)" mended
    run 0 parked --json
    is "parked once mended" "$(js length)" 0
    quiet
}

# breaks MAKE: a record in step that becomes unreadable is no delete.
in_step_breaks() {
    good
    put x/bad '{"title":"was good"}'
    config '"deletes": {"policy": "delete"}'
    run 0 sync
    echo '{"title": ' >x/bad.json
    run 3 sync
    is "b" "$(get y/bad .title)" "was good"
    run 3 sync
    is "b" "$(get y/bad .title)" "was good"
    rm x/bad.json
    run 0 sync
    is "dropped when its source is gone" "$(get y/bad .title)" gone
    run 0 parked --json
    is "parked" "$(js length)" 0
    quiet
}

broken_json() { good && echo '{"title": "cut' >x/bad.json && parks; }
no_object() { good && echo '[1,2]' >x/bad.json && parks object; }
a_folder() { good && mkdir x/bad.json && parks; }
a_loop() { good && ln -s bad.json x/bad.json && parks; }
a_pipe() { good && mkfifo x/bad.json && parks; }
not_utf8() { good && printf '{"title":"a\xff\xfeb"}' >x/bad.json && parks UTF-8; }
a_nul() { good && printf '{"title":"a\0b"}' >x/bad.json && parks; }
an_escaped_nul() { good && printf '{"title":"a\\u0000b"}' >x/bad.json && parks; }
double_key() { good && echo '{"title":"a","title":"b"}' >x/bad.json && parks twice; }
deep() { good && { printf '{"a":'; printf '[%.0s' {1..5000}; printf ']%.0s' {1..5000}; printf '}'; } >x/bad.json && parks; }
empty_file() { good && : >x/bad.json && parks; }
large() { good && { printf '{"title":"'; head -c 67108864 /dev/zero | tr '\0' a; printf '"}'; } >x/bad.json && parks; }
unreadable() {
    good
    echo '{"title":"x"}' >x/bad.json
    if [ "$(id -u)" -eq 0 ]; then
        command -v setpriv >/dev/null || { problem="SKIP root may read everything and there is no setpriv"; return; }
        chmod 0 x/bad.json
        chmod 755 "$top" "$top/work" && chown -R 65534 "$top/work" && chown 0 x/bad.json
        local real=$syncline
        printf '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups %s "$@"\n' "$real" >as-nobody
        chmod 755 as-nobody
        setpriv --reuid 65534 --regid 65534 --clear-groups "$real" plugins >/dev/null 2>&1 || { problem="SKIP another user may not run $real"; return; }
        syncline=$PWD/as-nobody
        config
        run 3 sync
        run 0 parked --json
        is "parked" "$(js 'map(.a)')" '["bad"]'
        is "others flow" "$(get y/good1 .title)" g1
        syncline=$real
    else
        chmod 0 x/bad.json
        parks
    fi
}

# table: x in a database, y a folder.
table_config() { # COLUMNS…
    sqlite3 t.db "CREATE TABLE items ($1)"
    cat >c.json <<'EOF'
{ "connections": { "t": {"plugin": "sqlite", "settings": {"file": "t.db", "busy_ms": 200}},
                   "y": {"plugin": "jsondir", "settings": {"root": "y"}} },
  "pairs": { "p": {"a": {"connection": "t", "object": "items"}, "b": {"connection": "y", "object": "."}} } }
EOF
}

hostile_ids() {
    table_config 'id TEXT PRIMARY KEY NOT NULL, title TEXT'
    mkdir -p "$top/work/deep"
    sqlite3 t.db "INSERT INTO items VALUES ('../x','up'), ('a/b','slash'), ('.hidden','dot'), ('..','dots'), ('/etc/x','root'), ('', 'none'), ('plain','plain'),
                  (char(10), 'line'), ('$(printf 'n%.0s' {1..300})','long'), ('ü 改 ','odd')"
    run '0|3' sync --json
    local parked
    parked=$(js '.[0].parked')
    is "all created" "$(find y -maxdepth 1 -name '*.json' ! -name '.*' | wc -l)" $((10 - parked))
    is "nothing elsewhere" "$(find . -name '*.json' -not -path './y/*' | sort | tr '\n' ' ')" "./c.json "
    is "plain" "$(get y/plain .title)" plain
    is "titles" "$(jq -r .title y/*.json | sort | tr '\n' ' ' | sed 's/line //')" "dot dots long odd plain root slash up "
    quiet "$([ "$parked" = 0 ] && echo 0 || echo 3)"
    local f
    f=$(grep -l '"slash"' y/*.json)
    sed -i 's/slash/edited/' "$f"
    run '0|3' sync
    is "the edit goes back" "$(sqlite3 t.db "SELECT title FROM items WHERE id = 'a/b'")" edited
}

hostile_csv() {
    printf 'key,title\n../x,up\n/abs,abs\nplain,plain\n' >items.csv
    cat >c.json <<'EOF'
{ "connections": { "f": {"plugin": "csv", "settings": {"root": ".", "key": "key"}}, "y": {"plugin": "jsondir", "settings": {"root": "y"}} },
  "pairs": { "p": {"a": {"connection": "f", "object": "items"}, "b": {"connection": "y", "object": "."}, "fields": [{"a": "title", "b": "title"}]} } }
EOF
    run 0 sync
    is "created inside" "$(find y -maxdepth 1 -name '*.json' | wc -l)" 3
    is "nothing elsewhere" "$(find . -name '*.json' -not -path './y/*' | tr '\n' ' ')" "./c.json "
    quiet
    printf 'key,title\n../x,up\n/abs,abs\nplain,plain\nplain,twice\n,nokey\n' >items.csv
    run 3 sync
    run 0 parked --json
    says out plain
    is "y" "$(get y/plain .title)" plain
}

empty_table() {
    table_config 'id TEXT PRIMARY KEY NOT NULL, title TEXT'
    run 0 sync --json
    is "seen" "$(js '.[0].seen')" 0
    put y/one '{"title":"one"}'
    run 0 sync
    is "created" "$(sqlite3 t.db 'SELECT id, title FROM items')" "one|one"
    quiet
}

integer_keys() {
    table_config 'id INTEGER PRIMARY KEY, title TEXT'
    sqlite3 t.db "INSERT INTO items VALUES (7, 'seven')"
    run 0 sync
    put y/mine '{"title":"mine"}'
    run 0 sync
    is "rows" "$(sqlite3 t.db 'SELECT id, title FROM items ORDER BY id' | tr '\n' ' ')" "7|seven 8|mine "
    quiet
}

no_key() {
    table_config 'id TEXT, title TEXT'
    run '1|2' sync
    says err items
    is "lines" "$(grep -c . err)" 1
    sqlite3 t.db 'DROP TABLE items'
    run '1|2' sync
    says err items
    printf 'id,title\n1,x\n' >items.csv
    sed -i 's|{"plugin": "sqlite", "settings": {[^}]*}}|{"plugin": "csv", "settings": {"root": ".", "key": "nokey"}}|' c.json
    run '1|2' sync
    says err nokey
    is "lines" "$(grep -c . err)" 1
}

no_database() {
    table_config 'id TEXT PRIMARY KEY NOT NULL, title TEXT'
    echo "this is no database, whatever its name says, and long enough" >t.db
    run '1|2' sync
    says err t.db
    rm t.db
    run '1|2' sync
    says err t.db
    [ ! -e t.db ] || wrong "a database was made"
}

locked_database() {
    table_config 'id TEXT PRIMARY KEY NOT NULL, title TEXT'
    put y/one '{"title":"one"}'
    run 0 sync
    put y/two '{"title":"two"}'
    python3 -c '
import sqlite3, sys, time
db = sqlite3.connect("t.db", isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
open("locked", "w").close()
time.sleep(60)' &
    local holder=$!
    while [ ! -e locked ]; do sleep 0.02; done
    run 1 sync
    says err t.db
    is "lines" "$(grep -c . err)" 1
    kill $holder
    wait $holder 2>/dev/null
    run 0 sync
    is "rows" "$(sqlite3 t.db 'SELECT count(*) FROM items')" 2
    quiet
}

# tiny FOLDER: a file system of 1 MiB there, or the scenario is skipped.
tiny() {
    mount -t tmpfs -o size=1m,mode=755 none "$1" 2>/dev/null || { problem="SKIP no file system can be mounted here"; return 1; }
    mounted=$PWD/$1
}

full_disk() {
    tiny y || return
    local i big
    big=$(head -c 30000 /dev/zero | tr '\0' a)
    for i in {1..60}; do put "x/r$i" "{\"title\":\"$big\"}"; done
    config
    run 1 sync
    grep -qiE 'full|space' err || wrong "the full disk is not named: $(head -c 300 err)"
    is "lines" "$(grep -c . err)" 1
    mount -o remount,size=20m "$mounted"
    run 0 sync
    is "all" "$(find y -name 'r*.json' | wc -l)" 60
    quiet
    umount "$mounted" && mounted=
}

full_state() {
    mkdir state
    tiny state || return
    local i
    for ((i = 1; i <= 3000; i++)); do printf '{"title":"%0300d"}\n' "$i" >"x/r$i.json"; done
    config
    run 1 sync
    grep -qiE 'full|space' err || wrong "the full disk is not named: $(head -c 300 err)"
    mount -o remount,size=200m "$mounted"
    run 0 sync
    is "all" "$(find y -name 'r*.json' | wc -l)" 3000
    quiet
    umount "$mounted" && mounted=
}

newer_state() {
    good
    config
    run 0 sync
    python3 - <<'EOF'
path, one = "state/pairs/p/data.mdb", b"format" + bytes(7)
data = open(path, "rb").read()
assert one + b"\x01" in data
open(path, "r+b").write(data.replace(one + b"\x01", one + b"\x63"))
EOF
    put x/more '{"title":"more"}'
    run 1 sync
    says err "format 99"
    says err newer
    is "nothing written" "$(get y/more .title)" gone
}

damaged_state() {
    good
    config
    run 0 sync
    local db
    db=$(find state/pairs/p -name data.mdb)
    printf 'garbage, garbage, garbage' | dd of="$db" bs=1 seek=16 conv=notrunc status=none
    printf 'garbage, garbage, garbage' | dd of="$db" bs=1 seek=4112 conv=notrunc status=none
    "$syncline" -c c.json sync >out 2>err
    local rc=$?
    [ $rc -ge 1 ] && [ $rc -le 2 ] || wrong "a damaged state exits $rc"
    says err "state"
    is "y" "$(sorted y)" "$(sorted x)"
}

odd_plugins() {
    mkdir plugins
    echo "no plugin at all" >plugins/text.so
    : >plugins/empty.so
    printf '\177ELF garbage' >plugins/cut.so
    if command -v "${CC:-gcc}" >/dev/null; then
        echo 'int other = 1;' | "${CC:-gcc}" -shared -fPIC -x c -o plugins/nosymbol.so -
        cat >abi.c <<'EOF'
#include <syncline/syncline.h>
SL_EXPORT const struct sl_plugin syncline_plugin = {.size = sizeof(struct sl_plugin), .abi_major = 99, .name = "future", .version = "1"};
EOF
        "${CC:-gcc}" -shared -fPIC -I"$root/sdk/include" -o plugins/future.so abi.c 2>cc.err || wrong "abi.c: $(head -n 1 cc.err)"
    fi
    chmod -R go-w plugins
    good
    config '' '"plugins": ["plugins"]'
    run 0 sync
    is "y" "$(sorted y)" "$(sorted x)"
    "$syncline" -c c.json plugins >out 2>err
    local name
    for name in plugins/*.so; do
        grep -q "$(basename "$name")" out err || wrong "$(basename "$name") is not named: $(cat out err)"
    done
    [ ! -e plugins/future.so ] || grep -h future out err | grep -q 99 || wrong "the ABI is not named: $(grep -h future out err)"
    for name in future text nosymbol; do
        sed "s/\"x\": {\"plugin\": \"jsondir\"/\"x\": {\"plugin\": \"$name\"/" c.json >other.json
        "$syncline" -c other.json sync >out 2>err
        is "exit with $name" $? 2
        says err $name
    done
}

bad_config() {
    echo '{"connections": {' >c.json
    run 2 sync
    grep -qE 'c\.json:[0-9]+' err || wrong "no place: $(cat err)"
    : >c.json
    run 2 sync
    says err c.json
    rm c.json && mkdir c.json
    run 2 sync
    says err c.json
    rmdir c.json
}

exact_values() {
    python3 - <<'EOF'
import json
odd = ["", " ", "  lead and trail \t", "cr\r\nlf\n", "\r", "\n", "\"", "\\", "a,b;c\td", "'; DROP TABLE items; --", "NULL", "null", "true", "0.10",
       "é", "e\u0301", "\u202eevil", "\ufeffbom", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0915\u094d\u0937", "\ud7ff\ue000\uffff", "\x01\x1f\x7f", "a" * 70000]
for i, text in enumerate(odd):
    json.dump({"text": text}, open(f"x/s{i:02}.json", "w"), ensure_ascii=i % 2 == 0)
for i, number in enumerate(["123456789012345678", "-123456789012345678", "0.10", "1e400", "-0", "0", "1E5", "0.1e-7", "9223372036854775807", "9223372036854775808",
                            "3.141592653589793238462643383279", "100", "1.0"]):
    open(f"x/n{i:02}.json", "w").write('{"number": %s}\n' % number)
EOF
}

# Texts and numbers of a folder as exact text: numbers by value, without rounding.
exact='
import decimal, glob, json, os, sys
for f in sorted(glob.glob(sys.argv[1] + "/*.json")):
    d = json.load(open(f, newline=""), parse_int=decimal.Decimal, parse_float=decimal.Decimal)
    d = {k: (v.normalize() if isinstance(v, decimal.Decimal) and v else v) for k, v in d.items() if v is not None}
    print(os.path.basename(f), [(k, str(d[k]) if isinstance(d[k], decimal.Decimal) else d[k].encode("utf-8", "surrogatepass")) for k in sorted(d)])
'

carried_folder() {
    exact_values
    config
    run 0 sync
    is "y" "$(python3 -c "$exact" y)" "$(python3 -c "$exact" x)"
    is "0.10 keeps its zero" "$(tr -d ' \n' <y/n02.json)" '{"number":0.10}'
    quiet
    sed -i 's/0\.10/0.20/' y/n02.json
    run 0 sync
    is "and back" "$(tr -d ' \n' <x/n02.json)" '{"number":0.20}'
}

carried_table() { # through T and back to a folder
    exact_values
    sqlite3 t.db 'CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, text TEXT, number TEXT)'
    printf 'id,text,number\n' >items.csv
    cat >c.json <<'EOF'
{ "connections": { "x": {"plugin": "jsondir", "settings": {"root": "x"}}, "y": {"plugin": "jsondir", "settings": {"root": "y"}},
                   "t": {"plugin": "sqlite", "settings": {"file": "t.db"}}, "f": {"plugin": "csv", "settings": {"root": ".", "key": "id"}} },
  "pairs": { "in": {"a": {"connection": "x", "object": "."}, "b": {"connection": "t", "object": "items"}, "fields": [{"a": "text", "b": "text"}]},
             "over": {"a": {"connection": "t", "object": "items"}, "b": {"connection": "f", "object": "items"}, "fields": [{"a": "text", "b": "text"}]},
             "out": {"a": {"connection": "f", "object": "items"}, "b": {"connection": "y", "object": "."}, "fields": [{"a": "text", "b": "text"}]} } }
EOF
    rm x/n*.json
    run 0 sync
    run 0 sync
    is "y" "$(python3 -c "$exact" y)" "$(python3 -c "$exact" x)"
    quiet
}

root=$PWD
scenario "broken JSON" broken_json
scenario "JSON that is no object" no_object
scenario "a folder where a file should be" a_folder
scenario "a link to itself" a_loop
scenario "a pipe" a_pipe
scenario "a file without permission" unreadable
scenario "invalid UTF-8" not_utf8
scenario "a NUL byte" a_nul
scenario "an escaped NUL" an_escaped_nul
scenario "a key twice" double_key
scenario "5,000 brackets deep" deep
scenario "an empty file" empty_file
scenario "a field of 64 MB" large
scenario "a record that breaks is no delete" in_step_breaks
scenario "ids that are no file names, from a database" hostile_ids
scenario "ids that are no file names, from a csv file; keys twice and none" hostile_csv
scenario "an empty table" empty_table
scenario "integer keys" integer_keys
scenario "a missing key, table or column" no_key
scenario "no database" no_database
scenario "a locked database" locked_database
scenario "a full disk under the records" full_disk
scenario "a full disk under the state" full_state
scenario "a state of a newer version" newer_state
scenario "a damaged state" damaged_state
scenario "plugins of another ABI, and files that are none" odd_plugins
scenario "a config that is no JSON, empty or a folder" bad_config
scenario "values come across exactly: folder to folder" carried_folder
scenario "texts come across exactly: through database and csv" carried_table
finish

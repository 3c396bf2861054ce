#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# isocodes.sh - thousands of real multilingual records from folder to database to table and back, edited on both ends, equal byte for byte.
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash

source=/usr/share/iso-codes/json
if [ ! -e $source/iso_639-3.json ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    apt-get install -y -q iso-codes >/dev/null 2>&1
fi
[ -e $source/iso_639-3.json ] || { echo "SKIP: $source is not there; install the package iso-codes"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

# One file a record, under the key that its standard gives it; fields of all records, absent where a record has none.
split='
import json, os, sys
source, root = sys.argv[1:]
keys = {"639-3": "alpha_3", "3166-1": "alpha_2", "3166-2": "code", "4217": "alpha_3", "15924": "alpha_4"}
for standard, key in keys.items():
    with open(f"{source}/iso_{standard}.json") as f:
        for entry in json.load(f)[standard]:
            entry = {"key": f"{standard}_{entry[key]}", "standard": standard, **entry}
            with open(root + "/" + entry["key"] + ".json", "w") as out:
                json.dump(entry, out, ensure_ascii=False)
'

# edit ROOT SEED: changes, creates, clears and deletes records of a folder, each end other ones.
edit='
import json, os, random, sys
root, seed = sys.argv[1], sys.argv[2]
names = sorted(os.listdir(root))
names = [n for n in names if n.endswith(".json")]
mine = [n for i, n in enumerate(names) if i % 2 == int(seed)]
r = random.Random(seed)
picked = r.sample(mine, 300)
for n in picked[:100]:
    d = json.load(open(f"{root}/{n}"))
    d["name"] = d.get("name", "") + r.choice([" — geändert", " 改", " \u0646\u0635", "\U0001f600", "  \r\nzwei  ", "\"\"", ",;\t"])
    json.dump(d, open(f"{root}/{n}", "w"), ensure_ascii=False)
for n in picked[100:150]:
    d = json.load(open(f"{root}/{n}"))
    d["name"] = None
    json.dump(d, open(f"{root}/{n}", "w"))
for n in picked[150:170]:
    os.remove(f"{root}/{n}")
for n in picked[170:200]:
    d = json.load(open(f"{root}/{n}"))
    d["name"] = ""
    json.dump(d, open(f"{root}/{n}", "w"))
for i in range(50):
    d = {"key": f"new{seed}-{i}", "standard": "new", "name": f"Neu {i} ✓ \u0915\u094d\u0937"}
    json.dump(d, open(root + "/" + d["key"] + ".json", "w"), ensure_ascii=False)
'

# compare X Y: every field of every record, absent and null alike.
compare='
import json, os, sys
def load(root):
    out = {}
    for n in os.listdir(root):
        if n.endswith(".json") and not n.startswith("."):
            d = json.load(open(f"{root}/{n}"))
            assert d["key"] not in out, "twice: " + d["key"]
            out[d["key"]] = {k: v for k, v in d.items() if v is not None}
    return out
x, y = load(sys.argv[1]), load(sys.argv[2])
for k in sorted(x.keys() | y.keys()):
    if x.get(k) != y.get(k):
        print(k, x.get(k), y.get(k))
        sys.exit(1)
print(len(x))
'

fields="key standard name alpha_2 alpha_3 alpha_4 numeric scope type inverted_name common_name official_name bibliographic code parent flag"

make_config() {
    local columns= rules= f
    for f in $fields; do
        columns="$columns${columns:+, }\"$f\" TEXT$([ "$f" = key ] && echo ' PRIMARY KEY NOT NULL')"
        [ "$f" = key ] || rules="$rules${rules:+, }{\"a\": \"$f\", \"b\": \"$f\"}"
    done
    sqlite3 t.db "CREATE TABLE codes ($columns)"
    tr ' ' ',' <<<"$fields" >codes.csv
    # The key is the id of a row and of a file's name; the folders hold it as a field too.
    local rest="\"deletes\": {\"policy\": \"delete\", \"max\": 1000}" key='{"a": "key", "b": "key", "direction"'
    cat >c.json <<EOF
{ "connections": {
    "x": {"plugin": "jsondir", "settings": {"root": "x"}},
    "t": {"plugin": "sqlite", "settings": {"file": "t.db"}},
    "f": {"plugin": "csv", "settings": {"root": ".", "key": "key"}},
    "y": {"plugin": "jsondir", "settings": {"root": "y"}} },
  "pairs": {
    "in": {"a": {"connection": "x", "object": "."}, "b": {"connection": "t", "object": "codes"}, $rest,
           "fields": [$key: "b_to_a"}, $rules]},
    "over": {"a": {"connection": "t", "object": "codes"}, "b": {"connection": "f", "object": "codes"}, $rest,
             "fields": [$rules]},
    "out": {"a": {"connection": "f", "object": "codes"}, "b": {"connection": "y", "object": "."}, $rest,
            "fields": [$key: "a_to_b"}, $rules]} } }
EOF
}

until_quiet() {
    local i
    for i in {1..8}; do
        run 0 sync --json
        [ -z "$problem" ] || return
        [ "$(writes)" != 0 ] || return 0
    done
    wrong "still writing after $i runs: $(cat out)"
}

equal_ends() {
    local said
    said=$(python3 -c "$compare" x y 2>&1) || wrong "$1: the ends differ: $said"
    [ "$said" = "$(sqlite3 t.db 'SELECT count(*) FROM codes')" ] || wrong "$1: $said records, but $(sqlite3 t.db 'SELECT count(*) FROM codes') rows"
}

there_and_back() {
    python3 -c "$split" $source x || { wrong "the records cannot be split"; return; }
    local n
    n=$(find x -name '*.json' | wc -l)
    echo "counts: $n records"
    make_config
    until_quiet
    equal_ends "first"
    is "records" "$(find y -name '*.json' | wc -l)" "$n"
    python3 -c "$edit" x 0 || wrong "x cannot be edited"
    python3 -c "$edit" y 1 || wrong "y cannot be edited"
    until_quiet
    equal_ends "after edits"
    is "records after edits" "$(find y -name '*.json' | wc -l)" $((n + 100 - 40))
    quiet
    run 0 verify --json
    is "verify" "$(js 'map(.differ) | add')" 0
}

scenario "iso-codes: folder, database, table, folder" there_and_back
finish

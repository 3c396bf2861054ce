#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kill.sh - kills runs at random moments and goes on: nothing lost, nothing doubled, as if it had not been killed (KILLS=200, SEED=1).
# shellcheck source=tests/e2e/lib.bash
. tests/e2e/lib.bash
kills=${KILLS:-200}
records=${RECORDS:-10000}
RANDOM=${SEED:-1}
round=0

cat >"$top/tool.py" <<'E'
import json, os, random, sqlite3, sys

FIELDS = ["key", "name", "n", "amount"]

def record(key, word):
    return {"key": key, "name": f"{word} {key} \u00e4\u6539", "n": int(key.split("-")[1]) * 7919, "amount": f"{len(key)}.10"}

def read_folder():
    out = []
    for name in os.listdir("x"):
        if name.endswith(".json") and not name.startswith("."):
            with open("x/" + name) as f:
                out.append((name[:-5], json.load(f)))
    return out

def read_table(db):
    return [(r[0], dict(zip(FIELDS, r[1:]))) for r in db.execute("SELECT id, key, name, n, amount FROM items")]

def put_file(id, r):
    with open(f"x/{id}.json.new", "w") as f:
        json.dump(r, f)
    os.rename(f"x/{id}.json.new", f"x/{id}.json")

def put_row(db, id, r):
    db.execute("INSERT OR REPLACE INTO items (id, key, name, n, amount) VALUES (?, ?, ?, ?, ?)", [id] + [r[f] for f in FIELDS])

def make(db, side, count):
    for i in range(count):
        r = record(f"k-{i}", "first")
        put_file(r["key"], r) if side == "x" else put_row(db, r["key"], r)
    model = {f"k-{i}": record(f"k-{i}", "first") for i in range(count)}
    json.dump(model, open("model.json", "w"))

# Other records on each side: 1 % changed, 0.5 % created, 0.25 % deleted.
def delta(db, seed):
    r = random.Random(seed)
    model = json.load(open("model.json"))
    gone = {}
    sides = [dict((v["key"], id) for id, v in read_folder()), dict((v["key"], id) for id, v in read_table(db))]
    keys = sorted(model)
    n = len(keys)
    picked = r.sample(keys, 2 * (n // 100 + n // 400))
    for s in (0, 1):
        for i, key in enumerate(picked[s::2]):
            id = sides[s][key]
            if i < n // 100:
                model[key]["name"] = f"round {seed} side {s} {key}"
                put_file(id, model[key]) if s == 0 else put_row(db, id, model[key])
            else:
                del model[key]
                gone[key] = "xt"[s]
                os.remove(f"x/{id}.json") if s == 0 else db.execute("DELETE FROM items WHERE id = ?", [id])
        for i in range(n // 200):
            new = record(f"new{seed}.{s}-{i}", "created")
            model[new["key"]] = new
            put_file(new["key"], new) if s == 0 else put_row(db, new["key"], new)
    json.dump(model, open("model.json", "w"))
    json.dump(gone, open("gone.json", "w"))

def check(db):
    model = json.load(open("model.json"))
    gone = json.load(open("gone.json")) if os.path.exists("gone.json") else {}
    for side, rows in (("x", read_folder()), ("t", read_table(db))):
        seen = {}
        for id, r in rows:
            if r["key"] in seen:
                sys.exit(f"{side}: {r['key']} is there twice: {seen[r['key']]} and {id}")
            seen[r["key"]] = id
            if r["key"] in gone:
                sys.exit(f"{side}: {id} is there, deleted on side {gone[r['key']]}")
            if model.get(r["key"]) != r:
                sys.exit(f"{side}: {id} is {r}, not {model.get(r['key'])}")
        lost = sorted(set(model) - set(seen))
        if lost:
            sys.exit(f"{side}: {len(lost)} records are lost: {lost[:3]}")

db = sqlite3.connect("t.db")
what = sys.argv[1]
if what == "make":
    make(db, sys.argv[2], int(sys.argv[3]))
elif what == "delta":
    delta(db, sys.argv[2])
else:
    check(db)
db.commit()
E
tool() { python3 "$top/tool.py" "$@" 2>tool.err || wrong "${*}: $(tail -n 1 tool.err)"; }

# fresh SIDE: that side full, the other empty, no state.
fresh() {
    rm -rf x state t.db*
    mkdir x
    sqlite3 t.db 'CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, key TEXT, name TEXT, n INTEGER, amount TEXT)'
    tool make "$1" "$records"
}

next_delta() {
    round=$((round + 1))
    tool delta "$round"
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# measure: an undisturbed run; its time goes to $took.
measure() {
    local from
    from=$(now_ms)
    run 0 sync --json
    took=$(($(now_ms) - from))
    tool check
    quiet
}

# disturbed: runs, killed at a random moment of an undisturbed run's time, until one ends by itself.
disturbed() {
    local child wait_ms rc
    while [ -z "$problem" ]; do
        # Mostly early, so that one pass takes many kills on its way; each goes on where the one before ended.
        wait_ms=$((1 + took * (1 + RANDOM % (RANDOM % 6 ? 20 : 90)) / 100))
        [ $done_kills -lt "$quota" ] || wait_ms=0
        "$syncline" -c c.json sync >out 2>err </dev/null &
        child=$!
        [ $wait_ms -eq 0 ] || sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
        [ $wait_ms -eq 0 ] || kill -9 $child 2>/dev/null
        wait $child 2>/dev/null
        rc=$?
        case $rc in
        137) done_kills=$((done_kills + 1)) ;;
        0) break ;;
        *) wrong "a run after kills exits $rc: $(cat err)" ;;
        esac
    done
    tool check
    quiet
}

# killed HOW SIDE QUOTA: first runs or deltas, that side full at the beginning.
killed() {
    local how=$1 episodes=0
    quota=$3 done_kills=0
    config_pair
    fresh "$2"
    [ "$how" = first ] || run 0 sync
    [ "$how" = first ] || next_delta
    measure
    while [ -z "$problem" ] && [ $done_kills -lt "$quota" ]; do
        if [ "$how" = first ]; then fresh "$2"; else next_delta; fi
        disturbed
        episodes=$((episodes + 1))
    done
    echo "counts: $done_kills kills in $episodes times $how of $records records ($took ms undisturbed)"
}

config_pair() {
    cat >c.json <<'EOF'
{ "connections": {
    "x": {"plugin": "jsondir", "settings": {"root": "x"}},
    "t": {"plugin": "sqlite", "settings": {"file": "t.db"}} },
  "pairs": { "p": {"a": {"connection": "x", "object": "."}, "b": {"connection": "t", "object": "items"},
    "deletes": {"policy": "delete"},
    "fields": [{"a": "key", "b": "key"}, {"a": "name", "b": "name"}, {"a": "n", "b": "n"}, {"a": "amount", "b": "amount"}]} } }
EOF
}

scenario "I18 I19 I20: first run killed, folder to database" killed first x $((kills / 4))
scenario "I18 I19 I20: first run killed, database to folder" killed first t $((kills / 4))
scenario "I18 I19 I20: delta killed, folder first" killed delta x $((kills / 4))
scenario "I18 I19 I20: delta killed, database first" killed delta t $((kills - kills / 4 * 3))
finish

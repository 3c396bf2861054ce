#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""program.py - whole runs on a failing disk or without memory: each ends with one sentence, and the next run makes all good."""
import collections
import errno
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(sys.argv[1])
SYNCLINE = BUILD + "/syncline"
CUT = 86
SEEDS = int(os.environ.get("SEEDS", "2"))  # power cuts at each call
ALLOCATIONS = os.environ.get("ALLOCATIONS", "120")  # refused in each scenario
RUN_SECONDS = 60
CALLS_MOST = 5000  # of one run, far above what there are

TOP = os.path.realpath(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
WORK, SPARE, DISK = TOP + "/work", TOP + "/spare", TOP + "/work/disk"
counts = collections.Counter()

CONFIG = """{
  "state": "disk/state",
  "connections": {
    "x": {"plugin": "jsondir", "settings": {"root": "disk/x"}},
    "t": {"plugin": "sqlite", "settings": {"file": "disk/db/t.db"}} },
  "pairs": { "p": {"a": {"connection": "x", "object": "items"FILTER}, "b": {"connection": "t", "object": "items"},
    "deletes": {"policy": "delete"}, "match": ["key"], "first_run": "match_or_create",
    "fields": [{"a": "key", "b": "key"}, {"a": "name", "b": "name"}, {"a": "n", "b": "n"}]} } }
"""


class Wrong(Exception):
    pass


class Signal(Wrong):
    pass


# --- two systems: a folder and a table ---


def put_file(name, n):
    with open(f"{DISK}/x/items/{name}.json", "w") as f:
        json.dump({"key": name, "name": f"{name} {n}", "n": n}, f)


def put_row(db, name, n):
    db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", [name, name, f"{name} {n}", n])


def table(change):
    db = sqlite3.connect(DISK + "/db/t.db")
    with db:
        change(db)
    db.close()


def both_sides():
    """id and content of every record, side by side."""
    files = {}
    for name in os.listdir(DISK + "/x/items"):
        if name.endswith(".json") and not name.startswith("."):
            with open(f"{DISK}/x/items/{name}") as f:
                files[name[:-5]] = json.load(f)
    db = sqlite3.connect(DISK + "/db/t.db")
    rows = {r[0]: dict(zip(["key", "name", "n"], r[1:])) for r in db.execute("SELECT * FROM items")}
    db.close()
    return files, rows


def begin_first():
    for i in range(14):
        put_file(f"x{i}", i)
    table(lambda db: [put_row(db, f"t{i}", i) for i in range(6)])


def begin_delta():
    begin_first()
    sync_well()
    for i in range(3):
        put_file(f"x{i}", 100 + i)
        put_file(f"new{i}", i)
        os.remove(f"{DISK}/x/items/t{i}.json")

    def change(db):
        for i in range(3, 6):
            put_row(db, f"t{i}", 100 + i)
            put_row(db, f"row{i}", i)
            db.execute("DELETE FROM items WHERE id = ?", [f"x{i}"])

    table(change)


def fresh(how):
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.rmtree(SPARE, ignore_errors=True)
    for folder in (SPARE, DISK + "/x/items", DISK + "/db"):
        os.makedirs(folder)
    with open(WORK + "/c.json", "w") as f:
        f.write(CONFIG.replace("FILTER", ', "filter": ".n < 1000"' if how == "expression" else ""))
    table(lambda db: db.execute("CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, key TEXT, name TEXT, n INTEGER)"))
    BEGINS[how]()


def keep():
    shutil.rmtree(TOP + "/kept", ignore_errors=True)
    shutil.copytree(WORK, TOP + "/kept")


def again():
    """What `keep` kept."""
    shutil.rmtree(WORK)
    shutil.rmtree(SPARE)
    shutil.copytree(TOP + "/kept", WORK)
    os.mkdir(SPARE)


# --- runs ---


def run(command=("sync", "--json"), **env):
    all_env = {**os.environ, **{k: str(v) for k, v in env.items()}}
    p = subprocess.run([SYNCLINE, "-c", "c.json", *command], cwd=WORK, env=all_env, capture_output=True, text=True,
                       stdin=subprocess.DEVNULL, timeout=RUN_SECONDS)
    if p.returncode < 0:
        raise Signal(f"the run ended by signal {-p.returncode}: {p.stderr}")
    return p


def sync_well():
    p = run()
    if p.returncode != 0:
        raise Wrong(f"a run on a good disk exits {p.returncode}: {p.stderr}{p.stdout}")
    return json.loads(p.stdout)


def disk_env(roots, **plan):
    env = {"LD_PRELOAD": BUILD + "/tests/faults/disk.so", "DISK_ROOTS": ":".join(roots), "DISK_SPARE": SPARE,
           "DISK_TOLD": TOP + "/told"}
    return {**env, **{"DISK_" + k.upper(): v for k, v in plan.items()}}


def told():
    out = {}
    with open(TOP + "/told") as f:
        for line in f:
            word, _, rest = line.strip().partition(" ")
            out[word] = rest
    return out


def converges(want):
    """The next run, on a good disk, brings about the end state of an undisturbed run; the one after finds nothing to do (I20, I11)."""
    sync_well()
    got = both_sides()
    for side, g, w in zip("xt", got, want):
        if g != w:
            lost, more = sorted(set(w) - set(g)), sorted(set(g) - set(w))
            raise Wrong(f"side {side}: {lost} lost, {more} too many, "
                        f"{[k for k in g if k in w and g[k] != w[k]]} different")
    idle = sync_well()
    if idle["applied"]:
        raise Wrong(f"the second run writes: {idle}")


def one_sentence(p):
    """And one more for the first write that is in doubt."""
    lines = [line for line in p.stderr.split("\n") if line and '"level":"warn"' not in line.replace(" ", "")]
    failures = [line for line in lines if "is not known whether" not in line]
    if p.returncode not in (0, 3) and (not lines or len(failures) > 1 or len(lines) > len(failures) + 1):
        raise Wrong(f"exit {p.returncode} with {len(lines)} lines: {p.stderr}")
    if p.returncode not in (0, 1, 3):
        raise Wrong(f"exit {p.returncode}: {p.stderr}")


# --- the faults: each says whether it came about ---


def cut(want, at, seed):
    """Power cuts at a call, for odd seeds a second one during the recovery (F39)."""
    r = random.Random(f"{at} {seed}")
    calls = [at] if seed % 2 == 0 else [at, r.randrange(1, 100)]
    for call in calls:
        p = run(**disk_env([DISK], at=call, at_end=1, seed=r.getrandbits(60)))
        if p.returncode != CUT:
            raise Wrong(f"exit {p.returncode} before the cut: {p.stderr}")
        counts["cuts"] += 1
    converges(want)
    return True


def refuse(want, at, where, error, on):
    """A call is refused, or all from one on (F37, F40)."""
    p = run(**disk_env(ROOTS[where], at=at, error=getattr(errno, error), on=on))
    t = told()
    if "refused" not in t:
        return False
    counts["disk faults"] += 1
    try:
        one_sentence(p)
        if "flushed" in t and where == "state":  # SQLite flushes its folder again to undo
            raise Wrong("a flush was tried again")
        converges(want)
    except Wrong as w:
        raise Wrong(f"{t['refused']}: {w}") from None
    return True


def nomem(want, at, on, may_crash):
    """An allocation fails, or all from one on. Inside libjq, which does not look at each, that may end it by a signal."""
    env = {"LD_PRELOAD": BUILD + "/tests/faults/nomem.so", "NOMEM_AT": at, **({"NOMEM_ON": 1} if on else {})}
    try:
        one_sentence(run(**env))
    except Signal:
        if not may_crash:
            raise
        counts["ended by libjq"] += 1
    counts["allocation failures"] += 1
    converges(want)
    return True


BEGINS = {"first": begin_first, "delta": begin_delta, "expression": begin_first}
ROOTS = {"state": [DISK + "/state"], "data": [DISK + "/x", DISK + "/db"]}


def undisturbed(how):
    """The end state of a run without a fault."""
    fresh(how)
    keep()
    sync_well()
    return both_sides()


def count(**env):
    """Calls or allocations of a run without a fault."""
    again()
    run(**env)
    return int(told()["calls"])


def attempt(replay, fault, *args):
    """One fault on what `keep` kept. Says whether it came about and whether it was survived."""
    again()
    try:
        return fault(*args), True
    except Wrong as w:
        print(f"   {w}\n   replay: tests/faults/program.sh {replay}")
        return True, False


def cuts(how, at=None, seed=None):
    want = undisturbed(how)
    if at:
        return [attempt("", cut, want, int(at), int(seed))[1]]
    calls = count(**disk_env([DISK], at=0))
    return [attempt(f"cut {how} {at} {seed}", cut, want, at, seed)[1]
            for at in range(1, calls + 2) for seed in range(SEEDS)]


def refusals(how, where, error=None, on=None, at=None):
    want = undisturbed(how)
    if at:
        return [attempt("", refuse, want, int(at), where, error, int(on))[1]]
    ends = []
    for error, on in (("EIO", 0), ("EIO", 1), ("ENOSPC", 0), ("ENOSPC", 1)):
        for at in range(1, CALLS_MOST):
            came, survived = attempt(f"refuse {how} {where} {error} {on} {at}", refuse, want, at, where, error, on)
            if not came:
                break
            ends.append(survived)
    return ends


def allocations(how, on=None, at=None):
    """So many, evenly, by turns alone and with all after it; ALLOCATIONS=all for every one."""
    want = undisturbed(how)
    if at:
        return [attempt("", nomem, want, int(at), int(on), how == "expression")[1]]
    total = count(LD_PRELOAD=BUILD + "/tests/faults/nomem.so", NOMEM_AT=0, NOMEM_TOLD=TOP + "/told")
    stride = 1 if ALLOCATIONS == "all" else max(1, total // int(ALLOCATIONS))
    return [attempt(f"nomem {how} {i % 2} {at}", nomem, want, at, i % 2, how == "expression")[1]
            for i, at in enumerate(range(1, total + 1, stride))]


KINDS = {"cut": cuts, "refuse": refusals, "nomem": allocations}


def scenario(name, kind, *args):
    try:
        survived = KINDS[kind](*args)
    except Wrong as w:
        print(f"   {w}")
        survived = [False]
    good = bool(survived) and all(survived)
    print(f"ran: {len(survived)} {name}" if good else f"FAIL {name}", flush=True)
    return good


def main():
    """Each line of the input is a scenario: its name, a tab, what to do."""
    lines = [line.rstrip("\n").split("\t") for line in sys.stdin]
    try:
        ends = [scenario(name, *what.split()) for name, what in lines]
    finally:
        shutil.rmtree(TOP, ignore_errors=True)
    print("counts: " + ", ".join(f"{what} {n}" for what, n in counts.items()))
    print(f"{ends.count(True)} passed, {ends.count(False)} failed")
    return 0 if all(ends) else 1


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chaos.py - fifty pairs under `run` while its processes are killed, stopped and crashed; judges what is left when it settles.

Called by chaos.sh in an empty folder. Prints `counts:` lines, and at the end `wrong: ...` for each thing that is."""
import collections
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request

BUILD = os.environ["BUILD"]
SECONDS = float(os.environ.get("CHAOS_SECONDS", "15"))
SEED = int(os.environ.get("CHAOS_SEED", "6"))
EVERY_S = 0.2  # a strike
RESTART_S = 0.5  # as a service manager that waits between two starts
SETTLE_S = 150  # no promise: only so that a test that fails comes to an end
PRIORITIES = ["low", "normal", "high", "urgent"]
rng = random.Random(SEED)
counted = collections.Counter()
problems = []


def wrong(text):
    problems.append(text)


# --- the systems: each knows its records by the first word of their titles ---


class Folder:
    """A folder of JSON files: only its own records are edited here, since reading and replacing a file is not one step."""

    merges = False

    def __init__(self, path):
        self.path = path
        os.makedirs(path)

    def put(self, key, fields):
        with open(f"{self.path}/.new", "w", encoding="utf-8") as f:
            json.dump(fields, f)
        os.rename(f"{self.path}/.new", f"{self.path}/{key}.json")

    edit = put

    def drop(self, key):
        os.remove(f"{self.path}/{key}.json")

    def read(self):
        found = []
        for name in os.listdir(self.path):
            if name.endswith(".json") and not name.startswith("."):
                with open(f"{self.path}/{name}", encoding="utf-8") as f:
                    r = json.load(f)
                found.append((r["title"], r["note"]))
        return found


class Table:
    """A table of a SQLite file: an edit is one statement on one column, beside whatever the host writes."""

    merges = True

    def __init__(self, file, name):
        self.file, self.name = file, name
        with self.open() as db:
            db.execute("pragma journal_mode=wal")
            db.execute(f"create table {name} (id integer primary key autoincrement, title text, note text)")

    def open(self):
        return sqlite3.connect(self.file, timeout=60)

    def put(self, key, fields):
        with self.open() as db:
            db.execute(f"insert into {self.name} (title, note) values (:title, :note)", fields)

    def edit(self, key, fields):
        with self.open() as db:
            for name, value in fields.items():
                db.execute(f"update {self.name} set {name} = ? where title like ?", [value, f"{key} %"])

    def drop(self, key):
        with self.open() as db:
            db.execute(f"delete from {self.name} where title like ?", [f"{key} %"])

    def read(self):
        with self.open() as db:
            return db.execute(f"select title, note from {self.name}").fetchall()


class Api:
    """A simulated API: (id, title, note) are what its records call them."""

    merges = True

    def __init__(self, profile, names, path):
        self.id, self.title, self.note = names
        self.server = subprocess.Popen([f"{BUILD}/tests/peers/peer", profile], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.server.stdout.readline().split()[1])
        self.url = f"http://127.0.0.1:{self.port}{path}"

    def ask(self, what, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_peer/{what}", data, timeout=60) as answer:
            return json.load(answer)

    def records(self):
        return [r for r in self.ask("state")["records"] if not r.get("deleted")]

    def put(self, key, fields):
        self.ask("put", {self.title: fields["title"], self.note: fields["note"]})

    # What stands behind a text is the host's key in it.
    def edit(self, key, fields):
        for r in self.records():
            if r[self.title].startswith(key + " "):
                note = (r[self.note] or "").partition("\n\n<!--")
                body = {self.id: r[self.id], self.note: fields["note"] + note[1] + note[2]} if "note" in fields else {}
                if "title" in fields:
                    body = {self.id: r[self.id], self.title: fields["title"]}
                self.ask("put", body)

    def read(self):
        return [(r[self.title], (r[self.note] or "").partition("\n\n<!--")[0]) for r in self.records()]

    def doubles(self):
        return self.ask("state")["doubles"]


# --- the pairs ---


class Pair:
    """Two systems, what their records should be, and the words of the config."""

    def __init__(self, name, sides, ends, fields):
        self.name, self.sides, self.ends, self.fields = name, sides, ends, fields
        self.model, self.made = {}, 0
        self.merges = all(s.merges for s in sides)
        self.notes = PRIORITIES if ends[1][0].startswith("desk") else None

    def note(self, n):
        return self.notes[n % len(self.notes)] if self.notes else f"note {n}"

    def text(self, every):
        ends = {side: {"connection": c, "object": o} for side, (c, o) in zip("ab", self.ends)}
        return dict(ends, every=every, fields=self.fields, match=["title"], first_run="match_or_create",
                    deletes={"policy": "delete", "max": 1000, "max_percent": 100})

    def create(self, n):
        owner = self.made % 2
        key = f"r{self.made}"
        self.made += 1
        fields = {"title": f"{key} v{n}", "note": self.note(n)}
        self.sides[owner].put(key, fields)
        self.model[key] = dict(fields, owner=owner)

    # Records that both sides edit are edited in one field here, in another there: then nothing is anybody's to decide.
    def change(self, key, n):
        r = self.model[key]
        fields = {"title": f"{key} v{n}", "note": self.note(n)}
        side = r["owner"]
        if self.merges:
            side = rng.randrange(2)
            name = ("title", "note")[side]
            if not any(t.startswith(key + " ") for t, _ in self.sides[side].read()):
                return
            fields = {name: fields[name]}
        self.sides[side].edit(key, fields)
        r.update(fields)

    def remove(self, key):
        self.sides[self.model.pop(key)["owner"]].drop(key)

    def edit(self, n):
        live = sorted(self.model)
        if len(live) < 3 or (len(live) < 12 and rng.random() < 0.2):
            self.create(n)
            counted["creates"] += 1
        elif not self.merges and rng.random() < 0.1:
            self.remove(rng.choice(live))
            counted["deletes"] += 1
        else:
            self.change(rng.choice(live), n)
            counted["edits"] += 1

    def wanted(self):
        return sorted((r["title"], r["note"]) for r in self.model.values())

    def in_step(self):
        return all(sorted(map(tuple, s.read())) == self.wanted() for s in self.sides)

    def judge(self):
        for letter, side in zip("ab", self.sides):
            have, want = collections.Counter(map(tuple, side.read())), collections.Counter(self.wanted())
            if have != want:
                wrong(f"{self.name} on side {letter}: too much: {sorted(have - want)[:4]}, missing: {sorted(want - have)[:4]}")
            if isinstance(side, Api) and side.doubles():
                wrong(f"{self.name}: {side.doubles()} records were created twice")


PLAIN = [{"a": "title", "b": "title"}, {"a": "note", "b": "note"}]
GENERIC = {
    "key": "/id", "version": {"kind": "etag"}, "external_key": {"field": "/external_id"}, "late_s": 1,
    "list": {"path": "/items", "records": "/items", "page": {"type": "link_header", "size_to": {"name": "limit", "value": 100}},
             "since": {"to": {"name": "updated_since"}, "field": "/updated_at", "overlap_s": 5}},
    "get": {"path": "/items/{id}"}, "create": {"path": "/items", "idempotency_header": "Idempotency-Key"},
    "update": {"path": "/items/{id}", "method": "PATCH", "guard": {"type": "if_match"}},
    "delete": {"mode": "delete", "path": "/items/{id}"}}  # fmt: skip


def build(connections):
    """Fifty pairs: 24 of folders, 14 of a folder and a table, 6 of a table and an API, 3 each with a help desk and an issue tracker."""
    pairs = []
    for i in range(4):
        apart = {"isolation": "runner"} if i % 2 else {}
        connections[f"files{i}"] = {"plugin": "jsondir", "settings": {"root": f"files{i}"}, **apart}
        connections[f"base{i}"] = {"plugin": "sqlite", "settings": {"file": f"{i}.db"}, **apart}
    for i in range(24):
        ends = [(f"files{i % 4}", f"p{i}-a"), (f"files{(i + 1) % 4}", f"p{i}-b")]
        pairs.append(Pair(f"p{i}", [Folder(f"{c}/{o}") for c, o in ends], ends, PLAIN))
    for i in range(24, 38):
        ends = [(f"files{i % 4}", f"p{i}"), (f"base{i % 4}", f"p{i}")]
        pairs.append(Pair(f"p{i}", [Folder(f"files{i % 4}/p{i}"), Table(f"{i % 4}.db", f"p{i}")], ends, PLAIN))
    for i in range(38, 50):
        apart = {"isolation": "runner"} if i % 3 else {}
        if i < 44:
            api = Api("generic", ("id", "title", "note"), "")
            kind, plugin, settings, target = "api", "rest", {"resources": {"items": GENERIC}}, "items"
            fields = PLAIN
        elif i < 47:
            api = Api("zendesk-at-once", ("id", "subject", "priority"), "")
            kind, plugin, target = "desk", "zendesk", "tickets"
            settings = {"token": {"env": "ZENDESK_TOKEN"}, "late_s": 1, "index_lag_s": 0}
            fields = [{"a": "title", "b": "title"}, {"a": "note", "b": "priority"}]
        else:
            api = Api("github", ("number", "title", "body"), "")
            kind, plugin, target = "code", "github", "issues"
            settings = {"token": {"env": "GITHUB_TOKEN"}, "owner": "acme", "repo": "desk", "write_pause_ms": 0, "late_s": 1}
            fields = [{"a": "title", "b": "title"}, {"a": "note", "b": "body"}]
        connections[f"{kind}{i}"] = {"plugin": plugin, "settings": dict(settings, base_url=api.url), **apart}
        ends = [(f"base{i % 4}", f"p{i}"), (f"{kind}{i}", target)]
        pairs.append(Pair(f"p{i}", [Table(f"{i % 4}.db", f"p{i}"), api], ends, fields))
    return pairs


# --- the host ---


def stat_of(pid):
    """(state, parent, started) of a process; None: gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            words = f.read().rpartition(")")[2].split()
        return words[0], int(words[1]), words[19]
    except OSError:
        return None


def kind_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            words = f.read().decode(errors="replace").split("\0")
    except OSError:
        return None
    kind = "runner" if "runner" in words[:2] else words[3] if len(words) > 3 else None
    return "process that begins" if kind == "run" else kind


class Host:
    """`run`, started again whenever it is gone, as a service manager would, and all processes that ever were its own."""

    def __init__(self):
        self.process, self.struck, self.start_at, self.known, self.stopped = None, False, 0, {}, []
        self.log = open("log", "ab")

    def start(self):
        self.process = subprocess.Popen(
            [f"{BUILD}/syncline", "-c", "c.json", "run"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.struck, self.start_at = False, time.monotonic() + RESTART_S
        counted["starts of the supervisor"] += 1

    # A config or connector that is broken just then is a reason to end: the next start takes the good one.
    def tend(self, broken):
        rc = self.process.poll()
        if rc is None or time.monotonic() < self.start_at:
            return
        if not self.struck and not broken and rc != 2:
            with open("log", encoding="utf-8", errors="replace") as f:
                wrong(f"the supervisor ended by itself with {rc}: {f.read()[-300:]}")
        self.start()

    def family(self):
        """All that live, the first one too; those that were seen once are remembered."""
        every = {int(d): stat_of(d) for d in os.listdir("/proc") if d.isdigit()}
        mine, more = {self.process.pid}, True
        while more:
            more = {p for p, s in every.items() if s and s[1] in mine and p not in mine}
            mine |= more
        live = {p: every[p] for p in mine if every.get(p) and every[p][0] != "Z"}
        self.known.update({p: s[2] for p, s in live.items()})
        return live

    def strike(self):
        by_kind = collections.defaultdict(list)
        for pid in self.family():
            kind = "supervisor" if pid == self.process.pid else kind_of(pid)
            if kind:
                by_kind[kind].append(pid)
        if not by_kind:
            return
        # The first one takes all others with it: it is struck more seldom.
        kinds = sorted(k for k in by_kind if k != "supervisor" or rng.random() < 0.15)
        if not kinds:
            return
        kind = rng.choice(kinds)
        pid = rng.choice(by_kind[kind])
        how = rng.choices([signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP], [5, 2, 2])[0]
        self.struck |= kind == "supervisor" and how != signal.SIGSTOP
        if send(pid, how):
            counted[f"{kind} {how.name}"] += 1
        if how == signal.SIGSTOP:
            # By a thread: what waits here may wait for the very process that stands still, which holds a lock.
            self.stopped.append(threading.Timer(rng.uniform(0.2, 2), self.go_on, [pid]))
            self.stopped[-1].start()

    def go_on(self, pid):
        s = stat_of(pid)
        if s and s[2] == self.known.get(pid):
            send(pid, signal.SIGCONT)

    def all_go_on(self):
        for timer in self.stopped:
            timer.join()

    def left(self):
        """Those that were its own and still live."""
        return [p for p, started in self.known.items() if (s := stat_of(p)) and s[2] == started and s[0] != "Z"]


def send(pid, how):
    try:
        os.kill(pid, how)
        return True
    except ProcessLookupError:
        return False


# --- what is replaced and edited meanwhile ---


class Files:
    """The config and the connectors, replaced whole as an editor or an installer does it; now and then by something broken."""

    def __init__(self, connections, pairs):
        self.connections, self.pairs, self.turn = connections, pairs, 0
        self.mend_at, self.bad = 0, None
        os.mkdir("plugins", 0o755)
        self.names = ["jsondir", "sqlite", "rest", "zendesk", "github"]
        for name in self.names:
            self.plugin(name)
        self.config()

    def plugin(self, name, size=None):
        with open(f"{BUILD}/plugins/{name}.so", "rb") as f:
            data = f.read(size)
        with open("plugins/.new", "wb") as f:
            f.write(data)
        os.chmod("plugins/.new", 0o755)
        os.rename("plugins/.new", f"plugins/{name}.so")

    def config(self, size=None):
        self.turn += 1
        text = json.dumps({
            "listen": "127.0.0.1:0", "plugins": ["plugins"], "connections": self.connections,
            "pairs": {p.name: p.text(f"{900 + 10 * (self.turn % 7)}ms") for p in self.pairs}})  # fmt: skip
        with open("c.new", "w", encoding="utf-8") as f:
            f.write(text[:size])
        os.rename("c.new", "c.json")

    def mend(self):
        if self.bad:
            self.bad()
        self.bad = None

    def tend(self, now):
        if self.bad:
            if now >= self.mend_at:
                self.mend()
            return
        what = rng.random()
        name = rng.choice(self.names)
        self.mend_at = now + rng.uniform(0.3, 1.5)
        if what < 0.02:
            self.bad = lambda: self.plugin(name)
            self.plugin(name, rng.randrange(20000))
            counted["broken connectors"] += 1
        elif what < 0.04:
            self.bad = self.config
            self.config(rng.randrange(3000))
            counted["broken configs"] += 1
        elif what < 0.11:
            self.plugin(name)
            counted["connectors replaced"] += 1
        elif what < 0.18:
            self.config()
            counted["configs edited"] += 1


# --- the test ---


def disturb(host, files, pairs):
    end = time.monotonic() + SECONDS
    n = 0
    while (now := time.monotonic()) < end:
        for _ in range(4):
            n += 1
            rng.choice(pairs).edit(n)
        host.strike()
        files.tend(now)
        time.sleep(max(0, EVERY_S - (time.monotonic() - now)))
        host.tend(files.bad)


def settle(host, pairs):
    end = time.monotonic() + SETTLE_S
    waiting = list(pairs)
    while waiting and time.monotonic() < end:
        host.tend(False)
        waiting = [p for p in waiting if not p.in_step()]
        time.sleep(0.2)
    for p in pairs:
        p.judge()


def finish(host):
    host.family()
    send(host.process.pid, signal.SIGTERM)
    rc = host.process.wait(timeout=SETTLE_S)
    if rc:
        wrong(f"the supervisor's exit code is {rc}")
    end = time.monotonic() + 60
    while host.left() and time.monotonic() < end:
        time.sleep(0.1)
    for pid in host.left():
        wrong(f"process {pid}, a {kind_of(pid)}, is left behind")
        send(pid, signal.SIGKILL)


def run(*words):
    return subprocess.run([f"{BUILD}/syncline", "-c", "c.json", *words], capture_output=True, text=True, check=False)


def rest_is_well(pairs):
    status = run("status")
    if status.returncode:
        wrong(f"status exits {status.returncode}: {status.stderr}{status.stdout}"[:600])
    verify = run("verify", "--json")
    lines = [json.loads(line) for line in verify.stdout.splitlines()]
    amiss = [line for line in lines if line.get("differ") != 0]
    if verify.returncode or len(lines) != len(pairs) or amiss:
        wrong(f"verify exits {verify.returncode} with {len(lines)} lines, of which are amiss: {amiss[:3]}; {verify.stderr[:400]}")


def tell(pairs):
    strikes = {k: n for k, n in counted.items() if " SIG" in k}
    others = {k: n for k, n in counted.items() if " SIG" not in k}
    print(f"counts: {sum(strikes.values())} strikes: " + ", ".join(f"{n} {k}" for k, n in sorted(strikes.items())))
    print(f"counts: {sum(len(p.model) for p in pairs)} records in {len(pairs)} pairs; "
          + ", ".join(f"{n} {k}" for k, n in sorted(others.items())))  # fmt: skip
    for p in problems[:20]:
        print(f"wrong: {p}")


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o022)
    os.environ.update(ZENDESK_TOKEN="oauth-1", GITHUB_TOKEN="github-1")
    connections = {}
    pairs = build(connections)
    files, host = Files(connections, pairs), Host()
    host.start()
    try:
        disturb(host, files, pairs)
        files.mend()
        host.all_go_on()
        files.config()  # what was parked because its runners died is tried again when the config is edited
        run("parked", "retry", "--all")  # a record that was alone whenever its runner was struck, as a person would
        settle(host, pairs)
        finish(host)
        rest_is_well(pairs)
    finally:
        for pid in host.left():
            send(pid, signal.SIGKILL)
        for p in pairs:
            for side in p.sides:
                if isinstance(side, Api):
                    side.server.kill()
    tell(pairs)
    return 1 if problems else 0


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""notes.py - a folder of text files as a connector: ID.txt, the first line is the title, the rest the body.

    "notes": {"plugin": "exec", "settings": {"command": ["python3", "notes.py", "/home/ann/notes"]}}

It shows everything a two-way connector needs: a listing by version, reads by id, conditional and atomic writes.
"""

import hashlib
import json
import os
import sys

OBJECT = {
    "name": "notes",
    "id_rule": "name",
    "id_max_bytes": 240,
    "batch_max": 500,
    "caps": ["create", "update", "delete", "complete", "get", "reserved_id", "conditional"],
    "fields": [
        {"name": "title", "type": "string", "flags": ["writable"]},
        {"name": "body", "type": "string", "flags": ["writable"]},
    ],
}


class Refused(Exception):
    """A call, or one write, that ends with a class of README.md and a sentence."""

    def __init__(self, sl_class, message, record=None):
        super().__init__(message)
        self.sl_class = sl_class
        self.record = record


def say(**answer):
    print(json.dumps(answer, ensure_ascii=False), flush=False)


class Folder:
    def __init__(self, path):
        self.path = path

    def file(self, note_id):
        """The file of an id; what could leave the folder, or hide in it, is refused."""
        if not note_id or note_id[0] == "." or any(c == "/" or ord(c) < 32 or ord(c) == 127 for c in note_id):
            raise Refused("rejected", f"id {note_id!r} is no file name: no slash, no leading dot, no control character")
        if len(note_id.encode("utf-8")) > OBJECT["id_max_bytes"]:
            raise Refused("rejected", f"id {note_id[:40]!r}… is too long: at most {OBJECT['id_max_bytes']} bytes")
        return os.path.join(self.path, note_id + ".txt")

    def content(self, note_id):
        """The bytes of a note; None if there is none. A link is not followed."""
        try:
            fd = os.open(self.file(note_id), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        with open(fd, "rb") as f:
            return f.read()

    def ids(self):
        names = (e.name for e in os.scandir(self.path) if not e.name.startswith("."))
        return sorted(n[:-4] for n in names if n.endswith(".txt") and n.isprintable())

    def put(self, note_id, data, new):
        """Writes a note whole or not at all, durably; `new`: never over another one."""
        path = self.file(note_id)
        temp = os.path.join(self.path, f".notes-{os.getpid()}.tmp")
        with open(temp, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        try:
            os.link(temp, path) if new else os.replace(temp, path)
        finally:
            if os.path.exists(temp):
                os.unlink(temp)
        self.flush()

    def remove(self, note_id):
        os.unlink(self.file(note_id))
        self.flush()

    def flush(self):
        fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def version(data):
    # Of the content, not of the file's times: two edits within one tick of the clock differ, too.
    return hashlib.sha256(data).hexdigest()[:32]


def record(note_id, data):
    title, _, body = data.decode("utf-8").partition("\n")
    return {"id": note_id, "version": version(data), "fields": {"title": title, "body": body}}


def text(fields, old):
    title = fields.get("title", old["title"]) or ""
    body = fields.get("body", old["body"]) or ""
    if "\n" in title:
        raise Refused("rejected", "the title of a note is one line: take the line break out of it")
    return f"{title}\n{body}".encode("utf-8")


def say_note(folder, note_id):
    """Says one note, whatever state it is in."""
    try:
        data = folder.content(note_id)
        if data is None:
            say(tombstone={"id": note_id})
        else:
            say(record=record(note_id, data))
    except (Refused, OSError, UnicodeDecodeError) as e:
        say(unreadable={"id": note_id, "class": "rejected", "message": f"note {note_id}: {e}; correct the file"})


def check(folder, _request):
    if not os.path.isdir(folder.path):
        raise Refused("config", f"folder {folder.path} is not there: create it, or correct the command")


def describe(folder, request):
    check(folder, request)
    if request["object"] not in (None, OBJECT["name"]):
        raise Refused("gone", f"there is no object {request['object']!r}: the only one is {OBJECT['name']}")
    say(object=OBJECT)


def pull(folder, request):
    check(folder, request)
    for note_id in folder.ids():
        if request["records"]:
            say_note(folder, note_id)
            continue
        try:
            data = folder.content(note_id)
        except OSError:
            say_note(folder, note_id)
            continue
        if data is not None:
            say(stub={"id": note_id, "version": version(data)})
    say(page={"kind": "complete"})


def get(folder, request):
    check(folder, request)
    for note_id in request["ids"]:
        say_note(folder, note_id)


def create(folder, write, _old):
    data = text(write["fields"], {"title": "", "body": ""})
    try:
        folder.put(write["id"], data, new=True)
    except FileExistsError:
        there = record(write["id"], folder.content(write["id"]))
        raise Refused("exists", f"note {write['id']} is there already", there) from None
    return record(write["id"], data)


def update(folder, write, old):
    data = text(write["fields"], record(write["id"], old)["fields"])
    folder.put(write["id"], data, new=False)
    return record(write["id"], data)


def delete(folder, write, _old):
    folder.remove(write["id"])


KINDS = {"create": create, "update": update, "delete": delete}


def write_one(folder, write):
    if write["kind"] not in KINDS:
        raise Refused("unsupported", f"notes cannot be {write['kind']}d")
    old = folder.content(write["id"])
    if write["kind"] != "create":
        if old is None:
            raise Refused("gone", f"note {write['id']} is not there any more")
        if write["expected_version"] not in (None, "", version(old)):
            raise Refused("conflict", f"note {write['id']} was changed since it was read")
    return KINDS[write["kind"]](folder, write, old)


def write(folder, request):
    check(folder, request)
    for w in request["writes"]:
        try:
            stored = write_one(folder, w)
        except Refused as e:
            say(outcome={"index": w["index"], "result": "not_applied", "class": e.sl_class, "message": str(e),
                         "record": e.record})
        except UnicodeDecodeError as e:
            say(outcome={"index": w["index"], "result": "not_applied", "class": "rejected",
                         "message": f"note {w['id']}: {e}; correct the file"})
        except OSError as e:
            # What was being done may or may not have happened: the host looks before it tries again.
            say(outcome={"index": w["index"], "result": "uncertain", "message": f"note {w['id']}: {e}"})
        else:
            say(outcome={"index": w["index"], "result": "applied", "record": stored})
        sys.stdout.flush()  # each as soon as it is known: what is told is not uncertain if this program dies


CALLS = {"check": check, "describe": describe, "pull": pull, "get": get, "write": write}


def answer(folder, request):
    try:
        if request["call"] not in CALLS:
            raise Refused("unsupported", f"notes.py does not know the call {request['call']}")
        CALLS[request["call"]](folder, request)
        say(done=True)
    except Refused as e:
        say(error={"class": e.sl_class, "message": str(e)})
    except OSError as e:
        say(error={"class": "retry", "message": str(e)})
    sys.stdout.flush()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: notes.py FOLDER")
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    folder = Folder(sys.argv[1])
    for line in sys.stdin:
        answer(folder, json.loads(line))


if __name__ == "__main__":
    main()

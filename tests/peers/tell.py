#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tell.py - the webhooks of a simulated Zendesk and GitHub for every comment that appears there, twice each and in no order. tell.py DESK CODE TICKET FILE

FILE holds the daemon's address, and is read again for each delivery; one that is not answered 202 is sent again. Until stdin ends: then how
many were delivered, and how many were not taken at first."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import random
import select
import sys
import urllib.error
import urllib.request

desk, code, ticket, address_file = sys.argv[1:5]
random.seed(7)
counts = {"taken": 0, "again": 0}


def ask(url, token):
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + token})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def desk_comments():
    after = ""
    while True:
        page = ask(f"{desk}/api/v2/tickets/{ticket}/comments?page%5Bsize%5D=100{after}", "oauth-1")
        yield from (c["id"] for c in page["comments"])
        if not page["meta"]["has_more"]:
            return
        after = "&page%5Bafter%5D=" + page["meta"]["after_cursor"]


def code_comments():
    page, n = [None], 1
    while page:
        page = ask(f"{code}/repos/acme/desk/issues/1/comments?per_page=100&page={n}", "github-1")
        yield from (c["id"] for c in page)
        n += 1


def of_desk(_):
    body = json.dumps({"ticket_id": ticket}).encode()
    at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    mac = hmac.new(os.environ["DESK_HOOK_SECRET"].encode(), at.encode() + body, hashlib.sha256).digest()
    return "desk/" + os.environ["DESK_HOOK"], body, {
        "X-Zendesk-Webhook-Signature": base64.b64encode(mac).decode(), "X-Zendesk-Webhook-Signature-Timestamp": at}


def of_code(comment):
    body = json.dumps({"action": "created", "issue": {"number": 1}, "comment": {"id": comment},
                       "repository": {"full_name": "acme/desk"}}).encode()
    mac = hmac.new(os.environ["CODE_HOOK_SECRET"].encode(), body, hashlib.sha256).hexdigest()
    return "code/" + os.environ["CODE_HOOK"], body, {"X-GitHub-Event": "issue_comment", "X-Hub-Signature-256": "sha256=" + mac}


def taken(path, body, headers):
    with open(address_file, encoding="utf-8") as f:
        address = f.read().strip()
    request = urllib.request.Request(f"{address}/hooks/{path}", body, {**headers, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 202
    except (urllib.error.URLError, OSError):
        return False


known, waiting = set(), []
while not select.select([sys.stdin], [], [], 0.2)[0] or waiting:
    for name, comments, make in (("desk", desk_comments, of_desk), ("code", code_comments, of_code)):
        try:
            new = [c for c in comments() if (name, c) not in known]
        except (OSError, ValueError, KeyError):
            continue
        known.update((name, c) for c in new)
        waiting += 2 * [(make, c) for c in new]
    random.shuffle(waiting)
    left = []
    for make, comment in waiting:
        if taken(*make(comment)):
            counts["taken"] += 1
        else:
            counts["again"] += 1
            left.append((make, comment))
    waiting = left
print(f"{counts['taken']} webhooks taken, {counts['again']} to be sent again")

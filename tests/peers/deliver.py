#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""deliver.py - webhooks to the daemon: good ones timed, every kind of bad one compared, floods. deliver.py ADDRESS TOKEN SECRET WHAT [ARG...]

WHAT is one of: send (bodies on stdin, one a line: what each was answered), good N WIDTH (N different ones, WIDTH at once: how many of each
answer, then median and 99th percentile in ms), bad (every kind of bad one: the different answers), flips (each bit of a good one another),
flood (bad ones of all kinds until stdin ends), slow N (N that never say all they want, until stdin ends: how many of them were shown out)."""
import asyncio
import collections
import hashlib
import hmac
import os
import sys
import time

address, token, secret, what = sys.argv[1:5]
host, port = address.removeprefix("http://").rsplit(":", 1)
RIGHT = f"/hooks/api/{token}"


def sign(body, key=secret):
    return "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def request(body, path=RIGHT, signature=None, method="POST", headers=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: h", f"X-Signature-256: {signature or sign(body)}", *headers]
    if not any(h.startswith(("Content-Length", "Transfer")) for h in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def ask(data):
    """All that is answered, until its end, without the line that tells the time."""
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        size = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
        text = await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b"no answer"
    finally:
        writer.close()
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:")) + text


def status(answer):
    return answer.split(b" ")[1].decode() if answer.startswith(b"HTTP") else answer.decode()


async def many(requests, width):
    """The answers and how long each took, so many at once."""
    left, out = iter(requests), []

    async def one():
        for data in left:
            begin = time.monotonic()
            answer = await ask(data)
            out.append((answer, (time.monotonic() - begin) * 1000))

    await asyncio.gather(*(one() for _ in range(width)))
    return out


def body(n):
    return b'{"record":{"id":"%s"},"n":%d,"at":"%s"}' % (os.environ.get("ID", "1").encode(), n, os.urandom(6).hex().encode())


def bad_ones():
    """By name. All of them are refused for another reason."""
    good = body(0)
    wrong = sign(good, "a guess")
    yield "forged", request(good, signature=wrong)
    yield "not signed", request(good).replace(b"X-Signature-256", b"X-Other")
    yield "signed with nothing", request(good, signature="sha256=")
    yield "signature of another body", request(good, signature=sign(body(1)))
    yield "signature in capitals", request(good, signature=sign(good).upper())
    yield "signature with more behind it", request(good, signature=sign(good) + "0")
    yield "signature cut short", request(good, signature=sign(good)[:-2])
    yield "wrong token", request(good, path="/hooks/api/" + "0" * len(token))
    yield "part of the token", request(good, path=RIGHT[:-1])
    yield "more than the token", request(good, path=RIGHT + "0")
    yield "token with a slash behind it", request(good, path=RIGHT + "/")
    yield "token escaped", request(good, path="/hooks/api/%%%02x%s" % (ord(token[0]), token[1:]))
    yield "token with a NUL behind it", request(good, path=RIGHT + "%00")
    yield "no token", request(good, path="/hooks/api/")
    yield "no connection", request(good, path="/hooks/" + token)
    yield "nothing", request(good, path="/hooks/")
    yield "unknown connection", request(good, path="/hooks/nobody/" + token)
    yield "connection that takes none", request(good, path="/hooks/y/" + token)
    yield "long name", request(good, path="/hooks/" + "a" * 3000 + "/" + token)
    yield "no JSON, well signed", request(b"payload=%7B%7D")
    yield "broken JSON, well signed", request(b'{"record":')
    yield "nothing but a signature of nothing", request(b"", signature=sign(b"", "a guess"))


def counts_of(answers):
    counts = collections.Counter(status(a) for a, _ in answers)
    return " ".join(f"{n}x{s}" for s, n in sorted(counts.items(), key=lambda c: c[0]))


async def good(n, width):
    answers = await many([request(body(i)) for i in range(n)], width)
    times = sorted(ms for _, ms in answers)
    print(f"{counts_of(answers)}\nmedian {times[len(times) // 2]:.1f} ms, p99 {times[len(times) * 99 // 100]:.1f} ms")


async def bad():
    names, requests = zip(*bad_ones())
    different = collections.defaultdict(list)
    for name, data in zip(names, requests):
        different[await ask(data)].append(name)
    for answer, of in different.items():
        print(repr(answer.decode()), ", ".join(of) if len(different) > 1 else f"{len(of)} kinds")


async def flips():
    text, right = body(0), sign(body(0))
    text = b'{"record":{"id":"1"}}'
    right = sign(text)
    cases = []
    for i in range(8 * len(text)):
        other = bytearray(text)
        other[i // 8] ^= 1 << i % 8
        cases.append(request(bytes(other), signature=right))
    for i in range(8 * len(right)):
        other = bytearray(right.encode())
        other[i // 8] ^= 1 << i % 8
        if other[i // 8] not in b"\r\n\0":
            cases.append(request(text).replace(right.encode(), bytes(other)))
    print(f"{len(cases)}\n{counts_of(await many(cases, 64))}")


async def until_stdin_ends():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def flood():
    kinds, n = [data for _, data in bad_ones()], 0
    big = request(b"", headers=[f"Content-Length: {1 << 30}"])
    kinds += [big, request(b"", method="PUT"), b"nonsense\r\n\r\n"]

    async def one(at):
        nonlocal n
        while True:
            try:
                await ask(kinds[at % len(kinds)])
            except OSError:
                await asyncio.sleep(0.01)
            at += 7
            n += 1

    tasks = [asyncio.create_task(one(i)) for i in range(48)]
    print("on", flush=True)
    await until_stdin_ends()
    for t in tasks:
        t.cancel()
    print(n)


async def slow(n):
    """Half of them never end their headers, half their body; each says a byte now and then."""
    shown_out = 0
    begin = request(body(0))[:60], request(body(0), headers=["Content-Length: 5000"])

    async def one(i):
        nonlocal shown_out
        while True:
            try:
                reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(begin[i % 2])
                while not reader.at_eof():
                    try:
                        await asyncio.wait_for(reader.read(1000), 0.5)
                    except asyncio.TimeoutError:
                        writer.write(b"x")
                writer.close()
            except OSError:
                await asyncio.sleep(0.1)
            shown_out += 1

    tasks = [asyncio.create_task(one(i)) for i in range(n)]
    await asyncio.sleep(1)
    print("on", flush=True)
    await until_stdin_ends()
    for t in tasks:
        t.cancel()
    print(shown_out)


async def send():
    for line in sys.stdin:
        print(status(await ask(request(line.rstrip("\n").encode()))), flush=True)


arguments = [int(a) for a in sys.argv[5:]]
asyncio.run({"send": send, "good": good, "bad": bad, "flips": flips, "flood": flood, "slow": slow}[what](*arguments))

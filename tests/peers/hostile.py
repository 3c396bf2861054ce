#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hostile.py - an API that tries to lead its client astray, and a stranger beside it that counts what reaches it.

hostile.py SECRET [CERT KEY]: prints `port N foreign N` (ports of 127.0.0.1) and serves until its standard input ends. With CERT and KEY home speaks TLS.
GET /_mode/NAME on home chooses what its /items does; GET /_seen tells what was seen: requests and, of them, those with a credential,
which is an Authorization or Cookie header, or SECRET or a token in any spelling anywhere in the request."""
import base64
import gzip
import http.server
import json
import ssl
import sys
import threading
import time
import urllib.parse

SECRET = sys.argv[1]
FRESH = SECRET[::-1]  # what it gives for it: tokens
SPELLINGS = [f(s) for s in (SECRET, FRESH) for f in (
    str, lambda s: urllib.parse.quote(s, safe=""), lambda s: base64.b64encode(s.encode()).decode())]
SEEN = {"home": 0, "home_credentials": 0, "foreign": 0, "foreign_credentials": 0, "tokens": 0}
LOCK = threading.Lock()
MODE = ["plain"]
PORTS = {}
RECORDS = [{"id": "1", "title": "one", "n": 1}, {"id": "2", "title": "two", "n": 2}]


def body_of(records, **more):
    return json.dumps({"items": records, **more}).encode()


class Peer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    place = None

    def log_message(self, *args):
        pass

    def count(self):
        size = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(size) if size else b""
        self.text = "%s %s\n%s" % (self.command, self.path, self.body.decode("utf-8", "replace"))
        for name, value in self.headers.items():  # they were read as Latin-1
            self.text += "\n%s: %s" % (name, value.encode("latin-1").decode("utf-8", "replace"))
        credential = "Authorization" in self.headers or "Cookie" in self.headers or any(s in self.text for s in SPELLINGS)
        with LOCK:
            SEEN[self.place] += 1
            SEEN[self.place + "_credentials"] += credential

    def answer(self, status, body=b"{}", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        if self.path == "/_seen":
            self.answer(200, json.dumps(SEEN).encode())
        elif self.path.startswith("/_mode/"):
            MODE[0] = self.path[len("/_mode/"):]
            self.answer(200)
        else:
            self.count()
            self.act()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve


class Foreign(Peer):
    """Answers as if all were well: what is wrong is that it was asked."""
    place = "foreign"

    def act(self):
        self.answer(200, body_of(RECORDS))


class Home(Peer):
    place = "home"

    def act(self):
        mode = MODE[0].split("_")
        if mode[0] == "echo" and (self.command != "GET" or mode[-1] != "writes"):
            self.echo(int(mode[1]))
        elif self.path.startswith("/token"):
            self.token()
        elif self.command == "GET":
            getattr(self, MODE[0], self.plain)()
        else:
            self.write()

    def echo(self, status):  # shows everybody what it was sent
        self.answer(status, json.dumps({"error": self.text, "message": self.text}).encode(),
                    X_Echo=str(self.headers.get("Authorization")), Set_Cookie="session=" + FRESH)

    def token(self):
        with LOCK:
            SEEN["tokens"] += 1
        if MODE[0] == "token_redirect":
            self.answer(307, Location=self.foreign("/token"))
        else:
            self.answer(200, json.dumps({"access_token": "access-" + FRESH, "refresh_token": "refresh-" + FRESH,
                                          "expires_in": 3600}).encode())

    def write(self):
        if MODE[0] == "write_redirect":
            self.answer(307, Location=self.foreign("/items"))
        else:
            self.answer(201, self.body)

    def foreign(self, path):
        return "http://127.0.0.1:%d%s" % (PORTS["foreign"], path)

    def plain(self):
        one = [r for r in RECORDS if self.path == "/items/" + r["id"]]
        self.answer(200, json.dumps(one[0]).encode() if one else body_of(RECORDS))

    write_redirect = token_redirect = plain

    def redirect(self):
        self.answer(302, Location=self.foreign("/items"))

    def named_redirect(self):  # the same address under another name is another origin
        self.answer(302, Location="http://localhost:%d/items" % PORTS["home"])

    def downgrade(self):
        self.answer(302, Location="http://127.0.0.1:%d/items" % PORTS["home"])

    def metadata(self):
        self.answer(302, Location="http://169.254.169.254/latest/meta-data/iam/security-credentials/")

    def file(self):
        self.answer(302, Location="file:///etc/passwd")

    def with_user(self):
        self.answer(302, Location="http://ann:pw@127.0.0.1:%d/items" % PORTS["home"])

    def circle(self):
        self.answer(302, Location="/items")

    def next_link(self):
        self.answer(200, body_of(RECORDS), Link='<%s>; rel="next"' % self.foreign("/items?page=2"))

    def next_url(self):
        self.answer(200, body_of(RECORDS, next_url=self.foreign("/items?page=2")))

    def bomb(self):
        self.answer(200, gzip.compress(b" " * (64 << 20)), Content_Encoding="gzip")

    def endless(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.forever(b"10000\r\n" + b" " * 65536 + b"\r\n", 0)

    def headers_endless(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self.forever(b"X-More: and more\r\n" * 100, 0)

    def headers_slow(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self.forever(b"X-More: and more\r\n", 0.05)

    def forever(self, piece, pause):
        self.close_connection = True
        try:
            while True:
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(pause)
        except OSError:
            pass

    def deep(self):
        self.answer(200, b"[" * 1000000 + b"]" * 1000000)

    def wide(self):
        self.answer(200, b'{"items": [' + b"0," * 5000000 + b"0]}")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what should happen


def serve(handler, certificate):
    server = Server(("127.0.0.1", 0), handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


PORTS["home"] = serve(Home, sys.argv[2:4])
PORTS["foreign"] = serve(Foreign, None)
print("port", PORTS["home"], "foreign", PORTS["foreign"], flush=True)
sys.stdin.read()

"""The service that the tools of formats.py record, and what is asked of it."""

import base64
import gzip
import http.server
import json
import threading

BIG = {"items": [{"id": number, "name": f"Größe {number}", "text": "word " * 20} for number in range(400)]}
# What is hard to write into a text file.
HARD = "--- a: b\n# no comment\r\n\ttab, trailing blanks  \n\n'quoted' \"twice\" \\back\\ %41 {x: [1]}\n\u20ac \U0001f600 e\u0301 \u00a0 \u2028\n  indented\nyes\n..."


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        sent = self.rfile.read(length)
        path = self.path.partition("?")[0]
        status, fields, body = 200, [], b""
        if path == "/json":
            fields, body = [("Content-Type", "application/json")], json.dumps({"a": 1, "list": [1, 2.50, None], "ü": "ß"}, ensure_ascii=False).encode()
        elif path == "/gzip":
            fields, body = [("Content-Type", "application/json"), ("Vary", "Accept-Encoding")], json.dumps({"packed": True, "text": "x" * 500}).encode()
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                fields, body = [*fields, ("Content-Encoding", "gzip")], gzip.compress(body, mtime=0)
        elif path == "/binary":
            fields, body = [("Content-Type", "application/octet-stream"), ("ETag", '"b-1"')], bytes(range(256)) * 4
        elif path == "/redirect":
            status, fields = 302, [("Location", f"http://{self.headers['Host']}/json")]
        elif path == "/relative":
            status, fields, body = 307, [("Location", "/json"), ("Content-Type", "text/html")], b"<a href='/json'>there</a>"
        elif path in ("/echo", "/upload"):
            got = {"method": self.command, "type": self.headers.get("Content-Type"), "length": length, "text": sent.decode("latin-1")}
            status, fields, body = 201, [("Content-Type", "application/json; charset=utf-8")], json.dumps(got).encode()
        elif path == "/cookies":
            fields = [("Set-Cookie", "theme=dark; Path=/"), ("Set-Cookie", "lang=de; Path=/; Expires=Wed, 01 Jan 2098 00:00:00 GMT"), ("Content-Type", "text/plain")]
            body = b"two"
        elif path == "/twice":
            fields, body = [("X-Twice", "one, and"), ("x-twice", "two"), ("Content-Type", "text/plain; charset=utf-8")], b"\xc3\xa4"
        elif path == "/counter":
            self.server.count += 1
            fields, body = [("Content-Type", "application/json"), ("Cache-Control", "no-store")], b'{"count": %d}' % self.server.count
        elif path == "/search":
            fields, body = [("Content-Type", "application/json")], json.dumps({"asked": self.path}).encode()
        elif path == "/item":
            status = 204
        elif path == "/latin":
            fields, body = [("Content-Type", "text/plain; charset=iso-8859-1")], "d\u00e9j\u00e0 vu".encode("latin-1")
        elif path == "/hard":
            fields, body = [("Content-Type", "text/plain; charset=utf-8"), ("X-Hard", "a: b, #c 'd' \"e\" {f}")], HARD.encode()
        elif path == "/big":
            fields, body = [("Content-Type", "application/json")], json.dumps(BIG, ensure_ascii=False).encode()
        elif path == "/empty":
            fields = [("Content-Type", "text/plain")]
        elif path == "/chunked":
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nfirst\r\n8\r\n, second\r\n0\r\n\r\n")
            return
        elif path == "/private":
            status, fields, body = (200 if self.headers.get("Authorization") else 401), [("Content-Type", "application/json")], b'{"mine": true}'
        elif path == "/page":
            fields, body = [("Content-Type", "text/html; charset=utf-8")], b"<!DOCTYPE html><title>page</title><p>ready"
        else:
            status, fields, body = 404, [("Content-Type", "application/problem+json")], b'{"title": "not here"}'
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

    def date_time_string(self, timestamp=None):
        """The same for every answer: some tools give the first of several for all."""
        return "Sun, 01 Mar 2026 10:00:00 GMT"

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Programs that end leave connections behind."""


class Service:
    """The service, until the end of the `with`. Nothing listens at its port after that."""

    def __enter__(self):
        self.server = Listener(("127.0.0.1", 0), Handler)
        self.server.count = 0
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


# MARK: What is asked


def step(method, target, body=None, kind=None, **fields):
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    if kind:
        named["Content-Type"] = kind
    return {"method": method, "target": target, "fields": named, "body": None if content is None else base64.b64encode(content).decode()}


SECRET = "secret-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
STEPS = [
    step("GET", "/json", Accept="application/json"),
    step("GET", "/gzip", Accept_Encoding="gzip"),
    step("GET", "/binary"),
    step("GET", "/redirect"),
    step("GET", "/relative"),
    step("POST", "/echo", '{"b": 2, "a": [1, "ü"]}', "application/json"),
    step("POST", "/echo", '{"b": 3}', "application/json"),
    step("POST", "/echo", "a=1&b=two+words&a=%C3%BC", "application/x-www-form-urlencoded"),
    step("PUT", "/echo", bytes([0, 255, 128, 10, 13, 200]), "application/octet-stream"),
    step("POST", "/upload", "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n\r\nline\r\n--b--\r\n", "multipart/form-data; boundary=b"),
    step("GET", "/cookies"),
    step("GET", "/twice"),
    step("GET", "/counter"),
    step("GET", "/counter"),
    step("GET", "/counter"),
    step("GET", "/search?b=2&a=1&q=%C3%BC+x%2Fy&e="),
    step("GET", "/search?a=1&a=3"),
    step("GET", "/missing"),
    step("HEAD", "/json"),
    step("DELETE", "/item"),
    step("GET", "/latin"),
    step("GET", "/hard"),
    step("GET", "/big"),
    step("GET", "/empty"),
    step("GET", "/chunked"),
    step("GET", "/private", Authorization=f"Bearer {SECRET}"),
]
# For files that hold no bytes that are not UTF-8.
TEXT_STEPS = [asked for asked in STEPS if asked["target"] not in ("/gzip", "/binary", "/latin") and asked["method"] != "PUT"]

"""What the parts of formats.py share: the service that is recorded, what is asked of it, and the way of a recording through mockserve."""

import base64
import gzip
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import traceback

from support import HERE, MOCKSERVE, Server, environment

# About one connection, or about how a body is framed.
FRAMING = {"connection", "keep-alive", "transfer-encoding"}
KEEP = {"folder": None, "only_recording": False}
PARTS = {}
FAILED = []


def part(function):
    PARTS[function.__name__] = function
    return function


# MARK: The service


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


def content(asked):
    return None if asked["body"] is None else base64.b64decode(asked["body"])


def seen(status, fields, body):
    """What a client saw of an answer; bodies without their compression, as some clients take it off and some do not."""
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    return {"status": int(status), "fields": [[name.lower(), value] for name, value in fields], "body": body}


def program(*command, steps, cwd=None, **variables):
    """Runs a client in another language: it reads the steps from its standard input, and writes what it saw to the standard output."""
    done = subprocess.run(
        [*map(str, command)], input=json.dumps(steps).encode(), capture_output=True, cwd=cwd, timeout=300, env={**environment(), **variables}
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout[-500:].decode()}\n{done.stderr[:1500].decode()}"
    return [seen(one["status"], one["fields"], base64.b64decode(one["body"])) for one in json.loads(done.stdout)]


# MARK: Comparing


def value_of(body):
    """A body as JSON of one spelling, if it is JSON."""
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except ValueError:
        return body


def same(what, steps, base, then, other, now, lost=(), by_value=False):
    """Compares what two runs of a client saw. `lost` are fields, perhaps ` of` a target, that the file of the tool does not hold, or that its player
    makes.

    With `by_value` the file holds what JSON says, and not how it was spelled.
    """
    if by_value:
        then, now = ([{**one, "body": value_of(one["body"])} for one in run] for run in (then, now))
    problems = []
    if len(then) != len(now):
        problems.append(f"{len(then)} answers, and {len(now)} now")
    for asked, before, after in zip(steps, then, now):
        name = f"{asked['method']} {asked['target']}"
        if before["status"] != after["status"]:
            problems.append(f"{name}: status {before['status']}, now {after['status']} {after['body'][:300]!r}")
            continue
        if before["body"] != after["body"]:
            problems.append(f"{name}: body of {len(before['body'])} bytes {before['body'][:120]!r}, now {len(after['body'])} bytes {after['body'][:120]!r}")
        old, new = (
            sorted((field, value.replace(origin, "ORIGIN")) for field, value in one["fields"] if field not in FRAMING and field not in lost and f"{field} of {asked['target']}" not in lost)
            for one, origin in ((before, base), (after, other))
        )
        if old != new:
            gone, more = [pair for pair in old if pair not in new], [pair for pair in new if pair not in old]
            problems.append(f"{name}: fields gone {gone}, more {more}")
    assert not problems, f"{what}:\n    " + "\n    ".join(problems)
    print(f"    {what}: {len(now)} answers are the same" + (f", but for {', '.join(sorted(lost))}" if lost else ""), flush=True)


# MARK: The way of a recording


def mockserve(*arguments):
    done = subprocess.run([MOCKSERVE, *map(str, arguments)], capture_output=True, text=True, env=environment(), timeout=300)
    said = (done.stdout + done.stderr).strip()
    shown = " ".join(os.path.basename(str(word)) if os.path.isabs(str(word)) else str(word) for word in arguments)
    print(f"    mockserve {shown}: " + said.replace("\n", "\n        "), flush=True)
    assert done.returncode == 0, f"mockserve {' '.join(map(str, arguments))} ended with {done.returncode}:\n{said}"
    return done.stdout


def keep(tool, file, name=None):
    """Copies what was recorded or exported, for somebody who wants to look at it."""
    if not KEEP["folder"]:
        return
    target = os.path.join(KEEP["folder"], tool, name or os.path.basename(file))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(file):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(file, target)
    else:
        shutil.copy(file, target)


def attempt(what, function, *arguments):
    """What fails is said, and what does not depend on it goes on."""
    try:
        return function(*arguments)
    except Exception as error:
        FAILED.append(f"{what}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
        if isinstance(error, AssertionError):
            print(f"    FAILED: {error}", flush=True)
        else:
            traceback.print_exc(file=sys.stdout)
    return None


def round_trip(tool, place, file, format, client, steps=STEPS, lost=(), lost_by_player=(), **options):
    """Records with the tool, plays its file with mockserve, and has the tool play what mockserve exports.

    `client` takes a mode (`record`, `play`, or `plain`, without the tool), the base URL, the file and the steps, and returns what it saw.
    `lost` is what the file does not hold, `lost_by_player` what the tool changes when it plays its own file; `unplayable` are methods of requests
    that it does not find in an exported file.
    """
    print(f"  {tool}: {file}", flush=True)
    attempt(f"{tool}, {file}", lambda: RoundTrip(tool, place, os.path.join(place, file), format, client, steps, lost, lost_by_player, **options).run())


class RoundTrip:
    def __init__(self, tool, place, file, format, client, steps, lost, lost_by_player, count=None, exported_name=None, by_value=False, unplayable=()):
        self.tool, self.place, self.file, self.format, self.client, self.steps = tool, place, file, format, client, steps
        self.lost, self.own, self.by_value = set(lost), {*lost, *lost_by_player}, by_value
        self.unplayable = unplayable
        self.count = count or (lambda _: len(steps))
        self.cassette = file + ".cassette"
        self.exported = os.path.join(place, "exported", os.path.relpath(os.path.dirname(file), place), exported_name or os.path.basename(file))

    def run(self):
        with Service() as service:
            self.base = service.url
            self.recorded = self.client("record", self.base, self.file, self.steps)
        # With what it has put beside the file.
        keep(self.tool, os.path.dirname(self.file) if os.path.dirname(self.file) != self.place else self.file)
        self.tool_plays("its own file", self.file)
        if KEEP["only_recording"]:
            return
        # What is compared must be what was recorded.
        mockserve("cassette", "import", self.file, "-o", self.cassette, "--keep", "cookie:theme", "--keep", "cookie:lang")
        with open(self.cassette, "rb") as written:
            assert SECRET.encode() not in written.read(), "the token that the client sent is in the cassette"
        listed, expected = rows(self.cassette), self.count(self.file)
        assert len(listed) == expected, f"{expected} were recorded, the cassette has {len(listed)}"
        name = f"{self.tool}, {os.path.basename(self.file)}"
        attempt(f"{name}, replayed", self.mockserve_plays, "what it imported", self.cassette, self.lost)
        attempt(f"{name}, replayed without an import", self.mockserve_plays, "the file itself", self.file, {*self.lost, "set-cookie"})
        os.makedirs(os.path.dirname(self.exported), exist_ok=True)
        mockserve("cassette", "export", self.cassette, "--format", self.format, "-o", self.exported)
        keep(self.tool, self.exported, "exported-" + os.path.relpath(self.exported, os.path.join(self.place, "exported")))
        attempt(f"{name}, exported", self.tool_plays, "what mockserve exported", self.exported, self.unplayable)
        # Nothing is lost on the way there and back.
        again = self.cassette + ".again"
        mockserve("cassette", "import", self.exported, "-o", again, "--keep", "cookie:theme", "--keep", "cookie:lang")
        assert len(rows(again)) == len(listed), "the exported file has less"
        attempt(f"{name}, imported again", self.mockserve_plays, "what it imported of its own export", again, self.own)

    def tool_plays(self, what, file, unplayable=()):
        steps = [step for step in self.steps if step["method"] not in unplayable]
        then = [answer for step, answer in zip(self.steps, self.recorded) if step in steps]
        same(f"{self.tool} plays {what}", steps, self.base, then, self.base, self.client("play", self.base, file, steps), self.own, self.by_value)

    def mockserve_plays(self, what, source, lost):
        url_file = os.path.join(self.place, "url")
        with Server("replay", source, "--port", "0", "--url-file", url_file, "--quiet") as server:
            with open(url_file) as written:
                assert written.read().strip() == server.url
            now = self.client("plain", server.url, None, self.steps)
            same(f"mockserve plays {what}", self.steps, self.base, self.recorded, server.url, now, lost, self.by_value)


def of_mockserve(tool, place, name, format, client, steps=STEPS, lost=(), by_value=False, unplayable=()):
    """The tool plays what mockserve has recorded and exported. `name` is that of the file that is exported."""
    if not KEEP["only_recording"]:
        print(f"  {tool}: {name} of a recording of mockserve", flush=True)
        attempt(f"{tool}, of a recording of mockserve", export_and_play, tool, place, name, format, client, steps, lost, by_value, unplayable)


def export_and_play(tool, place, name, format, client, steps, lost, by_value, unplayable):
    cassette, exported = os.path.join(place, f"{name}-recorded.cassette"), os.path.join(place, "of-mockserve", name)
    os.makedirs(os.path.dirname(exported), exist_ok=True)
    with Service() as service:
        with Server("record", cassette, "--upstream", service.url, "--quiet", "--keep", "cookie:theme", "--keep", "cookie:lang") as server:
            recorded = client("plain", server.url, None, steps)
    mockserve("cassette", "export", cassette, "--format", format, "-o", exported)
    keep(tool, exported, "of-mockserve-" + name)
    recorded = [answer for step, answer in zip(steps, recorded) if step["method"] not in unplayable]
    steps = [step for step in steps if step["method"] not in unplayable]
    now = client("play", service.url, exported, steps)
    same(f"{tool} plays a recording of mockserve", steps, server.url, recorded, service.url, now, lost, by_value)


def rows(cassette):
    """Its recordings and its stubs."""
    found = []
    for verb in (["list"], ["stub", "list"]):
        done = subprocess.run([MOCKSERVE, "cassette", *verb, cassette, "--json"], capture_output=True, text=True, env=environment(), timeout=60)
        assert done.returncode == 0, done.stderr
        found += [json.loads(line) for line in done.stdout.split("\n") if line]
    return found

"""Clients and users that behave oddly: who reads slowly, leaves, closes half, stops the server, or changes the cassette meanwhile.

Those that measure time say so. Usage: faults.py [PART OF A NAME]
"""

import gzip
import hashlib
import http.client
import http.server
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

from support import MOCKSERVE, Server, environment, exchange, folder, passed

MIB = 1 << 20
BLOCK = random.Random(1).randbytes(MIB)
TIMEOUT = 60
MODES = ("all", "missing", "once", "passthrough")
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def head(self, status=200, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def do_GET(self):
        """/bytes/N and /chunks/N: N MiB; /endless: chunks for as long as somebody takes them."""
        self.seen.append(self.path)
        kind, _, count = self.path[1:].partition("/")
        if kind == "bytes":
            self.head(Content_Type="application/octet-stream", Content_Length=int(count) * MIB)
            for _ in range(int(count)):
                self.wfile.write(BLOCK)
        elif kind in ("chunks", "endless"):
            self.head(Content_Type="application/octet-stream", Transfer_Encoding="chunked")
            rest = int(count) if kind == "chunks" else -1
            while rest:
                self.wfile.write(b"%x\r\n%s\r\n" % (MIB, BLOCK))
                rest -= 1
            self.wfile.write(b"0\r\n\r\n")
        elif kind == "tagged":
            if self.headers.get("If-None-Match") == '"v1"':
                self.head(304, ETag='"v1"')
            else:
                self.head(ETag='"v1"', Content_Length=5)
                self.wfile.write(b"whole")
        elif kind == "gzip":
            text = gzip.compress(b"hello " * 50, mtime=0)
            self.head(Content_Type="text/plain", Content_Encoding="gzip", Content_Length=len(text))
            self.wfile.write(text)
        else:
            text = f"answer to {self.path}".encode()
            self.head(Content_Type="text/plain", Content_Length=len(text))
            self.wfile.write(text)

    def do_POST(self):
        body = self.body()
        self.seen.append(self.path)
        text = hashlib.sha256(body).hexdigest().encode()
        self.head(Content_Type="text/plain", Content_Length=len(text))
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Threaded(http.server.ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, *_):
        pass


class Place:
    """An upstream and a folder for one check."""

    def __init__(self, temporary, url):
        self.folder, self.url = temporary, url
        self.cassette = os.path.join(temporary, "a.cassette")

    def record(self, mode="all", *options, **more):
        return Server("record", self.cassette, "--upstream", self.url, "--mode", mode, "--quiet", *options, **more)

    def replay(self, *options, **more):
        return Server("replay", self.cassette, "--quiet", *options, **more)

    def rows(self):
        return [json.loads(line) for line in self.command("list", "--json", self.cassette).splitlines()]

    def command(self, *arguments):
        result = subprocess.run([MOCKSERVE, "cassette", *arguments], capture_output=True, text=True, env=environment(), timeout=300)
        assert result.returncode == 0, f"cassette {arguments[0]} ends with {result.returncode}: {result.stderr[-400:]}"
        return result.stdout

    def is_one_file(self):
        left = sorted(os.listdir(self.folder))
        assert left == ["a.cassette"], f"{left} is left"


def get(port, target, **fields):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    connection.request("GET", target, headers={name.replace("_", "-"): value for name, value in fields.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer, body


def raw(*lines, target="/a", method="GET"):
    return f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n".encode() + b"".join(line.encode() + b"\r\n" for line in lines) + b"\r\n"


class Reader:
    """A client that reads an answer piece by piece, as slowly as it is told to."""

    def __init__(self, port, target, half_close=False):
        self.connection = socket.socket()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        self.connection.settimeout(TIMEOUT)
        self.connection.connect(("127.0.0.1", port))
        self.connection.sendall(raw("Connection: close", target=target))
        if half_close:
            self.connection.shutdown(socket.SHUT_WR)
        self.stream = self.connection.makefile("rb")
        status = self.stream.readline()
        assert b" 200 " in status, status
        self.is_chunked = False
        while (line := self.stream.readline()) != b"\r\n":
            self.is_chunked |= line.lower().startswith(b"transfer-encoding")
        self.count = 0
        self.digest = hashlib.sha256()

    def read(self, blocks=None, pause=0.0):
        """Takes so many MiB, or all that comes; pauses after each, as the speed of the client is what is tested."""
        clock = threading.Event()
        while blocks is None or blocks > 0:
            if self.is_chunked:
                size = int(self.stream.readline() or b"0", 16)
                piece = self.stream.read(size)
                self.stream.readline()
            else:
                piece = self.stream.read(MIB)
            if not piece:
                return
            self.count += len(piece)
            self.digest.update(piece)
            if blocks is not None:
                blocks -= 1
            if pause:
                clock.wait(pause)

    def is_whole(self, blocks):
        expected = hashlib.sha256(BLOCK * blocks).digest()
        assert self.count == blocks * MIB and self.digest.digest() == expected, f"{self.count} of {blocks * MIB} bytes came"

    def leave(self):
        self.stream.close()
        self.connection.close()


# MARK: Slow readers


@check
def half_closed_clients_get_all(place):
    for mode in ("all", "passthrough", "missing"):
        with place.record(mode) as server:
            for target in ("/bytes/30", "/chunks/30"):
                reader = Reader(server.port, target, half_close=True)
                reader.read(pause=0.02)
                reader.is_whole(30)
    with place.replay() as server:
        for target in ("/bytes/30", "/chunks/30"):
            reader = Reader(server.port, target, half_close=True)
            reader.read(pause=0.02)
            reader.is_whole(30)


@check
def a_slow_reader_gets_all_when_the_server_stops(place):
    """Measures time: the client needs about two seconds of a deadline of twenty."""

    def stopping(server, target):
        reader = Reader(server.port, target)
        reader.read(blocks=1)
        os.kill(server.pid, signal.SIGTERM)
        reader.read(pause=0.06)
        reader.is_whole(30)
        assert server.process.wait(TIMEOUT) == 0

    for target in ("/bytes/30", "/chunks/30"):
        for mode in ("all", "passthrough"):
            stopping(place.record(mode, "--stop-deadline", "20"), target)
        sizes = [row["response_size"] for row in place.rows() if row["target"] == target]
        assert sizes == [30 * MIB], f"recorded {sizes}"
        stopping(place.replay("--stop-deadline", "20"), target)
    place.is_one_file()


@check
def stopping_does_not_wait_for_downloads_that_were_left(place):
    """Measures time: the deadline of a second and two more."""
    late = []
    for mode in ("all", "missing", "passthrough"):
        for target in ("/bytes/300", "/endless"):
            server = place.record(mode, "--stop-deadline", "1", stderr=subprocess.DEVNULL)
            readers = [Reader(server.port, target) for _ in range(8)]
            for reader in readers:
                reader.read(blocks=4)
            for reader in readers:
                reader.leave()
            start = time.monotonic()
            os.kill(server.pid, signal.SIGTERM)
            status = server.process.wait(TIMEOUT)
            seconds = time.monotonic() - start
            late += [f"{mode}, {target}: stopping took {seconds:.1f} s"] if seconds >= 3 else []
            assert status in (0, 69), f"{mode}, {target}: ended with {status}"
            if os.path.exists(place.cassette):
                place.rows()
                place.is_one_file()
    assert not late, "; ".join(late)


@check
def blank_lines_before_requests_give_one_answer_each(place):
    with place.record() as server:
        assert get(server.port, "/a")[0] == get(server.port, "/b")[0] == 200

    def asks(server, name):
        # One after another, each after the answer to the one before.
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            for number, target in enumerate(("/a", "/a", "/a", "/b", "/a", "/a")):
                connection.sendall(b"\r\n\r\n" * (number != 3) + raw(target=target))
                got = http.client.HTTPResponse(connection)
                try:
                    got.begin()
                except TimeoutError:
                    raise AssertionError(f"{name}: request {number}, {target}, is not answered") from None
                body = got.read()
                assert got.status == 200 and body == f"answer to {target}".encode(), f"{name}: request {number} is answered {got.status} {body[:100]!r}"
        # And all at once.
        data = (b"\r\n\r\n" + raw(target="/a")) * 3 + raw("Connection: close", target="/b")
        answer = exchange(server.port, data)
        bodies = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 ")[1:]]
        assert bodies == [b"answer to /a"] * 3 + [b"answer to /b"], f"{name}, pipelined: {answer[:600]!r}"

    with place.replay() as server:
        asks(server, "replay")
    for mode in MODES:
        with place.record(mode) as server:
            asks(server, mode)


# MARK: The cassette meanwhile


@check
def removing_a_body_of_a_gibibyte_is_quick(place):
    """Measures time, beside that of adding the body: both write as much to the same disk."""
    big = os.path.join(place.folder, "big")
    with open(big, "wb") as file:
        file.truncate(1 << 30)
    start = time.monotonic()
    place.command("add", place.cassette, "--request", "GET /big", "--file", big)
    adding = time.monotonic() - start
    place.command("add", place.cassette, "--request", "GET /small", "--text", "small")
    os.remove(big)
    assert os.path.getsize(place.cassette) > 1 << 30
    start = time.monotonic()
    place.command("remove", place.cassette, "1")
    seconds = time.monotonic() - start
    assert [row["target"] for row in place.rows()] == ["/small"]
    place.is_one_file()
    assert seconds < adding, f"removing took {seconds:.1f} s, adding {adding:.1f} s"
    return f"{seconds:.1f} s, adding {adding:.1f} s"


@check
def a_cassette_that_is_deleted_while_it_is_recorded_fails_loudly(place):
    for name in ("deleted", "replaced by another", "moved away"):
        server = place.record("all", stderr=subprocess.DEVNULL)
        assert get(server.port, "/before")[0] == 200
        if name == "deleted":
            os.remove(place.cassette)
        else:
            os.rename(place.cassette, f"{place.cassette}.old")
            if name == "replaced by another":
                place.command("add", place.cassette, "--request", "GET /other", "--text", "other")
        for number in range(3):
            status, _, body = get(server.port, f"/after/{number}")
            assert status == 502, f"{name}: answer {number} is {status}, and recorded nowhere"
            assert b"cassette" in body, f"{name}: does not say so: {body[:300]!r}"
        status = server.stop(expected=None)
        assert status not in (0, None) and status > 0, f"{name}: ended with {status}"
        for left in os.listdir(place.folder):
            os.remove(os.path.join(place.folder, left))


@check
def rules_added_meanwhile_take_effect_at_once(place):
    with place.record() as server:
        assert get(server.port, "/page?ts=1&x=1")[0] == 200
    log = os.path.join(place.folder, "log")
    with open(log, "w") as stderr, place.replay(stderr=stderr) as server:
        # Often enough that the answer is kept ready.
        for _ in range(20):
            assert get(server.port, "/page?ts=1&x=1")[0] == 200
        place.command("rule", "add", place.cassette, "--ignore", "query:ts")
        status, _, body = get(server.port, "/page?ts=2&x=1")
        assert status == 200, f"after a rule was added: {status} {body[:200]!r}"
        assert get(server.port, "/page?ts=1&x=1")[0] == 200
        place.command("rule", "add", place.cassette, "--ignore", "query:x")
        assert get(server.port, "/page?ts=9&x=9")[0] == 200, "after a second rule"
        # Recording has added what it redacts by default; only what was added here is removed.
        rules = place.command("rule", "list", place.cassette).splitlines()
        place.command("rule", "remove", place.cassette, *[rule.split()[0] for rule in rules if " ignore " in rule])
        assert get(server.port, "/page?ts=1&x=1")[0] == 200
        status, _, _ = get(server.port, "/page?ts=3&x=1")
        assert status == 404, f"after the rules were removed: {status}"


# MARK: Uploads and pages


@check
def compressed_uploads_end(place):
    generator = random.Random(2)
    bodies = {
        "5 MiB of text": gzip.compress(generator.randbytes(5 * MIB // 2).hex().encode(), 1),
        "5 MiB in gzip": gzip.compress(generator.randbytes(5 * MIB).hex().encode(), 1),
    }
    assert len(bodies["5 MiB in gzip"]) > 5 * MIB
    for mode in MODES:
        for name, body in bodies.items():
            for chunked in (True, False):
                way = f"{mode}: {name}, {'chunked' if chunked else 'of a length'}"
                with place.record(mode) as server:
                    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
                    pieces = (body[start:start + 100_000] for start in range(0, len(body), 100_000))
                    fields = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
                    if not chunked:
                        fields["Content-Length"] = str(len(body))
                    try:
                        connection.request("POST", "/sum", body=pieces if chunked else body, headers=fields, encode_chunked=chunked)
                        answer = connection.getresponse()
                        text = answer.read()
                    except TimeoutError:
                        server.kill()
                        raise AssertionError(f"{way}: no answer") from None
                    finally:
                        connection.close()
                    assert answer.status == 200 and text == hashlib.sha256(body).hexdigest().encode(), f"{way}: {answer.status} {text[:200]!r}"
                if os.path.exists(place.cassette):
                    os.remove(place.cassette)


@check
def pages_of_other_sites_are_not_forwarded(place):
    for mode in MODES:
        with place.record(mode) as server:
            allowed = (None, "http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:8000", server.url, "http://app.localhost:1")
            refused = ("https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example", "https://evil.example:8443", "http://evil.example@localhost.evil", "null")
            for number, origin in enumerate(allowed + refused):
                target = f"/{mode}/{number}"
                lines = [f"Origin: {origin}"] if origin else []
                answer = exchange(server.port, raw(*lines, "Content-Length: 0", "Connection: close", target=target, method="POST"))
                wanted = 200 if origin in allowed else 403
                assert answer.startswith(b"HTTP/1.1 %d " % wanted), f"{mode}: Origin {origin} is answered {answer[:300]!r}"
                assert (target in Upstream.seen) == (wanted == 200), f"{mode}: Origin {origin} and the upstream"
        if os.path.exists(place.cassette):
            os.remove(place.cassette)


@check
def web_sockets_are_refused(place):
    for mode in MODES:
        with place.record(mode) as server:
            for number, (connection, upgrade) in enumerate((("Upgrade", "websocket"), ("keep-alive, Upgrade", "WebSocket"), ("upgrade", "h2c, websocket"))):
                target = f"/{mode}/socket{number}"
                lines = (f"Connection: {connection}", f"Upgrade: {upgrade}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
                answer = exchange(server.port, raw(*lines, target=target), half_close=True)
                assert answer.startswith(b"HTTP/1.1 501 "), f"{mode}: Upgrade: {upgrade} is answered {answer[:300]!r}"
                assert target not in Upstream.seen, f"{mode}: Upgrade: {upgrade} was forwarded"


# MARK: Answers that depend on fields


@check
def conditions_are_answered_as_they_were(place):
    def shows(server, condition):
        status, answer, body = get(server.port, "/tagged", **({"If_None_Match": condition} if condition else {}))
        return status, body

    orders = ((None, '"v1"', '"v0"'), ('"v1"', None), (None, '"v1"'), ('"v1"', '"v0"'))
    for recorded in orders:
        with place.record() as server:
            for condition in recorded:
                assert shows(server, condition)[0] == (304 if condition == '"v1"' else 200)
        for asked in ((None, '"v1"', '"v9"', None, '"v1"'), ('"v1"', '"v9"', None), ('"v9"', '"v1"', '"v1"', None)):
            with place.replay() as server:
                for condition in asked:
                    wanted = (304, b"") if condition == '"v1"' else (200, b"whole")
                    got = shows(server, condition)
                    assert got == wanted, f"recorded {recorded}, asked {asked}: If-None-Match {condition} is answered {got}"
        os.remove(place.cassette)


@check
def a_client_gets_the_coding_it_got_when_recording(place):
    packed = gzip.compress(b"hello " * 50, mtime=0)
    with place.record() as server:
        _, answer, body = get(server.port, "/gzip", Accept_Encoding="identity")
        assert answer.getheader("Content-Encoding") == "gzip" and body == packed
    for _ in range(2):
        with place.replay() as server:
            for _ in range(3):
                _, answer, body = get(server.port, "/gzip", Accept_Encoding="identity")
                assert answer.getheader("Content-Encoding") == "gzip" and body == packed, f"{answer.getheader('Content-Encoding')} {body[:40]!r}"


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    upstream = Threaded(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{upstream.server_address[1]}"
    failures, done = [], 0
    for one in CHECKS:
        if part not in one.__name__:
            continue
        Upstream.seen.clear()
        start = time.monotonic()
        with folder() as temporary:
            try:
                note = one(Place(temporary, url))
            except (AssertionError, OSError, http.client.HTTPException, subprocess.TimeoutExpired, RuntimeError) as error:
                failures.append(f"{one.__name__}: {error!r}" if not isinstance(error, AssertionError) else f"{one.__name__}: {error}")
                print(f"FAILED {failures[-1]}", flush=True)
                continue
        done += 1
        print(f"  {one.__name__}, {time.monotonic() - start:.1f} s{': ' + note if note else ''}", flush=True)
    assert not failures, f"{len(failures)} of {len(CHECKS)} fail"
    passed(f"{done} faults do no harm")


main()

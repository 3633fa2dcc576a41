"""Every version of HTTP on either side: what was recorded over one is replayed over another, as it was but for what the versions forbid.

A service is recorded over HTTP/1.1 and over HTTP/2, directly and behind nginx, by clients of the one and of the other version. Then it is
stopped, and curl, Python, Node, Go and Java ask for every answer of it. Their matrix is printed, and every difference. What follows is about
HTTP/2 alone: many streams, upstreams that refuse or go away, streams that are reset on either side.

It needs curl, Node, Go with golang.org/x/net, a JDK, nginx and h2load.

Usage: versions.py [PART OF A NAME]
"""

import base64
import concurrent.futures
import dataclasses
import gzip
import hashlib
import json
import os
import random
import re
import socket
import ssl
import subprocess
import time

import h2.errors
import h2.settings
import httpx
import hyperframe.frame

from checks import Failures, Identity, Nginx, run_checks
from support import HERE, MOCKSERVE, Server, environment, free_port
from versions_service import BINARY, Http2Client, Http2Connection, Request, Service, answer

CLIENT_TIMEOUT = 60
JSON = b'{"b": [1, 2, 3], "a": "text"}'
UPLOAD = random.Random(3).randbytes(300_000)
# Fields that only frame a message, or are about one connection. HTTP/2 has none of them.
FRAMING = {"connection", "keep-alive", "transfer-encoding"}


# MARK: What is asked for


@dataclasses.dataclass
class Case:
    name: str
    path: str
    method: str = "GET"
    body: bytes = None
    fields: tuple = ()
    # What nginx does not pass on.
    behind_nginx: bool = True
    # What a client must be able to show for its answer to prove anything.
    shows: str = None


CASES = [
    Case("json", "/json"),
    Case("head", "/json", "HEAD"),
    Case("no content", "/nothing"),
    Case("not modified", "/tagged", fields=(("If-None-Match", '"t1"'),)),
    Case("not found", "/no-such-thing"),
    Case("redirect", "/moved"),
    Case("post of JSON", "/json", "POST", JSON, (("Content-Type", "application/json"),)),
    Case("post of 300 KB", "/upload", "POST", UPLOAD, (("Content-Type", "application/octet-stream"),)),
    Case("gzip", "/packed", fields=(("Accept-Encoding", "gzip"),)),
    Case("repeated fields", "/repeated"),
    Case("1 MiB", "/binary"),
    Case("unknown length", "/stream"),
    Case("head of that", "/stream", "HEAD"),
    Case("trailers", "/trailers", behind_nginx=False, shows="trailers"),
    Case("early hints", "/early", behind_nginx=False, shows="informational"),
    Case("UTF-8 in a field", "/unicode"),
    Case("several cookies", "/cookies", fields=(("Cookie", "a=1"), ("Cookie", "b=2; c=3"), ("Cookie", "d=4"))),
    Case("0 bytes", "/empty"),
    Case("0 bytes, unknown", "/empty-stream"),
    Case("a head alone", "/head-only"),
]


@dataclasses.dataclass
class Seen:
    """An answer, as a client saw it."""

    version: str = None
    status: int = None
    fields: list = dataclasses.field(default_factory=list)
    body: bytes = None
    trailers: list = dataclasses.field(default_factory=list)
    informational: list = dataclasses.field(default_factory=list)
    error: str = None
    # Of what is wanted: fields that may be missing.
    free: set = dataclasses.field(default_factory=set)


def in_order(fields):
    """By name. The order of the fields of one name counts."""
    return sorted(((name.lower(), value) for name, value in fields), key=lambda field: field[0])


# MARK: Clients


class Client:
    """A program that asks for all cases, one after another."""

    def __init__(self, name, version, is_secure, ask, blind=(), combines=False, unpacks=False):
        self.name, self.version, self.is_secure, self.ask = name, version, is_secure, ask
        # What it does not show of an answer: parts, or names of fields.
        self.blind = set(blind)
        # Whether it makes one field of those with one name, and takes gzip off.
        self.combines, self.unpacks = combines, unpacks

    def url(self, port):
        return f"{'https' if self.is_secure else 'http'}://127.0.0.1:{port}"


def fields_of(case, version):
    """The fields to send. HTTP/1.1 has one `Cookie` (RFC 6265 §5.4)."""
    cookies = [value for name, value in case.fields if name == "Cookie"]
    if version == "2" or not cookies:
        return list(case.fields)
    return [*(field for field in case.fields if field[0] != "Cookie"), ("Cookie", "; ".join(cookies))]


def body_file(place, case):
    if case.body is None:
        return "-"
    path = os.path.join(place, f"body of {case.name}")
    if not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(case.body)
    return path


def curl(option):
    def ask(client, base, ca, cases, place):
        heads, body = os.path.join(place, f"curl-heads{option}"), os.path.join(place, f"curl-body{option}")
        for case in cases:
            for file in (heads, body):
                if os.path.exists(file):
                    os.remove(file)
            command = ["curl", "-sS", "-q", option, "--cacert", ca, "--max-time", "20", "-D", heads, "-o", body, "-w", "%{http_version}", "-H", "Expect:"]
            command += ["--head"] if case.method == "HEAD" else ["-X", case.method]
            for name, value in fields_of(case, client.version):
                command += ["-H", f"{name}: {value}"]
            if case.body is not None:
                command += ["--data-binary", "@" + body_file(place, case)]
            done = subprocess.run([*command, base + case.path], capture_output=True, text=True, timeout=CLIENT_TIMEOUT)
            seen = Seen(version=done.stdout)
            if done.returncode:
                seen.error = f"curl ended with {done.returncode}: {done.stderr.strip()}"
            else:
                read_heads(seen, heads)
                seen.body = b""
                if case.method != "HEAD" and os.path.exists(body):
                    with open(body, "rb") as file:
                        seen.body = file.read()
            yield case.name, seen

    return ask


def read_heads(seen, path):
    """What curl writes of the heads, and of trailers."""
    with open(path, "rb") as file:
        blocks = [block.split(b"\r\n") for block in file.read().split(b"\r\n\r\n") if block.strip()]
    for block in blocks:
        is_head = block[0].startswith(b"HTTP/")
        fields = [(name.decode(), value.strip()) for name, _, value in (line.partition(b":") for line in block[is_head:] if line)]
        if not is_head:
            seen.trailers += fields
        elif (status := int(block[0].split(b" ")[1])) < 200:
            seen.informational.append((status, fields))
        else:
            seen.status, seen.fields = status, fields
    # From HTTP/2 it writes the trailers into the last head.


def python(client, base, ca, cases, place):
    """httpx. It follows nothing, and its raw body has its coding."""
    context = ssl.create_default_context(cafile=ca)
    with httpx.Client(http1=client.version != "2", http2=client.version == "2", verify=context, timeout=20, trust_env=False) as asker:
        for case in cases:
            seen = Seen()
            try:
                with asker.stream(case.method, base + case.path, content=case.body, headers=fields_of(case, client.version)) as response:
                    seen.body = b"".join(response.iter_raw())
                    seen.version = response.http_version.removeprefix("HTTP/")
                    seen.status = response.status_code
                    seen.fields = [(name.decode(), value) for name, value in response.headers.raw]
            except httpx.HTTPError as error:
                seen.error = repr(error)
            yield case.name, seen


def program(*command):
    """A client in another language; versions_client.mjs says how it is asked and answers."""

    def ask(client, base, ca, cases, place):
        path = write_requests(place, cases, client)
        variables = {"CA_FILE": ca, "NODE_EXTRA_CA_CERTS": ca} if client.is_secure else {}
        done = subprocess.run([*command, base, path], capture_output=True, timeout=CLIENT_TIMEOUT, env={**environment(), **variables})
        assert done.returncode == 0, f"{client.name} ended with {done.returncode}: {done.stderr.decode()[-1000:]}"
        yield from read_output(done.stdout.decode())

    return ask


def write_requests(place, cases, client):
    path = os.path.join(place, f"requests of {re.sub('[^a-z0-9]', '-', client.name.lower())}")
    with open(path, "w") as file:
        for case in cases:
            fields = [f"{name}={value}" for name, value in fields_of(case, client.version)]
            file.write("\t".join([case.name, case.method, case.path, body_file(place, case), *fields]) + "\n")
    return path


def read_output(text):
    name, seen = None, None
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "case":
            if seen:
                yield name, seen
            name, seen = rest, Seen()
        elif kind == "error":
            seen.error = rest
        elif kind == "version":
            seen.version = rest
        elif kind == "status":
            seen.status = int(rest)
        elif kind == "informational":
            seen.informational.append((int(rest), []))
        elif kind == "body":
            seen.body = base64.b64decode(rest)
        else:
            field, _, value = rest.partition(" ")
            fields = {"field": seen.fields, "trailer": seen.trailers, "hint": seen.informational[-1][1] if kind == "hint" else None}[kind]
            fields.append((field, base64.b64decode(value)))
    if seen:
        yield name, seen


def clients(place):
    """All of them; those that have to be built are built."""
    assert " HTTP2 " in subprocess.run(["curl", "-V"], capture_output=True, text=True, timeout=20).stdout.replace("\n", " ") + " ", "curl speaks no HTTP/2"
    node = ["node", os.path.join(HERE, "versions_client.mjs")]
    go = os.path.join(place, "versions_client_go")
    # The library is Debian's, which is made to be used so.
    where = {"GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": os.path.join(place, "go-cache")}
    subprocess.run(["go", "build", "-o", go, os.path.join(HERE, "versions_client.go")], check=True, env={**environment(), **where}, timeout=120)
    subprocess.run(["javac", "-d", place, os.path.join(HERE, "VersionsClient.java")], check=True, timeout=60)
    java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", place, "VersionsClient"]
    # The HTTP client of Java shows no trailers, and no informational answers; nor do httpx and fetch.
    hidden = {"trailers", "informational"}
    # Go takes `Trailer` out of the fields.
    return [
        Client("curl --http1.1", "1.1", False, curl("--http1.1")),
        Client("curl --http2, TLS", "2", True, curl("--http2")),
        Client("curl --http2-prior-knowledge", "2", False, curl("--http2-prior-knowledge")),
        Client("httpx HTTP/1.1, TLS", "1.1", True, python, hidden),
        Client("httpx HTTP/2, TLS", "2", True, python, hidden),
        Client("Node http2, TLS", "2", True, program(*node, "http2")),
        Client("Node http2, prior knowledge", "2", False, program(*node, "http2")),
        Client("Node fetch, TLS", "1.1", True, program(*node, "fetch"), hidden | {"version"}, combines=True, unpacks=True),
        Client("Go net/http, TLS", "2", True, program(go, "tls"), {"trailer"}),
        Client("Go x/net, prior knowledge", "2", False, program(go, "prior"), {"trailer"}),
        Client("Java HTTP/1.1", "1.1", False, program(*java, "1.1"), hidden),
        Client("Java HTTP/1.1, TLS", "1.1", True, program(*java, "1.1"), hidden),
        Client("Java HTTP/2, TLS", "2", True, program(*java, "2"), hidden),
    ]


# MARK: Comparing


def wanted(case, client, port, upstream):
    """What the service says to a client that knows it by this port."""
    scheme = "https" if client.is_secure else "http"
    fields = [("host", f"127.0.0.1:{port}".encode()), *((name.lower(), value.encode()) for name, value in fields_of(case, client.version))]
    said = answer(Request(case.method, case.path, fields, case.body or b"", scheme))
    fields, free = in_order(said.all_fields), set()
    if case.name == "a head alone":
        # HTTP/1.1 has to say somehow that nothing follows, and nginx is told by HTTP/1.1.
        if upstream.version == "1.1" or upstream.nginx:
            fields = in_order([*fields, ("content-length", b"0")])
        elif client.version == "1.1":
            free.add("content-length")
    if upstream.scheme == "https" and not client.is_secure:
        # Such a client would not send it back.
        fields = [(name, value.replace(b"; Secure", b"")) for name, value in fields]
    body = b"" if case.method == "HEAD" else said.content
    return Seen(client.version, said.status, fields, body, in_order(said.trailers), said.informational, free=free)


def differences(case, client, expected, seen):
    """One text for each."""
    if seen.error:
        return [seen.error]
    found = []

    def compare(what, before, now):
        if before != now:
            found.append(f"{what}: {now} instead of {before}")

    def content(fields):
        return [field for field in in_order(fields) if field[0] not in FRAMING | client.blind | expected.free]

    fields, now, body = expected.fields, seen.fields, expected.body
    if client.combines:
        fields, now = combined(fields), combined(now)
    if client.unpacks and any(name == "content-encoding" for name, _ in fields):
        body = gzip.decompress(body)
    if "version" not in client.blind:
        compare("version", expected.version, seen.version)
    compare("status", expected.status, seen.status)
    before, now = content(fields), content(now)
    if before != now:
        gone, more = [field for field in before if field not in now], [field for field in now if field not in before]
        found.append(f"fields: gone {gone}, more {more}" if gone or more else f"fields: in another order: {now} instead of {before}")
    if body != seen.body:
        found.append(f"body: {len(seen.body or b'')} bytes {(seen.body or b'')[:60]!r} instead of {len(body)} bytes {body[:60]!r}")
    if "trailers" not in client.blind:
        compare("trailers", in_order(expected.trailers), in_order(seen.trailers))
    if "informational" not in client.blind:
        compare("informational", *([(status, in_order(fields)) for status, fields in one.informational] for one in (expected, seen)))
    return found


def combined(fields):
    """As fetch has them: one of a name, but for `Set-Cookie`."""
    values = {}
    for name, value in in_order(fields):
        if name == "set-cookie":
            values.setdefault((name, value), []).append(value)
        else:
            values.setdefault(name, []).append(value)
    return [(name if isinstance(name, str) else name[0], b", ".join(all_of_it)) for name, all_of_it in values.items()]


# MARK: The matrix


def make_certificate(place):
    """For 127.0.0.1. It signs itself; certificate and key."""
    return Identity(place, "service", "127.0.0.1", "localhost", is_authority=True).files


class Upstream:
    """What is recorded: the service itself, or nginx in front of it."""

    def __init__(self, place, certificate, version, nginx=None):
        self.version, self.nginx = version, None
        if not nginx:
            protocols = ("h2", "http/1.1") if version == "2" else ("http/1.1",)
            self.service = Service(certificate, protocols)
            self.port, self.scheme = self.service.port, "https"
            self.origin = f"https://127.0.0.1:{self.port}"
            return
        self.service = Service(protocols=("http/1.1",))
        self.port, self.scheme = free_port(), "https" if nginx == "TLS" else "http"
        self.origin = f"{'https' if nginx == 'TLS' else 'h2c'}://127.0.0.1:{self.port}"
        speaking = f"ssl http2; ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]}" if nginx == "TLS" else "http2"
        server = (
            f"server {{ listen 127.0.0.1:{self.port} {speaking}; client_max_body_size 1m;\n"
            f"location / {{ proxy_pass http://127.0.0.1:{self.service.port}; proxy_http_version 1.1; proxy_redirect off;\n"
            "proxy_pass_header Date; proxy_pass_header Server; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; } }"
        )
        self.nginx = Nginx(place, server, self.port)

    def cases(self):
        return [case for case in CASES if case.behind_nginx or not self.nginx]

    def stop(self):
        self.service.stop()
        if self.nginx:
            self.nginx.stop()


@dataclasses.dataclass
class Recording:
    name: str
    # Of the client that asks while it is recorded.
    by: str
    version: str
    nginx: str = None


RECORDINGS = [
    Recording("over HTTP/1.1, by a client of HTTP/2", "curl --http2, TLS", "1.1"),
    Recording("over HTTP/1.1, by a client of HTTP/1.1", "curl --http1.1", "1.1"),
    Recording("over HTTP/2, by a client of HTTP/1.1", "curl --http1.1", "2"),
    Recording("over HTTP/2, by a client of HTTP/2", "Node http2, prior knowledge", "2"),
    Recording("over HTTP/2 from nginx", "Go net/http, TLS", "2", "TLS"),
    Recording("over HTTP/2 without TLS from nginx", "Java HTTP/1.1", "2", "prior"),
]


class Matrix:
    def __init__(self, failures):
        self.failures = failures
        self.cells = 0

    def row(self, name, client, cases, seen, upstream, port):
        """Compares what one client saw, and gives a mark for every case."""
        marks = {}
        for case in cases:
            self.cells += 1
            one = seen.get(case.name)
            found = ["no answer"] if one is None else differences(case, client, wanted(case, client, port, upstream), one)
            marks[case.name] = "X" if found else "o" if case.shows and case.shows in client.blind else "+"
            self.failures += [f"{name}, {client.name}, {case.name}: {text}" for text in found]
        return marks


def ask(client, port, ca, cases, place):
    try:
        return dict(client.ask(client, client.url(port), ca, cases, place))
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return {case.name: Seen(error=str(error)[:500]) for case in cases}


def run_recording(recording, everyone, certificate, place, matrix):
    upstream = Upstream(place, certificate, recording.version, recording.nginx)
    cases = upstream.cases()
    cassette, ca = os.path.join(place, "versions.cassette"), os.path.join(place, "ca.pem")
    if os.path.exists(cassette):
        os.remove(cassette)
    by = next(client for client in everyone if client.name == recording.by)
    columns = {}
    # The service as it is, so that what is compared with is what it says.
    if upstream.scheme == "https":
        option = "--http2" if upstream.version == "2" else "--http1.1"
        direct = Client(f"curl {option}, directly", upstream.version, True, curl(option))
    else:
        direct = Client("curl --http2-prior-knowledge, directly", "2", False, curl("--http2-prior-knowledge"))
    columns[direct.name] = matrix.row(recording.name, direct, cases, ask(direct, upstream.port, certificate[0], cases, place), upstream, upstream.port)
    upstream.service.requests.clear()

    options = ["--no-default-redaction", "--require", "field:cookie for GET /cookies", "--upstream-ca", certificate[0], "--ca-file", ca, "--quiet"]
    with Server("record", cassette, "--upstream", upstream.origin, *options) as server:
        columns[f"{by.name}, recording"] = matrix.row(recording.name, by, cases, ask(by, server.port, ca, cases, place), upstream, server.port)
    asked = len(upstream.service.requests)
    if asked != len(cases):
        matrix.failures.append(f"{recording.name}: the service was asked {asked} times for {len(cases)} cases")
    versions = set(upstream.service.versions)
    if not upstream.nginx and versions != {upstream.version}:
        matrix.failures.append(f"{recording.name}: the service was asked in HTTP/{versions}")
    upstream.stop()

    with Server("replay", cassette, "--ca-file", ca, "--quiet") as server:
        # One cassette, one server, all clients at once.
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            places = [os.path.join(place, f"client-{number}") for number in range(len(everyone))]
            for one in places:
                os.makedirs(one, exist_ok=True)
            answers = list(pool.map(lambda pair: ask(pair[0], server.port, ca, cases, pair[1]), zip(everyone, places)))
        for client, seen in zip(everyone, answers):
            columns[client.name] = matrix.row(recording.name, client, cases, seen, upstream, server.port)
        # So that the cookies have counted.
        other = ["curl", "-sS", "--max-time", "20", "-H", "Cookie: a=1; b=2; c=3", "-w", "%{http_code}", f"http://127.0.0.1:{server.port}/cookies"]
        said = subprocess.run(other, capture_output=True, text=True, timeout=30).stdout
        if not said.endswith("404"):
            matrix.failures.append(f"{recording.name}: fewer cookies are answered {said}")
    print_matrix(recording.name, cases, columns)


def print_matrix(name, cases, columns):
    print(f"\nrecorded {name}:")
    for number, column in enumerate(columns):
        print(f"  {chr(97 + number)}  {column}")
    print(" " * 20 + " ".join(chr(97 + number) for number in range(len(columns))))
    for case in cases:
        print(f"  {case.name:<18}" + " ".join(column[case.name] for column in columns.values()), flush=True)


def matrix(place):
    """What every client gets of every recording"""
    failures = []
    everyone = clients(place)
    certificate = make_certificate(place)
    result = Matrix(failures)
    print("+: as it was recorded; o: so, as far as this client shows it; X: it differs", end="")
    for recording in RECORDINGS:
        run_recording(recording, everyone, certificate, place, result)
    if failures:
        raise Failures(failures)
    return f"{result.cells} cells"


# MARK: Misses


def a_miss_says_so(place):
    """A miss over HTTP/2 is answered as over HTTP/1.1, and no stream is the worse for another"""
    cassette = os.path.join(place, "miss.cassette")
    add = [MOCKSERVE, "cassette", "add", cassette, "--request", "GET /here", "--json", '{"here":1}']
    subprocess.run(add, check=True, capture_output=True, env=environment(), timeout=30)
    with Server("replay", cassette, "--quiet") as server:
        client = Http2Client(server.port)
        hit, miss, posted, again = client.finish(
            client.ask("/here"), client.ask("/nowhere"), client.ask("/here", "POST", b"{}"), client.ask("/here")
        )
        client.close()
        assert (hit.status, bytes(hit.body), again.body) == (200, b'{"here":1}', hit.body), (hit, again)
        for one in (miss, posted):
            assert one.status == 404 and one.value("mockserve-miss") == "1" and one.body, one
            assert one.value("content-length") == str(len(one.body)), one
        heads, bodies = [], []
        for option in ("--http1.1", "--http2-prior-knowledge"):
            command = ["curl", "-sS", "-i", option, "--max-time", "20", server.url + "/nowhere"]
            head, _, body = subprocess.run(command, capture_output=True, timeout=30).stdout.partition(b"\r\n\r\n")
            fields = (line.partition(b":")[::2] for line in head.splitlines()[1:])
            heads.append({name.lower(): value for name, value in fields if name.decode().lower() not in FRAMING | {"date"}})
            bodies.append(body)
        assert heads[0] == heads[1] and bodies[0] == bodies[1], f"over HTTP/1.1 {heads[0]} {bodies[0]}, over HTTP/2 {heads[1]} {bodies[1]}"


# MARK: Many streams


def many_streams(place):
    """100 streams of one connection with 1 MiB each are recorded, and replayed as they were"""
    files = os.path.join(place, "files")
    os.makedirs(files)
    digests = {}
    for number in range(100):
        data = random.Random(number).randbytes(1 << 20)
        digests[f"/{number}"] = f"{len(data)} {hashlib.sha256(data).hexdigest()}"
        with open(os.path.join(files, str(number)), "wb") as file:
            file.write(data)
    certificate = make_certificate(place)
    port = free_port()
    nginx = Nginx(place, f"server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]}; root {files}; }}", port)
    cassette, ca, urls = (os.path.join(place, name) for name in ("many.cassette", "many-ca.pem", "urls"))
    with open(os.path.join(place, "many"), "w") as file:
        file.writelines(f"{path}\tGET\t{path}\t-\n" for path in digests)

    def by_node(server):
        command = ["node", os.path.join(HERE, "versions_client.mjs"), "many", f"https://127.0.0.1:{server.port}", os.path.join(place, "many")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, env={**environment(), "CA_FILE": ca})
        assert done.returncode == 0, done.stderr[-500:]
        return dict(line.split(" ", 1) for line in done.stdout.splitlines())

    def by_h2load(server):
        with open(urls, "w") as file:
            file.writelines(f"https://127.0.0.1:{server.port}{path}\n" for path in digests)
        done = subprocess.run(["h2load", "-n", "100", "-c", "1", "-m", "100", "-i", urls], capture_output=True, text=True, timeout=100)
        assert "100 succeeded, 0 failed, 0 errored" in done.stdout and "100 2xx" in done.stdout, done.stdout + done.stderr
        assert "Application protocol: h2" in done.stdout, done.stdout

    def wrong(seen):
        return {path: seen.get(path) for path, digest in digests.items() if seen.get(path) != digest}

    options = ["--upstream-ca", certificate[0], "--ca-file", ca, "--quiet"]
    with Server("record", cassette, "--upstream", f"https://127.0.0.1:{port}", *options) as server:
        seen = by_node(server)
        assert not wrong(seen), f"while recording: {len(wrong(seen))} differ, {wrong(seen)}"
    listing = subprocess.run([MOCKSERVE, "cassette", "list", cassette, "--json"], capture_output=True, text=True, env=environment(), timeout=60)
    rows = [json.loads(line) for line in listing.stdout.splitlines()]
    assert sorted(row["target"] for row in rows) == sorted(digests) and {row["response_size"] for row in rows} == {1 << 20}, f"{len(rows)} are recorded"
    os.remove(cassette)
    with Server("record", cassette, "--upstream", f"https://127.0.0.1:{port}", *options) as server:
        by_h2load(server)
    nginx.stop()
    with Server("replay", cassette, "--ca-file", ca, "--quiet") as server:
        seen = by_node(server)
        assert not wrong(seen), f"replayed: {len(wrong(seen))} differ, {wrong(seen)}"
        by_h2load(server)


# MARK: Upstreams that refuse or go away


class Told(Http2Connection):
    """A connection that does what a test says, once the service has it."""

    def frame(self, frame):
        """Sends a frame that the library would not send, or not so."""
        self.flush()
        self.connection.sendall(frame.serialize())

    def goodbye(self, last, code=0):
        self.frame(hyperframe.frame.GoAwayFrame(0, last_stream_id=last, error_code=code))

    def reset(self, stream, code):
        self.h2.reset_stream(stream, code)
        self.waiting.pop(stream, None)


def recorder(place, service, *options, name="told"):
    """One thread, so that all exchanges have one connection to the upstream."""
    return Server(
        "record", os.path.join(place, f"{name}.cassette"), "--upstream", f"h2c://127.0.0.1:{service.port}", "--threads", "1", "--quiet", *options
    )


def recorded(place, name="told"):
    cassette = os.path.join(place, f"{name}.cassette")
    if not os.path.exists(cassette):
        return []
    listing = subprocess.run([MOCKSERVE, "cassette", "list", cassette, "--json"], capture_output=True, text=True, env=environment(), timeout=60)
    assert listing.returncode == 0, listing.stderr
    return [json.loads(line)["target"] for line in listing.stdout.splitlines()]


def goodbyes_are_followed(place):
    """What an upstream did not look at before it went away is sent again, and what it had begun goes on"""

    class Leaving(Told):
        """The first connection goes away once four are there. Only `/slow`, the first of them, is answered there."""

        def complete(self, stream, request):
            if self.number > 1:
                return super().complete(stream, request)
            self.held = [*getattr(self, "held", []), (stream, request)]
            if len(self.held) == 4:
                assert self.held[0][1].path == "/slow", self.held
                self.goodbye(self.held[0][0])
                super().complete(*self.held[0])

    service = Service(protocols=("h2",), connect=Leaving)
    with recorder(place, service) as server:
        client = Http2Client(server.port)
        numbers = [client.ask("/slow"), client.ask("/json"), client.ask("/json", "POST", JSON), client.ask("/upload", "POST", UPLOAD[:60_000])]
        slow, *others = client.finish(*numbers)
        client.close()
    service.stop()
    assert slow.status == 404 and b"no such thing" in slow.body, f"what had begun is not finished: {slow}"
    assert [one.status for one in others] == [200, 201, 201], [(one.status, bytes(one.body[:200]), one.reset) for one in others]
    assert hashlib.sha256(UPLOAD[:60_000]).hexdigest().encode() in others[2].body, others[2]
    paths = [request.path for request in service.requests]
    assert sorted(paths) == ["/json", "/json", "/slow", "/upload"], f"the service was asked for {paths}"
    assert sorted(recorded(place)) == sorted(paths), recorded(place)
    assert service.connections == 2, f"{service.connections} connections"


def goodbyes_of_nginx(place):
    """nginx that ends a connection after ten requests is asked 30 times at once, and answers all"""
    service = Service(protocols=("http/1.1",))
    port = free_port()
    nginx = Nginx(place, f"server {{ listen 127.0.0.1:{port} http2; keepalive_requests 10; location / {{ proxy_pass http://127.0.0.1:{service.port}; }} }}", port)
    arguments = ["record", os.path.join(place, "nginx.cassette"), "--upstream", f"h2c://127.0.0.1:{port}", "--threads", "1", "--quiet"]
    with Server(*arguments) as server:
        client = Http2Client(server.port)
        streams = client.finish(*(client.ask("/json", "POST", b'{"number": %d}' % number, [("content-type", "application/json")]) for number in range(30)))
        client.close()
    nginx.stop()
    service.stop()
    failed = [(one.status, bytes(one.body[:200])) for one in streams if one.status != 201]
    assert not failed, f"{len(failed)} of 30 fail: {failed[:2]}"
    assert len(service.requests) == 30, f"the service was asked {len(service.requests)} times"
    assert len(recorded(place, "nginx")) == 30, recorded(place, "nginx")


def refusals_are_tried_again(place):
    """A request that an upstream refuses is sent again, whatever it is, but not without end"""

    class Refusing(Told):
        """Refuses the first two of every request, and all for /never."""

        tries = {}

        def begun(self, stream, request):
            self.tries[request.path] = self.tries.get(request.path, 0) + 1
            if request.path == "/never" or self.tries[request.path] <= 2:
                del self.asked[stream]
                self.reset(stream, h2.errors.ErrorCodes.REFUSED_STREAM)

    service = Service(protocols=("h2",), connect=Refusing)
    with recorder(place, service) as server:
        client = Http2Client(server.port)
        numbers = [client.ask("/json", "POST", JSON), client.ask("/tagged"), client.ask("/upload", "POST", UPLOAD[:50_000]), client.ask("/never")]
        *answered, never = client.finish(*numbers)
        client.close()
    service.stop()
    assert [one.status for one in answered] == [201, 200, 201], [(one.status, bytes(one.body[:200])) for one in answered]
    assert hashlib.sha256(UPLOAD[:50_000]).hexdigest().encode() in answered[2].body, answered[2]
    assert never.status == 502 and 2 <= Refusing.tries["/never"] <= 10, f"{never}, {Refusing.tries}"
    assert {path: count for path, count in Refusing.tries.items() if path != "/never"} == {"/json": 3, "/tagged": 3, "/upload": 3}, Refusing.tries
    assert sorted(recorded(place)) == ["/json", "/tagged", "/upload"], recorded(place)


def few_streams(place):
    """Upstreams that take one stream at a time, or three, are asked for no more"""

    class Narrow(Told):
        """Ends the connection if there are more."""

        limit = 1

        def serve(self):
            limit = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self.limit}
            self.h2.local_settings = h2.settings.Settings(client=False, initial_values=limit)
            super().serve()

    for limit in (1, 3):
        Narrow.limit = limit
        service = Service(protocols=("h2",), connect=Narrow)
        with recorder(place, service, name=f"few{limit}") as server:
            client = Http2Client(server.port)
            streams = client.finish(*(client.ask("/json", "POST", b'{"number": %d}' % number, [("content-type", "application/json")]) for number in range(20)))
            client.close()
        service.stop()
        assert [one.status for one in streams] == [201] * 20, [(one.status, bytes(one.body[:200])) for one in streams]


def trailers_after_a_length(place):
    """Trailers come after bodies of known length too, after none, and every time they are asked for"""

    class Trailing(Told):
        def complete(self, stream, request):
            status, body = (b"204", b"") if request.path == "/204" else (b"200", b"" if request.path == "/empty" else b"content")
            length = [] if status == b"204" else [(b"content-length", b"%d" % len(body))]
            self.h2.send_headers(stream, [(b":status", status), (b"content-type", b"text/html"), *length])
            if body:
                self.h2.send_data(stream, body)
            self.h2.send_headers(stream, [(b"grpc-status", b"0")], end_stream=True)

    def check(server, when):
        client = Http2Client(server.port)
        for path in ("/known", "/empty", "/204") * 3:
            stream, = client.finish(client.ask(path))
            assert dict(stream.trailers) == {"grpc-status": "0"}, f"{when}, {path}: {stream}"
            assert bytes(stream.body) == (b"content" if path == "/known" else b""), f"{when}, {path}: {stream}"
        client.close()

    service = Service(protocols=("h2",), connect=Trailing)
    with recorder(place, service, name="trailers") as server:
        check(server, "recording")
    service.stop()
    with Server("replay", os.path.join(place, "trailers.cassette"), "--quiet") as server:
        check(server, "replaying")


def no_answers(place):
    """What is no answer in HTTP/2 is refused at once and not recorded: hints without end, bodies where none may be, trailers that change the framing"""

    class Wrong(Told):
        def headers(self, stream, fields, end=False):
            self.frame(hyperframe.frame.HeadersFrame(stream, self.h2.encoder.encode(fields), flags=["END_HEADERS", *(["END_STREAM"] if end else [])]))

        def complete(self, stream, request):
            if request.path == "/json":
                return super().complete(stream, request)
            if request.path == "/hints":
                for _ in range(33):
                    self.headers(stream, [(b":status", b"103"), (b"link", b"</style.css>")])
            if request.path == "/hint":
                return self.headers(stream, [(b":status", b"103")], end=True)
            self.headers(stream, [(b":status", b"204" if request.path == "/204" else b"200")])
            end = request.path in ("/204", "/head")
            self.frame(hyperframe.frame.DataFrame(stream, b"content", flags=["END_STREAM"] if end else []))
            if not end:
                self.headers(stream, [(b"content-length", b"99")], end=True)

    service = Service(protocols=("h2",), connect=Wrong)
    wrong = ["/hints", "/hint", "/204", "/head", "/trailers"]
    with recorder(place, service, name="wrong") as server:
        client = Http2Client(server.port)
        for path in wrong:
            begin = time.monotonic()
            stream, = client.finish(client.ask(path, "HEAD" if path == "/head" else "GET"))
            # What had begun is cut, unless there is nothing after the head.
            assert stream.status == 502 or stream.reset is not None or path in ("/204", "/head"), f"{path}: {stream}"
            assert time.monotonic() - begin < 5, f"{path} took {time.monotonic() - begin:.1f} s"
            fine, = client.finish(client.ask("/json"))
            assert fine.status == 200, f"after {path}: {fine}"
        client.close()
    service.stop()
    assert set(recorded(place, "wrong")) == {"/json"}, recorded(place, "wrong")


def the_other_version(place):
    """An upstream that does not speak HTTP/2 where that was said of it is named in the answer, with what to do"""
    port = free_port()
    nginx = Nginx(place, f"server {{ listen 127.0.0.1:{port}; }}", port)
    server = Server("record", os.path.join(place, "other.cassette"), "--upstream", f"h2c://127.0.0.1:{port}", "--quiet")
    client = Http2Client(server.port)
    streams = client.finish(*(client.ask("/json") for _ in range(3)))
    client.close()
    # Nothing was recorded.
    server.stop(expected=69)
    nginx.stop()
    for stream in streams:
        assert stream.status == 502 and b"does not speak HTTP/2; an upstream that speaks HTTP/1.1 is named with http://" in stream.body, stream


# MARK: Resets


class Cutting(Told):
    """Resets in the middle of an answer, or closes the connection there."""

    HALF = BINARY[:50_000]

    def complete(self, stream, request):
        cuts = {"/cut", "/cut-unknown", "/closed"}
        if request.path not in cuts:
            return super().complete(stream, request)
        length = [] if request.path == "/cut-unknown" else [(b"content-length", b"100000")]
        self.h2.send_headers(stream, [(b":status", b"200"), (b"content-type", b"application/octet-stream"), *length])
        self.h2.send_data(stream, self.HALF[:16_000])
        self.h2.send_data(stream, self.HALF[16_000:32_000])
        self.h2.send_data(stream, self.HALF[32_000:48_000])
        self.h2.send_data(stream, self.HALF[48_000:])
        self.flush()
        # So that a part of the answer has gone to the client before.
        time.sleep(0.2)
        if request.path == "/closed":
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.reset(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)


CUTS = ("/cut", "/cut-unknown", "/closed")


def check_cut(server, when):
    """A client of each version sees as much as came, and that it was cut; the connection and other streams go on."""
    for path in CUTS:
        client = Http2Client(server.port)
        cut, whole = client.finish(client.ask(path), client.ask("/json"))
        assert cut.status == 200 and cut.reset is not None, f"{when}, {path}: not reset: {cut.status}, {cut.reset}, {len(cut.body)} bytes"
        assert bytes(cut.body) == Cutting.HALF, f"{when}, {path}: {len(cut.body)} bytes instead of {len(Cutting.HALF)}"
        if path != "/closed" or when != "recording":
            assert whole.status == 200 and whole.reset is None, f"{when}, {path}: another stream: {whole}"
        [later] = client.finish(client.ask("/json"))
        assert later.status == 200, f"{when}, {path}: a later stream: {later}"
        client.close()
        for option, codes in (("--http1.1", {18, 56}), ("--http2-prior-knowledge", {92})):
            done = subprocess.run(["curl", "-sS", option, "--max-time", "20", server.url + path], capture_output=True, timeout=30)
            # curl may throw away what came together with the reset of an HTTP/2 stream.
            is_right = done.stdout == Cutting.HALF if option == "--http1.1" else Cutting.HALF.startswith(done.stdout)
            assert done.returncode in codes and is_right, f"{when}, {path}, curl {option}: {done.returncode}, {len(done.stdout)} bytes, {done.stderr}"


def cut_answers(place):
    """An answer that the upstream resets or closes in its middle is a cut answer, in both versions, recorded only if that is asked for"""
    service = Service(protocols=("h2",), connect=Cutting)
    with recorder(place, service) as server:
        check_cut(server, "recording")
    assert set(recorded(place)) == {"/json"}, recorded(place)
    with Server("replay", os.path.join(place, "told.cassette"), "--quiet") as server:
        client = Http2Client(server.port)
        for stream in client.finish(*(client.ask(path) for path in CUTS)):
            assert stream.status == 404 and stream.value("mockserve-miss") == "1", stream
        client.close()
    with recorder(place, service, "--keep-cut", name="kept") as server:
        check_cut(server, "recording")
    service.stop()
    assert set(recorded(place, "kept")) == {"/json", *CUTS}, recorded(place, "kept")
    with Server("replay", os.path.join(place, "kept.cassette"), "--quiet") as server:
        check_cut(server, "replaying")


def a_client_resets_one_stream(place):
    """A client that gives up one stream does not disturb the others, neither while recording nor in a replay"""
    service = Service(protocols=("h2",))
    cassette = os.path.join(place, "told.cassette")

    def disturb(server, when):
        client = Http2Client(server.port)
        given_up, *others = [client.ask("/binary") for _ in range(4)]
        client.until(lambda: len(client.streams[given_up].body) > 100_000)
        client.reset(given_up)
        also = client.ask("/upload", "POST", UPLOAD[:20_000])
        # Before there is an answer.
        client.reset(client.ask("/stream"))
        *others, also = client.finish(*others, also)
        for one in others:
            assert one.status == 200 and bytes(one.body) == BINARY and one.reset is None, f"{when}: {one.status}, {one.reset}, {len(one.body)} bytes"
        assert also.status == 201, f"{when}: {also}"
        [later] = client.finish(client.ask("/json"))
        assert later.status == 200 and not client.said_goodbye, f"{when}: {later}"
        client.close()

    with recorder(place, service) as server:
        disturb(server, "recording")
        assert service.connections == 1, f"the upstream saw {service.connections} connections"
        client = Http2Client(server.port)
        for _ in range(200):
            client.reset(client.ask("/json"))
        [later] = client.finish(client.ask("/tagged"))
        assert later.status == 200, later
        client.close()
    service.stop()
    with Server("replay", cassette, "--quiet") as server:
        disturb(server, "replaying")


CHECKS = [
    a_miss_says_so, goodbyes_are_followed, goodbyes_of_nginx, refusals_are_tried_again, few_streams, trailers_after_a_length, no_answers,
    the_other_version, cut_answers, a_client_resets_one_stream, many_streams, matrix,
]

NEEDED = {
    "curl": "curl", "node": "nodejs", "go": "golang-go", "/usr/share/gocode/src/golang.org/x/net/http2": "golang-golang-x-net-dev",
    "java": "default-jdk-headless", "javac": "default-jdk-headless", "nginx": "nginx-light", "h2load": "nghttp2-client",
}

run_checks(CHECKS, "the versions of HTTP", NEEDED)

"""The service of versions.py, which answers the same in HTTP/1.1 and in HTTP/2, and a client of HTTP/2 whose every frame can be told."""

import dataclasses
import gzip
import hashlib
import json
import random
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

TIMEOUT = 20
BINARY = random.Random(2).randbytes(1 << 20)
PIECES = [f"piece {number}\n".encode() * 50 for number in range(40)]
PACKED = gzip.compress(b"a text that gets shorter " * 400, mtime=0)
DATE = ("Date", "Mon, 02 Mar 2026 10:00:00 GMT")


@dataclasses.dataclass
class Request:
    method: str
    path: str
    # Names in lower case, values as bytes.
    fields: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    scheme: str = "http"

    def values(self, name):
        return [value for key, value in self.fields if key == name]

    @property
    def origin(self):
        scheme = self.values("x-forwarded-proto") or [self.scheme.encode()]
        return (scheme[0] + b"://" + self.values("host")[0]).decode()


@dataclasses.dataclass
class Answer:
    status: int = 200
    fields: list = dataclasses.field(default_factory=list)
    # None: there is no body, and nothing says how long it is.
    body: list = None
    # Whether the length is said beforehand.
    is_known: bool = True
    trailers: list = dataclasses.field(default_factory=list)
    informational: list = dataclasses.field(default_factory=list)

    @property
    def content(self):
        return b"".join(self.body or [])

    @property
    def all_fields(self):
        fields = [DATE, ("Server", "versions"), *self.fields]
        if self.body is not None and self.is_known:
            fields.append(("Content-Length", str(len(self.content))))
        return [(name, value if isinstance(value, bytes) else value.encode()) for name, value in fields]


def as_json(value, status=200, *fields):
    return Answer(status, [("Content-Type", "application/json"), *fields], [json.dumps(value).encode()])


def answer(request):
    """What the service says; the same for every version of HTTP."""
    method, path = request.method, request.path
    if path == "/json" and method == "POST" or path == "/upload":
        return as_json({"bytes": len(request.body), "sha256": hashlib.sha256(request.body).hexdigest()}, 201, ("X-Kind", "made"))
    if path == "/json":
        return as_json({"name": "Zoë", "numbers": [1, 2, 3]}, 200, ("ETag", '"j1"'), ("Cache-Control", "max-age=60"))
    if path == "/nothing":
        return Answer(204, [("X-Kind", "nothing")])
    if path == "/tagged":
        if b'"t1"' in request.values("if-none-match"):
            return Answer(304, [("ETag", '"t1"'), ("Cache-Control", "max-age=60")])
        return Answer(200, [("ETag", '"t1"'), ("Content-Type", "text/plain")], [b"tagged"])
    if path == "/moved":
        target = f"{request.origin}/json"
        return Answer(302, [("Location", target), ("Content-Type", "text/plain")], [f"It is at {target} now.".encode()])
    if path == "/packed":
        return Answer(200, [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")], [PACKED])
    if path == "/repeated":
        cookies = [("Set-Cookie", "first=1; Path=/"), ("Set-Cookie", "second=a, b; Path=/; Secure")]
        return Answer(200, [*cookies, ("X-Twice", "one"), ("X-Between", "here"), ("X-Twice", "two"), ("Content-Type", "text/plain")], [b"repeated"])
    if path == "/binary":
        return Answer(200, [("Content-Type", "application/octet-stream")], [BINARY])
    if path == "/stream":
        return Answer(200, [("Content-Type", "text/plain")], [] if method == "HEAD" else PIECES, is_known=False)
    if path == "/trailers":
        digest = hashlib.sha256(b"".join(PIECES)).hexdigest()
        return Answer(
            200, [("Content-Type", "text/plain"), ("Trailer", "X-Digest, X-Done")], PIECES, is_known=False,
            trailers=[("X-Digest", digest.encode()), ("X-Done", b"yes")],
        )
    if path == "/early":
        hints = [(103, [("Link", b"</a.css>; rel=preload"), ("Link", b"</b.js>; rel=preload")])]
        return Answer(200, [("Content-Type", "text/html")], [b"<p>late</p>"], informational=hints)
    if path == "/unicode":
        return Answer(200, [("X-Text", "Zürich, 東京 🗼"), ("X-Plain", "Zurich"), ("Content-Type", "text/plain")], [b"unicode"])
    if path == "/cookies":
        # Several fields are one to the service (RFC 9113 §8.2.3).
        return Answer(200, [("Content-Type", "text/plain")], [b"cookies: " + b"; ".join(request.values("cookie"))])
    if path == "/empty":
        return Answer(200, [("X-Kind", "empty")], [])
    if path == "/empty-stream":
        return Answer(200, [("X-Kind", "empty")], [], is_known=False)
    if path == "/head-only":
        # HTTP/2 can end an answer with its head. HTTP/1.1 has to say that nothing follows.
        return Answer(200, [("X-Kind", "head")])
    return as_json({"error": "there is no such thing"}, 404)


# MARK: Serving


class Service:
    """Speaks HTTP/1.1 and HTTP/2: by ALPN with a certificate, or one of them without. Gives `answer`, or leaves HTTP/2 to `connect`."""

    def __init__(self, certificate=None, protocols=("h2", "http/1.1"), connect=None):
        self.requests = []
        self.versions = []
        self.connections = 0
        self.protocols = protocols
        self.connect = connect or Http2Connection
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            self.context.set_alpn_protocols(list(protocols))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def scheme(self):
        return "https" if self.context else "http"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(TIMEOUT)
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            protocol = connection.selected_alpn_protocol() if self.context else self.protocols[0]
            self.connections += 1
            with connection:
                if protocol == "h2":
                    self.connect(self, connection, self.connections).serve()
                else:
                    self._serve_http1(connection)
        except OSError:
            pass

    def stop(self):
        self.listener.close()

    def answer(self, request, version):
        self.requests.append(request)
        self.versions.append(version)
        return answer(request)

    def _serve_http1(self, connection):
        reader = connection.makefile("rb")
        while line := reader.readline():
            method, path, _ = line.decode().split(" ")
            request = Request(method, path, scheme=self.scheme)
            while (field := reader.readline()).strip():
                name, _, value = field.partition(b":")
                request.fields.append((name.decode().lower(), value.strip()))
            if b"chunked" in request.values("transfer-encoding"):
                while size := int(reader.readline(), 16):
                    request.body += reader.read(size)
                    reader.readline()
                while reader.readline().strip():
                    pass
            elif lengths := request.values("content-length"):
                request.body = reader.read(int(lengths[0]))
            connection.sendall(http1(self.answer(request, "1.1"), method))


def lines(fields):
    return b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields)


def http1(answer, method):
    """The bytes of an answer."""
    data = b"".join(b"HTTP/1.1 %d Early\r\n" % status + lines(fields) + b"\r\n" for status, fields in answer.informational)
    data += b"HTTP/1.1 %d Said\r\n" % answer.status + lines(answer.all_fields)
    if answer.status in (204, 304):
        return data + b"\r\n"
    if answer.body is None:
        return data + b"Content-Length: 0\r\n\r\n"
    if answer.is_known:
        return data + b"\r\n" + (b"" if method == "HEAD" else answer.content)
    data += b"Transfer-Encoding: chunked\r\n\r\n"
    if method == "HEAD":
        return data
    return data + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in answer.body) + b"0\r\n" + lines(answer.trailers) + b"\r\n"


def lower(fields):
    return [(name.lower().encode(), value) for name, value in fields]


class Http2Connection:
    """A connection of a client that speaks HTTP/2. What is to be sent waits until the client takes it."""

    def __init__(self, service, connection, number):
        self.service, self.connection, self.number = service, connection, number
        configuration = h2.config.H2Configuration(client_side=False, header_encoding=None)
        self.h2 = h2.connection.H2Connection(configuration)
        self.asked = {}
        self.waiting = {}

    def serve(self):
        self.h2.initiate_connection()
        self.flush()
        while data := self.connection.recv(65536):
            for event in self.h2.receive_data(data):
                self.take(event)
            for stream in list(self.waiting):
                self.push(stream)
            self.flush()

    def flush(self):
        self.connection.sendall(self.h2.data_to_send())

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            pseudo = {name: value for name, value in event.headers if name.startswith(b":")}
            fields = [(name.decode(), value) for name, value in event.headers if not name.startswith(b":")]
            request = Request(pseudo[b":method"].decode(), pseudo[b":path"].decode(), [("host", pseudo[b":authority"]), *fields], scheme=self.service.scheme)
            self.asked[event.stream_id] = request
            self.begun(event.stream_id, request)
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if request := self.asked.get(event.stream_id):
                request.body += event.data
        elif isinstance(event, h2.events.StreamEnded):
            if request := self.asked.pop(event.stream_id, None):
                self.complete(event.stream_id, request)
        elif isinstance(event, h2.events.StreamReset):
            self.asked.pop(event.stream_id, None)
            self.waiting.pop(event.stream_id, None)

    def begun(self, stream, request):
        """The head of a request is there."""

    def complete(self, stream, request):
        """A request is there as a whole."""
        self.give(stream, request, self.service.answer(request, "2"))

    def give(self, stream, request, answer):
        for status, fields in answer.informational:
            self.h2.send_headers(stream, [(b":status", b"%d" % status), *lower(fields)])
        is_over = answer.body is None or request.method == "HEAD"
        self.h2.send_headers(stream, [(b":status", b"%d" % answer.status), *lower(answer.all_fields)], end_stream=is_over)
        if is_over:
            return
        self.waiting[stream] = [*answer.body, answer.trailers]
        self.push(stream)

    def push(self, stream):
        """Sends what the client takes of a body, and then its end: a list, the trailers."""
        left = self.waiting.get(stream)
        while left:
            if isinstance(left[0], list):
                trailers = left.pop()
                del self.waiting[stream]
                if trailers:
                    self.h2.send_headers(stream, lower(trailers), end_stream=True)
                else:
                    self.h2.end_stream(stream)
                return
            size = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(left[0]))
            if size <= 0 and left[0]:
                return
            self.h2.send_data(stream, left[0][:size])
            left[0] = left[0][size:]
            if not left[0]:
                left.pop(0)


# MARK: Asking


@dataclasses.dataclass
class Stream:
    status: int = None
    fields: list = dataclasses.field(default_factory=list)
    body: bytearray = dataclasses.field(default_factory=bytearray)
    trailers: list = dataclasses.field(default_factory=list)
    is_over: bool = False
    # The code of RST_STREAM.
    reset: int = None

    def value(self, name):
        return dict(self.fields).get(name)


class Http2Client:
    """One connection that speaks HTTP/2 with prior knowledge."""

    def __init__(self, port):
        self.port = port
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.streams = {}
        self.said_goodbye = False
        self.flush()

    def flush(self):
        self.connection.sendall(self.h2.data_to_send())

    def ask(self, path, method="GET", body=None, fields=()):
        """Sends a request, with a body that a window has room for. Returns the number of its stream."""
        number = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "http"), (":authority", f"127.0.0.1:{self.port}"), (":path", path), *fields]
        if body is not None:
            head.append(("content-length", str(len(body))))
        self.h2.send_headers(number, head, end_stream=body is None)
        for start in range(0, len(body or b""), 16384):
            self.h2.send_data(number, body[start:start + 16384])
        if body is not None:
            self.h2.end_stream(number)
        self.streams[number] = Stream()
        self.flush()
        return number

    def reset(self, number, code=h2.errors.ErrorCodes.CANCEL):
        self.h2.reset_stream(number, code)
        self.streams[number].is_over = True
        self.flush()

    def until(self, condition):
        """Reads until that holds."""
        while not condition():
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("the server closed the connection")
            for event in self.h2.receive_data(data):
                self.take(event)
            self.flush()

    def finish(self, *numbers):
        """Reads until these streams are over, and returns them."""
        self.until(lambda: all(self.streams[number].is_over for number in numbers))
        return [self.streams[number] for number in numbers]

    def take(self, event):
        if isinstance(event, h2.events.ConnectionTerminated):
            self.said_goodbye = True
        stream = self.streams.get(getattr(event, "stream_id", None))
        if stream is None:
            return
        if isinstance(event, h2.events.ResponseReceived):
            stream.fields = list(event.headers)
            stream.status = int(stream.value(":status"))
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = list(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
            if event.flow_controlled_length and not stream.is_over:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            stream.is_over = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset, stream.is_over = int(event.error_code), True

    def close(self):
        self.connection.close()

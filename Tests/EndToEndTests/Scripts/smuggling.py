"""Request smuggling through `record`: what RFC 9112 calls one request is one request for the upstream, or is refused.

Every row is bytes for one client connection that hold the text of a second request, `GET /smuggled/N`. Each goes through the modes
`all`, `missing` and `passthrough` to two upstreams: one reads strictly and refuses what is ambiguous, one believes nearly
everything. Both log the requests they took from the wire. No upstream may see the second request or ambiguous framing, no client may get
an answer to another request, and the next client, on a new connection, must be served as if nothing had been.

Usage: smuggling.py [PART OF A NAME]
"""

import gzip
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading

from support import MOCKSERVE, Server, environment, folder, passed

MODES = ("all", "missing", "passthrough")
TIMEOUT = 15
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


# MARK: The upstreams


class Source:
    """A socket to read lines and bytes from."""

    def __init__(self, connection):
        self.connection = connection
        self.data = bytearray()

    def more(self):
        piece = self.connection.recv(1 << 18)
        if not piece:
            raise EOFError
        self.data += piece

    def line(self):
        while (end := self.data.find(b"\n")) < 0:
            self.more()
        line = bytes(self.data[:end + 1])
        del self.data[:end + 1]
        return line

    def take(self, count):
        while len(self.data) < count:
            self.more()
        piece = bytes(self.data[:count])
        del self.data[:count]
        return piece


class Refused(Exception):
    pass


def read_strictly(source):
    """One request by the letter of RFC 9112; what is ambiguous or malformed is refused."""

    def line():
        text = source.line()
        if not text.endswith(b"\r\n") or b"\r" in text[:-2] or b"\0" in text:
            raise Refused(f"a bad line {text[:80]!r}")
        return text[:-2]

    def section():
        fields = []
        while text := line():
            name, colon, value = text.partition(b":")
            if not colon or not TOKEN.fullmatch(name):
                raise Refused(f"a bad field {text[:80]!r}")
            fields.append((name.lower(), value.strip(b" \t")))
        return fields

    start = line()
    match = re.fullmatch(rb"(%s) (\S+) HTTP/1\.1" % TOKEN.pattern, start)
    if not match:
        raise Refused(f"a bad request line {start[:80]!r}")
    fields = section()
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        raise Refused(f"two framings {lengths} {codings}")
    if [name for name, _ in fields].count(b"host") != 1:
        raise Refused("not one Host")
    if (b"expect", b"100-continue") in [(name, value.lower()) for name, value in fields]:
        source.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body, trailers = b"", []
    if codings:
        if codings[0].lower() != b"chunked":
            raise Refused(f"a bad coding {codings}")
        pieces = []
        while True:
            size = line()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
                raise Refused(f"a bad chunk size {size[:80]!r}")
            if int(size, 16) == 0:
                break
            pieces.append(source.take(int(size, 16)))
            if line():
                raise Refused("a chunk longer than its size")
        body, trailers = b"".join(pieces), section()
    elif lengths:
        if not re.fullmatch(rb"[0-9]+", lengths[0]):
            raise Refused(f"a bad length {lengths}")
        body = source.take(int(lengths[0]))
    return match[1].decode(), match[2].decode("latin-1"), fields, body, trailers


def read_loosely(source):
    """One request as the most gullible server reads it."""

    def line():
        return source.line().rstrip(b"\r\n")

    def section():
        fields = []
        while text := line():
            if text[:1] in b" \t" and fields:
                fields[-1] = (fields[-1][0], fields[-1][1] + b" " + text.strip())
                continue
            name, _, value = text.partition(b":")
            fields.append((name.strip().lower(), value.strip()))
        return fields

    start = line()
    while not start:
        start = line()
    words = start.split()
    if len(words) < 2 or not words[-1].startswith(b"HTTP/"):
        raise Refused(f"a bad request line {start[:80]!r}")
    fields = section()
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = b",".join(value for name, value in fields if name == b"transfer-encoding").lower()
    body, trailers = b"", []
    if lengths and (digits := re.match(rb"\d+", lengths[0])):
        body = source.take(int(digits[0]))
    elif b"chunked" in codings:
        pieces = []
        while True:
            size = re.match(rb"\s*(?:0x)?([0-9A-Fa-f]*)", line())[1]
            if not size or int(size, 16) == 0:
                break
            pieces.append(source.take(int(size, 16)))
            if bytes(source.data[:1]) in (b"\r", b"\n") or not source.data:
                line()
        body, trailers = b"".join(pieces), section()
    return words[0].decode("latin-1"), words[1].decode("latin-1"), fields, body, trailers


class Upstream:
    """Reads requests in one of the two ways, answers each by its own name, and logs them connection by connection."""

    def __init__(self, read):
        self.read = read
        self.connections = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        # Another name than the recorder's own, so that mapping origins changes lengths.
        self.origin = f"http://localhost:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            log = []
            self.connections.append(log)
            thread = threading.Thread(target=self._serve, args=(connection, log), daemon=True)
            thread.start()
            self.threads.append(thread)

    def _serve(self, connection, log):
        source = Source(connection)
        with connection:
            try:
                while True:
                    try:
                        request = self.read(source)
                    except Refused as reason:
                        log.append(("REFUSED", str(reason), [], b"", []))
                        connection.sendall(b"HTTP/1.1 400 Bad\r\nX-For: refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                        return
                    log.append(request)
                    method, target = request[0], request[1].encode("latin-1")
                    body = b"answer to " + target
                    connection.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-For: %s %s\r\nContent-Length: %d\r\n\r\n%s"
                        % (method.encode(), target, len(body), b"" if method == "HEAD" else body)
                    )
            except (OSError, EOFError):
                if source.data:
                    log.append(("CUT", repr(bytes(source.data[:80])), [], b"", []))

    def close(self):
        self.listener.close()
        for thread in self.threads:
            thread.join(TIMEOUT)
            assert not thread.is_alive(), "an upstream connection stays open"


# MARK: The rows


class Row:
    """Bytes for one connection, and what has to become of them.

    - `sees`: the requests, as (method, target, body), that the upstream must see; a body may be a function that judges it.
    - `refused`: whether an error of mockserve's own and the end of the connection must come after them.
    - `either`: the row may also be refused as a whole, as RFC 9112 leaves it open.
    """

    def __init__(self, name, make):
        self.name = name
        self.make = make


class Plan:
    """What a row is made of, for one server."""

    def __init__(self, number, served, origin):
        self.number = number
        self.served = served.encode()
        self.origin = origin.encode()
        self.host = self.served.removeprefix(b"http://")
        self.target = f"/row/{number}"
        self.smuggled = b"GET /smuggled/%d HTTP/1.1\r\nHost: %s\r\n\r\n" % (number, self.host)
        self.sees = []
        self.refused = False
        self.either = False
        self.data = b""

    def head(self, *lines, method="POST", target=None, version="HTTP/1.1", host=True):
        """A head with these lines; `%d` in one is the length of the smuggled text."""
        text = f"{method} {target or self.target} {version}\r\n".encode()
        if host:
            text += b"Host: %s\r\n" % self.host
        for line in lines:
            line = line.encode("latin-1") if isinstance(line, str) else line
            text += line.replace(b"%d", b"%d" % len(self.smuggled)) + b"\r\n"
        return text + b"\r\n"


ROWS = []


def row(name, make):
    ROWS.append(Row(name, make))


def fine(name, *lines, method="POST", body=None, either=False, **head):
    """One request with these field lines whose body of a known length is the smuggled text."""

    def make(plan):
        content = plan.smuggled if body is None else body
        plan.data = plan.head(*lines, method=method, **head) + content
        plan.sees = [(method, plan.target, content)]
        plan.either = either

    row(name, make)


def chunks(plan, size=None, after=b"\r\n", end=b"0\r\n\r\n", content=None):
    """The smuggled text as one chunk, with the size line, what follows the data, or the end replaced."""
    content = plan.smuggled if content is None else content
    size = b"%x\r\n" % len(content) if size is None else size.replace(b"%x", b"%x" % len(content))
    return size + content + after + end


def fine_chunks(name, *lines, method="POST", either=False, coding="Transfer-Encoding: chunked", **pieces):
    def make(plan):
        plan.data = plan.head(*lines, *([coding] if coding else []), method=method) + chunks(plan, **pieces)
        plan.sees = [(method, plan.target, plan.smuggled)]
        plan.either = either

    row(name, make)


def refused(name, *lines, method="POST", chunked=False, tail=None, **head):
    """A request that must be refused, whose end two readers would see in two places."""

    def make(plan):
        plan.data = plan.head(*lines, method=method, **head)
        plan.data += chunks(plan) if chunked else plan.smuggled if tail is None else tail
        plan.refused = True

    row(name, make)


def refused_chunks(name, **pieces):
    def make(plan):
        plan.data = plan.head("Transfer-Encoding: chunked") + chunks(plan, **pieces) + plan.smuggled
        plan.refused = True

    row(name, make)


LENGTH = "Content-Length: %d"
CHUNKED = "Transfer-Encoding: chunked"


def nominations():
    spellings = (
        "content-length", "Content-Length", "CONTENT-LENGTH", "x, content-length", "content-length, x", "close, content-length",
        "keep-alive, Content-Length", "  content-length  ", "\tcontent-length\t", "x\t,\tcontent-length", ",content-length,,",
        "content-length, content-length", "transfer-encoding, content-length",
    )
    for spelling in spellings:
        fine(f"Connection: {spelling!r}", f"Connection: {spelling}", LENGTH)
        fine(f"Connection: {spelling!r} behind", LENGTH, f"Connection: {spelling}")
    fine("Connection: content-length in a second field", "Connection: keep-alive", LENGTH, "connection: content-length")
    fine("Connection: close, then content-length", "Connection: close", "Connection: content-length", LENGTH)
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "MADE-UP"):
        fine(f"{method}, Connection: content-length", "Connection: content-length", LENGTH, method=method)
        fine_chunks(f"{method}, Connection: transfer-encoding", "Connection: transfer-encoding", method=method)
    for spelling in ("Transfer-Encoding", "x, transfer-encoding", "close, transfer-encoding", "\ttransfer-encoding ", "chunked"):
        fine_chunks(f"chunked, Connection: {spelling!r}", f"Connection: {spelling}")
    fine("Connection: content-length without a body", "Connection: content-length", "Content-Length: 0", body=b"")
    fine("Connection: content-length, HTTP/1.0", "Connection: content-length", LENGTH, version="HTTP/1.0")
    names = {
        "transfer-encoding": None, "content-length": None, "host": None, "te": "trailers", "trailer": "x", "expect": "100-continue",
        "content-type": "text/plain", "content-encoding": "identity", "range": "bytes=0-1", "upgrade": None, "connection": None,
        "keep-alive": "timeout=5", "proxy-connection": "close", "authorization": "Basic YTpi", "cookie": "a=b", "content-range": "bytes 0-1/2",
        "if-none-match": '"a"', "accept-encoding": "gzip", "user-agent": "x", "date": "x", "via": "1.1 x", "origin": None,
        "proxy-authorization": "Basic YTpi", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example", "http2-settings": "AAMAAABk",
    }
    for name, value in names.items():
        lines = [f"Connection: {name}"] + ([f"{name}: {value}"] if value else [])
        fine(f"Connection: {name}, with a length", *lines, LENGTH)
        fine_chunks(f"Connection: {name}, in chunks", *lines)


def framings():
    both = ((LENGTH, CHUNKED), (CHUNKED, LENGTH), ("Content-Length: 5", CHUNKED), (CHUNKED, "Content-Length: 5"))
    for number, lines in enumerate(both):
        refused(f"both framings {number}, a body of a length", *lines)
        refused(f"both framings {number}, chunks", *lines, chunked=True)
    refused("both framings, Connection: content-length", "Connection: content-length", LENGTH, CHUNKED, chunked=True)
    refused("both framings, Connection: transfer-encoding", "Connection: transfer-encoding", LENGTH, CHUNKED)
    refused("both framings, the end first", "Content-Length: 5", CHUNKED, tail=b"0\r\n\r\nGET /smuggled/0 HTTP/1.1\r\nHost: x\r\n\r\n")
    # The characters are written as Latin-1: \x0b is a vertical tab, \xa0 a no-break space.
    codings = (
        "xchunked", "chunkedx", "chunked, identity", "identity", "identity, chunked", "chunked, chunked", "gzip, chunked", "chunked, gzip",
        "chunked;q=1", "chunked;", '"chunked"', "\x0bchunked", "chunked\x0b", "\x0cchunked", "\xa0chunked", "chunked\x01", "chunked chunked",
        "chunk", "cow", "", "chunked\x00", "chunked, cow", "gzip",
    )
    for coding in codings:
        refused(f"Transfer-Encoding: {coding!r}", f"Transfer-Encoding: {coding}", chunked=True)
        refused(f"Transfer-Encoding: {coding!r} with a length", f"Transfer-Encoding: {coding}", LENGTH)
    fine_chunks("Transfer-Encoding: Chunked", coding="Transfer-Encoding: CHUNKED")
    fine_chunks("Transfer-Encoding by a tab", coding="tRANSFER-eNCODING:\tchunked\t ")
    fine_chunks("Transfer-Encoding without a space", coding="Transfer-Encoding:chunked")
    fine_chunks("Transfer-Encoding with an empty member", coding="Transfer-Encoding: chunked,", either=True)
    fine("Transfer_Encoding is another field", "Transfer_Encoding: chunked", LENGTH)
    fine("X-Transfer-Encoding is another field", "X-Transfer-Encoding: chunked", LENGTH)
    fine("Content_Length is another field", "Content_Length: 5", LENGTH)
    two = (("chunked", "chunked"), ("chunked", "identity"), ("identity", "chunked"), ("cow", "chunked"), ("chunked", "cow"), ("", "chunked"))
    for first, second in two:
        refused(f"Transfer-Encoding twice: {first!r}, {second!r}", f"Transfer-Encoding: {first}", f"transfer-encoding: {second}", chunked=True)
    lines = (
        "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: \r\n\tchunked",
        "X: a\r\n Transfer-Encoding: chunked", "X: a\nTransfer-Encoding: chunked", "X: a\rTransfer-Encoding: chunked", "X: a\r\r\nTransfer-Encoding: chunked",
        "X: a\0\r\nTransfer-Encoding: chunked", "Transfer-Encoding\0: chunked", "Transfer-Encoding\x0b: chunked", "\x0bTransfer-Encoding: chunked",
        "Transfer-Encoding\r\n: chunked", "Transfer-Encoding: chunked\nX: y", "Transfer-Encoding: chunked\rX: y", "Transfer-Encoding chunked",
        "Transfer\xadEncoding: chunked", "(Transfer-Encoding): chunked", "Transfer Encoding: chunked", ": chunked", "Transfer-Encoding\xa0: chunked",
    )
    for line in lines:
        refused(f"the line {line!r}, chunks", line, chunked=True)
        refused(f"the line {line!r} and a length", LENGTH, line)
    refused("a field before the first by a space", " Transfer-Encoding: chunked", LENGTH, host=False)
    lengths = (
        "+%d", "-%d", "%d,5", "5,%d", "0x%d", "%d;", "%d.0", "", "%d 5", "%d\x0b", "\x0b%d", "%d\x00", "1e1", "'%d'", '"%d"', "%d\xa0", "\xb2", "a", "%d, 5",
        "99999999999999999999999999", "18446744073709551664", "9223372036854775808", "-0", "+0", "1_0", "%d\n", "%d\r\n 5", ",%d", "%d,", "0b1", "00x5",
    )
    for length in lengths:
        refused(f"Content-Length: {length!r}", f"Content-Length: {length}")
    for name, line in (("equal", LENGTH), ("longer", "Content-Length: 900"), ("shorter", "Content-Length: 5"), ("zero", "Content-Length: 0")):
        if name == "equal":
            # RFC 9112 §6.3 lets a recipient take them for one, or refuse.
            fine("Content-Length twice, equal", LENGTH, line, either=True)
            fine("Content-Length: N,N", "Content-Length: %d,%d", either=True)
            fine("Content-Length: N, N", "Content-Length: %d, %d", either=True)
        else:
            refused(f"Content-Length twice, {name}", LENGTH, line)
            refused(f"Content-Length twice, {name} first", line, LENGTH)
    for name, line in (("spaces before", "Content-Length:    %d"), ("spaces behind", "Content-Length: %d   "), ("tabs", "Content-Length:\t%d\t"),
                       ("zeros before", "Content-Length: 000%d"), ("no space", "Content-Length:%d"), ("odd case", "cONTENT-lENGTH: %d")):
        fine(f"Content-Length, {name}", line)
    for line in ("Content-Length : %d", "Content-Length\t: %d", "Content-Length:\r\n %d", "X: a\nContent-Length: %d", "X: a\rContent-Length: %d",
                 "X: a\r\n Content-Length: %d", "Content-Length\0: %d", "Content Length: %d"):
        refused(f"the line {line!r}", line)


def chunk_tricks():
    for name, size in (("an extension", b"%x;a=b\r\n"), ("an extension in quotes", b'%x;a="b;c"\r\n'), ("a name alone", b"%x;a\r\n"),
                       ("zeros", b"0000%x\r\n"), ("two extensions", b"%x;a=b;c=d\r\n")):
        fine_chunks(f"chunk with {name}", size=size)
    # Not by the grammar or bad white space, but the line ends where every reader ends it, and extensions are not forwarded.
    for size in (b"%x ;a=b\r\n", b"%x; a=b\r\n", b"%x;a =b\r\n", b"%x;\r\n", b"%x;;\r\n", b"%x;=\r\n", b"%x;a=\r\n", b'%x;a="\r\n', b"%x;a=b c\r\n", b"%x;\xff\r\n"):
        fine_chunks(f"chunk size {size!r}", size=size, either=True)
    fine_chunks("an extension of the last chunk", end=b"0;a=b\r\n\r\n")
    fine_chunks("zeros in the last chunk", end=b"000\r\n\r\n")
    bad = (
        b"%x;a=b\n", b"%x;\n", b"%x;a\n0\r\n", b"%x\n", b"%x\r", b"%x\r\r\n", b"%x\n\r\n", b"+%x\r\n", b"-%x\r\n", b"0x%x\r\n", b"%x \r\n", b"%x\t\r\n", b" %x\r\n", b"\t%x\r\n",
        b"\r\n", b"g\r\n", b"%xg\r\n", b"%x,5\r\n", b"%x 5\r\n", b"%x;a\0\r\n", b"%x;a\r;b\r\n", b'%x;a="\n"\r\n', b"%x\0\r\n", b"%x\x0b\r\n", b"%x_0\r\n", b"%x:a\r\n", b"'%x'\r\n",
        b"FFFFFFFFFFFFFFFF%x\r\n", b"10000000000000000%x\r\n", b"8000000000000000\r\n", b"7fffffffffffffff1\r\n", b"-1\r\n", b"%x" + b" " * 5000 + b"\r\n",
        b"%x.\r\n", b"0%x h\r\n", b";a=b\r\n",
    )
    for size in bad:
        refused_chunks(f"chunk size {size[:30]!r}", size=size)
    for after in (b"", b"\n", b"\r", b"x\r\n", b"\r\r\n", b"\n\r\n", b" \r\n", b"\0\r\n"):
        refused_chunks(f"after a chunk {after!r}", after=after)
    for end in (b"0\n\r\n", b"0\r\r\n", b"0\r\n\n", b"0\r\n\r\r\n", b"0x0\r\n\r\n", b"-0\r\n\r\n", b"+0\r\n\r\n", b"0 \r\n\r\n", b"0\r\nX: y\n\r\n", b"0\r\nX : y\r\n\r\n", b"0\r\nX: a\r\n b\r\n\r\n",
                b"0\r\nX\r\n\r\n", b"0\r\nX: \0\r\n\r\n", b"0\r\nX: a\rb\r\n\r\n", b"0\r\n X: y\r\n\r\n", b"0\r\n: y\r\n\r\n"):
        refused_chunks(f"the end {end!r}", end=end)
    fine_chunks("a trailer", end=b"0\r\nX: y\r\nX: z\r\n\r\n")
    for line in (b"Content-Length: 5", b"content-length: 0", b"Transfer-Encoding: chunked", b"Host: evil.example", b"Connection: content-length", b"Trailer: x",
                 b"Content-Encoding: gzip", b"Authorization: x", b"Expect: 100-continue", b"TE: trailers"):
        # They may be refused or dropped, but must never change how the head is read (RFC 9110 §6.5.1).
        fine_chunks(f"the trailer {line.decode()}", end=b"0\r\n%s\r\n\r\n" % line, either=True)
        fine_chunks(f"the trailer {line.decode()}, announced", "Trailer: " + line.split(b":")[0].decode(), end=b"0\r\n%s\r\n\r\n" % line, either=True)

    def pieces(plan):
        plan.data = plan.head(CHUNKED) + b"".join(b"1\r\n%c\r\n" % byte for byte in plan.smuggled) + b"0\r\n\r\n"
        plan.sees = [("POST", plan.target, plan.smuggled)]

    def ends(plan):
        content = b"\r\n0\r\n\r\n" + plan.smuggled
        plan.data = plan.head(CHUNKED) + chunks(plan, content=content)
        plan.sees = [("POST", plan.target, content)]

    row("a chunk for every byte", pieces)
    row("a chunk that holds an end", ends)


def heads():
    for line in ("X: a\rb", "X: a\nb", "X: a\0b", "X: \x7f", "X: a\x01b", "\0X: y", "X\0: y", "X y", "X Y: z", "X[: y", "X\xe9: y", ": y", "X: a\r\n b", "X: a\r\n\tb", "X\r: y", "\rX: y", "\nX: y",
                 "X: y\r\n\r"):
        refused(f"the field {line!r}", line, LENGTH)
    for name, lines in (("Host twice", ["Host: 127.0.0.1", "Host: 127.0.0.1"]), ("Host twice, different", ["Host: 127.0.0.1", "Host: evil.example"]), ("no Host", []),
                        ("Host with a list", ["Host: 127.0.0.1, evil.example"]), ("Host with a space", ["Host: 127.0.0.1 evil.example"]), ("Host with a path", ["Host: 127.0.0.1/a"]),
                        ("Host with a user", ["Host: 127.0.0.1@evil.example"]), ("Host of somebody else", ["Host: evil.example"]), ("Host by a space", ["Host : 127.0.0.1"]),
                        ("Host in a fold", ["X: a\r\n Host: 127.0.0.1"])):
        refused(name, *lines, LENGTH, host=False)
    refused("Host twice, nominated", "Host: evil.example", "Connection: host", LENGTH)
    for target in ("http://evil.example/row", "http://127.0.0.1@evil.example/row", "http://evil.example:80/row", "//row/../..\\", "ftp://127.0.0.1/row", "http:///row", "row", "*", "/a b", "/a\tb", "/a#b",
                   "https://evil.example/", "/a\x00b", "/a\rb", "/a\nb", "/a\x7fb"):
        if target.startswith("//"):
            continue
        refused(f"the target {target!r}", LENGTH, target=target)

    def absolute(plan):
        plan.data = plan.head(LENGTH, target=plan.served.decode() + plan.target) + plan.smuggled
        plan.sees = [("POST", plan.target, plan.smuggled)]

    row("the target in absolute form", absolute)
    refused("absolute form, another Host", LENGTH, "Host: evil.example", target="http://127.0.0.1/row", host=False)
    for version in ("HTTP/1.1 ", " HTTP/1.1", "http/1.1", "HTTP/2.0", "HTTP/1.1\r", "HTTP/1.1\0", "HTTP/11", "HTTP/1.1.1", "HTTP/0.9", "HTTP/+1.1", "XTTP/1.1", "HTTP/1.1\tX"):
        refused(f"the version {version!r}", LENGTH, version=version)
    for method in ("PO ST", "POST\t", " POST", "\tPOST", "PO:ST", "\0POST", "POST\r", "P\xd6ST", "", "POST(", "\x0bPOST"):
        refused(f"the method {method!r}", LENGTH, method=method)
    refused("HTTP/1.0 in chunks", CHUNKED, chunked=True, version="HTTP/1.0")
    refused("HTTP/1.0 with both framings", CHUNKED, LENGTH, version="HTTP/1.0")
    refused("HTTP/1.0 in chunks, kept alive", CHUNKED, "Connection: keep-alive", chunked=True, version="HTTP/1.0")
    fine("HTTP/1.0 with a length", LENGTH, version="HTTP/1.0")
    fine("HTTP/1.0 kept alive", LENGTH, "Connection: keep-alive", version="HTTP/1.0")
    fine("HTTP/1.0 without Host", LENGTH, version="HTTP/1.0", host=False)

    def http09(plan):
        plan.data = b"GET %s\r\n%s" % (plan.target.encode(), plan.smuggled)
        plan.refused = True

    def bare_lines(plan):
        plan.data = (plan.head(LENGTH)).replace(b"\r\n", b"\n") + plan.smuggled
        plan.refused = True

    row("HTTP/0.9", http09)
    row("bare LF everywhere", bare_lines)


def sequences():
    def request(plan, number=0, method="POST", lines=(LENGTH,), body=None):
        body = plan.smuggled if body is None else body
        target = f"{plan.target}/{number}"
        plan.sees.append((method, target, body))
        return plan.head(*lines, method=method, target=target) + body

    def blank_lines(count):
        def make(plan):
            plan.data = b"\r\n" * count + request(plan)
        return make

    for count in (1, 2, 3):
        row(f"{count} blank lines before a request", blank_lines(count))

    def blank_between(plan):
        plan.data = request(plan, 1) + b"\r\n\r\n" + request(plan, 2) + b"\r\n" + request(plan, 3, "GET", (), b"")

    def pipelined(plan):
        plan.data = b"".join(request(plan, number) for number in range(5))

    def mixed(plan):
        plan.data = request(plan, 1, "GET", (), b"") + request(plan, 2, "HEAD", (LENGTH,)) + request(plan, 3, "PUT", (LENGTH, "Expect: 100-continue"))
        target = f"{plan.target}/4"
        plan.data += plan.head(CHUNKED, target=target) + chunks(plan) + request(plan, 5, "DELETE", (), b"")
        plan.sees.insert(3, ("POST", target, plan.smuggled))

    def closing(lines, behind):
        # What is behind is never a request (RFC 9112 §9.6): it is ignored, or all is refused, but then the upstream has seen nothing.
        def make(plan):
            plan.data = request(plan, 1, lines=lines) + behind(plan)
            plan.either = True
        return make

    def then_refused(behind):
        def make(plan):
            plan.data = request(plan, 1) + behind(plan)
            plan.refused = True
        return make

    row("blank lines between requests", blank_between)
    row("five pipelined requests", pipelined)
    row("pipelined requests of many kinds", mixed)
    row("bytes after Connection: close", closing((LENGTH, "Connection: close"), lambda plan: plan.smuggled))
    row("garbage after Connection: close", closing((LENGTH, "Connection: close"), lambda plan: b"\0\0"))
    row("bytes after Connection: Close, x", closing((LENGTH, "Connection: x, Close"), lambda plan: plan.smuggled))
    row("bytes after HTTP/1.1 Connection: close, keep-alive", closing((LENGTH, "Connection: close, keep-alive"), lambda plan: plan.smuggled))
    for name, garbage in (("NUL", b"\0"), ("NULs", b"\0" * 9), ("a NUL and a request", b"\0GET / HTTP/1.1\r\n\r\n"), ("a space", b" GET / HTTP/1.1\r\n\r\n"), ("a line", b"x\r\n"), ("a bare LF", b"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                          ("both framings", b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")):
        row(f"a complete request, then {name}", then_refused(lambda plan, garbage=garbage: garbage + (b"\r\n" if garbage.strip(b"\0") == b"" else b"")))

    def after_refusal(plan):
        plan.data = plan.head(LENGTH, "Content-Length: 1") + plan.smuggled + plan.smuggled
        plan.refused = True

    row("requests after a refused one", after_refusal)
    for method in ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY"):
        fine(f"{method} with a body", LENGTH, method=method, either=method == "TRACE")
        fine_chunks(f"{method} with a body in chunks", method=method, either=method == "TRACE")
    expectations = ("100-continue", "100-Continue", " 100-continue\t", "100-continue, 100-continue")
    for value in expectations:
        fine(f"Expect: {value!r}", f"Expect: {value}", LENGTH, either="," in value)
        fine_chunks(f"Expect: {value!r} in chunks", f"Expect: {value}", either="," in value)
    for value in ("x", "", "100-continue; x", "100-continuex", "200-ok"):
        # RFC 9110 §10.1.1: 417, or ignored.
        fine(f"Expect: {value!r}", f"Expect: {value}", LENGTH, either=True)
    fine("Expect twice", "Expect: 100-continue", "Expect: 100-continue", LENGTH, either=True)
    fine("Expect in HTTP/1.0", "Expect: 100-continue", LENGTH, version="HTTP/1.0")
    fine("Expect with a length of zero", "Expect: 100-continue", "Content-Length: 0", body=b"")
    fine("Expect of a GET", "Expect: 100-continue", LENGTH, method="GET")
    fine("Expect, Connection: expect, content-length", "Expect: 100-continue", "Connection: expect, content-length", LENGTH)


def mapped_bodies():
    """The served origin is in the body and becomes the upstream's, which is longer or shorter."""

    def text_row(name, filling, chunked=False, media="text/plain", packed=False, method="POST"):
        def make(plan):
            text = b"%s/a " % plan.served + plan.smuggled + filling + b" %s/b" % plan.served
            wanted = text.replace(plan.served, plan.origin)
            content = gzip.compress(text, 1) if packed else text
            lines = [f"Content-Type: {media}"] + (["Content-Encoding: gzip"] if packed else [])
            lines.append(CHUNKED if chunked else f"Content-Length: {len(content)}")
            half = len(content) // 2
            plan.data = plan.head(*lines, method=method)
            plan.data += b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (half, content[:half], len(content) - half, content[half:]) if chunked else content

            def judge(body):
                if not packed:
                    # Nothing says that a body must be mapped at any size, only that it is whole.
                    return body == wanted or body == text
                return gzip.decompress(body) in (text, wanted)

            plan.sees = [(method, plan.target, judge)]

        row(name, make)

    generator = random.Random(7)
    long_text = generator.randbytes(2_300_000).hex().encode()
    for chunked in (False, True):
        way = "in chunks" if chunked else "of a length"
        text_row(f"mapped text {way}", b"", chunked)
        text_row(f"mapped JSON {way}", b"", chunked, media="application/json")
        text_row(f"mapped text in gzip {way}", b"", chunked, packed=True)
        text_row(f"mapped text over 4 MiB {way}", long_text, chunked)
        text_row(f"mapped text in gzip, over 4 MiB decoded, {way}", b" " * 5_000_000, chunked, packed=True)
        text_row(f"mapped text in gzip over 4 MiB {way}", generator.randbytes(4_500_000).hex().encode() if chunked else long_text * 2, chunked, packed=True)
        text_row(f"mapped text of a PUT {way}", b"x" * 300_000, chunked, method="PUT")
    fine("mapped and nominated", "Connection: content-length, content-type", "Content-Type: text/plain", LENGTH)


for group in (nominations, framings, chunk_tricks, heads, sequences, mapped_bodies):
    group()


# MARK: The client


class Answer:
    def __init__(self, status, fields, body):
        self.status = status
        self.answers = fields.get(b"x-for", b"").decode("latin-1")
        self.is_ours = b"x-for" not in fields
        self.body = body

    def __repr__(self):
        return f"{self.status} {self.answers!r} {self.body[:200]!r}"


def read_answer(source, method):
    """The next final answer; raises EOFError at the end of the connection."""
    while True:
        status = int(source.line().split(b" ")[1])
        fields = {}
        while (line := source.line()) != b"\r\n":
            name, _, value = line.partition(b":")
            fields[name.lower()] = value.strip()
        if status >= 200:
            break
    body = b""
    if method != "HEAD":
        if b"transfer-encoding" in fields:
            while size := int(source.line(), 16):
                body += source.take(size)
                source.take(2)
            while source.line() != b"\r\n":
                pass
        else:
            body = source.take(int(fields.get(b"content-length", b"0")))
    return Answer(status, fields, body)


def converse(port, plan):
    """Sends the row and reads every answer up to the end of the connection, which the client half-closes once it has what it must get."""
    answers = []
    wanted = len(plan.sees) + plan.refused
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        sender = threading.Thread(target=send, args=(connection, plan.data), daemon=True)
        sender.start()
        source = Source(connection)
        try:
            while True:
                method = plan.sees[len(answers)][0] if len(answers) < len(plan.sees) else "GET"
                answers.append(read_answer(source, method))
                if len(answers) == wanted and not plan.refused:
                    sender.join(TIMEOUT)
                    try:
                        connection.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass
        except (EOFError, ConnectionResetError):
            pass
        except TimeoutError:
            raise AssertionError(f"the connection stays open after {answers}") from None
    return answers


def send(connection, data):
    try:
        connection.sendall(data)
    except OSError:
        pass


# MARK: The judgement


class Lane:
    """One mode before one upstream."""

    def __init__(self, mode, kind, temporary):
        self.name = f"{mode}, {kind}"
        self.upstream = Upstream(read_strictly if kind == "strict" else read_loosely)
        self.cassette = os.path.join(temporary, f"{mode}-{kind}.cassette")
        self.server = Server("record", self.cassette, "--mode", mode, "--upstream", self.upstream.origin, "--quiet", "--no-default-redaction")
        self.plans = {}
        self.was_refused = set()

    def ask(self, number, one):
        """Gives the row to the server, then lets an innocent client ask."""
        plan = Plan(number, self.server.url, self.upstream.origin)
        one.make(plan)
        plan.name = one.name
        self.plans[number] = plan
        problems = []
        try:
            answers = converse(self.server.port, plan)
            problems += self.judge_answers(plan, answers)
        except AssertionError as error:
            problems.append(str(error))
        except Exception as error:
            problems.append(f"no answer that can be read: {error!r}")
        innocent = Plan(number, self.server.url, self.upstream.origin)
        innocent.target = f"/innocent/{number}"
        innocent.sees = [("GET", innocent.target, b"")]
        innocent.data = innocent.head(method="GET")
        try:
            answers = converse(self.server.port, innocent)
            if [(answer.status, answer.answers, answer.body) for answer in answers] != [(200, f"GET {innocent.target}", b"answer to " + innocent.target.encode())]:
                problems.append(f"the next client got {answers}")
        except Exception as error:
            problems.append(f"the next client got {error!r}")
        return problems

    def judge_answers(self, plan, answers):
        if plan.either and len(answers) == 1 and is_refusal(answers[0]):
            self.was_refused.add(plan.number)
            return []
        wanted = [f"{method} {target}" for method, target, _ in plan.sees]
        given = answers[:len(wanted)]
        if [(answer.status, answer.answers) for answer in given] != [(200, name) for name in wanted]:
            return [f"answers {answers}, not those to {wanted}"]
        rest = answers[len(wanted):]
        if plan.refused and not (len(rest) == 1 and is_refusal(rest[0])):
            return [f"is not refused: {rest}"]
        if not plan.refused and rest:
            return [f"more answers than requests: {rest}"]
        return []

    def judge_log(self):
        """What the upstream saw, row by row; only now are all of its connections at their end."""
        problems = []
        seen = {}
        for connection in self.upstream.connections:
            before = None
            for entry in connection:
                method, target, fields, body, trailers = entry
                match = re.match(r"/(row|innocent)/(\d+)(/|$)", target)
                if method in ("REFUSED", "CUT") or not match:
                    problems.append((before, f"the upstream was sent {method} {target}"))
                    continue
                before = int(match[2])
                if match[1] == "row":
                    seen.setdefault(before, []).append((method, target, body))
                problems += [(before, problem) for problem in self.judge_head(method, fields, body, trailers)]
        for number, plan in self.plans.items():
            requests = seen.get(number, [])
            if number in self.was_refused:
                wanted = []
            else:
                wanted = plan.sees
            is_right = len(requests) == len(wanted) and all(
                (method, target) == (other, path) and (expected(body) if callable(expected) else body == expected)
                for (method, target, body), (other, path, expected) in zip(sorted(requests, key=lambda one: one[1]), wanted)
            )
            if not is_right:
                shown = [(method, target, len(body), body[:60]) for method, target, body in requests]
                problems.append((number, f"the upstream saw {shown}, not {[(method, target) for method, target, _ in wanted]}"))
        return problems

    def judge_head(self, method, fields, body, trailers):
        names = [name for name, _ in fields]
        framings = names.count(b"content-length") + names.count(b"transfer-encoding")
        if framings > 1 or body and framings == 0:
            yield f"{framings} framings in what was forwarded: {fields}"
        if names.count(b"host") != 1:
            yield f"{names.count(b'host')} Host in what was forwarded"
        elif dict(fields)[b"host"] != self.upstream.origin.removeprefix("http://").encode():
            yield f"Host {dict(fields)[b'host']} was forwarded"
        for name, _ in trailers:
            if name in (b"content-length", b"transfer-encoding", b"host"):
                yield f"the trailer {name} was forwarded"

    def finish(self):
        status = self.server.stop(expected=None)
        # 69: an exchange failed; that none did falsely is known from the answers.
        problems = [] if status in (0, 69) else [(None, f"the recorder ended with {status}")]
        self.upstream.close()
        problems += self.judge_log()
        if "passthrough" not in self.name:
            listing = subprocess.run([MOCKSERVE, "cassette", "list", "--json", self.cassette], capture_output=True, env=environment())
            targets = [json.loads(line)["target"] for line in listing.stdout.splitlines()]
            odd = [target for target in targets if not re.match(r"/(row|innocent)/\d+(/|$)", target)]
            if listing.returncode or not targets or odd:
                problems.append((None, f"the cassette holds {odd[:5]} among {len(targets)}, {listing.stderr!r}"))
        return problems


def is_refusal(answer):
    """4xx, or the two of the fives that say what a server does not speak (RFC 9112 §6.1, RFC 9110 §15.6.6)."""
    return answer.is_ours and (400 <= answer.status < 500 or answer.status in (501, 505))


def main():
    names = [one.name for one in ROWS]
    assert len(set(names)) == len(names) >= 60, [name for name in names if names.count(name) > 1]
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    failures = {}
    conversations = 0
    with folder() as temporary:
        lanes = [Lane(mode, kind, temporary) for mode in MODES for kind in ("strict", "loose")]
        for number, one in enumerate(ROWS):
            if wanted not in one.name:
                continue
            for lane in lanes:
                conversations += 2
                for problem in lane.ask(number, one):
                    failures.setdefault(one.name, []).append(f"[{lane.name}] {problem}")
        for lane in lanes:
            for number, problem in lane.finish():
                name = "?" if number is None else ROWS[number].name
                failures.setdefault(name, []).append(f"[{lane.name}] {problem}")
    for name, problems in failures.items():
        print(f"FAILED {name}", *problems, sep="\n    ")
    assert not failures, f"{len(failures)} of {len(ROWS)} rows fail: {', '.join(failures)}"
    refusals = len({number for lane in lanes for number in lane.was_refused})
    passed(f"{len(ROWS)} rows, {conversations} connections in {len(MODES)} modes before 2 upstreams: nothing smuggled; {refusals} that may be refused were")


main()

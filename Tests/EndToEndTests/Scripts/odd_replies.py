"""Odd upstream replies: what curl sees directly, through the recorder, and from the replay.

For every reply the three views (exit status of curl, status line, fields, body) must be the same, but for the aspects
that the table names, each with its reason. Recorder and replay must agree in everything; what the recorder refuses with 502
is not in the cassette, so the replay of it is a miss.
"""

import os
import socket
import subprocess
import threading

from support import Server, folder, passed

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 2\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

# Reasons.
VERSION = {"status": "we speak HTTP/1.1 whatever the upstream spoke (RFC 9110 §2.5)"}
FRAMING = {"fields": "the end of the connection is said by chunks, so that a cut answer is not taken for a whole one"}
EQUAL_LENGTHS = {"fields": "equal Content-Lengths become one (RFC 9112 §6.3)"}
BODYLESS_LENGTH = {"fields": "204 must have no Content-Length (RFC 9110 §8.6)"}
FOLD = {"fields": "a proxy replaces a fold by one space (RFC 9112 §5.2)"}
SPACE = {"fields": "white space round a name or value is no part of it (RFC 9112 §5.1)"}


def refused(reason):
    return {"refused": reason}


def cut(reason="the upstream cut its answer: so do we, and record nothing"):
    return {"cut": reason}


# (name, bytes, what differs and why, further arguments of curl)
REPLIES = [
    ("plain", OK + LENGTH + b"\r\nhi", {}),
    ("chunked", OK + CHUNKED + b"\r\n2\r\nhi\r\n0\r\n\r\n", {}),
    ("until close", OK + b"\r\nhi", FRAMING),
    ("until close, empty", OK + b"\r\n", FRAMING),
    ("HTTP/1.0 until close", b"HTTP/1.0 200 OK\r\n\r\nhi", {**VERSION, **FRAMING}),
    ("HTTP/1.0 with a length", b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\nhi", VERSION),
    ("HTTP/1.0 kept alive", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + LENGTH + b"\r\nhi", VERSION),
    ("bare LF", b"HTTP/1.1 200 OK\nX: y\nContent-Length: 2\n\nhi", {}),
    ("bare LF in places", b"HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\nhi", {}),
    ("bare LF and chunks", b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\r\nhi\r\n0\r\n\r\n", {}),
    ("obs-fold", OK + LENGTH + b"X: a\r\n b\r\n\r\nhi", FOLD),
    ("obs-fold by tab", OK + LENGTH + b"X: a\r\n\tb\r\n\tc\r\n\r\nhi", FOLD),
    ("obs-fold of an empty value", OK + LENGTH + b"X:\r\n b\r\n\r\nhi", FOLD),
    ("blank line before the status", b"\r\n" + OK + LENGTH + b"\r\nhi",
     {"exit": "curl takes it for HTTP/0.9, RFC 9112 §2.2 lets it pass", "status": "", "fields": "", "body": ""}),
    ("no reason", b"HTTP/1.1 200 \r\n" + LENGTH + b"\r\nhi", {}),
    ("no reason, no space", b"HTTP/1.1 200\r\n" + LENGTH + b"\r\nhi", {}),
    ("long reason", b"HTTP/1.1 200 All is well: (really)  yes\r\n" + LENGTH + b"\r\nhi", {}),
    ("non-ASCII reason", b"HTTP/1.1 200 Tr\xe8s bien\r\n" + LENGTH + b"\r\nhi", {}),
    ("UTF-8 reason", "HTTP/1.1 200 😀\r\n".encode() + LENGTH + b"\r\nhi", {}),
    ("reason of digits", b"HTTP/1.1 404 404\r\n" + LENGTH + b"\r\nhi", {}),
    ("status 299", b"HTTP/1.1 299 Odd\r\n" + LENGTH + b"\r\nhi", {}),
    ("status 600", b"HTTP/1.1 600 Odd\r\n" + LENGTH + b"\r\nhi", {}),
    ("status 999", b"HTTP/1.1 999 Odd\r\n" + LENGTH + b"\r\nhi", {}),
    ("no space after the colon", OK + b"X:y\r\n" + LENGTH + b"\r\nhi", SPACE),
    ("many spaces after the colon", OK + b"X:    y  \r\n" + LENGTH + b"\r\nhi", SPACE),
    ("space before the colon", OK + b"X : y\r\n" + LENGTH + b"\r\nhi", SPACE),
    ("inner spaces stay", OK + b"X: a   b\t\tc\r\n" + LENGTH + b"\r\nhi", {}),
    ("empty value", OK + b"X:\r\n" + LENGTH + b"\r\nhi", SPACE),
    ("duplicate fields", OK + b"Set-Cookie: a=1\r\nX: 1\r\nset-cookie: b=2\r\nX: 1\r\n" + LENGTH + b"\r\nhi", {}),
    ("odd case", OK + b"cOnTeNt-LeNgTh: 2\r\nX-oDD: y\r\n\r\nhi", {}),
    ("odd name", OK + b"X(y)[z]/: 1\r\n" + LENGTH + b"\r\nhi", {}),
    ("non-ASCII name", OK + b"X-\xe9: 1\r\n" + LENGTH + b"\r\nhi", {}),
    ("non-ASCII value", OK + b"X: \xe9\x80\xff\r\n" + LENGTH + b"\r\nhi", {}),
    ("control character in a value", OK + b"X: a\x01\x1fb\r\n" + LENGTH + b"\r\nhi", {}),
    ("very long field", OK + b"X: " + b"a" * 60_000 + b"\r\n" + LENGTH + b"\r\nhi", {}),
    ("300 fields", OK + b"".join(b"X-%d: y\r\n" % n for n in range(300)) + LENGTH + b"\r\nhi", {}),
    ("equal lengths", OK + LENGTH + LENGTH + b"\r\nhi", EQUAL_LENGTHS),
    ("equal lengths in one field", OK + b"Content-Length: 2, 2\r\n\r\nhi", EQUAL_LENGTHS),
    ("unequal lengths", OK + LENGTH + b"Content-Length: 3\r\n\r\nhi!", refused("two readers would end it in two places")),
    ("length with chunking", OK + LENGTH + CHUNKED + b"\r\n2\r\nhi\r\n0\r\n\r\n", refused("two readers would end it in two places")),
    ("length that is no number", OK + b"Content-Length: two\r\n\r\nhi", refused("its length is anybody's guess")),
    ("negative length", OK + b"Content-Length: -1\r\n\r\nhi", refused("its length is anybody's guess")),
    ("length zero", OK + b"Content-Length: 0\r\n\r\n", {}),
    ("leading zeros", OK + b"Content-Length: 002\r\n\r\nhi", {"fields": "a length is written without leading zeros"}),
    ("chunk extension", OK + CHUNKED + b"\r\n2;name=value\r\nhi\r\n0\r\n\r\n", {}),
    ("upper-case chunk sizes", OK + CHUNKED + b"\r\nA\r\n0123456789\r\n0\r\n\r\n", {}),
    ("leading zeros in a chunk size", OK + CHUNKED + b"\r\n0002\r\nhi\r\n00\r\n\r\n", {}),
    ("spaces after a chunk size", OK + CHUNKED + b"\r\n2   \r\nhi\r\n0\r\n\r\n", {}),
    ("many chunks", OK + CHUNKED + b"\r\n" + b"1\r\na\r\n" * 500 + b"0\r\n\r\n", {}),
    ("trailers", OK + CHUNKED + b"Trailer: X\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\nX: z\r\n\r\n", {}),
    ("empty chunked", OK + CHUNKED + b"\r\n0\r\n\r\n", {}),
    ("chunked in capitals", OK + b"Transfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", {}),
    ("chunked twice", OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", refused("which of the two to undo?")),
    ("chunked in HTTP/1.0", b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"\r\n2\r\nhi\r\n0\r\n\r\n", refused("HTTP/1.0 readers see the chunks as the body (RFC 9112 §6.1)")),
    ("gzip as a transfer coding", OK + b"Transfer-Encoding: gzip\r\n\r\nhi", refused("nobody asked for it with TE")),
    ("bad chunk size", OK + CHUNKED + b"\r\nxx\r\nhi\r\n0\r\n\r\n", cut()),
    ("100 before the answer", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH + b"\r\nhi",
     {"replay": "100 is about the request being sent, and is not kept"}),
    ("102 before the answer", b"HTTP/1.1 102 Processing\r\n\r\n" + OK + LENGTH + b"\r\nhi", {}),
    ("103 with fields", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + OK + LENGTH + b"\r\nhi", {}),
    ("103 twice", b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" * 2 + OK + LENGTH + b"\r\nhi", {}),
    ("204", b"HTTP/1.1 204 No Content\r\n\r\n", {}),
    ("204 with a zero length", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", {}),
    ("204 with a length", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", BODYLESS_LENGTH),
    ("204 with a body", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", BODYLESS_LENGTH),
    ("304 with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\n", {}),
    ("205 with a length of zero", b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", {}),
    ("HEAD with a length", OK + b"Content-Length: 5000\r\n\r\n", {}, "-I"),
    ("HEAD with a coding", OK + CHUNKED + b"\r\n", {}, "-I"),
    ("HEAD with nothing", OK + b"X: y\r\n\r\n", {}, "-I"),
    ("connection fields", OK + b"Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n" + LENGTH + b"\r\nhi", {"fields": "what Connection names is for one connection only (RFC 9110 §7.6.1)"}),
    ("bytes after the end", OK + LENGTH + b"\r\nhi there", {}),
    ("empty answer", b"", refused("there is no answer")),
    ("closed in the status line", b"HTTP/1.1 2", refused("there is no whole head")),
    ("closed in the fields", OK + b"X: y\r\n", refused("there is no whole head")),
    ("closed after the head", OK + LENGTH + b"\r\n", cut()),
    ("closed in the body", OK + b"Content-Length: 5\r\n\r\nhi", cut()),
    ("closed in a chunk size", OK + CHUNKED + b"\r\n2\r\nhi\r\n1", cut()),
    ("closed in a chunk", OK + CHUNKED + b"\r\n5\r\nhi", cut()),
    ("closed before the last chunk", OK + CHUNKED + b"\r\n2\r\nhi\r\n", cut()),
    ("closed in the trailers", OK + CHUNKED + b"\r\n2\r\nhi\r\n0\r\nX: y\r\n", cut()),
    ("NUL in a value", OK + b"X: a\0b\r\n" + LENGTH + b"\r\nhi", refused("NUL ends a string in some readers")),
    ("bare CR in a value", OK + b"X: a\rb\r\n" + LENGTH + b"\r\nhi", refused("a bare CR ends a line in some readers")),
    ("line without a colon", OK + b"nonsense\r\n" + LENGTH + b"\r\nhi", refused("it is no field, and may be half of one")),
    ("HTTP/0.9", b"<html>hi</html>", refused("there is no head")),
    ("not HTTP", b"220 smtp.example ESMTP\r\n", refused("there is no head")),
    ("HTTP/2 status line", b"HTTP/2 200\r\n" + LENGTH + b"\r\nhi", refused("HTTP/2 has no status line")),
    ("status of two digits", b"HTTP/1.1 20 OK\r\n" + LENGTH + b"\r\nhi", refused("a status has three digits")),
]
IGNORED = (b"connection:", b"keep-alive:")


def serve(listener):
    """Answers a request for /N with reply N, byte for byte, and closes."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                piece = connection.recv(4096)
                if not piece:
                    break
                data += piece
            if not data:
                continue
            number = int(data.split(b" ")[1][1:])
            connection.sendall(REPLIES[number][1])
            connection.shutdown(socket.SHUT_WR)
            try:
                while connection.recv(4096):
                    pass
            except OSError:
                pass


class View:
    """What curl saw."""

    def __init__(self, port, number, arguments):
        result = subprocess.run(
            ["curl", "-sS", "-i", "--max-time", "10", *arguments, f"http://127.0.0.1:{port}/{number}"],
            capture_output=True,
        )
        self.exit = result.returncode
        rest, heads = result.stdout, []
        while rest.startswith(b"HTTP/"):
            ends = [end for end in (b"\r\n\r\n", b"\n\n", b"\n\r\n") if end in rest]
            if not ends:
                break
            head, _, rest = rest.partition(min(ends, key=rest.index))
            heads.append([line.removesuffix(b"\r") for line in head.split(b"\n")])
        # curl shows trailers after the body; they are compared as part of it.
        self.body = rest
        self.status = heads[-1][0] if heads else b""
        self.informational = [head for head in heads[:-1]]
        self.fields = [line for line in heads[-1][1:] if not line.lower().startswith(IGNORED)] if heads else []

    def differences(self, other):
        aspects = ("exit", "status", "fields", "body", "informational")
        return {name for name in aspects if getattr(self, name) != getattr(other, name)}


def check(number, direct, recorded, replayed):
    name, reply, expected, *_ = REPLIES[number]
    if "refused" in expected:
        assert recorded.status.startswith(b"HTTP/1.1 502"), f"{name}: {recorded.__dict__}"
        assert replayed.status.startswith(b"HTTP/1.1 404"), f"{name}: {replayed.__dict__}"
        return [f"refused with 502: {expected['refused']}"]
    if "cut" in expected:
        assert recorded.exit != 0 and direct.exit != 0, f"{name}: {direct.__dict__} {recorded.__dict__}"
        assert replayed.status.startswith(b"HTTP/1.1 404"), f"{name}: {replayed.__dict__}"
        return [f"cut: {expected['cut']}"]
    found = direct.differences(recorded)
    known = set(expected) - {"replay"}
    assert found == known, f"{name}: differs in {found}, not {known}\n{direct.__dict__}\n{recorded.__dict__}"
    later = recorded.differences(replayed)
    allowed = {"informational"} if "replay" in expected else set()
    assert later == allowed, f"{name}: replay differs in {later}\n{recorded.__dict__}\n{replayed.__dict__}"
    return [f"{aspect}: {reason}" for aspect, reason in expected.items() if reason]


def main():
    assert len(REPLIES) >= 60 and len({reply[0] for reply in REPLIES}) == len(REPLIES)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    port = listener.getsockname()[1]
    with folder() as temporary:
        cassette = os.path.join(temporary, "odd.cassette")
        server = Server("record", cassette, "--no-default-redaction", "--upstream", f"http://127.0.0.1:{port}", "--no-map", "--quiet")
        views = []
        for number, (_, _, _, *arguments) in enumerate(REPLIES):
            views.append((View(port, number, arguments), View(server.port, number, arguments)))
        # Some exchanges failed, as they should, but the upstream was there.
        server.stop(expected=0)
        listener.close()
        same = 0
        with Server("replay", cassette, "--no-map", "--quiet") as replay:
            for number, (direct, recorded) in enumerate(views):
                replayed = View(replay.port, number, REPLIES[number][3:])
                reasons = check(number, direct, recorded, replayed)
                same += not reasons
                for reason in reasons:
                    print(f"  {REPLIES[number][0]}: {reason}")
    passed(f"{len(REPLIES)} odd replies: {same} the same directly, recorded and replayed; the others differ as listed")


main()

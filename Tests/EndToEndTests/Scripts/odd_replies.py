"""Odd upstream replies: what curl sees directly, through the recorder, and from the replay.

For every reply the three views (exit status of curl, status line, fields, body) must be the same, but for the aspects
that the table names, each with its reason. Recorder and replay must agree in everything; what the recorder refuses with 502
is not in the cassette, so the replay of it is a miss. What the upstream cut reaches the client as far as it came, and is cut there too.

The table is gone through with `--no-map`, again with the mapping of origins, which must make no difference as no reply names one, by
clients of HTTP/1.0, and, for what was cut, with `--keep-cut`.

Usage: odd_replies.py [PART OF A NAME]
"""

import gzip
import os
import re
import socket
import subprocess
import sys
import threading
import zlib

from support import MOCKSERVE, Server, folder, passed

OK = b"HTTP/1.1 200 OK\r\n"
OLD = b"HTTP/1.0 200 OK\r\n"
LENGTH = b"Content-Length: 2\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"2\r\nhi\r\n0\r\n\r\n"
# Some exchanges fail, as they should, but the upstream was there.
RECORD_STATUSES = (0,)

# Reasons.
VERSION = {"status": "we speak HTTP/1.1 whatever the upstream spoke (RFC 9110 §2.5)"}
FRAMING = {"fields": "the end of the connection is said by chunks, so that a cut answer is not taken for a whole one"}
ONE_FRAMING = {"fields": "the coding wins over the length, and clients get one framing (RFC 9112 §6.3)"}
ONE_CODING = {"fields": "chunked twice was sent once and is said once"}
IDENTITY = {"fields": "identity is no transfer coding any more (RFC 9112 §7)"}
EQUAL_LENGTHS = {"fields": "equal Content-Lengths become one (RFC 9112 §6.3)"}
ZEROS = {"fields": "a length is written without leading zeros"}
BODYLESS_LENGTH = {"fields": "204 must have no Content-Length (RFC 9110 §8.6)"}
BODYLESS_CODING = {"fields": "1xx, 204 and 304 are sent without Transfer-Encoding (RFC 9112 §6.1)"}
FOLD = {"fields": "a proxy replaces a fold by one space (RFC 9112 §5.2)"}
SPACE = {"fields": "white space round a name or value is no part of it (RFC 9112 §5.1)"}
NO_TOKEN = {"fields": "a name that is no token is dropped for the client (RFC 9110 §5.1)"}
HOP = {"fields": "it is for one connection only (RFC 9110 §7.6.1)"}


def refused(reason):
    return {"refused": reason}


def cut(body=b"", reason="the upstream cut its answer: so do we, where it did"):
    """An answer that ends early, after these bytes of its body."""
    return {"cut": reason, "bytes": body}


# (name, bytes, what differs and why, further arguments of curl)
REPLIES = []


def reply(name, data, expected=None, *arguments):
    REPLIES.append((name, data, expected or {}, *arguments))


def field(name, line, expected=None):
    """A reply with one more line among its fields."""
    reply(name, OK + line + b"\r\n" + LENGTH + b"\r\nhi", expected)


def framings():
    reply("plain", OK + LENGTH + b"\r\nhi")
    reply("chunked", OK + CHUNKED + b"\r\n" + CHUNKS)
    reply("until close", OK + b"\r\nhi", FRAMING)
    reply("until close, empty", OK + b"\r\n", FRAMING)
    reply("until close, Connection: close", OK + b"Connection: close\r\n\r\nhi", FRAMING)
    reply("until close, 300 KiB", OK + b"\r\n" + b"x" * 300_000, FRAMING)
    reply("HTTP/1.0 until close", OLD + b"\r\nhi", {**VERSION, **FRAMING})
    reply("HTTP/1.0 with a length", OLD + LENGTH + b"\r\nhi", VERSION)
    reply("HTTP/1.0 kept alive", OLD + b"Connection: keep-alive\r\n" + LENGTH + b"\r\nhi", VERSION)
    reply("HTTP/1.0 with a length of zero", OLD + b"Content-Length: 0\r\n\r\n", VERSION)
    reply("bytes after the end", OK + LENGTH + b"\r\nhi there")
    reply("a second answer after the end", OK + LENGTH + b"\r\nhi" + OK + LENGTH + b"\r\nho")
    reply("bytes after the last chunk", OK + CHUNKED + b"\r\n" + CHUNKS + b"more")
    # Both framings.
    reply("length with chunking", OK + LENGTH + CHUNKED + b"\r\n" + CHUNKS, ONE_FRAMING)
    reply("chunking with a length", OK + CHUNKED + LENGTH + b"\r\n" + CHUNKS, ONE_FRAMING)
    reply("chunking with a length that is short", OK + b"Content-Length: 1\r\n" + CHUNKED + b"\r\n" + CHUNKS, ONE_FRAMING)
    reply("chunking with a length that is long", OK + b"Content-Length: 900\r\n" + CHUNKED + b"\r\n" + CHUNKS, ONE_FRAMING)
    reply("chunking with a length of zero", OK + b"Content-Length: 0\r\n" + CHUNKED + b"\r\n" + CHUNKS, ONE_FRAMING)
    reply("chunking with two lengths", OK + b"Content-Length: 5\r\nContent-Length: 9\r\n" + CHUNKED + b"\r\n" + CHUNKS, ONE_FRAMING)
    reply("chunking with a length, many chunks", OK + LENGTH + CHUNKED + b"\r\n" + b"1\r\na\r\n" * 50 + b"0\r\n\r\n", ONE_FRAMING)
    reply("chunking with a length, trailers", OK + LENGTH + CHUNKED + b"\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n", ONE_FRAMING)
    reply("chunking with a length in HTTP/1.0", OLD + LENGTH + CHUNKED + b"\r\n" + CHUNKS, {**VERSION, **ONE_FRAMING})
    reply("chunking with a length, and text", OK + b"Content-Type: text/html\r\n" + LENGTH + CHUNKED + b"\r\n" + CHUNKS, ONE_FRAMING)
    # Codings.
    reply("chunked in capitals", OK + b"Transfer-Encoding: Chunked\r\n\r\n" + CHUNKS)
    reply("chunked with an odd name", OK + b"tRANSFER-eNCODING: cHUNKED\r\n\r\n" + CHUNKS)
    reply("chunked twice", OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNKS, ONE_CODING)
    reply("chunked twice without a space", OK + b"Transfer-Encoding: chunked,chunked\r\n\r\n" + CHUNKS, ONE_CODING)
    reply("chunked in two fields", OK + CHUNKED + CHUNKED + b"\r\n" + CHUNKS, ONE_CODING)
    reply("chunked in two fields with a length", OK + CHUNKED + LENGTH + CHUNKED + b"\r\n" + CHUNKS, ONE_FRAMING)
    reply("chunked in HTTP/1.0", OLD + CHUNKED + b"\r\n" + CHUNKS, VERSION)
    reply("chunked in HTTP/1.0, kept alive", OLD + b"Connection: keep-alive\r\n" + CHUNKED + b"\r\n" + CHUNKS, VERSION)
    reply("identity with a length", OK + b"Transfer-Encoding: identity\r\n" + LENGTH + b"\r\nhi", IDENTITY)
    reply("identity until close", OK + b"Transfer-Encoding: identity\r\n\r\nhi", {"fields": IDENTITY["fields"] + "; " + FRAMING["fields"]})
    reply("identity, chunked", OK + b"Transfer-Encoding: identity, chunked\r\n\r\n" + CHUNKS, IDENTITY)
    reply("identity and chunked in two fields", OK + b"Transfer-Encoding: identity\r\n" + CHUNKED + b"\r\n" + CHUNKS, IDENTITY)
    reply("an empty coding with a length", OK + b"Transfer-Encoding:\r\n" + LENGTH + b"\r\nhi", IDENTITY)
    for coding in (b"gzip", b"gzip, chunked", b"chunked, gzip", b"deflate", b"compress, chunked", b"cow", b"chunked;q=1", b"xchunked", b"chunkedx", b'"chunked"', b"chunked cow", b"br"):
        reply(f"{coding.decode()} as a transfer coding", OK + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + CHUNKS, refused("nobody asked for it with TE"))
    reply("gzip as a transfer coding with a length", OK + LENGTH + b"Transfer-Encoding: gzip\r\n\r\nhi", refused("nobody asked for it with TE"))
    reply("empty chunked", OK + CHUNKED + b"\r\n0\r\n\r\n")


def lengths():
    reply("equal lengths", OK + LENGTH + LENGTH + b"\r\nhi", EQUAL_LENGTHS)
    reply("three equal lengths", OK + LENGTH * 3 + b"\r\nhi", EQUAL_LENGTHS)
    reply("equal lengths in one field", OK + b"Content-Length: 2, 2\r\n\r\nhi", EQUAL_LENGTHS)
    reply("equal lengths without a space", OK + b"Content-Length: 2,2,2\r\n\r\nhi", EQUAL_LENGTHS)
    reply("equal lengths, other zeros", OK + LENGTH + b"Content-Length: 02\r\n\r\nhi", EQUAL_LENGTHS)
    reply("equal lengths of other case", OK + LENGTH + b"content-LENGTH: 2\r\n\r\nhi", EQUAL_LENGTHS)
    reply("length zero", OK + b"Content-Length: 0\r\n\r\n")
    reply("length zero with a body", OK + b"Content-Length: 0\r\n\r\nhi")
    reply("leading zeros", OK + b"Content-Length: 002\r\n\r\nhi", ZEROS)
    reply("many leading zeros", OK + b"Content-Length: 0000000000000000000000002\r\n\r\nhi", ZEROS)
    reply("zero in zeros", OK + b"Content-Length: 000\r\n\r\n", ZEROS)
    reply("length by a tab", OK + b"Content-Length:\t2\r\n\r\nhi", SPACE)
    reply("length with spaces round it", OK + b"Content-Length:   2  \r\n\r\nhi", SPACE)
    reply("length without a space", OK + b"Content-Length:2\r\n\r\nhi", SPACE)
    reply("length by a space before the colon", OK + b"Content-Length : 2\r\n\r\nhi", SPACE)
    reply("length in a fold", OK + b"Content-Length:\r\n 2\r\n\r\nhi",
          {**FOLD, "exit": "curl does not unfold a length", "status": "", "body": ""})
    reply("odd case", OK + b"cOnTeNt-LeNgTh: 2\r\nX-oDD: y\r\n\r\n"+b"hi")
    reply("the length last", OK + b"X: y\r\nZ: a\r\n" + LENGTH + b"\r\nhi")
    reply("unequal lengths", OK + LENGTH + b"Content-Length: 3\r\n\r\nhi!", refused("two readers would end it in two places"))
    reply("unequal lengths in one field", OK + b"Content-Length: 2, 3\r\n\r\nhi!", refused("two readers would end it in two places"))
    reply("unequal lengths, the longer first", OK + b"Content-Length: 3\r\n" + LENGTH + b"\r\nhi!", refused("two readers would end it in two places"))
    bad = (b"two", b"-1", b"+2", b"2.0", b"2 2", b"0x2", b"", b"1e1", b"2;", b"'2'", b'"2"', b"2a", b"a2", b"\xb2", b"2\x0b", b"2\xa0", b"-0", b"2_0", b",", b"2,,3", b"99999999999999999999", b"9223372036854775808", b"18446744073709551618")
    for value in bad:
        reply(f"length {value!r}", OK + b"Content-Length: " + value + b"\r\n\r\nhi", refused("its length is anybody's guess"))


def informationals():
    def early(name, heads, expected=None, *arguments, final=OK + LENGTH + b"\r\nhi"):
        reply(name, heads + final, expected, *arguments)

    # A 100 that the client did not ask for is like any other informational answer.
    go = b"HTTP/1.1 100 Continue\r\n\r\n"
    early("100 before the answer", go)
    early("100 twice", go * 2)
    early("100 with fields", b"HTTP/1.1 100 Continue\r\nX: y\r\nX: z\r\n\r\n")
    early("100 without a reason", b"HTTP/1.1 100\r\n\r\n")
    early("100 with another reason", b"HTTP/1.1 100 Go on\r\n\r\n")
    early("100 by bare LF", b"HTTP/1.1 100 Continue\n\n")
    early("102 before the answer", b"HTTP/1.1 102 Processing\r\n\r\n")
    early("102 many times", b"HTTP/1.1 102 Processing\r\n\r\n" * 20)
    early("103 with fields", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n")
    early("103 twice", b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" * 2)
    early("103 with many links", b"HTTP/1.1 103 Early Hints\r\n" + b"".join(b"Link: </%d.css>; rel=preload\r\n" % n for n in range(100)) + b"\r\n")
    early("103 with a cookie", b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=b\r\n\r\n")
    early("104 that nobody knows", b"HTTP/1.1 104 Odd\r\n\r\n")
    early("199 that nobody knows", b"HTTP/1.1 199 Odd\r\nX: y\r\n\r\n")
    early("100, 102 and 103", go + b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n")
    early("103 before chunks", b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", final=OK + CHUNKED + b"\r\n" + CHUNKS)
    early("103 before 204", b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", final=b"HTTP/1.1 204 No Content\r\n\r\n")
    early("100 before 404", go, final=b"HTTP/1.1 404 Not Found\r\n" + LENGTH + b"\r\nno")
    early("100 before an answer until close", go, FRAMING, final=OK + b"\r\nhi")
    early("100 in HTTP/1.0", b"HTTP/1.0 100 Continue\r\n\r\n", {"informational": "we speak HTTP/1.1 whatever the upstream spoke (RFC 9110 §2.5)"})
    framed = {"informational": "1xx has no body, so no framing (RFC 9110 §8.6, RFC 9112 §6.1)"}
    early("100 with a length", b"HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\n", framed)
    early("100 with a length of zero", b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", framed)
    early("103 with chunking", b"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n", framed)
    early("103 with both framings", b"HTTP/1.1 103 Early Hints\r\n" + LENGTH + CHUNKED + b"\r\n", framed)
    early("103 with Connection: close", b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\nX: y\r\n\r\n")
    early("103 with a hop", b"HTTP/1.1 103 Early Hints\r\nConnection: X\r\nX: y\r\nZ: a\r\n\r\n", {"informational": HOP["fields"]})
    early("103 with a name that is no token", b"HTTP/1.1 103 Early Hints\r\nX(: y\r\nZ: a\r\n\r\n", {"informational": NO_TOKEN["fields"]})
    early("103 with a fold", b"HTTP/1.1 103 Early Hints\r\nX: y\r\n z\r\n\r\n", {"informational": FOLD["fields"]})
    for status in (100, 103):
        early(f"{status} before the answer to HEAD", b"HTTP/1.1 %d Odd\r\nX: y\r\n\r\n" % status, {}, "-I", final=OK + LENGTH + b"\r\n")
    early("32 informational answers", go * 32)
    early("33 informational answers", go * 33, refused("an end must be somewhere"))
    early("101 that nobody asked for", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", refused("what follows is not HTTP"))
    reply("100 and nothing more", go, refused("there is no answer"))
    reply("103 and half a head", b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n", refused("there is no whole head"))
    reply("103 with NUL", b"HTTP/1.1 103 Early Hints\r\nX: \0\r\n\r\n" + OK + LENGTH + b"\r\nhi", refused("NUL ends a string in some readers"))


def bodyless():
    def no_content(name, lines, expected=None, status=b"204 No Content", body=b""):
        reply(name, b"HTTP/1.1 " + status + b"\r\n" + lines + b"\r\n" + body, expected)

    no_content("204", b"")
    no_content("204 with a zero length", b"Content-Length: 0\r\n")
    no_content("204 with a length", b"Content-Length: 5\r\n", BODYLESS_LENGTH)
    no_content("204 with a body", b"Content-Length: 5\r\n", BODYLESS_LENGTH, body=b"hello")
    no_content("204 with chunking", CHUNKED, BODYLESS_CODING)
    no_content("204 with chunks", CHUNKED, BODYLESS_CODING, body=CHUNKS)
    no_content("204 with both framings", CHUNKED + b"Content-Length: 5\r\n", BODYLESS_LENGTH)
    no_content("204 with two lengths", b"Content-Length: 5\r\nContent-Length: 6\r\n", BODYLESS_LENGTH)
    no_content("204 with a body until close", b"X: y\r\n", body=b"hello")
    no_content("204 with a type", b"Content-Type: text/plain\r\n")
    no_content("304", b"", status=b"304 Not Modified")
    no_content("304 with a length", b"Content-Length: 5\r\nETag: \"a\"\r\n", status=b"304 Not Modified")
    no_content("304 with a length of zero", b"Content-Length: 0\r\n", status=b"304 Not Modified")
    no_content("304 with a body", b"Content-Length: 5\r\n", status=b"304 Not Modified", body=b"hello")
    no_content("304 with chunking", CHUNKED, BODYLESS_CODING, status=b"304 Not Modified")
    no_content("304 with both framings", CHUNKED + b"Content-Length: 5\r\n", BODYLESS_CODING, status=b"304 Not Modified")
    no_content("304 with a type", b"Content-Type: text/html\r\nETag: W/\"a\"\r\n", status=b"304 Not Modified")
    no_content("205 with a length of zero", b"Content-Length: 0\r\n", status=b"205 Reset Content")
    no_content("205 with a body", LENGTH, status=b"205 Reset Content", body=b"hi")
    no_content("205 in chunks", CHUNKED, status=b"205 Reset Content", body=b"0\r\n\r\n")
    no_content("205 until close", b"", FRAMING, status=b"205 Reset Content")
    no_content("205 with both framings", CHUNKED + LENGTH, ONE_FRAMING, status=b"205 Reset Content", body=CHUNKS)

    def head(name, lines, expected=None, status=OK, body=b""):
        reply(name, status + lines + b"\r\n" + body, expected, "-I")

    head("HEAD with a length", b"Content-Length: 5000\r\n")
    head("HEAD with a coding", CHUNKED)
    head("HEAD with nothing", b"X: y\r\n")
    head("HEAD with a length of zero", b"Content-Length: 0\r\n")
    head("HEAD with both framings", LENGTH + CHUNKED, ONE_FRAMING)
    head("HEAD with both framings, the coding first", CHUNKED + LENGTH, ONE_FRAMING)
    head("HEAD with chunked twice", CHUNKED + CHUNKED, ONE_CODING)
    head("HEAD with identity and a length", b"Transfer-Encoding: identity\r\n" + LENGTH, IDENTITY)
    head("HEAD with equal lengths", LENGTH + LENGTH, EQUAL_LENGTHS)
    head("HEAD with leading zeros", b"Content-Length: 0005\r\n", ZEROS)
    head("HEAD with a body", LENGTH, body=b"hi")
    head("HEAD with chunks", CHUNKED, body=CHUNKS)
    head("HEAD in HTTP/1.0", LENGTH, VERSION, status=OLD)
    head("HEAD in HTTP/1.0 with a coding", CHUNKED, VERSION, status=OLD)
    head("HEAD, 404 with a length", LENGTH, status=b"HTTP/1.1 404 Not Found\r\n")
    head("HEAD, 204", b"", status=b"HTTP/1.1 204 No Content\r\n")
    head("HEAD, 204 with a length", LENGTH, BODYLESS_LENGTH, status=b"HTTP/1.1 204 No Content\r\n")
    head("HEAD, 304 with a length", b"Content-Length: 7\r\nETag: \"a\"\r\n", status=b"HTTP/1.1 304 Not Modified\r\n")
    head("HEAD, 301", b"Location: /elsewhere\r\nContent-Length: 70\r\n", status=b"HTTP/1.1 301 Moved\r\n")
    head("HEAD with gzip", b"Content-Encoding: gzip\r\nContent-Length: 70\r\n")
    head("HEAD with a trailer announced", CHUNKED + b"Trailer: X\r\n")
    head("HEAD with text of a length", b"Content-Type: text/plain\r\nContent-Length: 70\r\n")


def names_and_values():
    for name in (b"X", b"x-" + b"a" * 500, b"1", b"!#$%&'*+-.^_`|~", b"X_Y", b"X.Y", b"-", b"X-", b"x-MiXeD-cAsE"):
        field(f"name {name[:20].decode()!r}", name + b": 1")
    for name in (b"X(y)[z]/", b"X-\xe9", b"X@y", b"X,y", b"X;y", b'X"y"', b"X{y}", b"X=y", b"X\\y", b"<X>", b"X?", b"X/y", b"\xe2\x82\xac", b"(", b"X(y)"):
        field(f"name {name.decode('latin-1')!r}", name + b": 1", NO_TOKEN)
    field("a name that is no token among others", b"A: 1\r\nX[1]: 2\r\nX[1]: 3\r\nB: 4", NO_TOKEN)
    field("a fold after a name that is no token", b"A: 1\r\nX[1]: 2\r\n 3\r\nB: 4", NO_TOKEN)
    field("duplicate fields", b"Set-Cookie: a=1\r\nX: 1\r\nset-cookie: b=2\r\nX: 1")
    field("50 cookies", b"\r\n".join(b"Set-Cookie: c%d=%d; Path=/; HttpOnly; SameSite=Lax" % (n, n) for n in range(50)))
    field("cookies of one name", b"Set-Cookie: a=1\r\nSet-Cookie: a=2\r\nSet-Cookie: a=")
    field("a cookie of 4 KiB", b"Set-Cookie: a=" + b"x" * 4000)
    field("a cookie with an odd date", b"Set-Cookie: a=b; Expires=Tue, 99-Foo-2038 25:61:61 XYZ; Max-Age=-1; ;; Odd")
    field("an empty cookie", b"Set-Cookie: ")
    for name, value in (("non-ASCII", b"\xe9\x80\xff"), ("UTF-8", "Grüße 😀".encode()), ("control characters", b"a\x01\x1fb"), ("a vertical tab", b"a\x0bb"), ("DEL", b"a\x7fb"),
                        ("an escape", b"\x1b[31mred"), ("inner spaces", b"a   b\t\tc"), ("colons", b":a::b:"), ("quotes", b'"a\\"b'), ("commas", b",a,,b,"), ("every byte over 127", bytes(range(128, 256))),
                        ("a no-break space at the end", b"a\xa0"), ("percent signs", b"%0d%0a%zz"), ("the look of a field", b"Y: z"), ("the look of an answer", b"HTTP/1.1 200 OK"), ("backslashes", b"\\r\\n")):
        field(f"value of {name}", b"X: " + value)
    field("no space after the colon", b"X:y", SPACE)
    field("many spaces after the colon", b"X:    y  ", SPACE)
    field("tabs after the colon", b"X:\t\ty", SPACE)
    field("a tab at the end", b"X: y\t", SPACE)
    field("space before the colon", b"X : y", SPACE)
    field("tab before the colon", b"X\t: y", SPACE)
    field("empty value", b"X:", SPACE)
    field("empty value and a space", b"X: ")
    field("value of spaces", b"X:      ", SPACE)
    field("very long field", b"X: " + b"a" * 60_000)
    field("300 fields", b"\r\n".join(b"X-%d: y" % n for n in range(300)))
    field("999 fields", b"\r\n".join(b"X-%d: y" % n for n in range(999)))
    field("1001 fields", b"\r\n".join(b"X-%d: y" % n for n in range(1001)), refused("an end must be somewhere"))
    field("fields of 200 KiB", b"\r\n".join(b"X-%d: " % n + b"y" * 1000 for n in range(200)))
    field("fields of 300 KiB", b"\r\n".join(b"X-%d: " % n + b"y" * 1000 for n in range(300)), refused("an end must be somewhere"))
    for name, line in (("a fold", b"X: a\r\n b"), ("obs-fold by tab", b"X: a\r\n\tb\r\n\tc"), ("a fold of an empty value", b"X:\r\n b"), ("a fold by many spaces", b"X: a\r\n        b"),
                       ("a fold and spaces before it", b"X: a   \r\n b"), ("an empty fold", b"X: a\r\n \r\nY: z"), ("a fold that looks like a field", b"X: a\r\n Y: b"), ("a fold that looks like a length", b"X: a\r\n Content-Length: 9"),
                       ("a fold by bare LF", b"X: a\n b"), ("a fold of a cookie", b"Set-Cookie: a=b;\r\n Path=/"), ("twenty folds", b"X: a" + b"\r\n b" * 20), ("a fold with non-ASCII", b"X: a\r\n \xe9")):
        field(name, line, FOLD)
    reply("a fold of the last field", OK + LENGTH + b"X: a\r\n b\r\n\r\nhi", FOLD)
    reply("a fold of the coding", OK + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS, {**FOLD, "body": "curl does not unfold a coding"})
    reply("a fold before the first field", OK + b" X: a\r\n" + LENGTH + b"\r\nhi", refused("it continues nothing, and may be a field"))
    for name, line in (("NUL in a value", b"X: a\0b"), ("NUL in a name", b"X\0: a"), ("NUL in a fold", b"X: a\r\n b\0"), ("NUL alone", b"\0")):
        field(name, line, refused("NUL ends a string in some readers"))
    for name, line in (("bare CR in a value", b"X: a\rb"), ("bare CR in a name", b"X\ry: a"), ("CR CR LF", b"X: a\r"), ("bare CR before a fold", b"X: a\r\r\n b"), ("bare CR that hides a length", b"X: a\rContent-Length: 9")):
        field(name, line, refused("a bare CR ends a line in some readers"))
    for name, line in (("line without a colon", b"nonsense"), ("line of a colon", b":"), ("line without a name", b": y"), ("a status line among the fields", b"HTTP/1.1 200 OK")):
        field(name, line, refused("it is no field, and may be half of one"))


def chunks():
    def sizes(name, body, expected=None):
        reply(name, OK + CHUNKED + b"\r\n" + body, expected)

    for name, size in (("extension", b"2;name=value"), ("extension without a value", b"2;name"), ("extension in quotes", b'2;a="b;c"'), ("extension with spaces", b"2 ; a = b"), ("empty extension", b"2;"),
                       ("two extensions", b"2;a=b;c=d"), ("extension of 2 KiB", b"2;a=" + b"b" * 2000), ("extension of non-ASCII", b"2;a=\xe9")):
        sizes(f"chunk {name}", size + b"\r\nhi\r\n0\r\n\r\n")
    sizes("upper-case chunk sizes", b"A\r\n0123456789\r\n0\r\n\r\n")
    sizes("lower-case chunk sizes", b"a\r\n0123456789\r\n0\r\n\r\n")
    sizes("leading zeros in a chunk size", b"0002\r\nhi\r\n00\r\n\r\n")
    sizes("a chunk size of sixteen digits", b"0000000000000002\r\nhi\r\n0\r\n\r\n")
    sizes("spaces after a chunk size", b"2   \r\nhi\r\n0\r\n\r\n")
    sizes("a tab after a chunk size", b"2\t\r\nhi\r\n0\r\n\r\n")
    sizes("spaces after the last chunk size", b"2\r\nhi\r\n0  \r\n\r\n")
    sizes("an extension of the last chunk", b"2\r\nhi\r\n0;a=b\r\n\r\n")
    sizes("many chunks", b"1\r\na\r\n" * 500 + b"0\r\n\r\n")
    sizes("a chunk of 100 KiB", b"19000\r\n" + b"x" * 102_400 + b"\r\n0\r\n\r\n")
    sizes("chunks of binary", b"4\r\n\0\r\n\xff\r\n0\r\n\r\n")
    sizes("a chunk that looks like an end", b"5\r\n0\r\n\r\n\r\n0\r\n\r\n")
    sizes("bare LF after chunk sizes", b"2\nhi\r\n0\n\r\n")
    sizes("bare LF after chunks", b"2\r\nhi\n0\r\n\r\n")
    sizes("bare LF everywhere in chunks", b"2\nhi\n0\n\n")
    for size in (b"xx", b"", b"-2", b"+2", b"0x2", b"g", b"2x", b"2,2", b" 2", b"FFFFFFFFFFFFFFFFF", b"8000000000000000", b"10000000000000002", b"2\0", b"2;a\0", b"2 2", b"2\x0b", b"2:a"):
        reason = "no one can say how long the chunk is"
        # curl takes what is behind the digits for an extension, whatever it is.
        takes = {"curl": "takes it"} if size[:1] in (b"2", b"0") else {}
        sizes(f"chunk size {size!r}", size + b"\r\nhi\r\n0\r\n\r\n", {**cut(reason=reason), **takes})
        sizes(f"chunk size {size!r} after a chunk", b"4\r\ntext\r\n" + size + b"\r\nhi\r\n0\r\n\r\n", {**cut(b"text", reason), **takes})
    sizes("a chunk longer than its size", b"2\r\nhi!\r\n0\r\n\r\n", cut(b"hi", reason="where it ends is anybody's guess"))
    sizes("a chunk without its line end", b"2\r\nhi0\r\n\r\n", cut(b"hi", reason="where it ends is anybody's guess"))
    sizes("a chunk-size line of 5 KiB", b"2;a=" + b"b" * 5000 + b"\r\nhi\r\n0\r\n\r\n", {**cut(reason="an end must be somewhere"), "curl": "takes it"})
    for name, lines in (("a trailer", b"X: y\r\n"), ("trailers", b"X: y\r\nX: z\r\n"), ("an empty trailer", b"X: \r\n"), ("a trailer with non-ASCII", b"X: \xe9\r\n"), ("a long trailer", b"X: " + b"y" * 3000 + b"\r\n"),
                        ("many trailers", b"".join(b"X-%d: y\r\n" % n for n in range(50))), ("a trailer that is a cookie", b"Set-Cookie: a=b\r\n"), ("a checksum in the trailer", b"Digest: sha-256=abc\r\n")):
        sizes(name, b"2\r\nhi\r\n0\r\n" + lines + b"\r\n")
    reply("a trailer announced", OK + CHUNKED + b"Trailer: X\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\nX: z\r\n\r\n")
    reply("a trailer announced that does not come", OK + CHUNKED + b"Trailer: X\r\n\r\n" + CHUNKS)
    reply("a trailer other than announced", OK + CHUNKED + b"Trailer: X\r\n\r\n2\r\nhi\r\n0\r\nY: z\r\n\r\n")
    sizes("a trailer by bare LF", b"2\r\nhi\r\n0\r\nX: y\n\n")
    sizes("a trailer with white space", b"2\r\nhi\r\n0\r\nX :  y \r\n\r\n", {"body": SPACE["fields"]})
    sizes("a trailer without a body", b"0\r\nX: y\r\n\r\n")
    for line in (b"Content-Length: 9", b"Transfer-Encoding: chunked"):
        sizes(f"the trailer {line.decode()}", b"2\r\nhi\r\n0\r\n" + line + b"\r\n\r\n", {"cut": "a trailer must not say the framing (RFC 9110 §6.5.1)", "bytes": b"hi", "curl": "takes it"})
    sizes("a trailer with NUL", b"2\r\nhi\r\n0\r\nX: \0\r\n\r\n", {"cut": "NUL ends a string in some readers", "bytes": b"hi", "curl": "takes it"})
    sizes("a trailer without a colon", b"2\r\nhi\r\n0\r\nnonsense\r\n\r\n", {"cut": "it is no field", "bytes": b"hi", "curl": "takes it"})


def start_lines():
    reply("blank line before the status", b"\r\n" + OK + LENGTH + b"\r\nhi",
          {"exit": "curl takes it for HTTP/0.9, RFC 9112 §2.2 lets it pass", "status": "", "fields": "", "body": ""})
    reply("no reason", b"HTTP/1.1 200 \r\n" + LENGTH + b"\r\nhi")
    reply("no reason, no space", b"HTTP/1.1 200\r\n" + LENGTH + b"\r\nhi")
    for name, reason in (("long", b"All is well: (really)  yes"), ("non-ASCII", b"Tr\xe8s bien"), ("UTF-8", "😀".encode()), ("digits", b"404"), ("one space more", b" OK"), ("spaces at the end", b"OK  "), ("tabs", b"O\tK"),
                         ("8 KiB", b"x" * 8000), ("quotes", b'"OK"'), ("the look of a field", b"X: y"), ("control characters", b"O\x01K")):
        reply(f"reason of {name}", b"HTTP/1.1 200 " + reason + b"\r\n" + LENGTH + b"\r\nhi")
    reply("reason of 20 KiB", b"HTTP/1.1 200 " + b"x" * 20_000 + b"\r\n" + LENGTH + b"\r\nhi", refused("an end must be somewhere"))
    reply("NUL in the reason", b"HTTP/1.1 200 O\0K\r\n" + LENGTH + b"\r\nhi", refused("NUL ends a string in some readers"))
    reply("bare CR in the reason", b"HTTP/1.1 200 O\rK\r\n" + LENGTH + b"\r\nhi", refused("a bare CR ends a line in some readers"))
    for status in (201, 202, 203, 206, 207, 208, 226, 299, 300, 301, 302, 303, 305, 307, 308, 399, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 416, 417, 418, 421, 425, 426, 428, 429, 431, 451, 499,
                   500, 501, 502, 503, 504, 505, 507, 511, 520, 599, 600, 700, 800, 900, 999):
        reply(f"status {status}", b"HTTP/1.1 %d Odd\r\n" % status + LENGTH + b"\r\nhi")
    reply("status 502 in problem details", b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/problem+json\r\n" + LENGTH + b"\r\n{}")
    reply("status 404 with mockserve-miss", b"HTTP/1.1 404 Not Found\r\nmockserve-miss: 1\r\n" + LENGTH + b"\r\nno")
    for status in (b"20", b"2", b"2000", b"000", b"099", b"2x0", b"-20", b"+20", b"20.", b"", b"abc", b"\xb2\xb2\xb2"):
        reply(f"the status {status!r}", b"HTTP/1.1 " + status + b" OK\r\n" + LENGTH + b"\r\nhi", refused("a status has three digits"))
    for version in (b"HTTP/2", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/1.10", b"http/1.1", b"HTTP/1", b"HTTP/1,1", b"ICY", b"XTTP/1.1", b" HTTP/1.1", b"RTSP/1.0"):
        reply(f"the version {version.decode()!r}", version + b" 200 OK\r\n" + LENGTH + b"\r\nhi", refused("HTTP/1.0 and HTTP/1.1 are spoken here"))
    reply("two spaces before the status", b"HTTP/1.1  200 OK\r\n" + LENGTH + b"\r\nhi", refused("it is no status line"))
    reply("a tab before the status", b"HTTP/1.1\t200 OK\r\n" + LENGTH + b"\r\nhi", refused("it is no status line"))
    reply("HTTP/0.9", b"<html>hi</html>", refused("there is no head"))
    reply("not HTTP", b"220 smtp.example ESMTP\r\n", refused("there is no head"))
    reply("TLS", b"\x15\x03\x01\x00\x02\x02\x28", refused("there is no head"))
    reply("40 blank lines", b"\r\n" * 40 + OK + LENGTH + b"\r\nhi", refused("an end must be somewhere"))
    # Line ends.
    reply("bare LF", b"HTTP/1.1 200 OK\nX: y\nContent-Length: 2\n\nhi")
    reply("bare LF in places", b"HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\nhi")
    reply("bare LF at the end of the head", b"HTTP/1.1 200 OK\nX: y\nContent-Length: 2\n\r\nhi")
    reply("bare LF after the status", b"HTTP/1.1 200 OK\nX: y\r\nContent-Length: 2\r\n\r\nhi")
    reply("bare LF and chunks", b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n" + CHUNKS)
    reply("bare LF until close", b"HTTP/1.1 200 OK\nX: y\n\nhi", FRAMING)
    reply("bare CR ends every line", b"HTTP/1.1 200 OK\rX: y\rContent-Length: 2\r\rhi", refused("a bare CR ends a line in some readers"))


def connections():
    field("connection fields", b"Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5", HOP)
    field("Connection: close", b"Connection: close")
    field("Connection: keep-alive, close", b"Connection: keep-alive, close")
    field("Keep-Alive alone", b"Keep-Alive: timeout=5, max=100")
    field("Proxy-Connection", b"Proxy-Connection: keep-alive\r\nX: y", HOP)
    field("Upgrade", b"Upgrade: h2c\r\nConnection: Upgrade\r\nX: y", HOP)
    field("TE", b"TE: trailers\r\nX: y", HOP)
    field("a nominated field in a list", b"Connection: close, X-Hop ,, Y\r\nX-Hop: 1\r\ny: 2\r\nZ: 3", HOP)
    field("a nominated field that is not there", b"Connection: X-Hop\r\nX: y")
    field("two Connection fields", b"Connection: X-Hop\r\nX-Hop: 1\r\nconnection: Y\r\nY: 2\r\nZ: 3", HOP)
    field("a nominated cookie", b"Connection: set-cookie\r\nSet-Cookie: a=b", HOP)
    field("Connection: connection", b"Connection: connection\r\nX: y")
    field("an empty Connection", b"Connection:\r\nX: y")
    # What frames a message or says what its content is cannot be nominated (RFC 9110 §7.6.1).
    field("a nominated type", b"Connection: content-type\r\nContent-Type: text/plain")
    field("a nominated length", b"Connection: content-length")
    reply("a nominated coding", OK + b"Connection: transfer-encoding\r\n" + CHUNKED + b"\r\n" + CHUNKS)
    reply("a nominated length with chunks", OK + b"Connection: content-length\r\n" + CHUNKED + b"\r\n" + CHUNKS)
    reply("a nominated trailer", OK + b"Connection: X\r\n" + CHUNKED + b"\r\n2\r\nhi\r\n0\r\nY: z\r\n\r\n")
    field("Proxy-Authenticate", b"Proxy-Authenticate: Basic realm=x")
    field("Via", b"Via: 1.0 somebody (odd)")
    field("Date in odd forms", b"Date: Sunday, 06-Nov-94 08:49:37 GMT\r\nDate: yesterday\r\nAge: -1\r\nExpires: 0")


def codings():
    packed = gzip.compress(b"hello " * 40, mtime=0)
    text = b"Content-Type: text/plain\r\n"

    def coded(name, coding, body, lines=text):
        reply(name, OK + lines + b"Content-Encoding: " + coding + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    coded("gzip with a length", b"gzip", packed)
    coded("gzip of an unknown type", b"gzip", packed, lines=b"")
    coded("gzip of a picture", b"gzip", packed, lines=b"Content-Type: image/png\r\n")
    coded("x-gzip", b"x-gzip", packed)
    coded("GZIP", b"GZIP", packed)
    coded("gzip that is plain", b"gzip", b"hello")
    coded("gzip that is empty", b"gzip", b"")
    coded("gzip that ends early", b"gzip", packed[:-10])
    coded("gzip with garbage behind", b"gzip", packed + b"garbage")
    coded("gzip in two members", b"gzip", packed + packed)
    coded("gzip with a wrong checksum", b"gzip", packed[:-8] + b"\0\0\0\0" + packed[-4:])
    coded("gzip twice", b"gzip, gzip", gzip.compress(packed, mtime=0))
    coded("gzip twice that is gzip once", b"gzip, gzip", packed)
    coded("deflate", b"deflate", zlib.compress(b"hello " * 40))
    coded("deflate without a frame", b"deflate", zlib.compress(b"hello " * 40)[2:-4])
    coded("deflate that is gzip", b"deflate", packed)
    coded("br that is gzip", b"br", packed)
    coded("br that is plain", b"br", b"hello")
    coded("zstd that is plain", b"zstd", b"hello")
    coded("a coding that nobody knows", b"cow", b"moo")
    coded("identity as a coding", b"identity", b"hello")
    coded("an empty coding", b"", b"hello")
    coded("plain that is gzip", b"identity", packed)
    coded("chunked as a content coding", b"chunked", CHUNKS)
    pieces = b"%x\r\n%s\r\n" % (20, packed[:20]) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed) - 20, packed[20:])
    reply("gzip in chunks", OK + text + b"Content-Encoding: gzip\r\n" + CHUNKED + b"\r\n" + pieces)
    reply("gzip in chunks with a length", OK + text + b"Content-Encoding: gzip\r\n" + LENGTH + CHUNKED + b"\r\n" + pieces, ONE_FRAMING)
    reply("gzip until close", OK + text + b"Content-Encoding: gzip\r\n\r\n" + packed, FRAMING)
    reply("gzip in HTTP/1.0", OLD + text + b"Content-Encoding: gzip\r\n\r\n" + packed, {**VERSION, **FRAMING})
    reply("text until close", OK + text + b"\r\nhello", FRAMING)
    reply("text in chunks", OK + text + CHUNKED + b"\r\n" + CHUNKS)
    reply("text of 300 KiB", OK + text + b"Content-Length: 300000\r\n\r\n" + b"hello " * 50_000)
    reply("text that is no UTF-8", OK + b"Content-Type: text/plain; charset=utf-8\r\n" + LENGTH + b"\r\n\xff\xfe")
    reply("JSON that is none", OK + b"Content-Type: application/json\r\n" + LENGTH + b"\r\n{]")
    reply("two types", OK + b"Content-Type: text/plain\r\nContent-Type: image/png\r\n" + LENGTH + b"\r\nhi")
    reply("an odd type", OK + b"Content-Type: ;;;=\"/\r\n" + LENGTH + b"\r\nhi")
    reply("parts of ranges", OK.replace(b"200 OK", b"206 Partial Content") + b"Content-Range: bytes 0-1/2\r\n" + LENGTH + b"\r\nhi")


def cuts():
    reply("empty answer", b"", refused("there is no answer"))
    reply("closed in the status line", b"HTTP/1.1 2", refused("there is no whole head"))
    reply("closed after the status line", OK, refused("there is no whole head"))
    reply("closed in a field name", OK + b"X", refused("there is no whole head"))
    reply("closed in a field value", OK + b"X: y", refused("there is no whole head"))
    reply("closed in the fields", OK + b"X: y\r\n", refused("there is no whole head"))
    reply("closed before the empty line is whole", OK + LENGTH + b"\r", refused("there is no whole head"))
    # Text passes through the mapping of origins, which must not swallow what came.
    packed = gzip.compress(os.urandom(3000), mtime=0)
    for kind in ("text/plain", "application/json", "text/html; charset=utf-8", "text/event-stream", "application/octet-stream", "image/png", ""):
        head = b"Content-Type: %s\r\n" % kind.encode() if kind else b""
        shown = kind.partition(";")[0] or "no type"
        reply(f"{shown}, closed after the head", OK + head + LENGTH + b"\r\n", cut())
        reply(f"{shown}, closed in the body", OK + head + b"Content-Length: 5\r\n\r\nhi", cut(b"hi"))
        reply(f"{shown}, closed before the last byte", OK + head + b"Content-Length: 5\r\n\r\nhi t", cut(b"hi t"))
        reply(f"{shown}, closed in a chunk", OK + head + CHUNKED + b"\r\n5\r\nhi", cut(b"hi"))
        reply(f"{shown}, closed before the last chunk", OK + head + CHUNKED + b"\r\n2\r\nhi\r\n", cut(b"hi"))
        reply(f"{shown}, a bad chunk size", OK + head + CHUNKED + b"\r\n2\r\nhi\r\nxx\r\n", cut(b"hi"))
    for kind in ("text/plain", "application/octet-stream"):
        head = b"Content-Type: %s\r\n" % kind.encode()
        text = b"hello " * 60_000
        reply(f"{kind}, closed before the first chunk", OK + head + CHUNKED + b"\r\n", cut())
        reply(f"{kind}, closed in a chunk size", OK + head + CHUNKED + b"\r\n2\r\nhi\r\n1", cut(b"hi"))
        reply(f"{kind}, closed after a chunk size", OK + head + CHUNKED + b"\r\n2\r\nhi\r\n1\r\n", cut(b"hi"))
        reply(f"{kind}, closed in the end of a chunk size", OK + head + CHUNKED + b"\r\n2\r\nhi\r\n1\r", cut(b"hi"))
        reply(f"{kind}, closed after a chunk's data", OK + head + CHUNKED + b"\r\n2\r\nhi", cut(b"hi"))
        reply(f"{kind}, closed in a chunk's end", OK + head + CHUNKED + b"\r\n2\r\nhi\r", cut(b"hi"))
        reply(f"{kind}, closed in the last chunk", OK + head + CHUNKED + b"\r\n2\r\nhi\r\n0", cut(b"hi"))
        reply(f"{kind}, closed after the last chunk", OK + head + CHUNKED + b"\r\n2\r\nhi\r\n0\r\n", cut(b"hi"))
        reply(f"{kind}, closed in the end", OK + head + CHUNKED + b"\r\n2\r\nhi\r\n0\r\n\r", {**cut(b"hi"), "curl": "needs no more"})
        reply(f"{kind}, closed in the trailers", OK + head + CHUNKED + b"\r\n2\r\nhi\r\n0\r\nX: y\r\n", cut(b"hi"))
        reply(f"{kind}, closed in both framings", OK + head + LENGTH + CHUNKED + b"\r\n5\r\nhi", {**cut(b"hi"), **ONE_FRAMING})
        reply(f"{kind}, closed in HTTP/1.0", OLD + head + b"Content-Length: 5\r\n\r\nhi", {**cut(b"hi"), **VERSION})
        reply(f"{kind}, closed in 360 KB", OK + head + b"Content-Length: 900000\r\n\r\n" + text, cut(text))
        reply(f"{kind}, closed in chunks of 360 KB", OK + head + CHUNKED + b"\r\n" + b"%x\r\n%s\r\n" % (len(text), text) * 2, cut(text * 2))
        reply(f"{kind}, closed after 103", b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" + OK + head + b"Content-Length: 5\r\n\r\nhi", cut(b"hi"))
        reply(f"{kind}, closed in a 404", b"HTTP/1.1 404 Not Found\r\n" + head + b"Content-Length: 5\r\n\r\nhi", cut(b"hi"))
        reply(f"{kind}, closed in gzip", OK + head + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed[:1000], cut(packed[:1000]))
        reply(f"{kind}, closed in gzip in chunks", OK + head + b"Content-Encoding: gzip\r\n" + CHUNKED + b"\r\n%x\r\n" % len(packed) + packed[:1000], cut(packed[:1000]))
        # Half of the upstream's origin, or of a character, must not be held back at the end.
        reply(f"{kind}, closed in what may be an origin", OK + head + b"Content-Length: 90\r\n\r\nsee http://127.0.0", cut(b"see http://127.0.0"))
        reply(f"{kind}, closed in a character", OK + head + b"Content-Length: 90\r\n\r\n\xe2\x82", cut(b"\xe2\x82"))


for group in (framings, lengths, informationals, bodyless, names_and_values, chunks, start_lines, connections, codings, cuts):
    group()

IGNORED = (b"connection:", b"keep-alive:")
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:")


class Upstream:
    """Answers a request for /N with reply N, byte for byte, and closes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            data = b""
            try:
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(4096)
                    if not piece:
                        return
                    data += piece
                number = int(data.split(b" ")[1][1:])
                connection.sendall(REPLIES[number][1])
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
            except OSError:
                pass


class View:
    """What curl saw."""

    def __init__(self, port, number, *arguments):
        result = subprocess.run(
            ["curl", "-sS", "-i", "--max-time", "10", *arguments, *REPLIES[number][3:], f"http://127.0.0.1:{port}/{number}"],
            capture_output=True,
        )
        self.exit = result.returncode
        rest, heads = result.stdout, []
        # A head, and those before it if it is informational; what follows is the body, whatever it looks like.
        while rest.startswith(b"HTTP/") and (not heads or heads[-1][0][9:10] == b"1"):
            ends = [end for end in (b"\r\n\r\n", b"\n\n", b"\n\r\n") if end in rest]
            if not ends:
                break
            head, _, rest = rest.partition(min(ends, key=rest.index))
            heads.append([line.removesuffix(b"\r") for line in head.split(b"\n")])
        # curl shows trailers after the body; they are compared as part of it.
        self.body = rest
        self.status = heads[-1][0] if heads else b""
        self.informational = [head[:1] + kept(head[1:]) for head in heads[:-1]]
        self.fields = kept(heads[-1][1:]) if heads else []

    def differences(self, other):
        aspects = ("exit", "status", "fields", "body", "informational")
        return {name for name in aspects if getattr(self, name) != getattr(other, name)}

    def __repr__(self):
        return f"exit {self.exit}, {self.status!r} {str(self.fields)[:400]}, {len(self.body)} bytes {self.body[:120]!r}, before it {self.informational}"

    def check(self, name):
        """What holds for every answer of ours: one framing, names that are tokens."""
        names = [line.partition(b":")[0].lower() for line in self.fields]
        framings = names.count(b"content-length") + names.count(b"transfer-encoding")
        assert framings <= 1, f"{name}: {framings} framings in {self.fields}"
        odd = [line for head in [self.fields, *(head[1:] for head in self.informational)] for line in head if not TOKEN.match(line)]
        assert not odd, f"{name}: names that are no tokens: {odd}"


def kept(lines):
    return [line for line in lines if not line.lower().startswith(IGNORED)]


def content(view):
    """The fields without those that frame."""
    return [line for line in view.fields if not line.lower().startswith((b"content-length:", b"transfer-encoding:", b"trailer:"))]


# What is said of a row beside the aspects that differ.
REMARKS = {"cut", "bytes", "curl"}


def check(number, direct, recorded):
    """The recorder against the upstream itself."""
    name, _, expected, *_ = REPLIES[number]
    if "refused" in expected:
        assert recorded.status.startswith(b"HTTP/1.1 502") and recorded.exit == 0, f"{name}: not refused: {recorded}"
        return [f"refused with 502: {expected['refused']}"]
    recorded.check(name)
    known = set(expected) - REMARKS
    found = direct.differences(recorded)
    if "cut" in expected:
        assert direct.exit != 0 or "curl" in expected, f"{name}: curl takes it for a whole answer: {direct}"
        assert recorded.exit != 0, f"{name}: the answer is not cut\n{direct}\n{recorded}"
        assert recorded.body == expected["bytes"], f"{name}: cut after other bytes than {expected['bytes'][:100]!r}\n{direct}\n{recorded}"
        # What curl prints of a cut body, and with which status it ends, is its own affair.
        assert found - {"exit", "body"} == known, f"{name}: differs in {found}, not {known}\n{direct}\n{recorded}"
        return [f"cut: {expected['cut']}"]
    assert found == known, f"{name}: differs in {found or 'nothing'}, not {known or 'nothing'}\n{direct}\n{recorded}"
    return [f"{aspect}: {reason}" for aspect, reason in expected.items() if reason]


def check_replay(number, recorded, replayed, keeps_cut=False):
    """The replay against the recorder."""
    name, _, expected, *_ = REPLIES[number]
    if "refused" in expected or "cut" in expected and not keeps_cut:
        assert replayed.status.startswith(b"HTTP/1.1 404") and b"mockserve-miss: 1" in replayed.fields, f"{name}: not a miss: {replayed}"
        return
    later = recorded.differences(replayed)
    assert not later, f"{name}: the replay differs in {later}\n{recorded}\n{replayed}"


def check_old(number, recorded, old):
    """What a client of HTTP/1.0 is sent against what one of HTTP/1.1 is: the same, without what it does not know."""
    name, _, expected, *arguments = REPLIES[number]
    assert old.status == recorded.status and (old.exit == 0) == (recorded.exit == 0), f"{name}, HTTP/1.0:\n{recorded}\n{old}"
    if "refused" in expected:
        return
    old.check(name)
    assert not old.informational, f"{name}: informational answers to HTTP/1.0 (RFC 9110 §15.2): {old}"
    assert content(old) == content(recorded), f"{name}, HTTP/1.0: other fields\n{recorded}\n{old}"
    assert not [line for line in old.fields if line.lower().startswith(b"transfer-encoding")], f"{name}, HTTP/1.0: a coding: {old}"
    # Trailers stand behind the body of the one and are not sent to the other.
    assert recorded.body.startswith(old.body) and (old.body == recorded.body or b"\r\n0" in REPLIES[number][1]), f"{name}, HTTP/1.0: another body\n{recorded}\n{old}"


class Pass:
    """The whole table, or a part of it, through one recorder and one replay of what it made."""

    def __init__(self, temporary, name, upstream, numbers, failures, *options):
        self.cassette = os.path.join(temporary, f"{name}.cassette")
        self.name, self.numbers, self.failures, self.options = name, numbers, failures, options
        self.server = Server("record", self.cassette, "--no-default-redaction", "--upstream", f"http://127.0.0.1:{upstream.port}", "--quiet", *options)

    def note(self, number, judge, *arguments, **options):
        try:
            return judge(number, *arguments, **options)
        except AssertionError as error:
            self.failures.append((REPLIES[number][0], f"[{self.name}] {error}"))
            return []

    def record(self, *arguments):
        views = {number: View(self.server.port, number, *arguments) for number in self.numbers}
        status = self.server.stop(expected=None)
        assert status in RECORD_STATUSES, f"{self.name}: record ended with {status}"
        return views

    def replay(self, recorded, *arguments, **options):
        with Server("replay", self.cassette, *(option for option in self.options if option == "--no-map"), "--quiet") as replay:
            for number in self.numbers:
                self.note(number, check_replay, recorded[number], View(replay.port, number, *arguments), **options)


def main():
    names = [one[0] for one in REPLIES]
    assert len(set(names)) == len(names) >= 250, [name for name in names if names.count(name) > 1]
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    # The first one always, so that there is a cassette.
    numbers = [number for number, name in enumerate(names) if part in name or number == 0]
    failures, same = [], 0
    upstream = Upstream()
    with folder() as temporary:
        direct = {number: View(upstream.port, number) for number in numbers}
        plain = Pass(temporary, "no map", upstream, numbers, failures, "--no-map")
        recorded = plain.record()
        for number in numbers:
            reasons = plain.note(number, check, direct[number], recorded[number])
            same += not reasons
            for reason in reasons:
                print(f"  {names[number]}: {reason}")
        plain.replay(recorded)

        mapped = Pass(temporary, "mapped", upstream, numbers, failures)
        views = mapped.record()
        for number in numbers:
            mapped.note(number, check, direct[number], views[number])
        mapped.replay(views)

        old = Pass(temporary, "HTTP/1.0", upstream, numbers, failures, "--no-map")
        views = old.record("--http1.0")
        for number in numbers:
            old.note(number, check_old, recorded[number], views[number])
        old.replay(views, "--http1.0")

        cut_numbers = [number for number in numbers if "cut" in REPLIES[number][2]]
        keeps_cut = "--keep-cut" in subprocess.run([MOCKSERVE, "record", "--help"], capture_output=True, text=True).stdout
        if keeps_cut and cut_numbers:
            for name, *options in (("keep cut", "--keep-cut", "--no-map"), ("keep cut, mapped", "--keep-cut")):
                cutting = Pass(temporary, name, upstream, cut_numbers, failures, *options)
                views = cutting.record()
                for number in cut_numbers:
                    cutting.note(number, check, direct[number], views[number])
                cutting.replay(views, keeps_cut=True)
    upstream.listener.close()
    for name, problem in failures:
        print(f"FAILED {name}: {problem}")
    assert not failures, f"{len({name for name, _ in failures})} of {len(REPLIES)} rows fail"
    passed(
        f"{len(numbers)} odd replies: {same} the same directly, recorded and replayed; the others differ as listed; so with origins mapped "
        f"and for HTTP/1.0, and {len(cut_numbers) if keeps_cut else 0} cut answers are replayed cut"
    )


main()

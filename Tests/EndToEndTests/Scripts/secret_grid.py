"""Secrets of all kinds in all places and spellings: none is on the disk, while mockserve runs, when it is killed, and afterwards.

Usage: secret_grid.py [--quick] [--list]   SAMPLE=N takes one of N combinations (default 16, with --quick 48; 1 is the full
grid, for an hour). ONLY=TEXT takes all whose title, KIND/PLACE/RIGHT/SPELLING, contains it.

Every combination of a kind of secret, a place, a spelling and a right is one exchange with a secret of its own. The right says why it must be
found: `place` (a name that tells), `shape`, `learned` (the same value was in a place that tells, in the same exchange or an earlier one) or
`declared` (--secret-env). The upstream answers what was planned for the path, cut in chunks at seeded places. Afterwards all files are
decoded in all the ways that secrets were spelt in, several times over, and searched for every part of 12 bytes of every secret.

Prints a table of kinds and places with what was planted and what was found, and every leak.
"""

import binascii
import gzip
import html
import io
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib

import brotlicffi
import support
import zstandard
from secret_kinds import ENCODINGS, KINDS, NATIVE, WHOLE, b64, escape, percent
from support import MOCKSERVE, folder, passed

QUICK = "--quick" in sys.argv
SAMPLE = int(os.environ.get("SAMPLE") or (48 if QUICK else 16))
ONLY = os.environ.get("ONLY")
SHORTEST = 12  # What of a secret may not be found.

# (kind, place, spelling, right, reason), `*` for any: what is known not to be found. Everything else that is not found fails.
KNOWN = []


# MARK: Places


class Place:
    def __init__(self, name, syntax, build, sides="><", telling=True, neutral=True, style="snake", family="", known=(), codings=()):
        self.name, self.syntax, self.build, self.sides = name, syntax, build, sides
        self.telling, self.neutral, self.style, self.family, self.known, self.codings = telling, neutral, style, family, known, codings


def spell(words, style):
    if style == "camel":
        return words[0] + "".join(part.title() for part in words[1:])
    if style == "pascal":
        return "".join(part.title() for part in words)
    if style == "kebab":
        return "-".join(words)
    if style == "field":
        return "X-" + "-".join(part.title() for part in words)
    if style == "upper":
        return "_".join(words).upper()
    if style == "dotted":
        return words[0] + "." + spell(words[1:], "camel") if len(words) > 1 else words[0]
    return "_".join(words)


def body(kind, template):
    return lambda name, text: {"body": (kind, template.replace("{N}", name).replace("{T}", text))}


def field(template, *more):
    return lambda name, text: {"fields": [(template[0].replace("{N}", name), template[1].replace("{N}", name).replace("{T}", text)), *more]}


def multipart(kind, template):
    return lambda name, text: {"body": ("multipart/form-data; boundary=Bound", template.replace("{K}", kind).replace("{N}", name).replace("{T}", text))}


def protobuf(name, text):
    """A frame of gRPC-Web with a message of two strings."""
    value = text.encode()
    message = b"\x0a" + bytes([len(name)]) + name.encode() + b"\x12" + varint(len(value)) + value + b"\x18\x07"
    return {"body": ("application/grpc-web+proto", b"\x00" + len(message).to_bytes(4, "big") + message)}


def varint(number):
    result = b""
    while number > 127:
        result += bytes([number & 127 | 128])
        number >>= 7
    return result + bytes([number])


MEMBER = '{"id": 7, "{N}": "{T}", "ok": true, "text": "an apple and a pear"}'
FILLER = "the quick brown fox jumps over the lazy dog. " * 8
PART = '--Bound\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n--Bound\r\nContent-Disposition: form-data; name="{N}"\r\n{K}\r\n{T}\r\n--Bound--\r\n'
J, X, H = "application/json", "application/xml", "text/html; charset=utf-8"
KNOWN_FIELDS = ("X-API-Key", "X-Auth-Token", "Private-Token", "X-Vault-Token", "X-Amz-Security-Token", "Api-Key", "X-Goog-Api-Key")

PLACES = [
    # Fields.
    Place("field of a known name", "field", field(("{N}", "{T}")), neutral=False, known=KNOWN_FIELDS),
    Place("field of a telling name", "field", field(("{N}", "{T}")), neutral=False, style="field"),
    Place("field of another name", "field", field(("X-Debug-Info", "value {T}")), telling=False),
    Place("Authorization", "field", field(("Authorization", "Bearer {T}")), ">", neutral=False),
    Place("Authorization, another scheme", "field", field(("Authorization", "Token {T}")), ">", neutral=False),
    Place("Proxy-Authorization", "field", field(("Proxy-Authorization", "Bearer {T}")), ">", neutral=False),
    Place("Authorization: Basic", "base64", field(("Authorization", "Basic {T}")), ">", neutral=False, family="basic"),
    Place("Cookie", "cookie", field(("Cookie", "theme=dark; sid={T}; lang=de")), ">", neutral=False),
    Place("Set-Cookie", "cookie", field(("Set-Cookie", "sid={T}; Path=/; HttpOnly")), "<", neutral=False),
    Place("Referer", "url", field(("Referer", "https://app.example/page?a=1&{N}={T}")), ">", family="query"),
    Place("Location, query", "url", field(("Location", "https://app.example/cb?a=1&{N}={T}#top")), "<", family="query"),
    Place("Location, fragment", "url", field(("Location", "https://app.example/cb#{N}={T}&token_type=bearer")), "<", family="query"),
    Place("Link", "url", field(("Link", '<https://app.example/list?{N}={T}&page=2>; rel="next"')), "<", family="query"),
    Place("trailer of a telling name", "field", lambda name, text: {"trailers": [(name, text)]}, neutral=False, style="field"),
    Place("trailer of another name", "field", lambda name, text: {"trailers": [("X-Debug-Info", text)]}, telling=False),
    Place("reason phrase", "reason", lambda name, text: {"reason": f"Refused {text}"}, "<", telling=False),
    # Targets.
    Place("query", "query", lambda name, text: {"query": f"a=1&{name}={text}&b=2"}, ">", family="query"),
    Place("query of a URL in a query", "query", lambda name, text: {"query": "next=" + percent(f"https://app.example/cb?a=1&{name}={text}") + "&b=2"}, ">", family="query"),
    Place("path segment", "path", lambda name, text: {"path": f"/files/{text}/all"}, ">", telling=False),
    # Bodies of JSON.
    Place("json, top", "json", body(J, MEMBER), style="camel"),
    Place("json, nested", "json", body(J, '{"data": {"items": [{"a": 1}, {"b": {"{N}": "{T}", "c": null}}]}}')),
    Place("json, array", "json", body(J, '{"{N}": ["{T}", "one"], "a": [1, 2]}')),
    Place("json, dotted name", "json", body(J, '{"settings": {"{N}": "{T}"}}'), neutral=False, style="dotted"),
    Place("json, in a string", "json string", body(J, r'{"inner": "{\"{N}\": \"{T}\", \"a\": 1}", "b": 2}'), style="camel"),
    Place("json, member name", "json", body(J, '{"byValue": {"{T}": {"count": 1}}}'), telling=False),
    Place("json, within a text", "json", body(J, '{"message": "you sent {T} just now"}'), telling=False),
    Place("echo of fields", "json", body(J, '{"headers": {"Accept": "*/*", "X-Seen": "Bearer {T}"}, "url": "https://app.example/"}'), "<", telling=False),
    Place("graphql variables", "json", body(J, '{"query": "mutation($i: Input!) { go(input: $i) { ok } }", "variables": {"i": {"{N}": "{T}"}}}'), ">", style="camel"),
    Place("json-rpc params", "json", body(J, '{"jsonrpc": "2.0", "id": 1, "method": "login", "params": {"{N}": "{T}"}}'), ">"),
    Place("x-amz-json", "json", body("application/x-amz-json-1.1", '{"Result": {"{N}": "{T}", "Name": "one"}}'), style="pascal"),
    Place("json as octet-stream", "json", body("application/octet-stream", MEMBER)),
    Place("json of no type", "json", body("", MEMBER)),
    Place("ndjson", "json", body("application/x-ndjson", '{"a": 1}\n{"{N}": "{T}"}\n{"b": 2}\n'), "<"),
    Place("event stream", "json", body("text/event-stream", 'event: go\ndata: {"a": 1}\n\nid: 2\ndata: {"{N}": "{T}"}\n\n'), "<"),
    Place("json, gzip", "json", body(J, MEMBER[:-1] + f', "f": "{FILLER}"' + "}"), codings=("gzip",)),
    Place("json, deflate", "json", body(J, MEMBER[:-1] + f', "f": "{FILLER}"' + "}"), codings=("deflate",)),
    Place("json, brotli", "json", body(J, MEMBER[:-1] + f', "f": "{FILLER}"' + "}"), codings=("br",)),
    Place("json, zstandard", "json", body(J, MEMBER[:-1] + f', "f": "{FILLER}"' + "}"), codings=("zstd",)),
    Place("json number", "number", body(J, '{"a": 1, "{N}": {T}, "b": [2]}'), neutral=False, family="number"),
    # Forms.
    Place("form", "form", body("application/x-www-form-urlencoded", "a=1&{N}={T}&b=2")),
    Place("form, name in brackets", "form", body("application/x-www-form-urlencoded", "user[name]=anna&user[{N}]={T}&commit=Go"), ">"),
    Place("multipart", "part", multipart("", PART)),
    Place("multipart, json", "json", multipart("Content-Type: application/json\r\n", PART.replace('name="{N}"', 'name="data"').replace("{T}", MEMBER))),
    Place("multipart, quoted-printable", "quoted", multipart("Content-Transfer-Encoding: quoted-printable\r\n", PART)),
    # Markup.
    Place("xml element", "xml", body(X, '<?xml version="1.0"?><r><a>1</a><{N}>{T}</{N}></r>'), style="pascal"),
    Place("xml attribute", "xml", body(X, '<?xml version="1.0"?><r><user name="anna" {N}="{T}"/></r>'), style="camel"),
    Place("soap", "xml", body("text/xml", '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><n:Login xmlns:n="urn:n"><n:User>anna</n:User>'
                              "<n:{N}>{T}</n:{N}></n:Login></s:Body></s:Envelope>"), style="camel"),
    Place("html input", "html", body(H, '<html><form method="post"><input type="hidden" name="{N}" value="{T}"><input name="q"></form></html>'), "<"),
    Place("html input, value first", "html", body(H, '<html><form><input value="{T}" type="hidden" name="{N}" /></form></html>'), "<", style="kebab"),
    Place("html meta", "html", body(H, '<html><head><meta charset="utf-8"><meta name="{N}" content="{T}"></head></html>'), "<", style="kebab"),
    Place("html text", "html", body(H, "<html><p>It is <b>{T}</b> now.</p></html>"), "<", telling=False),
    Place("html, script", "script", body(H, '<html><script>var a = 1; window.{N} = "{T}"; go();</script></html>'), "<", style="camel"),
    Place("html, script object", "script", body(H, '<html><script>window.config = {"a": 1, "{N}": "{T}"};</script></html>'), "<", style="camel"),
    # Text.
    Place("yaml", "yaml", body("application/yaml", 'server:\n  port: 80\n  {N}: "{T}"\n  name: one\n')),
    Place("kubeconfig", "yaml", body("application/yaml", 'users:\n- name: admin\n  user:\n    {N}: "{T}"\n'), "<"),
    Place("env file", "env", body("text/plain", "PORT=80\n{N}={T}\nNAME=one\n"), style="upper"),
    Place("ini file", "env", body("text/plain", "[server]\nport = 80\n{N} = {T}\nname = one\n")),
    Place("url in a log", "url", body("text/plain", "12:00 INFO GET https://app.example/x?a=1&{N}={T}&b=2 200\n12:01 INFO done\n"), family="query"),
    Place("text", "text", body("text/plain; charset=utf-8", "line one\nit is {T} now\n"), telling=False, family="text"),
    Place("text, gzip", "text", body("text/plain", f"{FILLER}\nit is {{T}} now\n"), telling=False, codings=("gzip",), family="text"),
    Place("octet-stream", "text", body("application/octet-stream", "\x01\x02\x03 {T} \x04"), telling=False, family="text"),
    Place("grpc-web", "protobuf", protobuf, telling=False),
]
PREFIXES = ((), ("acme",), ("user",), ("stripe",), ("my", "shop"))


def spelling(kind, place, encoding, right, value, source):
    """What stands in the place, or None and the reason why this is no combination."""
    family = place.family
    if right in ("place", "shape") and kind.only and family not in kind.only:
        return None, "the kind is known in other places only"
    if family == "number":
        return (value, "") if kind.name == "number" and encoding == "plain" else (None, "no JSON number")
    if family == "basic":
        return (b64(value.encode()), "") if kind.name == "basic" and encoding == "plain" else (None, "not for Basic")
    if place.syntax == "quoted":
        return (ENCODINGS[encoding](value, source), "") if encoding == "quoted-printable" else (None, "the part is quoted-printable")
    if encoding == "quoted-printable" and (family != "text" or right == "shape"):
        return None, "quoted-printable is for parts of mail and multipart"
    native = NATIVE.get(place.syntax, set())
    if encoding in WHOLE and (place.syntax not in ("json", "json string", "xml", "html", "script", "yaml", "env", "url", "text") or place.codings or not is_document(place)):
        return None, "UTF-16 is for whole documents"
    if encoding == "html, named" or encoding.startswith("html,"):
        if place.syntax not in ("xml", "html", "json", "text"):
            return None, "no place for entities"
    if encoding.startswith("json") and place.syntax not in ("json", "json string", "yaml", "script", "text", "html"):
        return None, "no place for escapes of JSON"
    if place.syntax == "json string" and encoding in ("json", "json, all escaped"):
        return None, "escaped in another way there"
    if place.syntax == "yaml" and encoding == "json, all escaped" and any(ord(character) > 0xFFFF for character in value):
        return None, "YAML has no surrogates"
    if right == "shape" and encoding not in native - {"percent twice"} | {"plain"} | set(WHOLE):
        return None, "a shape is looked for as it is, or as the place spells it"
    if right == "shape" and place.syntax in ("text", "part") and encoding not in ("plain", *WHOLE):
        return None, "a shape is looked for as it is, or as the place spells it"
    spelt = ENCODINGS[encoding](value, source)
    if encoding not in native:
        spelt = escape(place.syntax, spelt)
    return (None, "cannot stand there") if spelt is None else (spelt, "")


def is_document(place, known={}):
    if place.name not in known:
        known[place.name] = looks_like_document(place)
    return known[place.name]


def looks_like_document(place):
    kind = place.build("n", "t").get("body", ("", ""))[0]
    return kind.split(";")[0] not in ("", "multipart/form-data", "application/octet-stream", "application/x-ndjson", "text/event-stream", "application/x-amz-json-1.1")


class Plant:
    """One combination with its secret and its exchanges."""

    def __init__(self, number, kind, place, encoding, right, structure, secret, spelt, declared=None):
        self.number, self.kind, self.place, self.encoding, self.right, self.secret = number, kind, place, encoding, right, secret
        self.name = "note"
        if right == "place":
            if place.known:
                self.name = structure.choice(place.known)
            elif kind.literal and (not kind.words or structure.random() < 0.4):
                self.name = structure.choice(kind.literal)
                if place.style == "field":
                    self.name = "X-" + self.name.replace("_", "-")
            elif kind.words:
                words = [*structure.choice(PREFIXES[1:] if place.style == "dotted" else PREFIXES), *structure.choice(kind.words)]
                self.name = spell(words, structure.choice(("snake", "camel")) if place.style in ("snake", "camel") and structure.random() < 0.3 else place.style)
        self.side = structure.choice(place.sides)
        self.size = len(spelt)
        self.parts = place.build(self.name, spelt)
        self.learning = None
        if right == "learned":
            self.learning = structure.choice(kind.learn)
        self.earlier = structure.random() < 0.5
        self.structure = structure

    def exchanges(self, prefix="g"):
        """(request bytes, cuts, answer, cuts) of each exchange, by its path."""
        request = {"path": "", "query": "", "fields": [], "body": None, "trailers": [], "reason": None}
        answer = {"fields": [], "body": None, "trailers": [], "reason": None}
        side = request if self.side == ">" else answer
        for name, value in self.parts.items():
            side[name] = value
        plan = [(f"/{prefix}/{self.number}/x", request, answer)]
        if self.learning:
            first = {"path": "", "query": "", "fields": [], "body": None, "trailers": [], "reason": None}
            needed = teach(self.learning, self.kind, self.secret)
            if "body" in needed and request["body"] or "query" in needed and request["query"] or self.earlier:
                earlier_answer = {"fields": needed.pop("answer", []), "body": None, "trailers": [], "reason": None}
                first.update(needed)
                plan.insert(0, (f"/{prefix}/{self.number}/before", first, earlier_answer))
            else:
                answer["fields"] = [*needed.pop("answer", []), *answer["fields"]]
                request["fields"] = [*needed.pop("fields", []), *request["fields"]]
                request.update(needed)
        return [(path + request["path"], *self.wire(path + request["path"], request, answer)) for path, request, answer in plan]

    def wire(self, path, request, answer):
        source = random.Random(f"{self.number} {path[:8]}")
        target = path + ("?" + request["query"] if request["query"] else "")
        method = "POST" if request["body"] or request["trailers"] else "GET"
        sent = message(f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n", request, self, source, method == "POST")
        reason = answer["reason"] or "OK"
        status = 403 if answer["reason"] else 302 if any(name == "Location" for name, _ in answer["fields"]) else 200
        returned = message(f"HTTP/1.1 {status} {reason}\r\n", answer, self, source, True)
        return sent, returned

    def title(self):
        return f"{self.kind.name} | {self.place.name} {self.side} | {self.encoding} | {self.right}" + (
            f" by {self.learning}" + (" before" if self.earlier else "") if self.learning else "") + (f" | {self.name}" if self.right == "place" else "")


def teach(way, kind, secret):
    value = secret.cores[0] if kind.name == "basic" else secret.value
    name = kind.literal[0] if kind.literal else "_".join(kind.words[0]) if kind.words else "password"
    if way == "authorization":
        return {"fields": [("Authorization", f"Bearer {value}")]}
    if way == "basic":
        return {"fields": [("Authorization", "Basic " + b64(f"anna.berg:{value}".encode()))]}
    if way == "cookie":
        return {"fields": [("Cookie", f"lang=de; sid={value}")]}
    if way == "set-cookie":
        return {"answer": [("Set-Cookie", f"sid={value}; Path=/")]}
    if way == "query":
        return {"query": f"a=1&{name}={percent(value)}"}
    if way in ("form", "saml"):
        return {"body": ("application/x-www-form-urlencoded", f"user=anna&{name}={percent(value)}")}
    return {"body": (J, json.dumps({"user": "anna", name: value}))}


CODERS = {"gzip": lambda data: gzip.compress(data, mtime=0), "deflate": zlib.compress, "br": brotlicffi.compress, "zstd": zstandard.ZstdCompressor().compress}


def message(head, parts, plant, source, framed):
    """The pieces in which a message is sent."""
    fields = list(parts["fields"])
    content = b""
    if parts["body"]:
        kind, text = parts["body"]
        content = text if isinstance(text, bytes) else text.encode()
        if plant.encoding in WHOLE and parts["body"] is plant.parts.get("body"):
            codec, mark = WHOLE[plant.encoding]
            content = mark + text.encode(codec)
            kind = kind.split(";")[0] + "; charset=utf-16"
        for coding in plant.place.codings if parts["body"] is plant.parts.get("body") else ():
            content = CODERS[coding](content)
            fields.append(("Content-Encoding", coding))
        if kind:
            fields.append(("Content-Type", kind))
    elif parts["trailers"]:
        content = b"some text"
    chunked = bool(parts["trailers"]) or framed and content and source.random() < 0.6
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    size = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {len(content)}\r\n" if framed else ""
    pieces = [(head + lines + size + "\r\n").encode("latin-1")]
    cuts = sorted({0, len(content), *(source.randrange(len(content) + 1) for _ in range(source.choice((1, 2, 5))))}) if content else [0]
    slices = [content[start:end] for start, end in zip(cuts, cuts[1:])]
    if chunked:
        pieces += [b"%x\r\n%s\r\n" % (len(part), part) for part in slices if part]
        pieces.append(b"0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in parts["trailers"]).encode("latin-1") + b"\r\n")
    else:
        pieces += slices
    return pieces


DECLARED = {}


def plan(values, prefix="g"):
    """All combinations of the sample, with secrets made from `values`; and how many there are and why others are none."""
    plants, total, reasons, number = [], 0, {}, 0
    for kind in KINDS:
        for place in PLACES:
            for right in ("place", "shape", "learned", "declared"):
                reason = None
                if right == "place" and not (place.telling and (kind.words or kind.literal or place.family == "basic")):
                    reason = "no name tells"
                elif right != "place" and not place.neutral:
                    reason = "the place tells"
                elif right == "shape" and not kind.shape:
                    reason = "no shape"
                elif right == "learned" and not kind.learn:
                    reason = "not learned"
                elif right == "declared" and not kind.declare:
                    reason = "not declared"
                if reason:
                    reasons[reason] = reasons.get(reason, 0) + len(ENCODINGS)
                    continue
                for encoding in ENCODINGS:
                    number += 1
                    if reason := impossible(kind, place, encoding, right):
                        reasons[reason] = reasons.get(reason, 0) + 1
                        continue
                    total += 1
                    mark = f"{kind.name}/{place.name}/{right}/{encoding}"
                    if ONLY not in mark if ONLY else zlib.crc32(mark.encode()) % SAMPLE:
                        continue
                    if right == "declared":
                        secret = DECLARED.setdefault(kind.name, kind.make(random.Random(f"declared {kind.name}")))
                    else:
                        secret = kind.make(random.Random(f"{mark} {values}"))
                    value = secret.cores[0] if kind.name == "basic" and right == "learned" else secret.value
                    spelt, _ = spelling(kind, place, encoding, right, value, random.Random(mark))
                    plants.append(Plant(number, kind, place, encoding, right, random.Random(mark), secret, spelt))
    return plants, total, reasons


def impossible(kind, place, encoding, right, known={}):
    """Why this is no combination, found out with one value of the kind; None if it is one."""
    key = kind.name, place.syntax, place.family, place.codings, is_document(place), encoding, right
    if key not in known:
        sample = kind.make(random.Random("sample"))
        value = sample.cores[0] if kind.name == "basic" and right == "learned" else sample.value
        spelt, known[key] = spelling(kind, place, encoding, right, value, random.Random(1))
        if spelt is not None and encoding not in WHOLE:
            for other in ENCODINGS:
                if other == encoding:
                    break
                if other not in WHOLE and spelling(kind, place, other, right, value, random.Random(1))[0] == spelt:
                    known[key] = "spelt the same"
    return known[key]


# MARK: Upstream and client


def receive(stream, answer):
    """Reads one message exactly: its first line, fields, body and trailers; None at the end of the stream."""
    first = stream.readline()
    if not first:
        return None
    fields, content, trailers = [], b"", []
    while line := stream.readline().rstrip(b"\r\n"):
        name, value = line.split(b":", 1)
        fields.append((name, value.strip()))
    framing = {name.lower(): value for name, value in fields}
    if framing.get(b"transfer-encoding", b"").lower() == b"chunked":
        while size := int(stream.readline().split(b";")[0], 16):
            content += stream.read(size)
            stream.readline()
        while line := stream.readline().rstrip(b"\r\n"):
            trailers.append(line)
    else:
        content = stream.read(int(framing.get(b"content-length", 0)))
    return first, fields, content, trailers


class Upstream:
    def __init__(self):
        self.answers = {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rb")
        try:
            while received := receive(stream, False):
                key = "/".join(received[0].split(b" ")[1].decode("latin-1").split("?")[0].split("/")[1:4])
                for piece in self.answers[key]:
                    connection.sendall(piece)
        except (OSError, ValueError):
            pass
        connection.close()


class Client:
    def __init__(self, port):
        self.port, self.connection = port, None

    def ask(self, pieces):
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.stream = self.connection.makefile("rb")
        for piece in pieces:
            self.connection.sendall(piece)
        answer = receive(self.stream, True)
        if answer is None:
            raise OSError("closed")
        if any(name.lower() == b"connection" and value.lower() == b"close" for name, value in answer[1]):
            self.close()
        return answer

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Program:
    """mockserve with its standard output and error in files of the folder that is searched."""

    def __init__(self, directory, name, *arguments):
        os.makedirs(directory, exist_ok=True)
        url_file = os.path.join(directory, f"{name}.url")
        env = {**support.environment(), "XDG_STATE_HOME": os.path.join(directory, "state")}
        for number, kind in enumerate(sorted(DECLARED)):
            env[f"SECRET_{number}"] = DECLARED[kind].value
        self.environment = env
        declared = [part for number in range(len(DECLARED)) for part in ("--secret-env", f"SECRET_{number}")]
        self.error = os.path.join(directory, f"{name}.stderr")
        with open(os.path.join(directory, f"{name}.stdout"), "wb") as output, open(self.error, "wb") as error:
            self.process = subprocess.Popen([MOCKSERVE, *map(str, arguments), *declared, "--url-file", url_file], stdout=output, stderr=error, env=env, cwd=directory)
        deadline = time.monotonic() + 30
        while not os.path.exists(url_file) or not open(url_file).read().strip():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("FAILED: mockserve did not start: " + open(self.error).read()[-2000:])
            time.sleep(0.01)
        self.port = int(open(url_file).read().strip().rsplit(":", 1)[1])

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=120)
        with open(self.error, errors="replace") as error:
            self.said = error.read()
            error.seek(0)
            return None if status == 0 else f"mockserve ended with {status}: {error.read()[-1000:]}"

    def kill(self):
        self.process.kill()
        self.process.wait()


def dechunked(pieces):
    return receive(io.BytesIO(b"".join(pieces)), False)


def record_at_once(port, upstream, plants):
    """Two clients at once: each combination is one client's."""
    results = []
    threads = [threading.Thread(target=lambda some=plants[half::2]: results.append(record(port, upstream, some))) for half in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [failure for failures, _ in results for failure in failures], sum(count for _, count in results)


def record(port, upstream, plants, prefix="g", until=None):
    """Sends all exchanges; the client sees what the upstream sent. What could not be done is returned."""
    client, failures, count = Client(port), [], 0
    for plant in plants:
        for path, sent, returned in plant.exchanges(prefix):
            upstream.answers["/".join(path.split("/")[1:4])] = returned
            if until and until.is_set():
                return failures, count
            try:
                got = client.ask(sent)
            except (OSError, ValueError) as error:
                if until:
                    return failures, count
                failures.append((plant, f"no answer: {error!r}"))
                client.close()
                continue
            count += 1
            want = dechunked(returned)
            if got[0].split(b" ", 1)[1] != want[0].split(b" ", 1)[1] or got[2] != want[2]:
                failures.append((plant, f"the client got {got[0]!r} {got[2][:200]!r} instead of {want[0]!r} {want[2][:200]!r}"))
    client.close()
    return failures, count


# MARK: Search

CORE_WINDOW, STEP = 8, 5


class Index:
    """All parts of 8 bytes of all secrets."""

    def __init__(self, plants):
        self.windows, self.numbers = {}, {}
        declared = set()
        for plant in plants:
            if plant.right == "declared":
                if plant.kind.name in declared:
                    continue
                declared.add(plant.kind.name)
            for core in plant.secret.cores:
                data = core.encode()
                if data.isdigit() and len(data) < SHORTEST:
                    self.numbers[data] = plant
                for start in range(len(data) - CORE_WINDOW + 1):
                    self.windows.setdefault(data[start:start + CORE_WINDOW], []).append((plant, data, start))

    def search(self, data):
        """(plant, part found, position)."""
        found, windows = {}, self.windows
        positions = [start for start in range(0, len(data) - CORE_WINDOW + 1, STEP) if data[start:start + CORE_WINDOW] in windows]
        for position in positions:
            for plant, core, start in windows[data[position:position + CORE_WINDOW]]:
                left, right = 0, CORE_WINDOW
                while left < start and left < position and data[position - left - 1] == core[start - left - 1]:
                    left += 1
                while start + right < len(core) and position + right < len(data) and data[position + right] == core[start + right]:
                    right += 1
                if left + right >= min(SHORTEST, len(core)):
                    key = plant.number
                    if key not in found or left + right > len(found[key][1]):
                        found[key] = plant, core[start - left:start + right], position - left
        for match in re.finditer(rb"(?<![0-9])[0-9]{10}(?![0-9])", data) if self.numbers else ():
            if match.group() in self.numbers:
                plant = self.numbers[match.group()]
                found[plant.number] = plant, match.group(), match.start()
        return found.values()


PERCENT = re.compile(rb"(?:%[0-9A-Fa-f]{2}[^%\x00-\x20\"<>]{0,60})+")
ESCAPED = re.compile(rb"(?:\\(?:u[0-9A-Fa-f]{4}|[^u\x00-\x1f])[^\\\x00-\x1f]{0,60})+")
ENTITIES = re.compile(rb"(?:&(?:#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|[a-z]{2,6});[^<>&\x00-\x1f]{0,60})+")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
QUOTED = re.compile(rb"(?:=(?:[0-9A-Fa-f]{2}|\r?\n)[^=\x00-\x08\x0e-\x1f]{0,60})+")
PLUS = re.compile(rb"(?:\+[\w%.~-]{0,60})+")
WIDE_LITTLE = re.compile(rb"(?:[^\x00]\x00){8,}")
WIDE_BIG = re.compile(rb"(?:\x00[^\x00]){8,}")
SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
PAIR = re.compile(rb"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\.", re.S)


def unescape(match):
    text = match.group()
    if text[1:2] != b"u" or len(text) < 6:
        return SIMPLE.get(text[1:2], text[1:2])
    units = b"".join(int(part, 16).to_bytes(2, "big") for part in text.split(b"\\u")[1:])
    return units.decode("utf-16-be", "ignore").encode()


def runs(pattern, data, before=60):
    """What the pattern matches, each with some bytes before it."""
    for match in pattern.finditer(data):
        start = max(0, match.start() - before)
        yield data[data.rfind(b"\n", start, match.start()) + 1 or start:match.end()] if pattern is not QUOTED else data[start:match.end()]


def from_base64(data):
    for run in BASE64.findall(data):
        run = run[:200_000].replace(b"-", b"+").replace(b"_", b"/")
        for offset in range(4):
            part = run[offset:len(run) - (len(run) - offset) % 4]
            if part:
                yield binascii.a2b_base64(part)


def byte_of(match):
    return bytes([int(match.group(1), 16)])


def text_of_entities(run):
    return html.unescape(run.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


DECODERS = {
    "percent": lambda data: map(urllib.parse.unquote_to_bytes, runs(PERCENT, data)),
    "plus": lambda data: (run.replace(b"+", b" ") for run in runs(PLUS, data)),
    "escapes": lambda data: (PAIR.sub(unescape, run) for run in runs(ESCAPED, data)),
    "entities": lambda data: map(text_of_entities, runs(ENTITIES, data)),
    "quoted-printable": lambda data: (re.sub(rb"=([0-9A-Fa-f]{2})", byte_of, re.sub(rb"=\r?\n", b"", run)) for run in runs(QUOTED, data)),
    "utf-16": lambda data: [*(run[::2] for run in WIDE_LITTLE.findall(data)), *(run[1::2] for run in WIDE_BIG.findall(data))],
    "base64": from_base64,
}


def decodings(data, depth=3, outer=()):
    """(how it is spelt, what that says) of all of the data, several times over."""
    yield ", ".join(outer) or "plain", data
    if depth == 0:
        return
    for how, decode in DECODERS.items():
        # What is in base64 in base64 is decoded twice, not three times; what was no text there holds nothing else.
        if how == "base64" and outer.count(how) == 2 or how == "quoted-printable" and how in outer:
            continue
        inner = b"\n".join(decode(data))
        if inner:
            yield from decodings(inner, depth - 1, (*outer, how))


def search(index, data, label, leaks):
    for how, text in decodings(data):
        for plant, part, position in index.search(text):
            leaks.setdefault((plant.number, label), (plant, part, how, text[max(0, position - 40):position + len(part) + 20]))


def decoded_body(content, fields):
    coding = next((value.lower() for name, value in fields if name.lower() == "content-encoding"), "")
    try:
        if coding == "gzip":
            return gzip.decompress(content)
        if coding == "deflate":
            return zlib.decompress(content)
        if coding == "br":
            return brotlicffi.decompress(content)
        if coding == "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    except (OSError, zlib.error, brotlicffi.error, zstandard.ZstdError, EOFError):
        return content
    return content


def interactions(cassette, scratch):
    """What a copy of the cassette holds, decoded: (target, all of it)."""
    shutil.rmtree(scratch, ignore_errors=True)
    os.mkdir(scratch)
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(cassette + suffix):
            shutil.copy(cassette + suffix, os.path.join(scratch, "copy" + suffix))
    database = sqlite3.connect(os.path.join(scratch, "copy"))

    def content(number):
        if number is None:
            return b""
        first = database.execute("SELECT bytes FROM body WHERE id = ?", (number,)).fetchone()[0]
        return first + b"".join(row[0] for row in database.execute("SELECT bytes FROM body_slice WHERE body_id = ? ORDER BY number", (number,)))

    for row in database.execute("SELECT target, reason, request_fields, request_trailers, response_fields, response_trailers, informational,"
                                " request_body_id, response_body_id, redacted FROM interaction"):
        request, response = json.loads(row[2]), json.loads(row[4])
        fields = [pair for text in row[2:6] if text for pair in json.loads(text)]
        parts = [row[0].encode("latin-1"), (row[1] or "").encode("latin-1"), *(f"{name}: {value}".encode("latin-1") for name, value in fields),
                 (row[9] or "").encode(), decoded_body(content(row[7]), request), decoded_body(content(row[8]), response)]
        for part in parts[-2:]:
            if part[:2] in (b"\xff\xfe", b"\xfe\xff"):
                parts.append(part.decode("utf-16", "ignore").encode())
        yield row[0], b"\n".join(parts)
    database.close()


def search_cassette(index, cassette, scratch, label, leaks):
    """Searches what is in a cassette; says which combination a declared value, which many share, was left in."""
    entries = list(interactions(cassette, scratch))
    before = set(leaks)
    search(index, b"\n\n".join(content for _, content in entries), label, leaks)
    shared = [key for key in set(leaks) - before if leaks[key][0].right == "declared"]
    if shared:
        small = Index([leaks[key][0] for key in shared])
        for key in shared:
            del leaks[key]
        for target, content in entries:
            one = {}
            search(small, content, label, one)
            number = int(target.split("/")[2]) if target.count("/") > 2 and target.split("/")[2].isdigit() else 0
            for plant, part, how, around in one.values():
                owner = ALL.get(number, plant)
                leaks.setdefault((owner.number, label), (owner, part, how, around))
    return len(entries)


ALL = {}


def named(text, cassette):
    """Says of interactions that a text names which combinations they are."""
    with sqlite3.connect(f"file:{cassette}?mode=ro", uri=True) as database:
        targets = dict(database.execute("SELECT id, target FROM interaction"))

    def name(match):
        number = targets.get(int(match.group(1)), "").split("/")[2:3]
        return match.group() + (f" ({ALL[int(number[0])].title()})" if number and number[0].isdigit() and int(number[0]) in ALL else "")

    return re.sub(r"(?:interaction |#)([0-9]+)", name, text)


def search_files(index, directory, label, leaks):
    names = []
    for root, _, files in os.walk(directory):
        for name in files:
            with open(os.path.join(root, name), "rb") as file:
                data = file.read()
            names.append(name)
            search(index, data, f"{label}: {re.sub('[0-9a-f]{8,}', 'X', name)}", leaks)
    return sorted(set(names))


# MARK: The runs


def run_recording(upstream, temporary, plants, leaks):
    index = Index(plants)
    directory = os.path.join(temporary, "recorded")
    cassette = os.path.join(directory, "g.cassette")
    program = Program(directory, "record", "record", cassette, "--upstream", upstream.url, "--journal", os.path.join(directory, "journal.jsonl"),
                      "--coverage", os.path.join(directory, "coverage"), "--no-map")
    begun = time.monotonic()
    failures, count = record_at_once(program.port, upstream, plants)
    took = time.monotonic() - begun
    # While it runs.
    held = search_files(index, directory, "running", leaks)
    assert "g.cassette-wal" in held, held
    if failure := program.stop():
        failures.append((None, named(failure, cassette)))
    print("".join(line for line in program.said.splitlines(True) if "redacted:" not in line), end="")
    search_files(index, directory, "ended", leaks)
    kept = search_cassette(index, cassette, os.path.join(temporary, "scratch"), "ended: cassette, decoded", leaks)
    if kept != count:
        failures.append((None, f"{count} exchanges, but {kept} interactions"))
    print(f"{count} exchanges recorded in {took:.1f} s, {len(held)} files searched: {', '.join(held)}", flush=True)
    return cassette, program.environment, failures


def run_killed(upstream, temporary, plants, leaks):
    source = random.Random(6)
    kept = 0
    attempts = 2 if QUICK else 4
    for attempt in range(attempts):
        directory = os.path.join(temporary, f"killed{attempt}")
        some = source.sample(plants, min(len(plants), 300))
        index = Index(some)
        cassette = os.path.join(directory, "k.cassette")
        program = Program(directory, "record", "record", cassette, "--upstream", upstream.url, "--journal", os.path.join(directory, "journal.jsonl"), "--no-map")
        stop = threading.Event()
        sender = threading.Thread(target=record, args=(program.port, upstream, some, "g", stop))
        sender.start()
        time.sleep(source.uniform(0.3, 2))
        program.kill()
        stop.set()
        sender.join()
        search_files(index, directory, "killed", leaks)
        kept += search_cassette(index, cassette, os.path.join(temporary, "scratch"), "killed: cassette, decoded", leaks)
    print(f"killed {attempts} times, {kept} interactions kept", flush=True)


def run_other_values(cassette, temporary, leaks, failures):
    """The replay answers requests with other secrets; those that nothing recorded matches are told, without their secrets."""
    plants, _, _ = plan("other")
    ALL.update({plant.number: plant for plant in plants})
    index = Index(plants)
    directory = os.path.join(temporary, "replayed")
    journal = os.path.join(directory, "journal.jsonl")
    program = Program(directory, "replay", "replay", cassette, "--journal", journal, "--coverage", os.path.join(directory, "coverage"), "--no-map")
    client, unmatched = Client(program.port), []
    # What a field of an answer tells, no replay learns of another value: the client gets the placeholder there.
    plants = [plant for plant in plants if plant.learning != "set-cookie"]
    # A body that says how long its parts are is another one if a secret in it has another length.
    sizes = {plant.number: plant.size for plant in plan("first")[0]}
    plants = [plant for plant in plants if plant.place.syntax != "protobuf" or plant.size == sizes[plant.number]]
    for plant in plants:
        for _, sent, _ in plant.exchanges():
            answer = client.ask(sent)
            if any(name.lower() == b"mockserve-miss" for name, _ in answer[1]):
                unmatched.append(plant)
    asked = [plant for plant in plants if plant.side == ">"]
    asked = asked[::max(1, len(asked) // 250)]
    answers = []
    for plant in asked:
        for _, sent, _ in plant.exchanges("none"):
            answer = client.ask(sent)
            answers.append(answer[2])
    search(index, b"\n".join(answers), "answers to misses", leaks)
    client.close()
    if failure := program.stop():
        failures.append((None, failure))
    told = []
    for arguments in (["--all"], [], ["1"], ["--json"], ["--all", "--journal", journal], ["1", "--journal", journal], ["--cassette", cassette, "--all"]):
        result = subprocess.run([MOCKSERVE, "explain", *arguments], capture_output=True, env=program.environment, cwd=directory, timeout=120)
        told += [result.stdout, result.stderr]
    for number in range(2, len(asked), max(1, len(asked) // 8)):
        result = subprocess.run([MOCKSERVE, "explain", str(number), "--journal", journal], capture_output=True, env=program.environment, cwd=directory, timeout=120)
        told += [result.stdout, result.stderr]
    assert any(b"/none/" in text for text in told), told[:2]
    search(index, b"\n".join(told), "explain", leaks)
    names = search_files(index, directory, "replayed", leaks)
    print(f"{len(plants)} combinations replayed with other secrets, {len(asked)} misses explained, searched: {', '.join(names)}", flush=True)
    return unmatched


def is_known(plant):
    return any(all(pattern in ("*", value) for pattern, value in zip(row, (plant.kind.name, plant.place.name, plant.encoding, plant.right))) for row in KNOWN)


def table(plants, leaked):
    kinds = [kind.name for kind in KINDS]
    places = [place.name for place in PLACES]
    print("\nplaces:\n" + "\n".join(f"  {number:2} {name}" for number, name in enumerate(places, 1)))
    print("\nplanted, and after a ! what leaked:\n" + " " * 24 + "".join(f"{number:>6}" for number in range(1, len(places) + 1)))
    for kind in kinds:
        cells = []
        for place in places:
            here = [plant for plant in plants if plant.kind.name == kind and plant.place.name == place]
            bad = sum(plant.number in leaked for plant in here)
            cells.append(f"{len(here)}!{bad}" if bad else str(len(here) or "·"))
        print(f"{kind[:23]:24}" + "".join(f"{cell:>6}" for cell in cells))


def summary_of_scan(cassette, env, directory):
    result = subprocess.run([MOCKSERVE, "cassette", "scan", cassette, *(part for number in range(len(DECLARED)) for part in ("--secret-env", f"SECRET_{number}"))],
                            capture_output=True, env=env, cwd=directory, timeout=300)
    return result.returncode, result.stdout.decode(errors="replace")


def main():
    begun = time.monotonic()
    plants, total, reasons = plan("first")
    ALL.update({plant.number: plant for plant in plants})
    print(f"{len(plants)} of {total} combinations of {len(KINDS)} kinds, {len(PLACES)} places, {len(ENCODINGS)} spellings; others are none:")
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        print(f"  {count:6} {reason}")
    if "--list" in sys.argv:
        for plant in plants:
            print(plant.title())
        return
    upstream, leaks = Upstream(), {}
    with folder() as temporary:
        cassette, env, failures = run_recording(upstream, temporary, plants, leaks)
        status, text = summary_of_scan(cassette, env, temporary)
        if status != 0:
            failures.append((None, f"`cassette scan` of what was recorded ended with {status}:\n      " + "\n      ".join(named(text, cassette).splitlines()[:30])))
        run_killed(upstream, temporary, plants, leaks)
        unmatched = run_other_values(cassette, temporary, leaks, failures)
    grouped = {}
    for (_, where), (plant, part, how, around) in leaks.items():
        grouped.setdefault(plant.number, (plant, part, how, around, []))[4].append(where)
    leaked = {number for number, entry in grouped.items() if not is_known(entry[0])}
    table(plants, leaked)
    for title, key in (("right", lambda plant: plant.right), ("spelling", lambda plant: plant.encoding)):
        print(f"\nby {title}:")
        for value in dict.fromkeys(key(plant) for plant in plants):
            here = [plant for plant in plants if key(plant) == value]
            print(f"  {value:20} {len(here):5} planted, {sum(plant.number in leaked for plant in here):5} leaked")
    if leaked:
        print("\nleaks: kind | place and side | spelling | right | files | what, how it was decoded, what is around")
        for number in sorted(leaked):
            plant, part, how, around, where = grouped[number]
            print(f"  {plant.title()} | {', '.join(sorted(set(where)))} | {part!r} ({how}) in {around!r}")
    for plant, text in failures:
        print(f"failed: {plant.title() if plant else ''}: {text}")
    missed = {}
    for plant in unmatched:
        missed.setdefault(plant.right, []).append(plant)
    for right, some in missed.items():
        print(f"not matched with another secret, {right}: {len(some)}")
        for plant in some[:40]:
            print(f"  {plant.title()}")
    known = len(grouped) - len(leaked)
    text = f"{len(plants)} secrets planted in {time.monotonic() - begun:.0f} s: {len(leaked)} leaked, {known} known, {len(failures)} other failures, {len(unmatched)} not matched"
    if leaked or failures or unmatched:
        raise SystemExit(f"FAILED: {text}")
    passed(text)


if __name__ == "__main__":
    main()

"""Stubs in a cassette, as a user of the command line meets them. Usage: stubs.py [PART OF A NAME]"""

import json
import os
import subprocess
import sys
import tempfile

from support import MOCKSERVE, Server, environment, exchange, passed

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def run(*arguments, status=0, stdin=None):
    """Standard output and standard error."""
    done = subprocess.run(
        [MOCKSERVE, "cassette", *map(str, arguments)], input=stdin, capture_output=True, env=environment(), timeout=60
    )
    assert done.returncode == status, (arguments, done.returncode, done.stderr.decode())
    return done.stdout.decode(), done.stderr.decode()


def ask(server, method, path, body=b"", **fields):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}{length}\r\n".encode() + body
    head, _, rest = exchange(server.port, request).partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), rest


@check
def every_condition_counts(cassette):
    run("stub", "add", cassette, "GET /q", "--query", "a=1", "--query", "b=x y", "--text", "query")
    run("stub", "add", cassette, "get /h", "--request-header", "X-Kind: one", "--text", "field")
    run("stub", "add", cassette, "POST /j", "--request-json", '{"a": [1, {"b": null}]}', "--text", "json")
    run("stub", "add", cassette, "POST /c", "--request-json-containing", '{"a": {"b": 1}}', "--text", "containing")
    run("stub", "add", cassette, "POST /f", "--request-form", "a=1", "--text", "form")
    run("stub", "add", cassette, "POST /t", "--request-text", "exactly", "--text", "text")
    run("stub", "add", cassette, "* /any/**", "--file", "-", "-H", "Content-Type: image/png", stdin=bytes(range(256)))
    run("stub", "add", cassette, "DELETE /{a}/{b}", "--status", "204")
    with Server("replay", cassette, "--quiet") as server:
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        for method, path, body, fields, answer in [
            ("GET", "/q?b=x+y&c=3&a=1", b"", {}, b"query"),
            ("GET", "/q?a=1", b"", {}, None),
            ("GET", "/h", b"", {"x_kind": "one"}, b"field"),
            ("GET", "/h", b"", {"X_Kind": "two"}, None),
            ("POST", "/j", b'{ "a":[1.0,{"b":null}] }', {}, b"json"),
            ("POST", "/j", b'{"a":[1,{"b":null}],"c":1}', {}, None),
            ("POST", "/c", b'{"a":{"b":1,"x":2},"c":1}', {}, b"containing"),
            ("POST", "/c", b"{", {}, None),
            ("POST", "/f", b"b=2&a=1", form, b"form"),
            ("POST", "/f", b"b=2&a=1", {}, None),
            ("POST", "/t", b"exactly", {}, b"text"),
            ("POST", "/t", b"exactly ", {}, None),
            ("PATCH", "/any/thing/else", b"", {}, bytes(range(256))),
            ("DELETE", "/x/y%20z", b"", {}, b""),
            ("DELETE", "/x//", b"", {}, None),
        ]:
            status, head, rest = ask(server, method, path, body, **fields)
            assert (status == 404) == (answer is None), (method, path, head)
            assert answer is None or rest == answer, (method, path, rest)
        status, head, rest = ask(server, "HEAD", "/q?a=1&b=x%20y")
        assert status == 200 and "Content-Length: 5" in head and rest == b"", head
        server.stop()


@check
def a_miss_says_which_stub_is_near(cassette):
    run("stub", "add", cassette, "POST /charges", "--request-json-containing", '{"amount": 5}', "--status", "402")
    with Server("replay", cassette, "--quiet") as server:
        status, _, rest = ask(server, "POST", "/charges", b'{"amount": 6}', User_Agent="curl/8")
        text = rest.decode()
        assert status == 404 and 'stub 1 POST /charges, if {"json_containing":{"amount":5}}' in text, text
        assert "Nothing is recorded in the cassette, which has 1 stub." in text, text
        _, _, rest = ask(server, "POST", "/charges", b'{"amount": 6}')
        assert json.loads(rest)["stubs"], rest
        server.stop()


@check
def lists_show_what_there_is(cassette):
    run("stub", "add", cassette, "GET /a", "--json", '{"a": 1}', "--delay", "1.5s", "-H", "X-A: b")
    run("stub", "add", cassette, "GET /b", "--file", "-", stdin=b"\xff\x00")
    out, _ = run("stub", "list", cassette)
    assert "after 1500ms" in out and "application/json" in out and out.startswith("   # STUB"), out
    first, second = [json.loads(line) for line in run("stub", "list", cassette, "--json")[0].splitlines()]
    assert first["body"] == '{"a": 1}' and first["delay_ms"] == 1500 and ["X-A", "b"] in first["response_fields"], first
    assert second["body_base64"] == "/wA=" and second["conditions"] is None, second
    _, err = run("list", cassette)
    assert "and 2 stubs: mockserve cassette stub list" in err, err
    _, err = run("stub", "remove", cassette, "1-2")
    assert "2 stubs removed" in err, err
    assert run("stub", "list", cassette, "--json")[0] == ""


@check
def what_is_wrong_is_said(cassette):
    for arguments, status, words in [
        (["GET"], 64, "no method and path in one"),
        (["GET", "/a"], 64, ""),
        (["GET a"], 64, "does not begin with `/`"),
        (["GET /users/*"], 64, "write a name in braces"),
        (["GET /a", "--delay", "9" * 400 + "s"], 64, "an hour at most"),
        (["GET /a", "--delay", "2h"], 64, "an hour at most"),
        (["GET /a", "--query", "a"], 64, "NAME=VALUE"),
        (["GET /a", "--query", "a=1", "--query", "a=2"], 64, "has a twice"),
        (["GET /a", "--request-json", "{"], 64, "is not JSON"),
        (["GET /a", "--request-json", "1", "--request-text", "a"], 64, "Give one of"),
        (["GET /a", "--json", "1", "--text", "a"], 64, "Give one of"),
        (["GET /a", "--status", "99"], 64, "200 to 599"),
        (["GET /a", "--request-header", "Authorization: Bearer tz9Lk2mQ8vXw4Rb7"], 74, "secrets are not kept"),
        (["GET /a", "--file", "/nowhere"], 66, "cannot be read"),
    ]:
        _, err = run("stub", "add", cassette, *arguments, status=status)
        assert words in err, (arguments, err)
        assert not os.path.exists(cassette), arguments
    run("stub", "list", cassette, status=66)
    run("stub", "remove", cassette, "1", status=66)
    run("stub", "add", cassette, "GET /a")
    _, err = run("stub", "remove", cassette, "2", status=66)
    assert "has no stub 2; nothing was removed" in err, err


@check
def secrets_are_found_and_replaced(cassette):
    secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    _, err = run("stub", "add", cassette, "GET /a", "--text", f"token {secret}")
    assert "redacted: 1 github-token" in err, err
    run("rule", "remove", cassette, "1")
    plain = cassette + "2"
    run("stub", "add", plain, "GET /a", "--no-default-redaction", "--text", f"token {secret}")
    # It stays without.
    run("stub", "add", plain, "GET /b", "--no-default-redaction", "--query", f"token={secret}", "--text", secret)
    out, _ = run("scan", plain, status=3)
    assert out.count("github-token") >= 2 and "stub 1: response body" in out and "stub 2: request target" in out, out
    lines = [json.loads(line) for line in run("scan", plain, "--json", status=3)[0].splitlines()]
    assert {line["stub"] for line in lines} == {1, 2}, lines
    _, err = run("redact", plain, status=66)
    assert "stub 2 stays as it is: it asks for a secret" in err, err
    run("stub", "remove", plain, "2")
    assert secret.encode() not in open(plain, "rb").read()
    assert run("scan", plain) == ("", ""), run("scan", plain)


@check
def run_says_how_many_it_answered(cassette):
    run("stub", "add", cassette, "GET /a", "--text", "ok")
    done = subprocess.run(
        [MOCKSERVE, "run", cassette, "--", "sh", "-c", "curl -s $MOCKSERVE_URL/a"], capture_output=True, env=environment()
    )
    assert done.returncode == 0 and done.stdout == b"ok", done
    assert b"1 answered by stubs" in done.stderr, done.stderr


for function in CHECKS:
    if len(sys.argv) < 2 or sys.argv[1] in function.__name__:
        with tempfile.TemporaryDirectory() as place:
            function(os.path.join(place, "api.cassette"))
passed("stubs in a cassette")

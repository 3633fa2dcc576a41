"""The verbs that look into cassettes and change them. Usage: cassettes.py [PART OF A NAME]"""

import gzip
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from support import HERE, MOCKSERVE, Server, environment, passed

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def run(*arguments, status=0, stdin=None, env=()):
    done = subprocess.run(
        [MOCKSERVE, "cassette", *map(str, arguments)], input=stdin, capture_output=True, env={**environment(), **dict(env)}, timeout=120
    )
    assert done.returncode == status, (arguments, done.returncode, done.stdout[-500:], done.stderr.decode()[-900:])
    return done.stdout.decode(errors="replace"), done.stderr.decode()


def rows(cassette, *options):
    return [json.loads(line) for line in run("list", cassette, "--json", *options)[0].splitlines()]


def targets(cassette, *options):
    return [row["target"] for row in rows(cassette, *options)]


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    data = {}
    seen = []

    def answer(self):
        self.seen.append((self.command, self.path, self.headers.get("Authorization")))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body, fields = self.data.get(self.path, (200, {"path": self.path}, {}))
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            fields = {"Content-Type": "application/json", **fields}
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_HEAD = do_DELETE = answer

    def log_message(self, *_):
        pass


service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=service.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{service.server_address[1]}"


def record(cassette, *paths, mode="missing", url=URL, fields=()):
    with Server("record", cassette, "--upstream", url, "--mode", mode, "--quiet") as server:
        for path in paths:
            method, _, path = path.rpartition(" ")
            data = b"{}" if method == "POST" else None
            try:
                urllib.request.urlopen(urllib.request.Request(server.url + path, data, dict(fields), method=method or "GET")).read()
            except urllib.error.HTTPError as error:
                error.read()
        server.stop()


@check
def lists_are_filtered_and_sorted(cassette):
    Service.data.update({"/png": (200, b"\x89PNG" + bytes(5000), {"Content-Type": "image/png"}), "/gone": (404, {"no": 1}, {}),
                         "/zip": (200, gzip.compress(b'{"needle": 1}'), {"Content-Type": "application/vnd.api+json", "Content-Encoding": "gzip"})})
    record(cassette, "/users/1", "/png", "/gone", "/zip", "POST /users/2")
    for options, found in [
        (["--method", "post"], ["/users/2"]),
        (["--path", "/users/*"], ["/users/1", "/users/2"]),
        (["--path", "/**"], ["/users/1", "/png", "/gone", "/zip", "/users/2"]),
        (["--status", "4xx"], ["/gone"]),
        (["--status", "404"], ["/gone"]),
        (["--host", "127.0.0.1", "--limit", "1"], ["/users/1"]),
        (["--host", "other"], []),
        (["--type", "image/*"], ["/png"]),
        (["--type", "json"], ["/users/1", "/gone", "/zip", "/users/2"]),
        (["--text", "needle"], ["/zip"]),
        (["--newer-than", "1h", "--limit", "2"], ["/users/1", "/png"]),
        (["--older-than", "1h"], []),
        (["--sort", "size", "--limit", "1"], ["/png"]),
        (["--sort", "target"], ["/gone", "/png", "/users/1", "/users/2", "/zip"]),
    ]:
        assert targets(cassette, *options) == found, (options, targets(cassette, *options))
    for options in (["--status", "5"], ["--path", "users"], ["--newer-than", "x"], ["--limit", "0"], ["--sort", "x"]):
        run("list", cassette, *options, status=64)


@check
def the_text_is_the_same_for_the_same_content(cassette):
    record(cassette, "/a", "/b")
    other = cassette + "2"
    record(other, "/a", "/b")
    assert run("show", cassette, "--text") == run("show", other, "--text")
    assert run("show", cassette, "--text")[0] != run("show", cassette)[0]
    assert "# number 2, recorded " in run("show", cassette, "--text", "--full")[0]
    assert run("diff", "--exit-code", cassette, other)[0] == ""
    text = run("show", cassette, "--text")[0]
    assert f"=== GET {URL}/a 200\n> GET /a HTTP/1.1\n" in text and '\n| {\n|   "path": "/a"\n| }\n' in text, text
    # Raw bytes, and a body that is no text.
    run("add", cassette, "--request", "GET /bin", "--file", "-", stdin=bytes(range(256)))
    digest = hashlib.sha256(bytes(range(256))).hexdigest()
    assert f"@ application/octet-stream, 256 bytes, sha256 {digest}" in run("show", cassette, "--text")[0]


@check
def diffs_compare_by_value(cassette):
    Service.data["/a"] = (200, {"id": 1, "list": [1, 2]}, {"Date": "x"})
    record(cassette, "/a", "/b", "/c")
    other = cassette + "2"
    Service.data["/a"] = (200, b'{"list":[1,2],   "id":1}', {"Content-Type": "application/json"})
    record(other, "/d", "/a", "/b")
    out, err = run("diff", "--exit-code", cassette, other, status=1)
    # Their dates may be of the same second.
    assert re.search("0 changed, 1 added, 1 removed, [12] alike", err), (out, err)
    assert f"+=== GET {URL}/d 200" in out and f"-=== GET {URL}/c 200" in out, out
    Service.data["/a"] = (200, {"id": 2, "list": [1, 2]}, {})
    record(other, "/a", mode="all")
    out, err = run("diff", cassette, other)
    assert '-|   "id": 1,' in out and '+|   "id": 2,' in out and "1 changed" in err, (out, err)
    run("diff", "-q", cassette, other, status=1)


@check
def interactions_are_edited_as_text(cassette):
    Service.data["/zip"] = (200, gzip.compress(b'{"b":1,"a":[1.50]}'), {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    Service.data["/text"] = (200, b"one\r\ntwo\r\n", {"Content-Type": "text/plain"})
    record(cassette, "/zip", "/text", "/other")
    before = run("show", cassette, "2", "--raw")[0], run("show", cassette, "3", "--raw")[0]
    editor = {"EDITOR": "sed -i -e 's/1.50/2.50/' -e 's/^> GET \\/zip/> GET \\/zap/' -e 's/^< HTTP\\/1.1 200 .*/< HTTP\\/1.1 201 Made/'"}
    _, err = run("edit", cassette, 1, env=editor)
    assert "changed #1" in err, err
    raw = subprocess.run([MOCKSERVE, "cassette", "export-body", cassette, "1"], capture_output=True).stdout
    assert gzip.decompress(raw) == b'{"b":1,"a":[2.50]}', raw
    assert targets(cassette) == ["/zap", "/text", "/other"] and rows(cassette)[0]["status"] == 201
    assert before == (run("show", cassette, "2", "--raw")[0], run("show", cassette, "3", "--raw")[0])
    with Server("replay", cassette, "--quiet") as server:
        answer = subprocess.run(["curl", "-s", "--compressed", server.url + "/zap"], capture_output=True).stdout
        assert answer == b'{"b":1,"a":[2.50]}', answer
        server.stop()
    # Line ends stay; Content-Length follows.
    _, err = run("edit", cassette, 2, env={"VISUAL": "sed -i 's/^| two/| three/'"})
    assert run("show", cassette, "2", "--raw")[0].endswith("Content-Length: 12\r\n\r\none\r\nthree\r\n"), run("show", cassette, "2", "--raw")
    # Nothing touched, nothing changed.
    sum_before = hashlib.sha256(open(cassette, "rb").read()).hexdigest()
    assert "nothing was changed" in run("edit", cassette, env={"EDITOR": "true"})[1]
    text = run("edit", cassette, "--print")[0]
    assert "nothing was changed" in run("edit", cassette, "--from", "-", stdin=text.encode())[1]
    for edit, words in [
        (("| {", "| {{"), "the body is not JSON"),
        (("< HTTP/1.1 201 Made", "< HTTP/1.1 9999"), "is not a status line"),
        (("> GET /zap HTTP/1.1", "> GET /zap"), "is not METHOD TARGET"),
        (("# number 1", "# number 7"), "there is no interaction 7"),
        (("# number 2", "# number 1"), "interaction 1 is there twice"),
        (("> Host", "? Host"), ""),
        (("> Host", "Host"), "begins with none of"),
        (("< Content-Type: text/plain", "< Content Type: text/plain"), "is not a field"),
    ]:
        assert edit[0] in text, edit
        _, err = run("edit", cassette, "--from", "-", stdin=text.replace(*edit, 1).encode(), status=64 if words else 0, env={"X": "1"})
        assert words in err and (not words or "line " in err and "Nothing was changed" in err), (edit, err)
        if words:
            assert hashlib.sha256(open(cassette, "rb").read()).hexdigest() == sum_before, edit
        else:
            sum_before = hashlib.sha256(open(cassette, "rb").read()).hexdigest()
            text = run("edit", cassette, "--print")[0]
    # A text that is wrong is kept.
    _, err = run("edit", cassette, 1, env={"EDITOR": "sed -i 's/^| {/| {{/'"}, status=64)
    kept = err.split("--from ")[1].split()[0]
    assert "| {{" in open(kept).read()
    os.unlink(kept)
    assert "ended with 1" in run("edit", cassette, 1, env={"EDITOR": "false"}, status=64)[1]
    # Secrets typed by hand are replaced.
    secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    _, err = run("edit", cassette, 3, env={"EDITOR": f"sed -i 's/\"path\": .*/\"path\": \"{secret}\"/'"})
    assert "redacted: 1 github-token" in err and secret.encode() not in open(cassette, "rb").read(), err


@check
def interactions_are_copied_moved_and_split(cassette):
    record(cassette, "/users/1", "/orders/1", "POST /orders/2", "/users/2")
    run("rule", "add", cassette, "--ignore", "query:ts")
    run("stub", "add", cassette, "GET /stub", "--text", "s")
    other = cassette + ".new"
    _, err = run("copy", cassette, other, "1", "4", "--dry-run")
    assert "would copy 2 interactions" in err and not os.path.exists(other)
    _, err = run("copy", cassette, other, "1", "4")
    assert "as #1 to #2" in err, err
    assert targets(other) == ["/users/1", "/users/2"] and "query:ts" in run("rule", "list", other)[0]
    assert "GET /stub" in run("stub", "list", other)[0]
    run("move", cassette, other, "2-3")
    assert targets(cassette) == ["/users/1", "/users/2"] and [row["id"] for row in rows(cassette)] == [1, 4]
    assert targets(other) == ["/users/1", "/users/2", "/orders/1", "/orders/2"]
    with Server("replay", other, "--quiet") as server:
        assert json.load(urllib.request.urlopen(server.url + "/orders/1?ts=7")) == {"path": "/orders/1"}
        server.stop()
    run("copy", cassette, other, "9", status=66)
    run("copy", cassette, cassette, "1", status=64)
    folder = os.path.join(os.path.dirname(cassette), "parts")
    assert "would make" in run("split", other, "--by", "path", "-o", folder, "--dry-run")[1] and not os.path.exists(folder)
    run("split", other, "--by", "path", "-o", folder)
    assert sorted(os.listdir(folder)) == ["orders.cassette", "users.cassette"], os.listdir(folder)
    assert targets(f"{folder}/orders.cassette") == ["/orders/1", "/orders/2"]
    run("split", other, "--by", "path", "-o", folder, status=74)
    run("split", other, "--by", "host", "-o", folder + "2")
    assert os.listdir(folder + "2") == [f"127.0.0.1-{service.server_address[1]}.cassette"]
    run("split", other, "--by", "episode", "-o", folder + "3")
    merged = cassette + ".merged"
    run("merge", f"{folder}/orders.cassette", f"{folder}/users.cassette", cassette, "-o", merged)
    assert sorted(targets(merged)) == sorted(targets(other))
    run("merge", cassette, other, "-o", merged, status=74)
    assert run("check", merged, other)[1].strip().endswith("2 cassettes checked, 0 findings"), run("check", merged)
    Service.data["/users/1"] = (200, {"changed": True}, {})
    record(other, "/users/1", mode="all")
    _, err = run("merge", cassette, other, "-o", merged, "--force", status=1)
    assert "mockserve cassette resolve" in err, err
    for side, found in (("--ours", ["/users/1"]), ("--theirs", [True]), ("--both", 2)):
        run("merge", cassette, other, "-o", merged, "--force", side)
        shown = run("show", merged, "--text")[0]
        assert ('"path": "/users/1"' in shown, '"changed": true' in shown) == (side != "--theirs", side != "--ours"), (side, shown)


@check
def a_host_is_renamed(cassette):
    page = f'<a href="{URL}/next">x</a> {URL}0/other'.encode()
    Service.data["/page"] = (200, gzip.compress(page), {"Content-Type": "text/html", "Content-Encoding": "gzip", "Link": f"<{URL}/2>; rel=next"})
    record(cassette, "/page", "/b")
    run("rename-host", cassette, "https://nowhere.example", "https://new.example", status=66)
    run("rename-host", cassette, "nonsense", "https://new.example", status=64)
    before = open(cassette, "rb").read()
    assert "2 interactions would be changed" in run("rename-host", cassette, URL, "https://new.example", "--dry-run")[1]
    assert open(cassette, "rb").read() == before
    run("rename-host", cassette, URL, "https://new.example")
    shown = run("show", cassette, "--text")[0]
    assert "=== GET https://new.example/page 200" in shown and "> Host: new.example" in shown, shown
    assert "< Link: <https://new.example/2>; rel=next" in shown and f'| <a href="https://new.example/next">x</a> {URL}0/other' in shown, shown
    with Server("replay", cassette, "--quiet") as server:
        assert f'<a href="{server.url}/next">' in subprocess.run(["curl", "-s", "--compressed", server.url + "/page"], capture_output=True, text=True).stdout
        server.stop()


@check
def what_is_wrong_with_answers_is_found(cassette):
    record(cassette, "/a", "/b")
    assert run("check", cassette)[1].strip().endswith("0 findings")
    run("stub", "add", cassette, "GET /a", "--text", "s")
    assert "#1 is never given: stub 1 answers before" in run("check", cassette, status=3)[0]
    run("stub", "remove", cassette, "1")
    os.system(f"sqlite3 {cassette} \"UPDATE interaction SET recorded_at = recorded_at - 864000000; INSERT INTO body (size, bytes) VALUES (0, x'')\"")
    out = run("check", "--max-age", "5", cassette, status=3)[0]
    assert "10 days ago" in out and "1 body that nothing refers to" in out, out
    run("compact", cassette)
    assert "nothing refers" not in run("check", "--max-age", "20", cassette)[0]
    os.system(f"sqlite3 {cassette} \"UPDATE interaction SET target = '/c' WHERE id = 2\"")
    assert "interaction 2 would not answer the request" in run("check", cassette, status=3)[0]


@check
def stats_count(cassette):
    record(cassette, "/a", "/b", "POST /c")
    run("add", cassette, "--request", "GET /same", "--text", "x" * 1000)
    run("add", cassette, "--request", "GET /too", "--text", "x" * 1000)
    stats = json.loads(run("stats", cassette, "--json")[0])
    assert stats["interactions"] == 5 and stats["methods"] == {"GET": 4, "POST": 1} and stats["statuses"] == {"200": 5}, stats
    assert stats["referenced_size"] - stats["body_size"] == 1000 and stats["file_size"] == os.path.getsize(cassette), stats
    out = run("stats", cassette)[0]
    assert "interactions    5" in out and "saved because equal bodies are stored once" in out, out


@check
def old_schemas_are_upgraded_with_a_way_back(cassette):
    old = os.path.join(HERE, "..", "..", "CassetteStoreTests", "Versions", "v0001.cassette")
    shutil.copy(old, cassette)
    _, err = run("upgrade", cassette)
    backup = cassette.replace(".cassette", ".v1.cassette")
    assert "had version 1" in err and open(backup, "rb").read()[:16] == b"SQLite format 3\0", err
    assert run("show", cassette, "--text") == run("show", backup, "--text")
    assert "the newest" in run("upgrade", cassette)[1]
    os.replace(backup, cassette)
    assert "had version 1" in run("upgrade", "--no-backup", cassette)[1] and not os.path.exists(backup)


@check
def bodies_are_exported(cassette):
    Service.data["/zip"] = (200, gzip.compress(b"plain"), {"Content-Type": "text/plain", "Content-Encoding": "gzip"})
    Service.data["/long"] = (200, bytes(3 << 20), {"Content-Type": "image/png"})
    record(cassette, "/zip", "/long", "POST /c")
    output = cassette + ".out"
    run("export-body", cassette, 2, "-o", output)
    assert open(output, "rb").read() == bytes(3 << 20)
    assert run("export-body", cassette, 1, "--decoded")[0] == "plain"
    assert run("export-body", cassette, 3, "--request")[0] == "{}"
    run("export-body", cassette, 9, status=66)
    run("export-body", cassette, 1, "-o", "/nowhere/x", status=74)


@check
def a_command_of_curl_is_a_request(cassette):
    for command, method, target, fields, body in [
        ("curl https://a.example/x?y=1", "GET", "/x?y=1", {}, b""),
        ("curl -X PUT -H 'X-A: b c' \"https://a.example\" --data-raw '{\"a\": \"it'\"'\"'s\"}'", "PUT", "/", {"X-A": "b c"}, b'{"a": "it\'s"}'),
        ("curl --json '{\"a\":1}' https://a.example/j --compressed -s -o /dev/null", "POST", "/j", {"Content-Type": "application/json"}, b'{"a":1}'),
        ("curl -d a=1 -d b=2 a.example/f", "POST", "/f", {"Content-Type": "application/x-www-form-urlencoded"}, b"a=1&b=2"),
        ("curl -G --data-urlencode 'q=a b&c' 'https://a.example/s?x=1#part'", "GET", "/s?x=1&q=a%20b%26c", {}, b""),
        ("curl 'https://a.example/b' --data-raw $'{\\'a\\': \\'b\\\\n\\'}' --compressed", "POST", "/b", {}, b"{'a': 'b\\n'}"),
        ("curl -sSLI https://a.example/i", "HEAD", "/i", {}, b""),
        ("curl \\\n  -A agent \\\n  -I https://a.example/h", "HEAD", "/h", {"User-Agent": "agent"}, b""),
    ]:
        run("add", cassette, "--curl", command, "--text", "answer")
        number = rows(cassette)[-1]["id"]
        shown = run("show", cassette, number)[0]
        assert f"> {method} {target} HTTP/1.1" in shown, (command, shown)
        for name, value in fields.items():
            assert f"> {name}: {value}" in shown, (command, shown)
        assert run("export-body", cassette, number, "--request")[0].encode() == body, (command, shown)
    for command in ("wget x", "curl", "curl -d @file https://a", "curl 'https://a", "curl https://a https://b", "curl -F a=b https://a", "curl ftp://a/b", "curl --unknown x https://a", "curl --json @f https://a"):
        run("add", cassette, "--curl", command, status=64)
    run("add", cassette, "--curl", "curl https://a", "--request", "GET /", status=64)


@check
def drift_is_seen_and_taken_over(cassette):
    Service.data.update({
        "/same": (200, {"a": 1}, {}), "/value": (200, {"a": 1, "list": [{"x": 1}]}, {}), "/renamed": (200, {"name": "x", "id": 1}, {}),
        "/typed": (200, {"id": 1}, {}), "/gone": (200, {"id": 1}, {}), "/null": (200, {"id": None, "list": []}, {}),
    })
    record(cassette, "/same", "/value", "/renamed", "/typed", "/gone", "/null", "POST /write", fields={"Authorization": "Bearer tok-tok-tok-1"})
    out, err = run("verify", cassette)
    assert out == "" and "6 the same, 0 with other values, 0 of another shape" in err and "not sent without --unsafe: 1 request" in err, (out, err)
    assert not any(method == "POST" for method, *_ in Service.seen[-6:])
    Service.data.update({
        "/value": (200, {"a": 2, "list": [{"x": 5}, {"x": 6}]}, {}), "/renamed": (200, {"title": "x", "id": 1}, {}),
        "/typed": (200, {"id": "1"}, {}), "/gone": (404, {"error": "gone"}, {}), "/null": (200, {"id": 7, "list": [1]}, {}),
    })
    before = open(cassette, "rb").read()
    junit = cassette + ".xml"
    out, err = run("verify", cassette, "--junit", junit, status=5)
    assert "1 the same, 2 with other values, 3 of another shape" in err, (out, err)
    for words in ("values #2 GET /value", "shape  #3 GET /renamed", "$.name: gone, was string", "$.title: new, string", "$.id: string, was number", "status: 404, was 200"):
        assert words in out, (words, out)
    assert 'tests="6" failures="3"' in open(junit).read() and open(cassette, "rb").read() == before
    lines = [json.loads(line) for line in run("verify", cassette, "--json", "--select", "1-2", "--jobs", "2", "--rate", "100")[0].splitlines()]
    assert [line["drift"] for line in lines] == ["same", "values"], lines
    run("verify", cassette, "--unsafe", status=5)
    assert Service.seen[-1][0] == "POST"
    # Nobody there.
    assert "No request was answered" in run("verify", cassette, "--upstream", "http://127.0.0.1:9", status=69)[1]
    # Credentials by placeholder.
    secret = cassette + ".secret"
    with Server("record", secret, "--upstream", URL, "--secret-env", "TOKEN", "--quiet", wrapper=["env", "TOKEN=s3cret-of-mine"]) as server:
        urllib.request.urlopen(urllib.request.Request(server.url + "/same", headers={"Authorization": "Bearer s3cret-of-mine"})).read()
        server.stop()
    assert b"s3cret-of-mine" not in open(secret, "rb").read()
    run("verify", secret, "--secret-env", "TOKEN", env={"TOKEN": "s3cret-of-mine"})
    assert Service.seen[-1][2] == "Bearer s3cret-of-mine", Service.seen[-1]
    # Taken over: first what has another shape.
    assert "would take over 3 answers" in run("refresh", cassette, "--only", "shape", "--dry-run")[1]
    assert open(cassette, "rb").read() == before
    _, err = run("refresh", cassette, "--only", "shape", "--yes", "--jobs", "3")
    assert "3 answers taken over" in err and [row["id"] for row in rows(cassette)] == list(range(1, 8)), err
    assert "4 the same, 2 with other values, 0 of another shape" in run("verify", cassette)[1]
    run("refresh", cassette, "--yes", "--select", "2")
    assert "nothing to take over" in run("refresh", cassette, "--yes", "--select", "2")[1]
    assert "5 the same, 1 with other values" in run("verify", cassette)[1]
    with Server("replay", cassette, "--quiet") as server:
        assert json.load(urllib.request.urlopen(server.url + "/renamed")) == {"title": "x", "id": 1}
        server.stop()
    assert "is as it was before" in run("undo", cassette)[1]
    assert "4 the same, 2 with other values" in run("verify", cassette)[1]
    assert "no refresh" in run("undo", cassette, status=66)[1]
    run("refresh", cassette, "--yes")
    subprocess.run(["sqlite3", cassette, "INSERT INTO rule (action, part) VALUES ('ignore', 'query:x')"], check=True)
    assert "has been changed since" in run("undo", cassette, status=74)[1]
    assert "would be" in run("undo", cassette, "--force", "--dry-run")[1]
    run("undo", cassette, "--force")
    assert [row["id"] for row in rows(cassette)] == list(range(1, 8)) and "query:x" not in run("rule", "list", cassette)[0]
    # What is gone is nowhere.
    for change in (["remove", cassette, "1"], ["stub", "add", cassette, "GET /s"], ["rule", "add", cassette, "--ignore", "query:y"]):
        run("refresh", cassette, "--yes")
        run(*change)
        assert "no refresh" in run("undo", cassette, status=66)[1]
        Service.data["/value"] = (200, {"a": change[0], "list": []}, {})
    # Nobody is there to be asked.
    run("refresh", cassette, status=64)


@check
def each_upstream_is_asked_what_it_was_asked(cassette):
    seen = {}

    class Other(Service):
        def answer(self):
            seen.setdefault(self.server.server_address[1], []).append((self.path, self.headers.get("Authorization")))
            super().answer()

        do_GET = answer

    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) for _ in range(3)]
    for other in servers:
        threading.Thread(target=other.serve_forever, daemon=True).start()
    ports = [other.server_address[1] for other in servers]
    process = subprocess.Popen(
        [MOCKSERVE, "record", cassette, "--upstream", f"a=http://127.0.0.1:{ports[0]}", "--upstream", f"b=http://127.0.0.1:{ports[1]}", "--secret-env", "TOKEN", "--quiet"],
        stdout=subprocess.PIPE, env={**environment(), "TOKEN": "token-of-b-0123456789"},
    )
    url = process.stdout.readline().decode().strip()
    second = process.stdout.readline().decode().split()[1]
    urllib.request.urlopen(url + "/a1").read()
    urllib.request.urlopen(urllib.request.Request(second + "/b1", headers={"Authorization": "Bearer token-of-b-0123456789"})).read()
    process.terminate()
    process.wait()
    process.stdout.close()
    seen.clear()
    moved = f"b=http://127.0.0.1:{ports[2]}"
    run("verify", cassette, "--upstream", moved, "--secret-env", "TOKEN", env={"TOKEN": "token-of-b-0123456789"})
    assert seen == {ports[0]: [("/a1", None)], ports[2]: [("/b1", "Bearer token-of-b-0123456789")]}, seen
    Service.data.update({"/a1": (200, {"other": 1}, {}), "/b1": (200, {"other": 2}, {})})
    run("refresh", cassette, "--yes", "--upstream", moved, "--secret-env", "TOKEN", env={"TOKEN": "token-of-b-0123456789"})
    # Only answers are taken over.
    shown = run("show", cassette, "--text")[0]
    assert f"=== GET http://127.0.0.1:{ports[1]}/b1 200" in shown and '"other": 2' in shown, shown
    assert run("check", cassette)[1].strip().endswith("0 findings")
    for other in servers:
        other.shutdown()


@check
def a_secret_that_an_edit_shows_is_redacted_elsewhere(cassette):
    secret = "zq7Vn2LmX9c4RtB8"
    Service.data.update({"/a": (200, {"name": "x"}, {}), "/b": (200, {"note": secret}, {})})
    record(cassette, "/a", "/b")
    assert secret in run("show", cassette, 2)[0]
    run("edit", cassette, 1, env={"EDITOR": f"""sed -i 's/"name": .*/"password": "{secret}"/'"""})
    for number in (1, 2):
        out = run("show", cassette, number)[0]
        assert secret not in out and "redacted.password" in out, out
    with open(cassette, "rb") as file:
        assert secret.encode() not in file.read()


@check
def edits_change_what_they_touch_and_nothing_else(cassette):
    Service.data["/odd"] = (200, "one\u0085end\ntwo\nlit\\u{d}\n\u0301combined\nfive\rsix\n".encode(), {"Content-Type": "text/plain", "X-Euro": "a\u20acb".encode().decode("latin-1"), "X-B": "1"})
    record(cassette, "/odd", "/other")
    _, err = run("edit", cassette, 1, env={"EDITOR": "sed -i -e 's/^< X-B: 1/< X-B: 2/' -e 's/^| two/| zwei/'"})
    assert "changed #1" in err, err
    body = subprocess.run([MOCKSERVE, "cassette", "export-body", cassette, "1"], capture_output=True).stdout
    assert body == "one\u0085end\nzwei\nlit\\u{d}\n\u0301combined\nfive\rsix\n".encode(), body
    raw = subprocess.run([MOCKSERVE, "cassette", "show", cassette, "1", "--raw"], capture_output=True).stdout
    assert "X-Euro: a\u20acb\r\n".encode() in raw and b"X-B: 2\r\n" in raw, raw
    # An editor with line ends of its own.
    _, err = run("edit", cassette, 2, env={"EDITOR": r"""sed -i -e 's/"path": .*/"path": 1/' -e 's/$/\r/'"""})
    assert run("export-body", cassette, 2)[0] == '{"path":1}', err
    # A text of something that has been changed since, or is another one now.
    text = run("edit", cassette, 2, "--print")[0]
    run("edit", cassette, 2, env={"EDITOR": "sed -i 's/\"path\": 1/\"path\": 2/'"})
    assert "has been changed since" in run("edit", cassette, "--from", "-", stdin=text.replace('"path": 1', '"path": 3').encode(), status=64)[1]
    assert run("export-body", cassette, 2)[0] == '{"path":2}'
    text = run("edit", cassette, 2, "--print")[0]
    assert "follows from what is below" in run("edit", cassette, "--from", "-", stdin=text.replace(" 200", " 201", 1).encode(), status=64)[1]
    assert "is not one of those" in run("edit", cassette, 1, "--from", "-", stdin=text.encode(), status=64)[1]
    assert "is not a status line" in run("edit", cassette, "--from", "-", stdin=text.replace("HTTP/1.1 200", "HTTP/1.1 101", 1).encode(), status=64)[1]
    # Trailers without a body stay trailers.
    trailers = cassette + ".trailers"
    run("add", trailers, "--request", "GET /t", "--status", "200")
    os.system(f"sqlite3 {trailers} \"UPDATE interaction SET response_fields = '[[\\\"Transfer-Encoding\\\",\\\"chunked\\\"],[\\\"X-A\\\",\\\"1\\\"]]', response_trailers = '[[\\\"X-T\\\",\\\"1\\\"]]'\"")
    run("edit", trailers, 1, env={"EDITOR": "sed -i 's/^< X-A: 1/< X-A: 2/'"})
    assert run("show", trailers, "1")[0].rstrip().endswith("< X-A: 2\n@ no body\n< X-T: 1"), run("show", trailers, "1")[0]


@check
def hostile_files_are_errors(cassette):
    record(cassette, "/a", "/b")
    for change in (
        "UPDATE interaction SET id = 9223372036854775807 WHERE id = 2",
        "UPDATE interaction SET recorded_at = -9223372036854775808",
        "INSERT INTO body_slice VALUES (1, 9223372036854775807, x'00')",
        "INSERT INTO conflict VALUES (1, 'interaction', 77, NULL)",
        "UPDATE interaction SET origin = 'http://a' || char(10) || '=== GET /forged 200'",
        "INSERT INTO rule (action, part, scope) VALUES ('fault', 'delay 999999999999999999999s', 'GET /a')",
    ):
        hostile = cassette + ".hostile"
        shutil.copy(cassette, hostile)
        subprocess.run(["sqlite3", hostile, "PRAGMA foreign_keys = OFF; " + change], check=True)
        other = cassette + ".other"
        for verb in (["list", hostile], ["show", hostile, "--text"], ["diff", cassette, hostile], ["diff", hostile, cassette], ["stats", hostile], ["check", hostile],
                     ["merge", cassette, hostile, "-o", other, "--force"], ["merge", hostile, cassette, "-o", other, "--force"], ["copy", hostile, other, "1"],
                     ["copy", cassette, hostile, "1"], ["compact", hostile], ["edit", hostile, "--print"], ["resolve", hostile, "--ours"], ["split", hostile, "--by", "host", "-o", other + ".d"]):
            done = subprocess.run([MOCKSERVE, "cassette", *verb], capture_output=True, env=environment(), timeout=60)
            assert done.returncode in (0, 1, 3, 64, 66, 74), (change, verb, done.returncode, done.stderr[-500:])
            assert b"\n=== GET /forged" not in done.stdout, (change, verb)
            shutil.rmtree(other + ".d", ignore_errors=True)
        os.path.exists(other) and os.unlink(other)


@check
def a_server_may_have_it_open(cassette):
    record(cassette, "/a", "/b", "/c")
    with Server("replay", cassette, "--quiet") as server:
        assert json.load(urllib.request.urlopen(server.url + "/a")) == {"path": "/a"}
        run("edit", cassette, 1, env={"EDITOR": "sed -i 's/\"path\": .*/\"path\": \"edited\"/'"})
        # The replay looks at the file once a millisecond.
        time.sleep(0.01)
        assert json.load(urllib.request.urlopen(server.url + "/a")) == {"path": "edited"}
        run("move", cassette, cassette + ".other", "2")
        time.sleep(0.01)
        try:
            urllib.request.urlopen(server.url + "/b")
            raise AssertionError("it was moved")
        except urllib.error.HTTPError as error:
            assert error.code == 404
        for verb in (["list"], ["show"], ["stats"], ["check"], ["compact"]):
            run(*verb, cassette)
        assert json.load(urllib.request.urlopen(server.url + "/c")) == {"path": "/c"}
        server.stop()


for function in CHECKS:
    if len(sys.argv) < 2 or sys.argv[1] in function.__name__:
        Service.data.clear()
        with tempfile.TemporaryDirectory() as place:
            started = time.monotonic()
            function(os.path.join(place, "api.cassette"))
            print(f"{time.monotonic() - started:6.2f} s  {function.__name__}")
passed("verbs on cassettes: list, show, diff, edit, copy, move, split, merge, rename-host, check, stats, compact, upgrade, export-body, verify, refresh, undo")

"""The commands as a user types them: what they print, what they end with."""

import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

from support import MOCKSERVE, Server, environment, exchange, folder, free_port, passed


def run(*arguments, status=0, stdin=None, env=None, **options):
    result = subprocess.run(
        [MOCKSERVE, *map(str, arguments)], input=stdin, capture_output=True, env={**environment(), **(env or {})},
        timeout=60, **options,
    )
    assert result.returncode == status, f"{arguments}: {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout, result.stderr.decode()


def on_terminal(width, *arguments):
    """The lines that a command prints on a terminal of that width."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    subprocess.run([MOCKSERVE, *map(str, arguments)], stdout=follower, env=environment(), check=True)
    os.close(follower)
    output = b""
    try:
        while data := os.read(leader, 65536):
            output += data
    except OSError:
        pass
    os.close(leader)
    return output.decode().splitlines()


def request(port, path, method="GET", fields="", body=""):
    length = f"Content-Length: {len(body.encode())}\r\n" if body else ""
    text = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}{length}\r\n{body}"
    return exchange(port, text.encode())


def adding_listing_showing_removing(temporary):
    cassette = os.path.join(temporary, "demo.cassette")
    run("cassette", "add", cassette, "--request", "GET /users/1", "--status", 200, "--json", '{"id":1}', "--header", "X-A: b")
    run("cassette", "add", cassette, "--request", "POST /users", "--request-json", '{"b":1,"a":2}', "--status", 201, "--text", "made")
    binary = os.path.join(temporary, "binary")
    with open(binary, "wb") as file:
        file.write(bytes(range(256)) * 3000)
    run("cassette", "add", cassette, "--request", "GET /binary", "--file", binary)
    run("cassette", "add", cassette, "--request", "GET /piped", "--file", "-", stdin=b"from a pipe")
    run("cassette", "add", cassette, "--request", "DELETE /users/1", "--status", 204)

    listing, _ = run("cassette", "list", cassette)
    lines = listing.decode().splitlines()
    assert len(lines) == 6 and lines[0].split()[:4] == ["#", "METHOD", "TARGET", "STATUS"], lines
    rows = [json.loads(line) for line in run("cassette", "list", cassette, "--json")[0].splitlines()]
    assert [row["target"] for row in rows] == ["/users/1", "/users", "/binary", "/piped", "/users/1"], rows
    assert rows[2]["response_size"] == 768_000

    for width in (80, 132):
        text = on_terminal(width, "cassette", "list", cassette)
        assert len(text) == 6 and all(len(line) <= width for line in text), text
        assert ("RECORDED" in text[0]) == (width > 100) and "application/oct…" in text[3], text

    shown = run("cassette", "show", cassette, 1)[0].decode()
    assert '| {\n|   "id": 1\n| }' in shown and "X-A: b" in shown, shown
    assert run("cassette", "show", cassette, 1, "--raw")[0] == (
        b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"id\":1}"
    )
    assert run("cassette", "show", cassette, 3, "--raw")[0].endswith(bytes(range(256)) * 3000)
    assert b"@ application/octet-stream, 768000 bytes, sha256 " in run("cassette", "show", cassette, 3)[0]
    assert "has no interaction 9" in run("cassette", "show", cassette, 9, status=66)[1]

    with Server("replay", cassette, "--quiet") as server:
        assert request(server.port, "/users/1").endswith(b'{"id":1}')
        answer = request(server.port, "/users", "POST", "Content-Type: application/json\r\n", '{ "a": 2.0, "b": 1 }')
        assert answer.startswith(b"HTTP/1.1 201 Created") and answer.endswith(b"made"), answer
        assert request(server.port, "/piped").endswith(b"from a pipe")
        assert request(server.port, "/binary").endswith(bytes(range(256)) * 3000)
        assert request(server.port, "/users/1", "DELETE").startswith(b"HTTP/1.1 204 No Content\r\n")

    assert "nothing was removed" in run("cassette", "remove", cassette, 1, 77, status=66)[1]
    run("cassette", "remove", cassette, 1, "3-4")
    rows = [json.loads(line) for line in run("cassette", "list", cassette, "--json")[0].splitlines()]
    assert [row["id"] for row in rows] == [2, 5], rows
    assert os.path.getsize(cassette) < 100_000, "removing gives the space back"
    passed("cassette add, list, show, remove")


def wrong_use(temporary):
    cassette = os.path.join(temporary, "wrong.cassette")
    for arguments, words in [
        ([], None),
        (["record", cassette], "--upstream is missing"),
        (["record", cassette, "--upstream", "ftp://a"], "is no upstream"),
        (["record", cassette, "--upstream", "http://a/path"], "is no upstream"),
        (["record", cassette, "--upstream", "http://a", "--mode", "some"], "mode"),
        (["replay", cassette, "--port", "70000"], "--port takes"),
        (["replay", cassette, "--speed", "-1"], "--speed"),
        (["run", cassette], "There is no command to run. Write it after `--`"),
        (["run", cassette, "--mode", "all", "--", "true"], "--mode needs --upstream"),
        (["run", cassette, "--env", "X", "--", "true"], "--env takes"),
        (["cassette", "add", cassette, "--request", "/x"], "--request takes"),
        (["cassette", "add", cassette, "--request", "GET /x", "--json", "{"], "is not JSON"),
        (["cassette", "add", cassette, "--request", "GET /x", "--header", "X"], "--header takes"),
        (["cassette", "add", cassette, "--request", "GET /x", "--json", "1", "--text", "a"], "one of"),
        (["cassette", "remove", cassette, "x"], "neither a number nor a range"),
        (["nonsense"], "nonsense"),
    ]:
        if not arguments:
            assert b"USAGE" in run()[0]
            continue
        message = run(*arguments, status=64)[1]
        assert words in message, f"{arguments}: {message}"
    assert not os.path.exists(cassette), "wrong use made a cassette"

    missing = os.path.join(temporary, "missing.cassette")
    assert "No such file" in run("replay", missing, status=66)[1]
    assert "is a folder without files of another tool" in run("replay", temporary, status=66)[1]
    assert "not a regular file" in run("record", temporary, "--upstream", "http://127.0.0.1:9", status=66)[1]
    pipe = os.path.join(temporary, "pipe.cassette")
    os.mkfifo(pipe)
    for command in (["record", pipe, "--upstream", "http://127.0.0.1:9"], ["replay", pipe]):
        assert "not a regular file" in run(*command, status=66)[1]
    text = os.path.join(temporary, "text.cassette")
    with open(text, "w") as file:
        file.write("this is no cassette" * 100)
    assert "not an SQLite database" in run("cassette", "list", text, status=66)[1]
    assert run("record", text, "--upstream", "http://127.0.0.1:9", status=66)[1].count("not an SQLite database") == 1
    assert run("record", "/proc/x.cassette", "--upstream", "http://127.0.0.1:9", status=74)[1]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run("cassette", "add", cassette, "--request", "GET /", "--text", "x")
        message = run("replay", cassette, "--port", port, status=71)[1]
        assert f"127.0.0.1:{port}" in message and "Address already in use" in message, message
    assert "192.0.2.1" in run("replay", cassette, "--host", "192.0.2.1", status=71)[1]
    message = run("record", os.path.join(temporary, "ci.cassette"), "--upstream", "http://127.0.0.1:9",
                  status=77, env={"CI": "true"})[1]
    assert "CI is set" in message and "--record-in-ci" in message, message
    passed("wrong use, unreadable cassettes, taken ports, CI: the right words and exit statuses")


def help_and_versions():
    assert run("--version")[0].strip()
    for command in ([], ["demo"], ["record"], ["replay"], ["run"], ["explain"], ["cassette"], *(["cassette", c] for c in ("list", "show", "diff", "add", "stub", "remove", "rule", "unused", "redact", "scan", "merge", "resolve", "stats", "check", "export-body", "edit", "copy", "move", "split", "rename-host", "compact", "upgrade", "verify", "refresh", "undo")), *(["git", c] for c in ("install", "uninstall", "check", "textconv", "merge")),
                    *(["cassette", "rule", c] for c in ("add", "list", "remove"))):
        text = run(*command, "--help")[0].decode()
        assert "EXAMPLE" in text, f"{command}: no example\n{text}"
    for shell in ("bash", "zsh", "fish"):
        assert b"mockserve" in run("--generate-completion-script", shell)[0]
    demo = run("demo")[0].decode()
    assert "mockserve-miss: 1" in demo and "3 replayed, 1 missed" in demo and demo.count("$ curl") == 7, demo
    assert "3 replayed" in run("demo", env={"CI": "1"})[0].decode()
    passed("--version, --help with examples, completions, demo")


def running_commands(temporary):
    cassette = os.path.join(temporary, "run.cassette")
    run("cassette", "add", cassette, "--request", "GET /a", "--text", "answer")
    client = [sys.executable, "-c", (
        "import os, sys, urllib.request as u\n"
        "assert os.environ['API'] == os.environ['MOCKSERVE_URL'] + '/v1?p=' + os.environ['MOCKSERVE_URL'].split(':')[2]\n"
        "print(u.urlopen(os.environ['MOCKSERVE_URL'] + sys.argv[1]).read().decode())"
    )]
    variables = ["--env", "API={url}/v1?p={port}"]
    assert run("run", cassette, *variables, "--", *client, "/a")[0] == b"answer\n"
    swallow = [sys.executable, "-c", "import os, urllib.request as u\ntry: u.urlopen(os.environ['MOCKSERVE_URL'] + '/b')\nexcept Exception: pass"]
    message = run("run", cassette, "--", *swallow, status=3)[1]
    assert "miss: GET /b" in message, message
    run("run", cassette, "--require-all-used", "--", *swallow[:2], swallow[2].replace("'/b'", "'/a'"))
    message = run("run", cassette, "--require-all-used", "--", "true", status=4)[1]
    assert "1 recorded interaction was not used" in message and "#1 GET /a" in message, message
    run("run", cassette, "--", "sh", "-c", "exit 7", status=7)
    run("run", cassette, "--", "sh", "-c", "kill -9 $$", status=137)
    assert "no-such-program" in run("run", cassette, "--", "no-such-program", status=64)[1]
    assert run("run", cassette, "--", "cat", stdin=b"through")[0] == b"through"

    # Signals reach the command, whose status is the one that counts.
    process = subprocess.Popen(
        [MOCKSERVE, "run", cassette, "--quiet", "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment(),
    )
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 9

    # A recording run: what a failing command recorded is dropped, unless it is to be kept.
    upstream = os.path.join(temporary, "upstream.cassette")
    run("cassette", "add", upstream, "--request", "GET /r", "--text", "recorded")
    fetch = "import os, sys, urllib.request as u\nu.urlopen(os.environ['MOCKSERVE_URL'] + '/r').read()\nsys.exit(int(sys.argv[1]))"
    with Server("replay", upstream, "--quiet") as server:
        recording = os.path.join(temporary, "new.cassette")
        run("run", recording, "--upstream", server.url, "--", sys.executable, "-c", fetch, 1, status=1)
        assert not os.path.exists(recording)
        run("run", recording, "--upstream", server.url, "--keep-failed", "--", sys.executable, "-c", fetch, 1, status=1)
        assert os.path.exists(recording)
        other = os.path.join(temporary, "other.cassette")
        run("run", other, "--upstream", server.url, "--", sys.executable, "-c", fetch, 0)
    run("run", other, "--upstream", server.url, "--", sys.executable, "-c", fetch, 0)
    # The upstream is gone: a mode that needs it says so.
    swallow = "import os, urllib.request as u\ntry: u.urlopen(os.environ['MOCKSERVE_URL'] + '/new')\nexcept Exception as e: print(e)"
    out, message = run("run", other, "--upstream", server.url, "--mode", "missing", "--", sys.executable, "-c", swallow, status=69)
    assert b"502" in out and "Connection refused" in message, (out, message)
    passed("run: environment, exit statuses, misses, signals, standard input, recording")


def modes(temporary):
    cassette = os.path.join(temporary, "modes.cassette")
    upstream = os.path.join(temporary, "old.cassette")
    newer = os.path.join(temporary, "newer.cassette")
    for path, word in ((upstream, "old"), (newer, "new")):
        for name in ("a", "b"):
            run("cassette", "add", path, "--request", f"GET /{name}", "--text", f"{word} {name}")

    def targets():
        return [json.loads(line)["target"] for line in run("cassette", "list", cassette, "--json")[0].splitlines()]

    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with Server("replay", upstream, "--quiet", "--port", port):
        with Server("record", cassette, "--upstream", origin, "--quiet") as server:
            assert request(server.port, "/a").endswith(b"old a")
        with Server("record", cassette, "--upstream", origin, "--quiet") as server:
            # `once`: the cassette is not empty, so it is replayed.
            assert request(server.port, "/b").startswith(b"HTTP/1.1 404")
        assert targets() == ["/a"]
    with Server("replay", newer, "--quiet", "--port", port):
        with Server("record", cassette, "--upstream", origin, "--mode", "missing", "--quiet") as server:
            assert request(server.port, "/a").endswith(b"old a")
            assert request(server.port, "/b").endswith(b"new b")
        assert targets() == ["/a", "/b"]
        with Server("record", cassette, "--upstream", origin, "--mode", "passthrough", "--quiet") as server:
            assert request(server.port, "/a").endswith(b"new a")
        assert targets() == ["/a", "/b"]
        with Server("record", cassette, "--upstream", origin, "--mode", "all", "--quiet") as server:
            assert request(server.port, "/a").endswith(b"new a")
        # It takes the place of the older one.
        assert targets() == ["/a", "/b"]
    with Server("replay", cassette, "--quiet") as server:
        assert request(server.port, "/a").endswith(b"new a")
        assert request(server.port, "/a").endswith(b"new a")
    assert sorted(name for name in os.listdir(temporary) if name.startswith("modes")) == ["modes.cassette"]
    passed("modes once, missing, all, passthrough")


def background(temporary):
    cassette = os.path.join(temporary, "background.cassette")
    run("cassette", "add", cassette, "--request", "GET /a", "--text", "answer")
    url_file = os.path.join(temporary, "url")
    with Server("replay", cassette, "--quiet", "--url-file", url_file) as server:
        with open(url_file) as file:
            assert file.read().strip() == server.url
    assert not os.path.exists(url_file)
    with Server("replay", cassette, "--quiet", "--host", "::1") as server:
        assert server.url.startswith("http://[::1]:"), server.url

    # A socket that the caller has bound, by number and by the protocol of sd_listen_fds.
    for arguments, prepare in ((["--listen-fd", "{fd}"], None), ([], "LISTEN")):
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
            number = bound.fileno()
            os.set_inheritable(number, True)
            script = 'import os, sys\n'
            if prepare:
                script += 'os.dup2(int(sys.argv[1]), 3, True)\nos.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))\n'
            script += 'os.execv(sys.argv[2], sys.argv[2:])'
            process = subprocess.Popen(
                [sys.executable, "-c", script, str(number), MOCKSERVE, "replay", cassette, "--quiet",
                 *(a.format(fd=number) for a in arguments)],
                stdout=subprocess.PIPE, env=environment(), close_fds=False,
            )
            assert process.stdout.readline().decode().strip() == f"http://127.0.0.1:{port}"
        assert request(port, "/a").endswith(b"answer")
        process.terminate()
        assert process.wait(timeout=20) == 0

    # A parent that ends takes the server with it.
    parent = subprocess.Popen(["sleep", "60"])
    server = Server("replay", cassette, "--quiet", "--parent-pid", parent.pid)
    parent.kill()
    parent.wait()
    assert server.process.wait(timeout=20) == 0
    server.process.stdout.close()

    # A read-only cassette in a read-only folder.
    folder_ = os.path.join(temporary, "read-only")
    os.mkdir(folder_)
    copy = os.path.join(folder_, "c.cassette")
    subprocess.run(["cp", cassette, copy], check=True)
    os.chmod(copy, 0o444)
    os.chmod(folder_, 0o555)
    with Server("replay", copy, "--quiet") as server:
        assert request(server.port, "/a").endswith(b"answer")
    os.chmod(folder_, 0o755)

    # A reader of the list that goes away.
    pipe = subprocess.run(f"'{MOCKSERVE}' cassette list '{cassette}' | head -1", shell=True, capture_output=True, env=environment())
    assert pipe.returncode == 0 and not pipe.stderr, pipe.stderr
    started = time.monotonic()
    Server("replay", cassette, "--quiet").stop()
    passed(f"--url-file, IPv6, --listen-fd, LISTEN_FDS, --parent-pid, read-only cassette; start and stop in {time.monotonic() - started:.2f} s")


def rules(temporary):
    cassette = os.path.join(temporary, "rules.cassette")
    upstream = os.path.join(temporary, "answers.cassette")
    for number in (1, 2):
        run("cassette", "add", upstream, "--request", f"GET /a?ts={number}", "--text", f"answer {number}")
    with Server("replay", upstream, "--quiet") as server:
        arguments = ["--upstream", server.url, "--ignore", "query:ts", "--ignore", "json:$..nonce", "--require", "field:X-Tenant"]
        with Server("record", cassette, *arguments, "--quiet") as recorder:
            assert request(recorder.port, "/a?ts=1", fields="X-Tenant: one\r\n").endswith(b"answer 1")
            assert request(recorder.port, "/a?ts=2", fields="X-Tenant: two\r\n").endswith(b"answer 2")
    with Server("replay", cassette, "--quiet") as server:
        assert request(server.port, "/a?ts=77", fields="X-Tenant: two\r\n").endswith(b"answer 2")
        assert request(server.port, "/a", fields="X-Tenant: one\r\n").endswith(b"answer 1")
        missed = request(server.port, "/a?ts=1", fields="X-Tenant: three\r\n")
        assert missed.startswith(b"HTTP/1.1 404") and b'"field:x-tenant"' in missed and b"query:ts" not in missed, missed
    listing = [json.loads(line) for line in run("cassette", "rule", "list", cassette, "--json")[0].splitlines()]
    assert [rule["part"] for rule in listing] == ["key:4", "query:ts", "json:$..nonce", "field:X-Tenant", "catalog:4"], listing
    message = run("cassette", "rule", "remove", cassette, 4)[1]
    assert message == "mockserve: now answer the same requests: #1 #2\n", message
    message = run("cassette", "rule", "remove", cassette, 2)[1]
    assert message == "mockserve: no longer answer the same requests: #1 #2\n", message
    assert "has no rule 9" in run("cassette", "rule", "remove", cassette, 9, status=66)[1]
    assert "`header:x` is nothing to ignore" in run("cassette", "rule", "add", cassette, "--ignore", "header:x", status=64)[1]
    assert "missing )" in run("cassette", "rule", "add", cassette, "--map", "path s/(/x/", status=64)[1]
    assert "Which rule" in run("cassette", "rule", "add", cassette, status=64)[1]
    # What is recorded or written by hand later follows the rules that are there.
    run("cassette", "rule", "add", cassette, "--ignore", "query:v")
    run("cassette", "add", cassette, "--request", "GET /b?v=1", "--text", "by hand")
    with Server("replay", cassette, "--quiet") as server:
        assert request(server.port, "/b?v=2").endswith(b"by hand")
    # Maps, ways to play, and limits to some requests.
    for text in ("one", "two"):
        run("cassette", "add", cassette, "--request", "GET /status", "--text", text)
    run("cassette", "add", cassette, "--request", "GET /users/17", "--text", "a user")
    run("cassette", "rule", "add", cassette, "--map", "path s/[0-9]+/N/ for GET /users/*", "--play", "cycle for GET /status")
    listing = run("cassette", "rule", "list", cassette)[0].decode()
    assert "map     path s/[0-9]+/N/ for GET /users/*\n" in listing and "play    cycle for GET /status\n" in listing, listing
    with Server("replay", cassette, "--quiet") as server:
        assert [request(server.port, "/status")[-3:] for _ in range(3)] == [b"one", b"two", b"one"]
        assert request(server.port, "/users/4711").endswith(b"a user")
        assert request(server.port, "/posts/17").startswith(b"HTTP/1.1 404")
    passed("rules: recorded, listed, added, removed, and followed")


def journal_and_coverage(temporary):
    cassette = os.path.join(temporary, "journal.cassette")
    journal, coverage, state = (os.path.join(temporary, name) for name in ("journal.jsonl", "used.jsonl", "state"))
    for path in ("/a", "/b", "/c", "/d"):
        run("cassette", "add", cassette, "--request", f"GET {path}", "--text", path)
    env = {"XDG_STATE_HOME": state}
    assert "No server started in this folder has had a miss yet" in run("explain", status=66, env=env)[1]
    for paths, status in (("/a /b", 0), ("/b /x /y?z=1", 3)):
        command = f"for path in {paths}; do curl -s $MOCKSERVE_URL$path; done"
        run("run", cassette, "--journal", journal, "--coverage", coverage, "--", "sh", "-c", command, status=status, env=env)
    lines = [json.loads(line) for line in open(journal)]
    assert [line["outcome"] for line in lines] == ["replayed"] * 3 + ["missed"] * 2, lines
    assert [line["target"] for line in lines] == ["/a", "/b", "/b", "/x", "/y?z=1"]
    last = run("explain", env=env)[0].decode()
    assert last.startswith("No recorded interaction matches this request:\n\n  GET /y?z=1\n") and "Record it:" in last, last
    assert run("explain", "--journal", journal, env=env)[0].decode() == last
    assert b"GET /x\n" in run("explain", 1, env=env)[0]
    assert json.loads(run("explain", 1, "--json", env=env)[0])["target"] == "/x"
    assert "There is no miss 3: there are 2." in run("explain", 3, env=env, status=64)[1]
    # Only the owner may read what was asked.
    kept = os.path.join(state, "mockserve", "misses")
    assert [os.stat(os.path.join(kept, name)).st_mode & 0o777 for name in os.listdir(kept)] == [0o600]
    # A run without misses leaves what there is to explain alone; the next one with a miss takes its place.
    run("run", cassette, "--", "true", env=env)
    assert run("explain", env=env)[0].decode() == last
    run("run", cassette, "--", "sh", "-c", "curl -s $MOCKSERVE_URL/new", env=env, status=3)
    assert b"GET /new" in run("explain", env=env)[0] and run("explain", 1, env=env)[0] == run("explain", env=env)[0]
    broken = os.path.join(temporary, "broken.jsonl")
    with open(broken, "w") as file:
        file.write("nonsense\n")
    assert "broken.jsonl, line 1, is not what `--journal` writes" in run("explain", "--journal", broken, status=66)[1]

    listing, message = run("cassette", "unused", cassette, "--coverage", coverage)
    assert listing == b"#3 GET /c\n#4 GET /d\n" and "2 of 4 interactions were not used" in message, (listing, message)
    assert json.loads(run("cassette", "unused", cassette, "--coverage", coverage, "--json")[0].splitlines()[0])["target"] == "/c"
    assert "cannot be read" in run("cassette", "unused", cassette, "--coverage", broken + "x", status=66)[1]
    assert "line 1" in run("cassette", "unused", cassette, "--coverage", broken, status=66)[1]
    # Coverage of another cassette must not empty this one.
    empty = os.path.join(temporary, "empty.jsonl")
    open(empty, "w").close()
    assert "Nothing was removed" in run("cassette", "unused", cassette, "--coverage", empty, "--remove", status=64)[1]
    # Parallel runs, then all of their files at once.
    parallel = [
        subprocess.Popen(
            [MOCKSERVE, "run", cassette, "--quiet", "--coverage", coverage, "--", "sh", "-c", "curl -s $MOCKSERVE_URL/c"],
            env=environment(), stdout=subprocess.DEVNULL,
        ) for _ in range(6)
    ]
    assert [process.wait(60) for process in parallel] == [0] * 6
    listing, message = run("cassette", "unused", cassette, "--coverage", coverage, "--coverage", empty, "--remove")
    assert listing == b"#4 GET /d\n" and "1 removed" in message, (listing, message)
    assert len(run("cassette", "list", cassette)[0].splitlines()) == 4
    passed("journal and explain, coverage and unused")


def scanning_and_redacting(temporary):
    cassette = os.path.join(temporary, "scan.cassette")
    declared = "declared-" + "x" * 300_000
    run("cassette", "add", cassette, "--request", "GET /clean", "--text", "nothing in here", "--no-default-redaction")
    assert run("cassette", "scan", cassette) == (b"", "")
    run("cassette", "add", cassette, "--request", "GET /x?token=abcdef", "--file", "-", "--header", "Content-Type: application/json",
        "--header", "Set-Cookie: a=topsecretcookie; Path=/",
        stdin=json.dumps({"password": "hunter2hunter2", "text": declared}).encode())
    listing, _ = run("cassette", "scan", cassette, status=3)
    places = [line.split(": ", 1)[1] for line in listing.decode().splitlines()]
    assert places == ["#2: request target: token", "#2: response field Set-Cookie: cookie", "#2: response body: password"], places
    env = {"DECLARED": "declared-xxx"}
    # Where nothing is recorded, as in CI, a secret need not be known.
    message = run("run", cassette, "--secret-env", "NOT_SET", "--", "true")[1]
    assert "NOT_SET" in message and "going on without" in message, message
    nobody = f"http://127.0.0.1:{free_port()}"
    message = run("run", cassette, "--upstream", nobody, "--mode", "all", "--secret-env", "NOT_SET", "--", "true", status=64)[1]
    assert "NOT_SET" in message, message
    assert b"declared" in run("cassette", "scan", cassette, "--secret-env", "DECLARED", env=env, status=3)[0]
    assert "DECLARED" in run("cassette", "redact", cassette, "--secret-env", "DECLARED", status=64)[1]
    message = run("cassette", "redact", cassette, "--secret-env", "DECLARED", env=env)[1]
    assert "1 cookie, 1 declared, 1 password, 1 token" in message, message
    assert run("cassette", "scan", cassette, "--secret-env", "DECLARED", env=env) == (b"", "")
    assert "nothing" in run("cassette", "redact", cassette, "--secret-env", "DECLARED", env=env)[1]
    content = open(cassette, "rb").read()
    assert not any(secret in content for secret in (b"hunter2", b"topsecret", b"abcdef", b"declared-xxx")), "a secret is left"
    assert b"redacted.token." in run("cassette", "show", cassette, 2)[0]
    with Server("replay", cassette, "--quiet") as server:
        answer = request(server.port, "/x?token=other")
        assert b"redacted.password." in answer and b"Set-Cookie: a=redacted.cookie." in answer, answer[:500]
        head, body = answer.split(b"\r\n\r\n", 1)
        assert f"Content-Length: {len(body)}".encode() in head
    assert "not an SQLite database" in run("cassette", "scan", __file__, status=66)[1]
    passed("scan and redact")


def several_upstreams(temporary):
    cassette = os.path.join(temporary, "two.cassette")
    servers = []
    for name in ("api", "auth"):
        path = os.path.join(temporary, f"{name}.cassette")
        run("cassette", "add", path, "--request", "GET /who", "--text", name)
        servers.append(Server("replay", path, "--quiet"))

    def second(server):
        name, url = server.process.stdout.readline().decode().split()
        assert name == "auth"
        return int(url.rsplit(":", 1)[1])

    with Server("record", cassette, "--upstream", f"api={servers[0].url}", "--upstream", f"auth={servers[1].url}", "--quiet") as server:
        other = second(server)
        assert request(server.port, "/who").endswith(b"api")
        assert request(other, "/who").endswith(b"auth")
    for upstream in servers:
        upstream.stop()
    with Server("replay", cassette, "--quiet") as server:
        other = second(server)
        assert request(other, "/who").endswith(b"auth")
        assert request(server.port, "/who").endswith(b"api")
    passed("two upstreams in one cassette, a port each")


def settings(temporary):
    """Defaults, environment, options: each is stronger than the one before, and says so."""
    cassette = os.path.join(temporary, "settings.cassette")
    run("cassette", "add", cassette, "--request", "GET /who", "--text", "replayed")

    def explained(*arguments, env=None):
        rows = [line.split() for line in run(arguments[0], "--explain-config", *arguments[1:], env=env)[0].decode().splitlines()]
        return {row[0]: tuple(row[1:]) for row in rows}

    port = free_port()
    said = {"MOCKSERVE_PORT": str(port), "MOCKSERVE_MISS_STATUS": "500", "MOCKSERVE_MODE": "missing"}
    assert explained("replay", cassette)["port"] == ("0", "default")
    found = explained("replay", cassette, "--miss-status", 410, env=said)
    # A replay has no mode, whatever is said.
    assert found["mode"] == ("replay", "default"), found
    assert found["port"] == (str(port), "MOCKSERVE_PORT") and found["miss-status"] == ("410", "--miss-status"), found
    found = explained("record", cassette, env={**said, "MOCKSERVE_UPSTREAM": "https://a.example"})
    assert found["mode"] == ("missing", "MOCKSERVE_MODE") and found["upstream"][1] == "MOCKSERVE_UPSTREAM", found
    found = explained("run", cassette, "--upstream", "https://b.example", "--mode", "all", "--", "true", env=said)
    assert found["mode"] == ("all", "--mode") and found["upstream"] == ("https://b.example", "--upstream"), found

    curl = ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", f"http://127.0.0.1:{port}/none"]
    output, _ = run("run", cassette, "--", *curl, env=said, status=3)
    assert output == b"500", output
    # A mode that records nothing asks no upstream, whatever else is said.
    nobody = {"MOCKSERVE_MODE": "replay", "MOCKSERVE_UPSTREAM": f"http://127.0.0.1:{free_port()}"}
    assert run("run", cassette, "--", "sh", "-c", "curl -s $MOCKSERVE_URL/who", env=nobody)[0] == b"replayed"
    assert run("run", cassette, "--mode", "replay", "--", "sh", "-c", "curl -s $MOCKSERVE_URL/who")[0] == b"replayed"
    twins = {"MOCKSERVE_UPSTREAM": "https://a.example, https://b.example"}
    assert "need different names" in run("run", cassette, "--", "true", env={**twins, "MOCKSERVE_MODE": "all"}, status=64)[1]
    assert "MOCKSERVE_SPEDE in the environment is not" in run("run", cassette, "--", "true", env={"MOCKSERVE_SPEDE": "2"})[1]
    assert "--reuse-port needs" in run("replay", cassette, "--reuse-port", status=64)[1]
    message = run("replay", cassette, env={"MOCKSERVE_SPEED": "fast"}, status=64)[1]
    assert "MOCKSERVE_SPEED in the environment takes 0 or more, not `fast`" in message, message
    passed("settings: defaults, environment, options; --explain-config says which")


def main():
    with folder() as temporary:
        settings(temporary)
        help_and_versions()
        adding_listing_showing_removing(temporary)
        wrong_use(temporary)
        running_commands(temporary)
        modes(temporary)
        background(temporary)
        several_upstreams(temporary)
        rules(temporary)
        journal_and_coverage(temporary)
        scanning_and_redacting(temporary)


main()

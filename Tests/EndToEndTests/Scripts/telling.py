"""What the commands say when something is not as it should be: of misses, failures, options that mean nothing, wrong words."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

from support import MOCKSERVE, Server, environment, exchange, folder, free_port, passed


def run(*arguments, status=0, env=None, cwd=None, stdin=None):
    result = subprocess.run(
        [MOCKSERVE, *map(str, arguments)], capture_output=True, env={**environment(), **(env or {})}, timeout=60, cwd=cwd, input=stdin,
    )
    assert result.returncode == status, f"{arguments}: {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout.decode(), result.stderr.decode()


def add(cassette, request, text="x", body=None):
    run("cassette", "add", cassette, "--request", request, "--text", text, *(["--request-json", body] if body else []))


def request(port, path, method="GET", body="", kind="application/json"):
    content = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n" if body else ""
    return exchange(port, f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{content}\r\n{body}".encode())


def asking(*requests):
    """A command that sends requests to the server it runs beside, and minds no answer."""
    script = "import os, sys, urllib.request as u\nfor r in sys.argv[1:]:\n m, p, *b = r.split(' ', 2)\n q = u.Request(os.environ['MOCKSERVE_URL'] + p, method=m, data=b[0].encode() if b else None, headers={'Content-Type': 'application/x-www-form-urlencoded' if b and '=' in b[0] else 'application/json'})\n try: u.urlopen(q).read()\n except u.HTTPError: pass\nprint('done', file=sys.stderr)"
    return [sys.executable, "-c", script, *requests]


class Upstream:
    """Answers every connection with these bytes and closes it."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.recv(65536)
            client.sendall(self.answer)
            client.close()


def exit_statuses(temporary):
    cassette = os.path.join(temporary, "status.cassette")
    add(cassette, "GET /a")
    for options, status in (([], 0), (["--fail-on-miss"], 3), (["--fail-on-miss", "--quiet"], 3)):
        with Server("replay", cassette, *options, stderr=subprocess.PIPE) as server:
            request(server.port, "/b")
            server.stop(expected=status)
            said = server.process.stderr.read().decode()
            assert ("GET /b" in said) and (len(said.splitlines()) == 1) == ("--quiet" in options), said
    with Server("replay", cassette, "--fail-on-miss", "--quiet") as server:
        request(server.port, "/a")
    assert "--fail-on-miss" in run("replay", "--help")[0] and "--fail-on-miss" in run("--help")[0]

    # An answer that is not valid is no reason to say that the upstream cannot be reached.
    upstream = Upstream(b"nonsense\r\n\r\n")
    target = os.path.join(temporary, "bad.cassette")
    with Server("record", target, "--upstream", upstream.url, stderr=subprocess.PIPE) as server:
        assert request(server.port, "/a").startswith(b"HTTP/1.1 502")
        server.stop(expected=0)
        said = server.process.stderr.read().decode()
        assert said.count("GET http") == 1 and "mockserve: 0 recorded, 1 failed and not recorded\n" in said, said
    with Server("record", os.path.join(temporary, "bad2.cassette"), "--upstream", upstream.url, "--quiet", stderr=subprocess.PIPE) as server:
        request(server.port, "/a")
        server.stop(expected=0)
        said = server.process.stderr.read().decode()
        assert said.startswith("mockserve: 1 exchange failed and was not recorded: GET http") and said.count("\n") == 1, said
    out, said = run("run", os.path.join(temporary, "bad3.cassette"), "--upstream", upstream.url, "--", *asking("GET /a"))
    assert said.startswith("done\n") and said.count("not recorded: GET http") == 1, said
    nobody = f"http://127.0.0.1:{free_port()}"
    with Server("record", os.path.join(temporary, "gone.cassette"), "--upstream", nobody, "--quiet", stderr=subprocess.DEVNULL) as server:
        request(server.port, "/a")
        server.stop(expected=69)
    # Plaintext where TLS is spoken: there was never a connection that could be used.
    with Server("record", os.path.join(temporary, "tls.cassette"), "--upstream", upstream.url.replace("http:", "https:"), "--quiet",
                stderr=subprocess.DEVNULL) as server:
        request(server.port, "/a")
        server.stop(expected=69)
    passed("3 for misses, 69 for upstreams that cannot be reached and nothing else, failures said once")


def numbers_of_things(temporary):
    chunked = Upstream(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n")
    cassette = os.path.join(temporary, "chunk.cassette")
    with Server("record", cassette, "--upstream", chunked.url, "--quiet") as server:
        assert request(server.port, "/a").startswith(b"HTTP/1.1 200")
    assert ", 1 chunk within" in run("cassette", "show", cassette, 1)[0]
    empty = os.path.join(temporary, "empty.jsonl")
    open(empty, "w").close()
    said = run("cassette", "unused", cassette, "--coverage", empty, "--fail", status=4)[1]
    assert said == "mockserve: 1 of 1 interaction was not used\n", said
    run("run", cassette, "--coverage", empty, "-q", "--", *asking("GET /a"))
    run("cassette", "unused", cassette, "--coverage", empty, "--fail")
    assert "1 recorded interaction was not used" in run("run", cassette, "--require-all-used", "--", "true", status=4)[1]
    passed("one of a thing is said in the singular; cassette unused --fail")


def removing_ranges(temporary):
    cassette = os.path.join(temporary, "range.cassette")
    for number in range(1, 6):
        add(cassette, f"GET /{number}")
    said = run("cassette", "remove", cassette, "1", "4-9", status=66)[1]
    assert "has no interaction 9, the end of 4-9; nothing was removed" in said, said
    assert len(run("cassette", "list", cassette, "--json")[0].splitlines()) == 5
    run("cassette", "remove", cassette, "3")
    assert "2 removed" in run("cassette", "remove", cassette, "2-4")[1]
    passed("cassette remove takes ranges whose ends are there")


def wrong_words():
    for arguments, words in (
        (["cassete", "list"], "Did you mean `mockserve cassette`?"), (["rec"], "Did you mean `mockserve record`?"),
        (["cassette", "lst"], "Did you mean `mockserve cassette list`?"), (["cassette", "rule", "remvoe"], "`mockserve cassette rule remove`"),
        (["xyzzy"], "Commands: demo, record,"), (["replay", "x", "--prot", "1"], "Did you mean '--port'?"),
    ):
        said = run(*arguments, status=64)[1]
        assert words in said, said
    passed("an unknown command or option says which was meant")


def recording_options_where_nothing_is_recorded(temporary):
    cassette = os.path.join(temporary, "rules it has.cassette")
    add(cassette, "GET /a?q=1")
    for options in (["--upstream-ca", "x.pem"], ["--connect-timeout", "3"], ["--read-timeout", "3"], ["--record-in-ci"],
                    ["--no-default-redaction"], ["--keep-failed"], ["--keep-cut"], ["--allow-origin", "*"]):
        said = run("run", cassette, *options, "--", "true", status=64)[1]
        assert f"{options[0]}: only for recording, which needs --upstream" in said, said
    said = run("run", cassette, "--ignore", "body", "--map", "path s/a/b/", "--", "true", status=64)[1]
    assert f"mockserve cassette rule add '{cassette}' --ignore body --map 'path s/a/b/'" in said, said
    said = run("run", cassette, "--redact", "json:pin", "--", "true", status=64)[1]
    assert f"mockserve cassette redact '{cassette}' --redact json:pin" in said, said
    upstream = ["--upstream", "http://127.0.0.1:9"]
    said = run("record", cassette, *upstream, "--ignore", "query:q", "--redact", "json:pin", status=64)[1]
    assert "`ignore query:q`" in said and "--ignore query:q && mockserve cassette redact" in said, said
    run("cassette", "rule", "add", cassette, "--ignore", "query:q")
    run("cassette", "redact", cassette, "--redact", "json:pin")
    run("run", cassette, "--ignore", "query:q", "--redact", "json:pin", "--", "true")
    with Server("record", cassette, *upstream, "--ignore", "query:q", "--redact", "json:pin", "--quiet") as server:
        assert request(server.port, "/a?q=2").startswith(b"HTTP/1.1 200")
    passed("options that only recording heeds are refused where nothing is recorded, with the command that does it")


def many_misses(temporary):
    cassette = os.path.join(temporary, "api.cassette")
    state = {"XDG_STATE_HOME": os.path.join(temporary, "state")}
    for number in range(3):
        run("cassette", "add", cassette, "--request", "POST /rpc", "--text", "x", "--request-json",
            json.dumps({"id": number, "method": f"m{number}", "items": [{"at": number}, {"at": number}]}))
    add(cassette, "GET /list?ts=1&page=1")
    add(cassette, "GET /list?ts=2&page=1")
    asked = [
        *("POST /rpc " + json.dumps({"id": 70 + n, "method": f"m{n}", "items": [{"at": n + 5}, {"at": n + 6}]}) for n in range(2)),
        "GET /list?ts=7&page=1", "GET /nowhere/at/all",
    ]
    said = run("run", cassette, "--", *asking(*asked), status=3, env=state, cwd=temporary)[1]
    head, tail = said.split("done\n")
    assert head == "", f"misses among what the command prints: {said}"
    command = f"mockserve cassette rule add {cassette} --ignore 'json:$.id' --ignore 'json:$.items[*].at' --ignore query:ts"
    assert "4 misses of " in tail and "not recorded: 1 request\n      GET /nowhere/at/all" in tail, tail
    assert "this answers 3 of them" in tail and command in tail and tail.count("cassette rule add") == 1, tail
    assert "differ in json:$.id, json:$.items[*].at: 2 requests" in tail, tail
    assert "query:ts: these would then answer the same requests:\n      #4 #5" in tail, tail
    assert "json:$.id: no other recorded requests become the same by it" in tail, tail
    assert tail.count("Record it: ") == 1, tail

    told = run("explain", "--all", env=state, cwd=temporary)[0]
    assert "4 misses of api.cassette, in 3 kinds:" in told and "rule add api.cassette --ignore" in told, told
    # The one command does what it says.
    size = len(run("cassette", "list", cassette)[0].splitlines())
    subprocess.run(command.replace("mockserve", MOCKSERVE, 1), shell=True, check=True, env=environment(), capture_output=True)
    said = run("run", cassette, "--", *asking(*asked), status=3, env=state, cwd=temporary)[1]
    assert "3 replayed, 1 missed" in said and "miss: GET /nowhere/at/all" in said, said
    assert size == len(run("cassette", "list", cassette)[0].splitlines())
    # Misses are said at once if that is asked for, and in one line if little is to be said.
    said = run("run", cassette, "--live", "--", *asking("GET /x"), status=3, env=state)[1]
    assert said.startswith("mockserve: miss: GET /x\ndone\n"), said
    said = run("run", cassette, "-q", "--", *asking("GET /x"), status=3, env=state)[1]
    assert said.startswith("done\nmockserve: 1 request had no recorded answer: No recorded interaction matches GET /x") and said.count("\n") == 2, said
    passed("many misses: one list of rules that answers them, tried; what a command prints is kept apart")


def forms_and_json(temporary):
    cassette = os.path.join(temporary, "forms.cassette")
    upstream = Upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
    run("run", cassette, "--upstream", upstream.url, "-q", "--", *asking("POST /form email=a@b.c&at=1", 'POST /json {"email": "a@b.c"}'))
    said = run("run", cassette, "--", *asking("POST /form email=x@y.z&at=1", 'POST /json {"email": "x@y.z"}'), status=3)[1]
    assert f"{cassette} --ignore form:email --ignore 'json:$.email'\n" in said, said
    passed("forms are told as forms, beside JSON")


def explaining_here_and_there(temporary):
    state = {"XDG_STATE_HOME": os.path.join(temporary, "state of folders")}
    one, other = (os.path.join(temporary, name) for name in ("one", "other"))
    for path in (one, other):
        os.mkdir(path)
        add(os.path.join(path, "a.cassette"), "GET /a")
    add(os.path.join(one, "b.cassette"), "GET /b")
    assert "No server started in this folder has had a miss yet" in run("explain", status=66, env=state, cwd=one)[1]
    run("run", "a.cassette", "--", *asking("GET /first"), status=3, env=state, cwd=one)
    run("run", "a.cassette", "--", *asking("GET /elsewhere"), status=3, env=state, cwd=other)
    out, said = run("explain", env=state, cwd=one)
    assert "GET /first" in out and said == f"mockserve: the last of 1 miss of {one}/a.cassette\n", (out, said)
    run("run", "b.cassette", "--", *asking("GET /second", "GET /third"), status=3, env=state, cwd=one)
    assert "GET /third" in run("explain", env=state, cwd=one)[0]
    assert "GET /first" in run("explain", "--cassette", "a.cassette", env=state, cwd=one)[0]
    assert "GET /second" in run("explain", "1", "--cassette", "b.cassette", env=state, cwd=one)[0]
    assert "GET /elsewhere" in run("explain", env=state, cwd=other)[0]
    assert "GET /second" in run("explain", 1, "--cassette", os.path.join(one, "b.cassette"), env=state, cwd=other)[0]
    assert "No server serving none.cassette" in run("explain", "--cassette", "none.cassette", status=66, env=state, cwd=one)[1]
    files = os.path.join(state["XDG_STATE_HOME"], "mockserve", "misses")
    assert os.stat(files).st_mode & 0o777 == 0o700
    assert all(os.stat(os.path.join(files, name)).st_mode & 0o777 == 0o600 for name in os.listdir(files))
    # The newest stay, however many cassettes there are.
    for number in range(70):
        path = os.path.join(files, f"{number:016x}-{number:016x}.jsonl")
        open(path, "w").close()
        os.utime(path, (number, number))
    run("run", "b.cassette", "--", *asking("GET /fourth"), status=3, env=state, cwd=one)
    assert len(os.listdir(files)) == 64 and "GET /fourth" in run("explain", env=state, cwd=one)[0]
    passed("explain tells of this folder and of one cassette; what is kept for it is bounded and private")


def rewinding(temporary):
    cassette = os.path.join(temporary, "demo.cassette")
    for text in ("one", "two", "three"):
        add(cassette, "GET /a", text)
    with Server("replay", cassette, stderr=subprocess.PIPE) as server:
        assert b"replaying" in server.process.stderr.readline()
        assert [request(server.port, "/a").rsplit(b"\r\n", 1)[1] for _ in range(2)] == [b"one", b"two"]
        server.process.send_signal(signal.SIGHUP)
        assert server.process.stderr.readline() == b"mockserve: back at the start of the recording\n"
        assert [request(server.port, "/a").rsplit(b"\r\n", 1)[1] for _ in range(3)] == [b"one", b"two", b"three"]
        server.stop()
    passed("SIGHUP goes back to the start of a replay")


def main():
    with folder() as temporary:
        for part in (exit_statuses, numbers_of_things, removing_ranges, recording_options_where_nothing_is_recorded, many_misses,
                     forms_and_json, explaining_here_and_there, rewinding):
            place = os.path.join(temporary, part.__name__)
            os.mkdir(place)
            part(place)
    wrong_words()


main()

"""`cassette import` and `export`, and replays of foreign files, as a user of the command line meets them. Usage: imports.py [PART OF A NAME]"""

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time

from support import MOCKSERVE, Server, environment, exchange, passed

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def run(*arguments, status=0, stdin=None, **options):
    """Standard output and standard error."""
    done = subprocess.run([MOCKSERVE, *map(str, arguments)], input=stdin, capture_output=True, env=environment(), timeout=60, **options)
    assert done.returncode == status, (arguments, done.returncode, done.stderr.decode())
    return done.stdout.decode(), done.stderr.decode()


def vcr(path, body="x"):
    return (
        f"http_interactions:\n- request:\n    method: get\n    uri: https://api.example.com{path}\n    body: ''\n    headers: {{}}\n"
        f"  response:\n    status: {{code: 200, message: OK}}\n    headers: {{X-Id: ['1']}}\n    body: {{encoding: UTF-8, string: '{body}'}}\n"
    )


def entry(number, **more):
    return json.dumps({"request": {"method": "GET", "url": f"http://a.example/{number}"}, "response": {"status": 200, "content": {"text": "x" * 100}}, **more})


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


def targets(cassette):
    return [json.loads(line)["target"] for line in run("cassette", "list", cassette, "--json")[0].splitlines()]


def files(folder):
    return sorted(os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names)


@check
def each_file_becomes_a_cassette_in_the_same_tree(folder):
    write(folder, "in/users/show.yml", vcr("/users/1"))
    write(folder, "in/users/list.yml", vcr("/users"))
    write(folder, "in/page.har", '{"log": {"entries": [%s]}}' % entry(1))
    write(folder, "in/notes.txt", "nothing")
    write(folder, "in/package.json", '{"name": "x"}')
    _, said = run("cassette", "import", "in", "-o", "out", "--each", cwd=folder)
    assert files(os.path.join(folder, "out")) == ["page.cassette", "users/list.cassette", "users/show.cassette"], files(folder)
    assert said.count("1 interaction imported into out/") == 3, said
    assert targets(os.path.join(folder, "out/users/show.cassette")) == ["/users/1"]
    write(folder, "in/page.yml", vcr("/"))
    _, said = run("cassette", "import", "in", "-o", "more", "--each", cwd=folder, status=64)
    assert "would both become more/page.cassette" in said, said


@check
def standard_input_is_a_file(folder):
    out, said = run("cassette", "import", "-", "-o", "a.cassette", "--json", stdin=vcr("/a").encode(), cwd=folder)
    report = json.loads(out)
    assert report["interactions"] == 1 and report["files"] == {"vcr": 1} and report["losses"] == [], report
    assert report["upstreams"] == {"default": "https://api.example.com"}, report
    run("cassette", "import", "-", "-o", "a.cassette", "--format", "har", stdin=('{"log":{"entries":[%s]}}' % entry(2)).encode(), cwd=folder)
    assert targets(os.path.join(folder, "a.cassette")) == ["/a", "/2"]
    _, said = run("cassette", "import", "-", "-o", "a.cassette", stdin=b"", cwd=folder, status=66)
    assert "standard input: is empty" in said, said


@check
def servers_are_named_if_there_are_several(folder):
    write(folder, "in/a.yml", vcr("/a"))
    _, said = run("cassette", "import", "in", "-o", "a.cassette", cwd=folder)
    assert "a port of its own" not in said, said
    write(folder, "in/b.har", '{"log": {"entries": [%s]}}' % entry(1))
    _, said = run("cassette", "import", "in", "-o", "b.cassette", cwd=folder)
    assert "each server has a port of its own: default (https://api.example.com), a-example (http://a.example)\n" in said, said


@check
def mistakes_are_said(folder):
    bad = write(folder, "bad.yml", vcr("/a") + "- x: [\n")
    for arguments, status, part in [
        (("import", "none", "-o", "a.cassette"), 66, "none: is not there"), (("import", bad, "-o", "a.cassette"), 66, "bad.yml:1"),
        (("import", bad, "-o", "a.cassette", "--format", "yaml"), 64, "takes one of "), (("import", bad), 64, "--output"),
        (("import", "-o", "a.cassette"), 64, "file"), (("export", "none.cassette", "--format", "har"), 66, "none.cassette"),
        (("export", "none.cassette", "--format", "x"), 64, "takes one of "),
    ]:
        _, said = run("cassette", *arguments, status=status, cwd=folder)
        assert part in said, (arguments, said)
    assert files(folder) == ["bad.yml"], files(folder)
    _, said = run("cassette", "import", bad, "-o", "a.cassette", "--keep-going", cwd=folder, status=66)
    assert "read only up to a mistake" in said and "1 interaction imported" in said, said
    # Standard output and a folder do not go together.
    _, said = run("cassette", "export", "a.cassette", "--format", "wiremock", cwd=folder, status=64)
    assert "give it a name with -o" in said, said


@check
def loss_is_reported_and_refused(folder):
    har = write(folder, "a.har", '{"log": {"entries": [%s,\n%s,\n%s]}}' % (entry(1), entry(2, _fromCache="disk"), entry(3, _fromCache="disk")))
    _, said = run("cassette", "import", har, "-o", "a.cassette", "--strict", cwd=folder, status=66)
    assert "a.har:2: loses a response from the cache of the browser" in said, said
    assert files(folder) == ["a.har"]
    _, said = run("cassette", "import", har, "-o", "a.cassette", cwd=folder)
    assert "a response from the cache of the browser: 2 times, first in" in said and "a.har:2" in said, said


@check
def an_interrupted_import_leaves_nothing(folder):
    """Also one that is killed, once there is another one."""
    run("cassette", "import", write(folder, "a.yml", vcr("/a")), "-o", "a.cassette", cwd=folder)
    before = open(os.path.join(folder, "a.cassette"), "rb").read()
    for sent, expected in ((signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)):
        process = subprocess.Popen(
            [MOCKSERVE, "cassette", "import", "-", "-o", "a.cassette"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=folder
        )
        process.stdin.write(b'{"log": {"entries": [')
        for number in range(5000):
            process.stdin.write((entry(number) + ",\n").encode())
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while not any(name.endswith("-wal") for name in files(folder)):
            assert time.monotonic() < deadline, files(folder)
        process.send_signal(sent)
        try:
            # It is looked at between two interactions.
            for number in range(5000):
                process.stdin.write((entry(number) + ",\n").encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.wait(timeout=60) == expected, process.returncode
        said = process.stderr.read().decode()
        process.stderr.close()
        assert open(os.path.join(folder, "a.cassette"), "rb").read() == before
        if sent != signal.SIGKILL:
            assert "interrupted; what was not complete was not written" in said, said
            assert files(folder) == ["a.cassette", "a.yml"], files(folder)
    run("cassette", "import", "a.yml", "-o", "a.cassette", cwd=folder)
    assert files(folder) == ["a.cassette", "a.yml"], files(folder)


@check
def an_import_is_taken_back(folder):
    for name in ("a", "b"):
        run("cassette", "import", write(folder, f"{name}.yml", vcr(f"/{name}")), "-o", "c.cassette", cwd=folder)
    assert targets(os.path.join(folder, "c.cassette")) == ["/a", "/b"]
    run("cassette", "undo", "c.cassette", cwd=folder)
    assert targets(os.path.join(folder, "c.cassette")) == ["/a"]
    _, said = run("cassette", "undo", "c.cassette", cwd=folder, status=66)
    assert "no refresh or import" in said, said


@check
def a_closed_pipe_ends_an_export(folder):
    har = write(folder, "a.har", '{"log": {"entries": [%s]}}' % ",\n".join(entry(number) for number in range(20000)))
    run("cassette", "import", har, "-o", "a.cassette", cwd=folder)
    done = subprocess.run(f"'{MOCKSERVE}' cassette export a.cassette --format vcr | head -n 1", shell=True, capture_output=True, cwd=folder, timeout=60)
    assert done.stdout == b"---\n" and b"rash" not in done.stderr and b"Fatal" not in done.stderr, done
    run("cassette", "export", "a.cassette", "--format", "har", "-o", "b.har", cwd=folder)
    _, said = run("cassette", "export", "a.cassette", "--format", "har", "-o", "b.har", cwd=folder, status=74)
    assert "is there already" in said, said
    assert files(folder) == ["a.cassette", "a.har", "b.har"], files(folder)


@check
def progress_is_for_terminals(folder):
    har = write(folder, "a.har", '{"log": {"entries": [%s]}}' % ",\n".join(entry(number) for number in range(3000)))
    parent, child = pty.openpty()
    process = subprocess.Popen([MOCKSERVE, "cassette", "import", har, "-o", "a.cassette"], stderr=child, env=environment(), cwd=folder)
    os.close(child)
    said = b""
    try:
        while piece := os.read(parent, 65536):
            said += piece
    except OSError:
        pass
    os.close(parent)
    assert process.wait(timeout=60) == 0 and b"\rmockserve: importing, 256" in said and b"3000 interactions imported" in said, said[-2000:]


@check
def foreign_files_are_replayed(folder):
    write(folder, "vcr cassettes/a.yml", vcr("/a", "one"))
    write(folder, "vcr cassettes/b.yml", vcr("/b", "two"))
    temporary = os.path.join(folder, "tmp")
    os.mkdir(temporary)
    os.environ["TMPDIR"] = temporary
    try:
        with Server("replay", os.path.join(folder, "vcr cassettes"), "--quiet") as server:
            assert len(os.listdir(temporary)) == 1
            answer = exchange(server.port, b"GET /b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b"two" in answer and answer.startswith(b"HTTP/1.1 200 OK\r\nX-Id: 1\r\n"), answer
        assert os.listdir(temporary) == []
        out, said = run("run", "vcr cassettes/a.yml", "--", "sh", "-c", "curl -s $MOCKSERVE_URL/a; curl -s -o /dev/null $MOCKSERVE_URL/c", cwd=folder, status=3)
        assert out == "one" and "a.yml is not a cassette: 1 interaction imported for this run, from 1 vcr file" in said, (out, said)
        # What to do is said of a cassette that stays.
        assert "mockserve cassette import 'vcr cassettes/a.yml' -o a.cassette && mockserve record a.cassette --upstream" in said, said
        assert temporary not in said, said
        assert os.listdir(temporary) == []
        # One that was killed is removed by the next.
        server = Server("replay", os.path.join(folder, "vcr cassettes"), "--quiet")
        server.kill()
        assert len(os.listdir(temporary)) == 1
        run("run", "vcr cassettes", "--", "true", cwd=folder)
        assert os.listdir(temporary) == []
        write(folder, "vcr cassettes/c.yml", "http_interactions: [")
        _, said = run("run", "vcr cassettes", "--", "true", cwd=folder, status=66)
        assert "c.yml:" in said and os.listdir(temporary) == [], said
    finally:
        del os.environ["TMPDIR"]


@check
def declared_secrets_are_redacted_and_match(folder):
    secret = "correct-horse-battery-5781"
    write(folder, "a.yml", vcr(f"/a?x={secret}", f"it is {secret}"))
    os.environ["TOK"] = secret
    try:
        script = f"curl -s $MOCKSERVE_URL/a?x={secret}"
        out, _ = run("run", "a.yml", "--secret-env", "TOK", "--", "sh", "-c", script, cwd=folder)
        assert out.startswith("it is ") and secret not in out, out
        run("cassette", "import", "a.yml", "-o", "a.cassette", "--secret-env", "TOK", cwd=folder)
        assert secret.encode() not in open(os.path.join(folder, "a.cassette"), "rb").read()
    finally:
        del os.environ["TOK"]


@check
def only_files_are_looked_for_in_folders(folder):
    write(folder, "in/a.yml", vcr("/a"))
    os.mkfifo(os.path.join(folder, "in/b.yml"))
    os.symlink("/nowhere", os.path.join(folder, "in/c.yml"))
    os.mkdir(os.path.join(folder, "in/d.yml"))
    run("cassette", "import", "in", "-o", "a.cassette", cwd=folder)
    assert targets(os.path.join(folder, "a.cassette")) == ["/a"]
    # One that is named is read, once.
    out = subprocess.run(["bash", "-c", f"'{MOCKSERVE}' run <(cat in/a.yml) -- sh -c 'curl -s $MOCKSERVE_URL/a'"], capture_output=True, cwd=folder, env=environment(), timeout=60)
    assert out.stdout == b"x", out


@check
def an_export_replaces_files_only(folder):
    run("cassette", "import", write(folder, "a.yml", vcr("/a")), "-o", "a.cassette", cwd=folder)
    _, said = run("cassette", "export", "a.cassette", "--format", "har", "-o", "a.cassette", "--force", cwd=folder, status=74)
    assert "is the cassette itself" in said, said
    run("cassette", "export", "a.cassette", "--format", "har", "-o", "/dev/null", cwd=folder)
    os.symlink("b.har", os.path.join(folder, "link.har"))
    run("cassette", "export", "a.cassette", "--format", "har", "-o", "link.har", cwd=folder)
    assert os.path.islink(os.path.join(folder, "link.har")) and os.path.isfile(os.path.join(folder, "b.har"))
    for name, format in (("b.har", "wiremock"), ("in", "har")):
        os.makedirs(os.path.join(folder, "in"), exist_ok=True)
        run("cassette", "export", "a.cassette", "--format", format, "-o", name, "--force", cwd=folder, status=74)
    assert files(folder) == ["a.cassette", "a.yml", "b.har", "link.har"], files(folder)


@check
def control_characters_are_not_printed(folder):
    name = "a\u001b]0;x\u0007\nmockserve: all fine"
    har = {"log": {"entries": [{"request": {"method": "GET", "url": f"{name}://a"}, "response": {"status": 200}}]}}
    write(folder, "a.har", json.dumps(har))
    _, said = run("cassette", "import", "a.har", "-o", "a.cassette", cwd=folder, status=66)
    assert "\x1b" not in said and "\nmockserve: all fine" not in said, said


@check
def what_is_left_out_is_said_also_of_nothing(folder):
    write(folder, "a.har", '{"log": {"entries": [%s]}}' % entry(1, _fromCache="disk"))
    _, said = run("cassette", "import", "a.har", "-o", "a.cassette", cwd=folder, status=66)
    assert "no interactions and no stubs (a response from the cache of the browser was left out)" in said, said


@check
def rules_come_along(folder):
    write(folder, "a.yml", vcr("/a?time=1"))
    run("cassette", "import", "a.yml", "-o", "a.cassette", "--ignore", "query:time", "--play", "once for * /**", cwd=folder)
    out, _ = run("run", "a.cassette", "--", "sh", "-c", "curl -s $MOCKSERVE_URL/a?time=2; curl -s -o /dev/null -w %{http_code} $MOCKSERVE_URL/a?time=3", cwd=folder, status=3)
    assert out == "x404", out


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [function for function in CHECKS if wanted in function.__name__]
    assert chosen, f"there is no check with `{wanted}` in its name"
    for function in chosen:
        with tempfile.TemporaryDirectory(prefix="mockserve-imports-") as folder:
            function(folder)
        print(f"  {function.__name__}", flush=True)
    passed(f"{len(chosen)} checks of imports and exports")


main()

"""Cassettes in real repositories of git: diffs, merges, conflicts, and recordings that change nothing.

Usage: git.py [PART OF A NAME]
"""

import http.server
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request

from support import MOCKSERVE, Server, environment, passed

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Service(http.server.BaseHTTPRequestHandler):
    """Answers with what is in `data`; every answer has a date, an id and a cookie of its own."""

    protocol_version = "HTTP/1.1"
    data = {}
    count = itertools.count(1)

    def do_GET(self):
        body = json.dumps(self.data.get(self.path, {"path": self.path})).encode()
        number = next(self.count)
        self.send_response(200)
        for name, value in [("Content-Type", "application/json"), ("X-Request-Id", f"request-{number}"), ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.send_header("Set-Cookie", f"sid={number * 7919:032x}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Repository:
    """A repository in a folder of its own, with mockserve installed in it."""

    def __init__(self, folder, service):
        self.folder, self.service = folder, service
        self.env = {
            **environment(),
            "PATH": os.path.dirname(os.path.abspath(MOCKSERVE)) + ":" + os.environ["PATH"],
            "HOME": folder,
            "GIT_CONFIG_GLOBAL": os.path.join(folder, "gitconfig"),
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_EDITOR": "true",
        }
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "a@example.com")
        self.git("config", "user.name", "A")
        self.run("git", "install")
        self.cassette = os.path.join(folder, "api.cassette")

    def git(self, *arguments, status=0):
        done = subprocess.run(["git", *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)
        assert status is None or done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def run(self, *arguments, status=0):
        done = subprocess.run([MOCKSERVE, *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)
        assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def record(self, *paths, mode="missing"):
        with Server("record", self.cassette, "--upstream", self.service, "--mode", mode, "--quiet") as server:
            for path in paths:
                urllib.request.urlopen(server.url + path).read()
            server.stop()

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def bytes(self):
        with open(self.cassette, "rb") as file:
            return file.read()

    def answers(self, *paths):
        """What curl gets from a replay, as JSON; None for a miss."""
        with Server("replay", self.cassette, "--quiet") as server:
            answers = []
            for path in paths:
                out = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", server.url + path], capture_output=True, text=True).stdout
                body, _, status = out.rpartition("\n")
                answers.append(json.loads(body) if status == "200" else None)
            server.stop()
        return answers

    def requests(self):
        return [json.loads(line)["target"] for line in self.run("cassette", "list", "--json", self.cassette).splitlines() if line.startswith("{")]


@check
def a_diff_shows_what_has_changed_and_nothing_else(repository):
    Service.data["/users/1"] = {"id": 1, "name": "Ada", "tags": ["a", "b"]}
    repository.record("/users/1", "/users/2", "/users/3")
    repository.commit("recorded")
    Service.data["/users/1"] = {"id": 1, "name": "Ada", "email": "ada@example.com", "tags": ["a", "b"]}
    repository.record("/users/1", "/users/2", "/users/3", mode="all")
    diff = repository.git("diff")
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    assert changed == ['+|   "email": "ada@example.com",'], diff
    assert "=== GET" in [line for line in diff.splitlines() if line.startswith("@@")][0], diff
    repository.commit("changed")
    for command in (["log", "-p", "-1"], ["show"]):
        assert '+|   "email": "ada@example.com",' in repository.git(*command)
    # What is no cassette is shown, too.
    with open(repository.cassette, "w") as file:
        file.write("version https://git-lfs.github.com/spec/v1\n")
    assert "+version https://git-lfs" in repository.git("diff")


@check
def recording_again_changes_no_byte(repository):
    repository.record("/a", "/b", "/c")
    before = repository.bytes()
    repository.commit("recorded")
    for mode, paths in (("all", "abc"), ("all", "cab"), ("rewrite", "abc"), ("all", "b")):
        repository.record(*("/" + name for name in paths), mode=mode)
        assert repository.bytes() == before, (mode, paths)
        assert repository.git("status", "--porcelain") == "", (mode, paths)
        assert sorted(os.listdir(repository.folder)) == [".git", ".gitattributes", "api.cassette"], os.listdir(repository.folder)
    # A part that the owner calls volatile.
    Service.data["/a"] = {"at": 1, "value": 1}
    repository.record("/a", mode="all")
    repository.run("cassette", "rule", "add", repository.cassette, "--volatile", "json:$.at")
    before = repository.bytes()
    Service.data["/a"] = {"at": 2, "value": 1}
    repository.record("/a", mode="all")
    assert repository.bytes() == before
    Service.data["/a"] = {"at": 2, "value": 2}
    repository.record("/a", mode="all")
    assert repository.bytes() != before
    assert repository.requests() == ["/a", "/b", "/c"]


@check
def branches_that_record_are_merged(repository):
    Service.data["/shared"] = {"version": 1}
    repository.record("/shared", "/gone", "/stays")
    repository.commit("base")
    repository.git("checkout", "-qb", "theirs")
    repository.record("/theirs", "/both")
    repository.run("cassette", "rule", "add", repository.cassette, "--ignore", "query:theirs")
    repository.run("cassette", "remove", repository.cassette, "2")
    repository.commit("theirs")
    repository.git("checkout", "-q", "main")
    Service.data["/shared"] = {"version": 2}
    repository.record("/shared", mode="all")
    repository.record("/ours", "/both")
    repository.run("cassette", "stub", "add", repository.cassette, "GET /stub/{id}", "--json", '{"stub": true}')
    repository.run("cassette", "rule", "add", repository.cassette, "--ignore", "query:ours")
    repository.commit("ours")
    repository.git("merge", "-q", "-m", "merged", "theirs")
    assert repository.git("status", "--porcelain") == ""
    answers = repository.answers("/shared?ours=1&theirs=2", "/ours", "/theirs", "/both", "/stays", "/stub/7", "/gone")
    assert answers[0] == {"version": 2} and answers[5] == {"stub": True} and answers[6] is None and all(answers[:6]), answers
    assert sorted(repository.requests()) == ["/both", "/ours", "/shared", "/stays", "/theirs"], repository.requests()
    assert repository.run("git", "check").strip().endswith("0 findings")
    assert repository.run("cassette", "check", repository.cassette).strip().endswith("0 findings")


def conflict(repository):
    Service.data["/x"] = {"version": 0}
    repository.record("/x", "/y")
    repository.commit("base")
    repository.git("checkout", "-qb", "theirs")
    Service.data["/x"] = {"version": "theirs"}
    repository.record("/x", mode="all")
    repository.commit("theirs")
    repository.git("checkout", "-q", "main")
    Service.data["/x"] = {"version": "ours"}
    repository.record("/x", mode="all")
    repository.commit("ours")


@check
def a_conflict_is_told_and_settled_each_way(repository):
    conflict(repository)
    said = repository.git("merge", "-m", "merged", "theirs", status=1)
    assert '-|   "version": "ours"' in said and '+|   "version": "theirs"' in said, said
    assert "mockserve cassette resolve api.cassette" in said, said
    assert repository.git("status", "--porcelain").startswith("UU api.cassette")
    unresolved = repository.bytes()
    # It can be looked at, but nothing answers from it.
    assert "/y" in repository.run("cassette", "list", repository.cassette)
    for command in (["replay"], ["record", "--upstream", repository.service, "--mode", "missing"], ["run", "--"]):
        said = repository.run(command[0], repository.cassette, *command[1:], *(["true"] if command[0] == "run" else []), status=66)
        assert "mockserve cassette resolve" in said, said
    assert "has 1 conflict" in repository.run("git", "check", status=3)
    assert '+|   "version": "theirs"' in repository.run("cassette", "resolve", repository.cassette)
    repository.run("cassette", "resolve", repository.cassette, "--ours", "9", status=66)
    for side, versions in (("--ours", ["ours"]), ("--theirs", ["theirs"]), ("--both", ["ours", "theirs"])):
        with open(repository.cassette, "wb") as file:
            file.write(unresolved)
        repository.run("cassette", "resolve", repository.cassette, side)
        answers = repository.answers("/x", "/x", "/y")
        assert [answer["version"] for answer in answers[:2]] == (versions * 2)[:2], (side, answers)
        assert repository.run("cassette", "resolve", repository.cassette).strip().endswith("has no conflicts")
    repository.commit("resolved")
    assert repository.git("status", "--porcelain") == ""


@check
def one_side_removes_what_the_other_changes(repository):
    Service.data["/x"] = {"version": 0}
    repository.record("/x", "/y")
    repository.commit("base")
    repository.git("checkout", "-qb", "theirs")
    repository.run("cassette", "remove", repository.cassette, "1")
    repository.commit("removed")
    repository.git("checkout", "-q", "main")
    Service.data["/x"] = {"version": 1}
    repository.record("/x", mode="all")
    repository.commit("changed")
    said = repository.git("merge", "-m", "merged", "theirs", status=1)
    assert "changed by us, removed by them" in said, said
    repository.run("cassette", "resolve", repository.cassette, "--theirs")
    assert repository.requests() == ["/y"]
    repository.commit("resolved")


@check
def rebase_cherry_pick_and_stash_merge_too(repository):
    repository.record("/base")
    repository.commit("base")
    repository.git("checkout", "-qb", "topic")
    repository.record("/topic1")
    repository.commit("topic1")
    repository.record("/topic2")
    repository.commit("topic2")
    repository.git("checkout", "-q", "main")
    repository.record("/main")
    repository.commit("main")
    repository.git("cherry-pick", "topic")
    assert sorted(repository.requests()) == ["/base", "/main", "/topic2"], repository.requests()
    repository.record("/stashed")
    repository.git("stash", "-q")
    repository.record("/other")
    repository.commit("other")
    repository.git("stash", "pop", "-q")
    assert sorted(repository.requests()) == ["/base", "/main", "/other", "/stashed", "/topic2"], repository.requests()
    repository.commit("stashed")
    repository.git("checkout", "-q", "topic")
    repository.git("rebase", "-q", "main")
    assert sorted(repository.requests()) == ["/base", "/main", "/other", "/stashed", "/topic1", "/topic2"], repository.requests()
    assert all(repository.answers(*repository.requests()))


@check
def criss_cross_merges_are_merged(repository):
    repository.record("/base")
    repository.commit("base")
    repository.git("branch", "other")
    repository.record("/a1")
    repository.commit("a1")
    repository.git("checkout", "-q", "other")
    repository.record("/b1")
    repository.commit("b1")
    first = repository.git("rev-parse", "HEAD").strip()
    repository.git("merge", "-q", "-m", "m1", "main")
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "-m", "m2", first)
    repository.record("/a2")
    repository.commit("a2")
    repository.git("checkout", "-q", "other")
    repository.record("/b2")
    repository.commit("b2")
    repository.git("merge", "-q", "-m", "m3", "main")
    assert sorted(repository.requests()) == ["/a1", "/a2", "/b1", "/b2", "/base"], repository.requests()
    assert repository.run("cassette", "check", repository.cassette).strip().endswith("0 findings")


@check
def criss_cross_merges_with_conflicts_lose_nothing(repository):
    Service.data["/x"] = {"version": 0}
    repository.record("/x")
    repository.commit("base")
    repository.git("branch", "b")
    Service.data["/x"] = {"version": "a"}
    repository.record("/x", mode="all")
    repository.commit("a1")
    repository.git("checkout", "-q", "b")
    Service.data["/x"] = {"version": "b"}
    repository.record("/x", mode="all")
    repository.commit("b1")
    first = repository.git("rev-parse", "HEAD").strip()
    repository.git("merge", "-m", "m1", "main", status=1)
    repository.run("cassette", "resolve", repository.cassette, "--ours")
    repository.record("/only-b")
    repository.commit("m1")
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-m", "m2", first, status=1)
    assert "is not merged yet" in repository.run("git", "check", status=3)
    repository.run("cassette", "resolve", repository.cassette, "--ours")
    repository.record("/only-a")
    repository.commit("m2")
    said = repository.git("merge", "-m", "m3", "b", status=1)
    assert '"version": "a"' in said and '"version": "b"' in said, said
    repository.run("cassette", "resolve", repository.cassette, "--theirs")
    assert sorted(repository.requests()) == ["/only-a", "/only-b", "/x"], repository.requests()
    assert repository.answers("/x") == [{"version": "b"}]
    repository.commit("m3")


@check
def a_merge_redacts_what_the_other_side_redacts(repository):
    repository.run("cassette", "add", repository.cassette, "--request", "GET /1", "--json", '{"v": 0}')
    repository.commit("base")
    repository.git("checkout", "-qb", "theirs")
    repository.run("cassette", "add", repository.cassette, "--request", "GET /2", "--json", '{"ssn": "123-45-6789-xyz"}')
    repository.commit("theirs")
    repository.git("checkout", "-q", "main")
    repository.run("cassette", "redact", repository.cassette, "--redact", "json:ssn")
    repository.commit("ours")
    repository.git("merge", "-q", "-m", "merged", "theirs")
    assert repository.requests() == ["/1", "/2"] and b"123-45-6789-xyz" not in repository.bytes()


@check
def what_cannot_be_merged_says_so(repository):
    odd = os.path.join(repository.folder, "-odd name's.cassette")
    repository.run("cassette", "add", "./-odd name's.cassette", "--request", "GET /1", "--text", "1")
    repository.commit("base")
    repository.git("checkout", "-qb", "theirs")
    repository.run("cassette", "add", "./-odd name's.cassette", "--request", "GET /2", "--text", "2")
    assert "+=== GET /2 200" in repository.git("diff")
    repository.commit("theirs")
    repository.git("checkout", "-q", "main")
    repository.run("cassette", "add", "./-odd name's.cassette", "--request", "GET /3", "--text", "3")
    repository.commit("ours")
    repository.git("merge", "-q", "-m", "merged", "theirs")
    assert "GET     /2" in repository.run("cassette", "list", "./-odd name's.cassette")
    repository.git("checkout", "-qb", "pointer")
    with open(odd, "w") as file:
        file.write("version https://git-lfs.github.com/spec/v1\n")
    repository.commit("pointer")
    repository.git("checkout", "-q", "main")
    repository.run("cassette", "add", "./-odd name's.cassette", "--request", "GET /4", "--text", "4")
    repository.commit("four")
    said = repository.git("merge", "-m", "merged", "pointer", status=1)
    assert "was not merged, and is as our side has it" in said and "-odd name" in said, said
    assert "is not merged yet" in repository.run("git", "check", status=3)


@check
def secrets_that_are_known_only_now_stay_out(repository):
    Service.data["/x"] = {"value": "bbbbbbbbcccc1234"}
    for token in ("aaaaaaaaaaaa1111", "bbbbbbbbcccc1234"):
        with Server("record", repository.cassette, "--upstream", repository.service, "--mode", "all", "--quiet", "--secret-env", "TOKEN", wrapper=["env", f"TOKEN={token}"]) as server:
            urllib.request.urlopen(server.url + "/x").read()
            server.stop()
    assert b"bbbbbbbbcccc1234" not in repository.bytes()


@check
def people_of_both_sides_are_not_taken_for_one(repository):
    def record(name, path):
        with Server("record", repository.cassette, "--upstream", repository.service, "--mode", "missing", "--quiet", "--tell-apart", "field:Authorization") as server:
            urllib.request.urlopen(urllib.request.Request(server.url + path, headers={"Authorization": f"Bearer secret-of-{name}-0123456789"})).read()
            server.stop()

    record("base", "/base")
    repository.commit("base")
    repository.git("checkout", "-qb", "theirs")
    record("bobby", "/shared")
    repository.commit("theirs")
    repository.git("checkout", "-q", "main")
    record("alice", "/shared")
    repository.commit("ours")
    said = repository.git("merge", "-m", "merged", "theirs", status=1)
    assert "both sides have recorded new ones" in said, said
    repository.git("merge", "--abort")
    repository.git("merge", "-q", "-m", "merged", "HEAD~1")


@check
def what_others_do_meanwhile_is_kept(repository):
    repository.record("/1", "/2")
    with Server("record", repository.cassette, "--upstream", repository.service, "--mode", "all", "--quiet") as server:
        repository.run("cassette", "remove", repository.cassette, "2")
        repository.run("cassette", "add", repository.cassette, "--request", "GET /new", "--text", "new")
        urllib.request.urlopen(server.url + "/1").read()
        server.stop()
    assert repository.requests() == ["/1", "/new"], repository.requests()


@check
def both_sides_make_it_and_one_side_has_nothing(repository):
    repository.commit("base")
    repository.git("checkout", "-qb", "theirs")
    repository.record("/theirs", "/both")
    repository.commit("theirs")
    repository.git("checkout", "-q", "main")
    repository.record("/ours", "/both")
    repository.commit("ours")
    repository.git("merge", "-q", "-m", "merged", "theirs")
    assert sorted(repository.requests()) == ["/both", "/ours", "/theirs"], repository.requests()
    # Emptied on one side, untouched on the other.
    repository.git("checkout", "-qb", "emptied")
    repository.run("cassette", "remove", repository.cassette, "1-" + str(3))
    repository.commit("emptied")
    repository.git("checkout", "-q", "main")
    repository.git("commit", "-q", "--allow-empty", "-m", "other")
    repository.git("merge", "-q", "-m", "merged", "emptied")
    assert repository.requests() == []


@check
def a_clone_without_mockserve_works(repository):
    conflict(repository)
    clone = os.path.join(repository.folder, "..", "clone")
    repository.git("clone", "-q", repository.folder, clone)
    env = {**repository.env, "PATH": "/usr/bin:/bin"}

    def git(*arguments):
        return subprocess.run(["git", "-C", clone, *arguments], env=env, capture_output=True, text=True, timeout=60)

    git("config", "user.email", "a@example.com")
    git("config", "user.name", "A")
    assert "Binary files" in git("diff", "HEAD~1").stdout
    merged = git("merge", "-m", "merged", "origin/theirs")
    assert merged.returncode == 1 and "CONFLICT" in merged.stdout, merged
    git("merge", "--abort")
    assert git("status", "--porcelain").stdout == ""
    shutil.rmtree(clone)


@check
def installing_and_uninstalling_say_what_they_do(repository):
    attributes = os.path.join(repository.folder, ".gitattributes")
    line = "*.cassette -text diff=mockserve merge=mockserve\n"
    assert open(attributes).read() == line
    assert "already in" in repository.run("git", "install")
    assert open(attributes).read() == line
    with open(attributes, "w") as file:
        file.write("*.png binary\n" + line)
    repository.record("/a")
    repository.git("add", "-A")
    assert repository.run("git", "check").strip().endswith("0 findings")
    said = repository.run("git", "uninstall")
    assert "taken out of" in said and "remove-section diff.mockserve" in said, said
    assert open(attributes).read() == "*.png binary\n"
    assert "mockserve" not in open(os.path.join(repository.folder, ".git", "config")).read()
    assert "no attribute covers it: mockserve git install" in repository.run("git", "check", status=3)
    assert repository.run("git", "check", "--staged", "--no-attributes").strip().endswith("0 findings")
    repository.run("git", "install", "--global")
    assert open(os.path.join(repository.folder, ".config", "git", "attributes")).read() == line
    assert "mockserve git textconv" in open(os.path.join(repository.folder, "gitconfig")).read()
    assert repository.run("git", "check").strip().endswith("0 findings")
    repository.run("git", "uninstall", "--global")
    assert not os.path.exists(os.path.join(repository.folder, ".config", "git", "attributes"))
    done = subprocess.run([MOCKSERVE, "git", "install"], cwd="/", env={**repository.env, "GIT_CEILING_DIRECTORIES": "/"}, capture_output=True, text=True)
    assert done.returncode == 64 and "not a repository" in done.stderr, done


@check
def check_finds_secrets_damage_and_length(repository):
    secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    repository.run("cassette", "add", repository.cassette, "--request", "GET /a", "--text", f"token {secret}", "--no-default-redaction")
    repository.commit("secret")
    assert "#1: response body: github-token" in repository.run("git", "check", status=3)
    repository.run("cassette", "redact", repository.cassette)
    # What is staged is looked at, not what is there.
    assert repository.run("git", "check").strip().endswith("0 findings")
    repository.git("add", "-A")
    assert repository.run("git", "check", "--staged").strip().endswith("0 findings")
    with open(repository.cassette, "r+b") as file:
        file.seek(3000)
        file.write(b"\xff" * 3000)
    assert "api.cassette: " in repository.run("git", "check", status=3)
    assert repository.run("git", "check", "--staged").strip().endswith("0 findings")
    with open(repository.cassette, "wb") as file:
        file.write(b"\0" * (2 << 20))
    assert "limit" in repository.run("git", "check", "--max-size", "1", status=3)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
for function in CHECKS:
    if len(sys.argv) < 2 or sys.argv[1] in function.__name__:
        Service.data.clear()
        with tempfile.TemporaryDirectory() as place:
            folder = os.path.join(place, "repository")
            os.mkdir(folder)
            function(Repository(folder, f"http://127.0.0.1:{server.server_address[1]}"))
passed("cassettes in git: diffs, quiet recordings, merges, conflicts, checks")

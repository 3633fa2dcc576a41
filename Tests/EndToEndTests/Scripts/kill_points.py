"""Kills mockserve at its system calls that change files, one by one: whatever is left opens, holds what it must, and is one file soon.

strace counts which of them recording and every verb that writes make, and an edit that brings an older cassette up to the newest schema
version first, and then kills the program at the n-th of each (SIGKILL on the way into the kernel). After every kill each verb works on what is left; of an edit either all is there or
nothing; of a recording, what was in the cassette before and every answer that a client saw complete; and after the next write there
is one file.

Usage: kill_points.py [HOW MANY, by default 40; 0 for all] [KIND OF WORK, by default every]
"""

import collections
import http.client
import http.server
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading

from support import MOCKSERVE, Server, environment, folder, passed

# Those of other machines are unknown to strace here: `?` lets them pass.
CALLS = (
    "write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "?rename", "renameat", "renameat2", "?unlink", "unlinkat", "ftruncate", "?link", "linkat",
    "fallocate", "fchmod", "fchown", "flock", "fcntl",
)
# Every lock is an fcntl, and only the first ones tell anything; sockets use it too.
COUNTED = {"fcntl": 3}
TRACE = ["strace", "-D", "-f", "-qq"]
SECRET = "c0ffee-of-the-owner"
SIZES = {"/short": 10, "/chunked": 20_000, "/long": 700_000, "/again": 300}
BEFORE = b"before!"
TIMEOUT = 60
# A cassette of each older version of the schema.
OLD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "CassetteStoreTests", "Versions", "v{:04}.cassette")
NEWEST = 5


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = body_of(self.path)
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Threaded(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass


def body_of(path):
    return (path.encode() * SIZES[path])[:SIZES[path]]


def command(*arguments, wrapper=(), check=True):
    result = subprocess.run([*wrapper, MOCKSERVE, *arguments], capture_output=True, text=True, timeout=TIMEOUT, env=environment(), errors="replace")
    if check:
        assert result.returncode == 0, f"{' '.join(arguments[:3])} ends with {result.returncode}: {result.stderr.strip()[-300:]}"
    return result


def content(cassette):
    """All that a reader sees of a cassette, but for the times and dates."""
    rows = [json.loads(line) for line in command("cassette", "list", "--json", cassette).stdout.splitlines()]
    shown = []
    for row in rows:
        text = command("cassette", "show", cassette, str(row["number"] if "number" in row else row["id"])).stdout
        text = re.sub(r"\d{4}-\d\d-\d\d[T ][0-9:.]+Z?", "TIME", text)
        text = re.sub(r"first byte after \d+ ms, \d+ chunks? within \d+ ms", "TIMES", text)
        shown.append(re.sub(r"\w{3}, \d\d \w{3} \d{4} [0-9:]{8} GMT", "DATE", text))
        row.pop("recorded_at", None)
    stubs = command("cassette", "stub", "list", "--json", cassette).stdout
    return {"rows": rows, "shown": shown, "stubs": stubs, "rules": command("cassette", "rule", "list", cassette).stdout}


class Job:
    """Something that writes to a cassette and can be killed on the way."""

    def __init__(self, name, *arguments, version=None, changes=True):
        self.name, self.arguments = name, arguments
        self.before = self.after = None
        # Of the schema, at first; None for the newest.
        self.version = version
        # Whether a reader sees something else afterwards.
        self.changes = changes

    # Whether what is to be changed has conflicts, so that most verbs refuse it.
    has_conflicts = False

    def place(self, master, cassette):
        """Puts there what is to be changed."""
        shutil.copy(OLD.format(self.version) if self.version else master, cassette)

    def run(self, cassette, wrapper):
        command("cassette", *[cassette if argument == "CASSETTE" else argument for argument in self.arguments], wrapper=wrapper, check=False)

    def learn(self, cassette):
        """Sees what it does when nobody kills it."""
        self.after = content(cassette)
        assert self.changes == (self.after != self.before), f"what a reader sees after {self.name}: {str(self.after)[:1500]}"

    def judge(self, now):
        assert now in (self.before, self.after), f"neither the old state nor the new one:\n{str(now)[:1500]}\n{str(self.before)[:1500]}"
        return "new" if now == self.after else "old"


class Prepared(Job):
    """The same with something that is done to the cassette before."""

    def __init__(self, name, *arguments, first):
        super().__init__(name, *arguments)
        self.first = first

    def place(self, master, cassette):
        super().place(master, cassette)
        self.first(cassette)


class Resolving(Prepared):
    has_conflicts = True


class Moving(Job):
    """From one cassette to another: what has left the one is in the other."""

    def __init__(self, other, target):
        super().__init__("move", "move", "CASSETTE", target, "1-2")
        self.other, self.target = other, target
        self.target_before = content(other)

    def place(self, master, cassette):
        super().place(master, cassette)
        folder = os.path.dirname(self.target)
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        shutil.copy(self.other, self.target)

    def learn(self, cassette):
        super().learn(cassette)
        self.target_after = content(self.target)
        assert self.target_after != self.target_before

    def judge(self, now):
        state = super().judge(now)
        verbs_work(self.target)
        target = content(self.target)
        assert target in (self.target_before, self.target_after), f"of the other cassette neither the old state nor the new one:\n{str(target)[:1500]}"
        assert state == "old" or target == self.target_after, "what was moved is in neither"
        return f"{state}, the other {'new' if target == self.target_after else 'old'}"


class Splitting(Job):
    """The cassette stays as it is; of its parts each is whole or not there."""

    def __init__(self, output):
        super().__init__("split", "split", "CASSETTE", "--by", "path", "--output", output, changes=False)
        self.output = output

    def place(self, master, cassette):
        super().place(master, cassette)
        shutil.rmtree(self.output, ignore_errors=True)

    def parts(self):
        found = sorted(os.listdir(self.output)) if os.path.isdir(self.output) else []
        return {name: content(os.path.join(self.output, name)) for name in found if name.endswith(".cassette")}

    def learn(self, cassette):
        super().learn(cassette)
        self.parts_after = self.parts()
        assert len(self.parts_after) == 3, list(self.parts_after)

    def judge(self, now):
        super().judge(now)
        parts = self.parts()
        wrong = [name for name, part in parts.items() if part != self.parts_after.get(name)]
        assert not wrong, f"not whole: {wrong}"
        return f"{len(parts)} of {len(self.parts_after)} parts"


def of_an_upstream(cassette):
    database = sqlite3.connect(cassette)
    database.execute("INSERT INTO upstream (name, origin) VALUES ('default', 'http://old.example')")
    database.execute("UPDATE interaction SET origin = 'http://old.example'")
    database.commit()
    database.close()
    # That computes the match keys anew.
    command("cassette", "rule", "add", cassette, "--ignore", "query:other")


class Recording(Job):
    def __init__(self, name, upstream, mode, exists):
        super().__init__(name)
        self.upstream, self.mode, self.exists = upstream, mode, exists

    def place(self, master, cassette):
        if self.exists:
            super().place(master, cassette)

    def run(self, cassette, wrapper):
        """Two clients ask, then the recorder is stopped, if it is still there."""
        self.complete = []
        try:
            server = Server("record", cassette, "--upstream", self.upstream, "--mode", self.mode, "--quiet", "--threads", "1", wrapper=wrapper, stderr=subprocess.DEVNULL)
        except RuntimeError:
            return
        try:
            for path in SIZES:
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status == 200 and body == self.expected(path), f"{path} is answered {answer.status} with {len(body)} bytes"
                connection.close()
                self.complete.append(path)
        except (OSError, http.client.HTTPException):
            pass
        server.stop(expected=None)

    def expected(self, path):
        """What is there already is replayed by `missing`, and recorded again by `all`."""
        return BEFORE if path == "/short" and self.mode == "missing" else body_of(path)

    def learn(self, cassette):
        self.after = content(cassette)

    def judge(self, now):
        sizes = collections.defaultdict(list)
        for row in now["rows"]:
            sizes[row["target"]].append(row["response_size"])
        missing = [path for path in self.complete if len(self.expected(path)) not in sizes[path]]
        assert not missing, f"seen complete, but not in the cassette: {missing}"
        wrong = {path: found for path, found in sizes.items() if path in SIZES and set(found) - {SIZES[path], len(BEFORE)}}
        assert not wrong, f"recorded in part: {wrong}"
        if self.exists:
            lost = [row["target"] for row in self.before["rows"] if row["target"] not in sizes]
            assert not lost, f"lost what was there: {lost}"
            # Recording adds what it redacts by default.
            assert now["rules"].startswith(self.before["rules"]), f"lost a rule: {now['rules']!r}"
            old = [text.partition("\n")[2] for text in self.before["shown"]]
            new = [text.partition("\n")[2] for text in now["shown"]]
            # With `all`, a clean end, and only that, puts the new answers in the place of the old ones to the same requests.
            replaced = self.mode == "all" and len(self.complete) == len(SIZES)
            gone = [text[:80] for text in old if text not in new and not (replaced and "/short" in text)]
            assert not gone, f"changed what was there: {gone}"
        return f"{len(self.complete)} of {len(SIZES)}"


def drifted(url, cassette):
    """A cassette that says something else than the upstream says now."""
    with Server("record", cassette, "--upstream", url, "--quiet", stderr=subprocess.DEVNULL) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
        connection.request("GET", "/again")
        connection.getresponse().read()
        connection.close()
    edit = cassette + ".edit"
    with open(edit, "w") as text:
        text.write(command("cassette", "edit", cassette, "--print").stdout.replace("| /again", "| before", 1))
    command("cassette", "edit", cassette, "--from", edit)
    return cassette


def jobs(url, other, edit, temporary):
    old = drifted(url, os.path.join(temporary, "drifted.cassette"))
    har = os.path.join(temporary, "imported.har")
    with open(har, "w") as file:
        entry = {"startedDateTime": "2024-05-06T07:08:09Z", "request": {"method": "GET", "url": "http://imported.example/"},
                 "response": {"status": 200, "content": {"text": "i" * 9000}}}
        json.dump({"log": {"entries": [entry] * 3}}, file)
    refresh = ("refresh", "CASSETTE", "--upstream", url, "--select", "1", "--yes")
    return [
        Recording("record anew", url, "once", False),
        Recording("record into one that exists", url, "missing", True),
        Recording("record all again", url, "all", True),
        Job("add", "add", "CASSETTE", "--request", "GET /added", "--json", json.dumps({"text": "x" * 9000})),
        Job("remove", "remove", "CASSETTE", "2"),
        Job("redact", "redact", "CASSETTE", "--redact", "field:X-Owner", "--redact", "json:owner"),
        Job("rule add", "rule", "add", "CASSETTE", "--ignore", "query:page", "--map", "path s/[0-9]{4}/N/"),
        Job("rule remove", "rule", "remove", "CASSETTE", "1"),
        Job("stub add", "stub", "add", "CASSETTE", "GET /stub/{id}", "--text", "s" * 5000),
        Job("import", "import", har, "-o", "CASSETTE"),
        Job("edit", "edit", "CASSETTE", "--from", edit),
        Job("compact", "compact", "CASSETTE", changes=False),
        Prepared("stub remove", "stub", "remove", "CASSETTE", "1", first=lambda path: command("cassette", "stub", "add", path, "GET /stub", "--text", "s" * 5000)),
        Prepared("rename-host", "rename-host", "CASSETTE", "http://old.example", "https://new.example", first=of_an_upstream),
        Job("copy", "copy", other, "CASSETTE", "1-2"),
        Job("merge", "merge", "CASSETTE", other, "-o", "CASSETTE", "--theirs"),
        Resolving("resolve", "resolve", "CASSETTE", "--theirs", first=lambda path: command("cassette", "merge", path, other, "-o", path, check=False)),
        Moving(other, os.path.join(temporary, "moved", "a.cassette")),
        Splitting(os.path.join(temporary, "parts")),
        Prepared("refresh", *refresh, first=lambda path: shutil.copy(old, path)),
        Prepared("undo", "undo", "CASSETTE", first=lambda path: (shutil.copy(old, path), Job("refresh", *refresh).run(path, ()))),
        Job("upgrade", "upgrade", "--no-backup", "CASSETTE", version=1, changes=False),
        *(Job(f"migration of {version}", "remove", "CASSETTE", "2", version=version) for version in range(1, NEWEST)),
    ]


def prepare(cassette):
    """A cassette with something of everything."""
    command("cassette", "add", cassette, "--request", "GET /short", "--text", BEFORE.decode())
    command("cassette", "add", cassette, "--request", "GET /two", "--text", "second " * 15_000)
    command("cassette", "add", cassette, "--request", "GET /owner", "--json", json.dumps({"owner": SECRET, "rest": "y" * 20_000}), "--header", f"X-Owner: {SECRET}")
    command("cassette", "rule", "add", cassette, "--ignore", "query:ts")


def count(job, master, temporary):
    """The most calls of every kind that one thread makes: strace counts by thread."""
    place = os.path.join(temporary, "counting")
    os.mkdir(place)
    cassette = os.path.join(place, "a.cassette")
    job.place(master, cassette)
    log = os.path.join(temporary, "log")
    job.run(cassette, [*TRACE, "-o", f"|cat > {log}; echo >> {log}.end", "-e", "trace=" + ",".join(CALLS)])
    wait_for(f"{log}.end")
    calls = collections.Counter()
    with open(log, errors="replace") as text:
        for line in text:
            # With -f every line begins with the thread.
            if match := re.match(r"(\d+) +(\w+)\(", line):
                calls[match[1], match[2]] += 1
    job.learn(cassette)
    assert os.listdir(place) == ["a.cassette"], os.listdir(place)
    shutil.rmtree(place)
    os.remove(log)
    os.remove(f"{log}.end")
    most = collections.Counter()
    for (_, name), number in calls.items():
        most[name] = max(most[name], min(number, COUNTED.get(name, number)))
    return [(job, name, number) for name, total in most.items() for number in range(1, total + 1)]


def version(cassette):
    """Of the schema, as the file says it: SQLite keeps it in its header, or in its log."""
    with folder() as copies:
        copy = shutil.copytree(os.path.dirname(cassette), os.path.join(copies, "copy"))
        database = sqlite3.connect(os.path.join(copy, "a.cassette"))
        try:
            return database.execute("PRAGMA user_version").fetchone()[0]
        finally:
            database.close()


def wait_for(path):
    """The detached strace ends a little after what it traces."""
    pause = threading.Event()
    for _ in range(TIMEOUT * 100):
        if os.path.exists(path):
            return
        pause.wait(0.01)
    raise AssertionError("strace does not end")


def kill_at(job, call, number, master, temporary):
    place = os.path.join(temporary, "point")
    os.mkdir(place)
    cassette = os.path.join(place, "a.cassette")
    job.place(master, cassette)
    job.run(cassette, [*TRACE, "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"])
    if not os.path.exists(cassette):
        assert isinstance(job, Recording) and not job.exists and not job.complete, "the cassette is gone"
        state = "not there"
    elif os.path.getsize(cassette) == 0 and isinstance(job, Recording) and not job.exists:
        # A name without anything behind it: it is not a cassette yet, and must not stand in the way of one.
        assert not job.complete, f"seen complete, and the file is empty: {job.complete}"
        state = "empty"
    else:
        found = version(cassette)
        assert found in (job.version, NEWEST), f"schema version {found}"
        if not job.has_conflicts:
            verbs_work(cassette)
        now = content(cassette)
        state = job.judge(now)
        if job.has_conflicts and state == "old":
            job.run(cassette, ())
            now = content(cassette)
            assert now == job.after, "what was left cannot be resolved"
        if job.version:
            state += f" of version {found}"
        ask(cassette, now)
    command("cassette", "add", cassette, "--request", "GET /next", "--text", "next")
    left = sorted(os.listdir(place))
    assert left == ["a.cassette"], f"{left} is left after the next write"
    rows = content(cassette)["rows"]
    assert rows[-1]["target"] == "/next", rows
    if job.name == "redact" and state == "new":
        with open(cassette, "rb") as file:
            assert SECRET.encode() not in file.read(), "the secret is still in the file"
    shutil.rmtree(place)
    return state


def verbs_work(cassette):
    """Each must work on what the kill left, whichever is used first: so each gets a copy of it."""
    failures = []
    for verb in (("list",), ("show", "1"), ("scan",), ("rule", "list"), ("add", "--request", "GET /next", "--text", "next")):
        with folder() as copies:
            copy = shutil.copytree(os.path.dirname(cassette), os.path.join(copies, "copy"))
            words = ["cassette", *verb[:1], *(verb[1:] if verb[0] == "rule" else ()), os.path.join(copy, "a.cassette"), *(() if verb[0] == "rule" else verb[1:])]
            result = command(*words, check=False)
        # `scan` says by 3 that it found something, and of a cassette without interactions there is no first one to show.
        is_fine = result.returncode == 0 or verb == ("scan",) and result.returncode == 3 or verb[0] == "show" and "has no interaction" in result.stderr
        if not is_fine:
            failures.append(f"{' '.join(verb[:2]) if verb[0] == 'rule' else verb[0]} {result.returncode}")
            said = result.stderr.strip().partition("a.cassette: ")[2]
    with folder() as copies:
        copy = shutil.copytree(os.path.dirname(cassette), os.path.join(copies, "copy"))
        try:
            Server("replay", os.path.join(copy, "a.cassette"), "--quiet", stderr=subprocess.DEVNULL).stop()
        except RuntimeError as error:
            failures.append("replay")
            said = str(error)
    assert not failures, f"what is left cannot be used: {', '.join(failures)}: {said}"


def sample(points, wanted):
    """Every kind of work has its share, and within it every call, however seldom it is."""
    generator = random.Random(wanted)
    groups = collections.defaultdict(list)
    for point in points:
        groups[point[0].name, point[1]].append(point)
    for group in groups.values():
        generator.shuffle(group)
    order = sorted(groups)
    chosen = []
    while len(chosen) < min(wanted, len(points)):
        generator.shuffle(order)
        for key in order:
            if groups[key] and len(chosen) < wanted:
                chosen.append(groups[key].pop())
    return chosen


def ask(cassette, now):
    """One request of the replay for something that is there."""
    with Server("replay", cassette, "--quiet") as server:
        if not now["rows"]:
            return
        row = now["rows"][-1]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
        connection.request("GET", row["target"])
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200 and body, f"{row['target']} is answered {answer.status}"
        connection.close()


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    kind = sys.argv[2] if len(sys.argv) > 2 else None
    upstream = Threaded(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    states = collections.defaultdict(collections.Counter)
    failures = []
    with folder() as temporary:
        master = os.path.join(temporary, "master.cassette")
        prepare(master)
        points = []
        other, edit = os.path.join(temporary, "other.cassette"), os.path.join(temporary, "edit")
        command("cassette", "add", other, "--request", "GET /short", "--text", "another answer")
        command("cassette", "add", other, "--request", "GET /other", "--text", "other " * 15_000)
        with open(edit, "w") as text:
            text.write(command("cassette", "edit", master, "--print").stdout.replace("| second ", "| edited ", 1).replace("> GET /short ", "> GET /edited ", 1))
        for job in jobs(f"http://127.0.0.1:{upstream.server_address[1]}", other, edit, temporary):
            if kind and not job.name.startswith(kind):
                continue
            place = os.path.join(temporary, "before.cassette")
            job.place(master, place)
            job.before = content(place if os.path.exists(place) else master)
            if os.path.exists(place):
                os.remove(place)
            points += count(job, master, temporary)
        total = len(points)
        assert total >= (20 if kind else 300), f"only {total} points: {collections.Counter(job.name for job, _, _ in points)}"
        if wanted:
            # The same every time, and something of every job.
            points = sample(points, wanted)
        for job, call, number in points:
            try:
                states[job.name][kill_at(job, call, number, master, temporary)] += 1
            except (AssertionError, subprocess.TimeoutExpired, OSError, http.client.HTTPException, RuntimeError) as error:
                failures.append(f"{job.name}, {call} {number}: {error}")
                print(f"FAILED {failures[-1]}", flush=True)
                shutil.rmtree(os.path.join(temporary, "point"), ignore_errors=True)
    for name, found in states.items():
        print(f"  {name}: {', '.join(f'{state} {times}' for state, times in sorted(found.items()))}")
    assert not failures, f"{len(failures)} of {len(points)} kills left something wrong, of {total} that there are"
    passed(f"killed at {len(points)} of {total} system calls in {len(states)} kinds of work: what was left opened, was whole, and became one file")


main()

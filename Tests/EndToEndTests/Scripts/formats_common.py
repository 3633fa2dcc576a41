"""What the parts of formats.py share: comparing what a client sees, and the way of a recording through mockserve."""

import base64
import gzip
import json
import os
import shutil
import subprocess
import sys
import traceback

from formats_service import SECRET, STEPS, Service
from support import MOCKSERVE, Server, environment

# About one connection, or about how a body is framed.
FRAMING = {"connection", "keep-alive", "transfer-encoding"}
KEEP = {"folder": None, "only_recording": False}
PARTS = {}
FAILED = []


def part(function):
    PARTS[function.__name__] = function
    return function


def content(asked):
    return None if asked["body"] is None else base64.b64decode(asked["body"])


def seen(status, fields, body):
    """What a client saw of an answer; bodies without their compression, as some clients take it off and some do not."""
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    return {"status": int(status), "fields": [[name.lower(), value] for name, value in fields], "body": body}


def program(*command, steps, cwd=None, **variables):
    """Runs a client in another language: it reads the steps from its standard input, and writes what it saw to the standard output."""
    done = subprocess.run(
        [*map(str, command)], input=json.dumps(steps).encode(), capture_output=True, cwd=cwd, timeout=300, env={**environment(), **variables}
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout[-500:].decode()}\n{done.stderr[:1500].decode()}"
    return [seen(one["status"], one["fields"], base64.b64decode(one["body"])) for one in json.loads(done.stdout)]


# MARK: Comparing


def value_of(body):
    """A body as JSON of one spelling, if it is JSON."""
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except ValueError:
        return body


def same(what, steps, base, then, other, now, lost=(), by_value=False):
    """Compares what two runs of a client saw. `lost` are fields, perhaps ` of` a target, that the file of the tool does not hold, or that its player
    makes.

    With `by_value` the file holds what JSON says, and not how it was spelled.
    """
    if by_value:
        then, now = ([{**one, "body": value_of(one["body"])} for one in run] for run in (then, now))
    problems = []
    if len(then) != len(now):
        problems.append(f"{len(then)} answers, and {len(now)} now")
    for asked, before, after in zip(steps, then, now):
        name = f"{asked['method']} {asked['target']}"
        if before["status"] != after["status"]:
            problems.append(f"{name}: status {before['status']}, now {after['status']} {after['body'][:300]!r}")
            continue
        if before["body"] != after["body"]:
            problems.append(f"{name}: body of {len(before['body'])} bytes {before['body'][:120]!r}, now {len(after['body'])} bytes {after['body'][:120]!r}")
        old, new = (
            sorted((field, value.replace(origin, "ORIGIN")) for field, value in one["fields"] if field not in FRAMING and field not in lost and f"{field} of {asked['target']}" not in lost)
            for one, origin in ((before, base), (after, other))
        )
        if old != new:
            gone, more = [pair for pair in old if pair not in new], [pair for pair in new if pair not in old]
            problems.append(f"{name}: fields gone {gone}, more {more}")
    assert not problems, f"{what}:\n    " + "\n    ".join(problems)
    print(f"    {what}: {len(now)} answers are the same" + (f", but for {', '.join(sorted(lost))}" if lost else ""), flush=True)


# MARK: The way of a recording


def mockserve(*arguments):
    done = subprocess.run([MOCKSERVE, *map(str, arguments)], capture_output=True, text=True, env=environment(), timeout=300)
    said = (done.stdout + done.stderr).strip()
    shown = " ".join(os.path.basename(str(word)) if os.path.isabs(str(word)) else str(word) for word in arguments)
    print(f"    mockserve {shown}: " + said.replace("\n", "\n        "), flush=True)
    assert done.returncode == 0, f"mockserve {' '.join(map(str, arguments))} ended with {done.returncode}:\n{said}"
    return done.stdout


def keep(tool, file, name=None):
    """Copies what was recorded or exported, for somebody who wants to look at it."""
    if not KEEP["folder"]:
        return
    target = os.path.join(KEEP["folder"], tool, name or os.path.basename(file))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(file):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(file, target)
    else:
        shutil.copy(file, target)


def attempt(what, function, *arguments):
    """What fails is said, and what does not depend on it goes on."""
    try:
        return function(*arguments)
    except Exception as error:
        FAILED.append(f"{what}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
        if isinstance(error, AssertionError):
            print(f"    FAILED: {error}", flush=True)
        else:
            traceback.print_exc(file=sys.stdout)
    return None


def round_trip(tool, place, file, format, client, steps=STEPS, lost=(), lost_by_player=(), **options):
    """Records with the tool, plays its file with mockserve, and has the tool play what mockserve exports.

    `client` takes a mode (`record`, `play`, or `plain`, without the tool), the base URL, the file and the steps, and returns what it saw.
    `lost` is what the file does not hold, `lost_by_player` what the tool changes when it plays its own file; `unplayable` are methods of requests
    that it does not find in an exported file.
    """
    print(f"  {tool}: {file}", flush=True)
    attempt(f"{tool}, {file}", lambda: RoundTrip(tool, place, os.path.join(place, file), format, client, steps, lost, lost_by_player, **options).run())


class RoundTrip:
    def __init__(self, tool, place, file, format, client, steps, lost, lost_by_player, count=None, exported_name=None, by_value=False, unplayable=()):
        self.tool, self.place, self.file, self.format, self.client, self.steps = tool, place, file, format, client, steps
        self.lost, self.own, self.by_value = set(lost), {*lost, *lost_by_player}, by_value
        self.unplayable = unplayable
        self.count = count or (lambda _: len(steps))
        self.cassette = file + ".cassette"
        beside = os.path.join("exported", os.path.relpath(os.path.dirname(file), place), exported_name or os.path.basename(file))
        self.exported = os.path.normpath(os.path.join(place, beside))

    def run(self):
        with Service() as service:
            self.base = service.url
            self.recorded = self.client("record", self.base, self.file, self.steps)
        # With what it has put beside the file.
        keep(self.tool, os.path.dirname(self.file) if os.path.dirname(self.file) != self.place else self.file)
        self.tool_plays("its own file", self.file)
        if KEEP["only_recording"]:
            return
        # What is compared must be what was recorded.
        mockserve("cassette", "import", self.file, "-o", self.cassette, "--keep", "cookie:theme", "--keep", "cookie:lang")
        with open(self.cassette, "rb") as written:
            assert SECRET.encode() not in written.read(), "the token that the client sent is in the cassette"
        listed, expected = rows(self.cassette), self.count(self.file)
        assert len(listed) == expected, f"{expected} were recorded, the cassette has {len(listed)}"
        name = f"{self.tool}, {os.path.basename(self.file)}"
        attempt(f"{name}, replayed", self.mockserve_plays, "what it imported", self.cassette, self.lost)
        attempt(f"{name}, replayed without an import", self.mockserve_plays, "the file itself", self.file, {*self.lost, "set-cookie"})
        os.makedirs(os.path.dirname(self.exported), exist_ok=True)
        mockserve("cassette", "export", self.cassette, "--format", self.format, "-o", self.exported)
        keep(self.tool, self.exported, "exported-" + os.path.relpath(self.exported, os.path.join(self.place, "exported")))
        attempt(f"{name}, exported", self.tool_plays, "what mockserve exported", self.exported, self.unplayable)
        # Nothing is lost on the way there and back.
        again = self.cassette + ".again"
        mockserve("cassette", "import", self.exported, "-o", again, "--keep", "cookie:theme", "--keep", "cookie:lang")
        assert len(rows(again)) == len(listed), "the exported file has less"
        attempt(f"{name}, imported again", self.mockserve_plays, "what it imported of its own export", again, self.own)

    def tool_plays(self, what, file, unplayable=()):
        steps = [step for step in self.steps if step["method"] not in unplayable]
        then = [answer for step, answer in zip(self.steps, self.recorded) if step in steps]
        same(f"{self.tool} plays {what}", steps, self.base, then, self.base, self.client("play", self.base, file, steps), self.own, self.by_value)

    def mockserve_plays(self, what, source, lost):
        url_file = os.path.join(self.place, "url")
        with Server("replay", source, "--port", "0", "--url-file", url_file, "--quiet") as server:
            with open(url_file) as written:
                assert written.read().strip() == server.url
            now = self.client("plain", server.url, None, self.steps)
            same(f"mockserve plays {what}", self.steps, self.base, self.recorded, server.url, now, lost, self.by_value)


def of_mockserve(tool, place, name, format, client, steps=STEPS, lost=(), by_value=False, unplayable=()):
    """The tool plays what mockserve has recorded and exported. `name` is that of the file that is exported."""
    if not KEEP["only_recording"]:
        print(f"  {tool}: {name} of a recording of mockserve", flush=True)
        attempt(f"{tool}, of a recording of mockserve", export_and_play, tool, place, name, format, client, steps, lost, by_value, unplayable)


def export_and_play(tool, place, name, format, client, steps, lost, by_value, unplayable):
    cassette, exported = os.path.join(place, f"{name}-recorded.cassette"), os.path.join(place, "of-mockserve", name)
    os.makedirs(os.path.dirname(exported), exist_ok=True)
    with Service() as service:
        with Server("record", cassette, "--upstream", service.url, "--quiet", "--keep", "cookie:theme", "--keep", "cookie:lang") as server:
            recorded = client("plain", server.url, None, steps)
    mockserve("cassette", "export", cassette, "--format", format, "-o", exported)
    keep(tool, exported, "of-mockserve-" + name)
    recorded = [answer for step, answer in zip(steps, recorded) if step["method"] not in unplayable]
    steps = [step for step in steps if step["method"] not in unplayable]
    now = client("play", service.url, exported, steps)
    same(f"{tool} plays a recording of mockserve", steps, server.url, recorded, service.url, now, lost, by_value)


def rows(cassette):
    """Its recordings and its stubs."""
    found = []
    for verb in (["list"], ["stub", "list"]):
        done = subprocess.run([MOCKSERVE, "cassette", *verb, cassette, "--json"], capture_output=True, text=True, env=environment(), timeout=60)
        assert done.returncode == 0, done.stderr
        found += [json.loads(line) for line in done.stdout.split("\n") if line]
    return found

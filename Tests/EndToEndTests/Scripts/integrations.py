"""What people use every day: the plugin for pytest, the helper for Node's test runner, and every example, offline.

The plugin is built into a wheel from the checkout and installed from that. The tests of a service with state are recorded once, and then
replayed in order, in random order, in parallel, and each alone; nothing but loopback's own ports is there then.

Usage: integrations.py [PART OF A NAME]
"""

import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile

from support import MOCKSERVE, PYTHON, environment, folder, free_port, passed, wait_for_port

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
EXAMPLES = os.path.join(ROOT, "Examples")
UPSTREAM = "http://127.0.0.1:8000"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def run(*command, cwd, expected=0, **variables):
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env={**environment(), "MOCKSERVE": MOCKSERVE, **variables}, capture_output=True, text=True, timeout=300
    )
    output = done.stdout + done.stderr
    assert expected is None or done.returncode == expected, f"{command} ended with {done.returncode}:\n{output}"
    return output


class Notes:
    """The service that the examples were recorded from."""

    def __enter__(self):
        self.port = free_port()
        self.process = subprocess.Popen(
            [PYTHON, "-m", "flask", "--app", "notes", "run", "--port", str(self.port)],
            cwd=os.path.join(EXAMPLES, "service"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def copied(place, name):
    """A copy of an example, so that nothing is written into the checkout."""
    copy = os.path.join(place, name)
    shutil.copytree(os.path.join(EXAMPLES, name), copy, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache", "node_modules"))
    return copy


def without_cassettes(copy, port):
    """As before it was recorded, with the service at a port that is free."""
    shutil.rmtree(os.path.join(copy, "cassettes"), ignore_errors=True)
    for file in glob.glob(os.path.join(copy, "*.py")) + glob.glob(os.path.join(copy, "*.js")):
        with open(file) as source:
            text = source.read()
        with open(file, "w") as target:
            target.write(text.replace(UPSTREAM, f"http://127.0.0.1:{port}"))


def pytest(plugin, copy, *arguments, expected=0, **variables):
    # A plugin that is installed and not named stays out.
    return run(PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, cwd=copy, expected=expected, PYTHONPATH=plugin, **variables)


def install_plugin(place):
    """From the wheel that is built of the checkout, as `pip install` would."""
    source = os.path.join(place, "python")
    shutil.copytree(os.path.join(ROOT, "Integrations", "python"), source)
    run(PYTHON, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", place, source, cwd=place)
    (wheel,) = glob.glob(os.path.join(place, "*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        assert any(name.endswith("mockserve/plugin.py") for name in archive.namelist()), archive.namelist()
    target = os.path.join(place, "installed")
    run(PYTHON, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", target, wheel, cwd=place)
    return target


def files_in(place):
    return {name for _, _, names in os.walk(place) for name in names}


def outcome(output):
    return output.strip().splitlines()[-1]


@check
def the_tests_of_a_service_with_state_pass_in_any_order(place, plugin):
    copy = copied(place, "pytest")
    plain = ("-p", "no:randomly")
    committed = outcome(pytest(plugin, copy, *plain))
    with Notes() as service:
        without_cassettes(copy, service.port)
        assert "test_a_note_is_read" in pytest(plugin, copy, *plain, expected=1), "without cassettes there must be misses"
        assert not os.path.exists(os.path.join(copy, "cassettes"))
        recorded = outcome(pytest(plugin, copy, *plain, "--mockserve-mode=missing"))
    assert " passed" in recorded and "failed" not in recorded, recorded
    # The service is gone.
    in_order = outcome(pytest(plugin, copy, *plain))
    for seed in range(1, 6):
        pytest(plugin, copy, "-p", "randomly", "-p", f"no:xdist", f"--randomly-seed={seed}")
    for _ in range(5):
        pytest(plugin, copy, *plain, "-n", "3")
    names = [line for line in pytest(plugin, copy, *plain, "--collect-only").splitlines() if "::" in line]
    assert len(names) >= 24, names
    for name in names:
        pytest(plugin, copy, *plain, name)
    files = glob.glob(os.path.join(copy, "cassettes", "**", "*.cassette"), recursive=True)
    assert len(files) == len(names), (len(files), len(names))
    size = sum(map(os.path.getsize, files))
    passed(
        f"{len(names)} tests of a service with state, recorded once ({len(files)} cassettes, {size // 1024} KiB): as committed {committed}; in order {in_order}; "
        "5 random orders, 5 times -n 3, and each alone pass as well"
    )


@check
def the_plugin_says_what_is_wrong(place, plugin):
    copy = os.path.join(place, "plugin")
    os.mkdir(copy)
    with open(os.path.join(copy, "test_all.py"), "w") as file:
        file.write(
            "import pytest, requests\n"
            "@pytest.fixture\n"
            "def late(mockserve):\n    yield\n    requests.get(mockserve.url + '/late')\n"
            "def test_missed(mockserve):\n    requests.get(mockserve.url + '/none')\n"
            "def test_failed_and_missed(mockserve):\n    requests.get(mockserve.url + '/none')\n    assert 1 == 2\n"
            "def test_late(late):\n    pass\n"
            "@pytest.mark.parametrize('name', ['CON', 'a/b', 'a b', 'A b', '\\u00e9'*200])\n"
            "def test_cases(mockserve, name):\n    pass\n"
            "@pytest.mark.mockserve(upstream='http://127.0.0.1:1', speling=1)\n"
            "def test_misspelled(mockserve):\n    pass\n"
            "@pytest.mark.mockserve(upstream='http://127.0.0.1:1')\n"
            "def test_unreachable(mockserve):\n    assert requests.get(mockserve.url + '/a').status_code == 502\n"
            "@pytest.mark.mockserve(options=['--bogus'])\n"
            "def test_bogus(mockserve):\n    pass\n"
        )
    output = pytest(plugin, copy, "-p", "no:randomly", "-rA", expected=1)
    assert "GET /none" in output and "pytest --mockserve-mode=missing test_all.py::test_missed" in output, output
    assert output.count("assert 1 == 2") >= 1 and "GET /late" in output, output
    assert "ERROR test_all.py::test_late" in output and "PASSED test_all.py::test_late" in output, output
    assert output.count("PASSED test_all.py::test_cases") == 5, output
    assert "does not take speling" in output and "Unknown option '--bogus'" in output, output
    output = pytest(plugin, copy, "-p", "no:randomly", "--mockserve-mode=missing", "-k", "unreachable or missed", expected=1)
    assert "--upstream" in output and "could not be" in output.lower(), output
    output = pytest(plugin, copy, "--mockserve-mode=missing", "-k", "unreachable", expected=1, CI="true")
    assert "On your own machine: pytest --mockserve-mode=missing test_all.py::test_unreachable" in output, output
    assert not files_in(os.path.join(copy, "cassettes"))
    output = pytest(plugin, copy, "-k", "test_cases", expected=1, MOCKSERVE="/nowhere/mockserve")
    assert "/nowhere/mockserve" in output, output
    passed("a miss, a late one, an upstream that is away, CI, wrong options and a missing program fail the test that they are of, and leave no cassette")


@check
def failing_tests_keep_what_was_recorded_before(place, plugin):
    copy = os.path.join(place, "keep")
    os.mkdir(copy)
    with open(os.path.join(copy, "test_keep.py"), "w") as file:
        file.write(
            "import os, pytest, requests\n"
            f"@pytest.mark.mockserve(upstream='{UPSTREAM}')\n"
            "def test_it(mockserve):\n"
            "    requests.get(mockserve.url + '/visits')\n"
            "    if os.environ.get('MORE'): requests.get(mockserve.url + '/visits?more')\n"
            "    assert not os.environ.get('FAIL')\n"
            "    if os.environ.get('CRASH'): os.abort()\n"
        )
    with open(os.path.join(copy, "test_ways.py"), "w") as file:
        file.write(
            "import pytest, requests, unittest\n"
            f"pytestmark = pytest.mark.mockserve(upstream='{UPSTREAM}')\n"
            "class Ways(unittest.TestCase):\n"
            "    @pytest.fixture(autouse=True)\n"
            "    def ask(self, mockserve):\n        requests.get(mockserve.url + '/visits')\n"
            "    def test_passes(self):\n        pass\n"
            "    def test_fails(self):\n        self.assertTrue(False)\n"
            "    def test_fails_in_a_part(self):\n        with self.subTest('part'):\n            self.assertTrue(False)\n"
            "    def test_skips(self):\n        self.skipTest('no')\n"
            "    @unittest.expectedFailure\n"
            "    def test_fails_as_expected(self):\n        self.assertTrue(False)\n"
            "@pytest.mark.xfail(strict=True)\n"
            "def test_passes_against_expectation(mockserve):\n    requests.get(mockserve.url + '/visits')\n"
            "def test_skips(mockserve):\n    requests.get(mockserve.url + '/visits')\n    pytest.skip('no')\n"
        )
    cassette = os.path.join(copy, "cassettes", "test_keep", "test_it.cassette")
    with Notes() as service:
        without_cassettes(copy, service.port)
        pytest(plugin, copy, "test_keep.py", "--mockserve-mode=missing", FAIL="1", expected=1)
        assert not os.path.exists(cassette)
        pytest(plugin, copy, "test_keep.py", "--mockserve-mode=missing")
        with open(cassette, "rb") as file:
            before = file.read()
        pytest(plugin, copy, "test_keep.py", "--mockserve-mode=missing", FAIL="1", MORE="1", expected=1)
        pytest(plugin, copy, "test_keep.py", "--mockserve-mode=missing", CRASH="1", MORE="1", expected=None)
        with open(cassette, "rb") as file:
            assert file.read() == before
        # The process with the servers notices that the tests are gone.
        deadline = time.monotonic() + 20
        while files_in(copy) != {"test_keep.py", "test_ways.py", "test_it.cassette"}:
            assert time.monotonic() < deadline, files_in(copy)
            time.sleep(0.05)
        pytest(plugin, copy, "test_keep.py", "--mockserve-mode=missing", MORE="1")
        pytest(plugin, copy, "test_ways.py", "--mockserve-mode=missing", expected=1)
        assert files_in(os.path.join(copy, "cassettes", "test_ways")) == {"Ways.test_passes.cassette"}, files_in(copy)
    pytest(plugin, copy, "test_keep.py", MORE="1")
    passed("a test that fails, in whatever way, or crashes, leaves no cassette, and does not change the one that is there")


@check
def markers_are_merged_and_do_what_they_say(place, plugin):
    copy = os.path.join(place, "markers")
    os.mkdir(copy)
    with open(os.path.join(copy, "test_markers.py"), "w") as file:
        file.write(
            "import pytest, requests\n"
            f"pytestmark = pytest.mark.mockserve('service', upstreams={{'one': '{UPSTREAM}', 'two': '{UPSTREAM.replace('127.0.0.1', 'localhost')}'}})\n"
            "def test_two(mockserve):\n"
            "    assert set(mockserve.urls) == {'one', 'two'} and mockserve.url == mockserve.urls['one']\n"
            "    for url in mockserve.urls.values(): assert requests.get(url + '/visits').status_code == 200\n"
            "@pytest.mark.mockserve(unused='fail')\n"
            "class TestUse:\n"
            "    def test_unused(self, mockserve):\n        if mockserve.is_recording: requests.get(mockserve.url + '/visits')\n"
            "    @pytest.mark.mockserve(unused='ignore')\n"
            "    def test_ignored(self, mockserve):\n        if mockserve.is_recording: requests.get(mockserve.url + '/visits')\n"
            "@pytest.mark.mockserve('shared.cassette')\n"
            "@pytest.mark.parametrize('path', ['/visits', '/me'])\n"
            "def test_shared(mockserve, path):\n    assert requests.get(mockserve.url + path).status_code in (200, 401)\n"
            "@pytest.mark.mockserve(faults=['GET /visits: status 503 on 1'], playback='cycle')\n"
            "def test_faults(mockserve):\n"
            "    assert [requests.get(mockserve.url + '/visits').status_code for _ in range(3)] == [503, 200, 200]\n"
            "@pytest.mark.mockserve(cassettes='elsewhere')\n"
            "def test_elsewhere(mockserve):\n    requests.get(mockserve.url + '/visits')\n"
        )
    with Notes() as service:
        without_cassettes(copy, service.port)
        with open(os.path.join(copy, "test_markers.py")) as file:
            text = file.read().replace("localhost:8000", f"localhost:{service.port}")
        with open(os.path.join(copy, "test_markers.py"), "w") as file:
            file.write(text)
        pytest(plugin, copy, "-p", "no:randomly", "--mockserve-mode=missing")
    output = pytest(plugin, copy, "-p", "no:randomly", "-rA", expected=1)
    assert "6 passed" not in output and "ERROR test_markers.py::TestUse::test_unused" in output and "7 passed, 1 error" in output, output
    assert os.path.exists(os.path.join(copy, "elsewhere", "service", "test_markers", "test_elsewhere.cassette"))
    assert os.path.exists(os.path.join(copy, "cassettes", "shared.cassette"))
    passed("markers of module, class and test are merged; several upstreams, unused, shared, faults, playback and folder")


@check
def node_tests_replay(place, plugin):
    copy = copied(place, "node")
    os.makedirs(os.path.join(copy, "node_modules"))
    shutil.copytree(os.path.join(ROOT, "Integrations", "node"), os.path.join(copy, "node_modules", "mockserve"))
    assert "# pass 4" in run("node", "--test", "--test-reporter=tap", cwd=copy)
    with Notes() as service:
        without_cassettes(copy, service.port)
        output = run("node", "--test", "--test-reporter=tap", cwd=copy, expected=1)
        assert "POST /login" in output and "MOCKSERVE_MODE=missing node --test" in output, output
        assert not os.path.exists(os.path.join(copy, "cassettes"))
        run("node", "--test", cwd=copy, MOCKSERVE_MODE="missing")
    assert "# pass 4" in run("node", "--test", "--test-reporter=tap", cwd=copy)
    output = run("node", "--test", cwd=copy, expected=1, MOCKSERVE="/nowhere/mockserve")
    assert "/nowhere/mockserve" in output and "cannot be run" in output, output
    output = run("node", "--test", cwd=copy, expected=1, MOCKSERVE_MODE="missing", CI="true")
    assert "On your own machine: MOCKSERVE_MODE=missing node --test" in output, output
    passed("Node's tests replay what is committed, record anew, and say what is missing")


@check
def commands_replay(place, plugin):
    for name, cassette, *command in (
        ("go", "notes.cassette", "go", "test", "-count=1", "./..."),
        ("shell", "visits.cassette", "./check.sh"),
        ("llm", "chat.cassette", PYTHON, "chat.py"),
    ):
        copy = copied(place, name)
        home = {"GOCACHE": os.path.join(place, "go-cache"), "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
        run(MOCKSERVE, "run", cassette, *command, cwd=copy, **home)
        os.remove(os.path.join(copy, cassette))
        with Notes() as service:
            run(MOCKSERVE, "run", cassette, "--upstream", f"http://127.0.0.1:{service.port}", "--", *command, cwd=copy, **home)
        output = run(MOCKSERVE, "run", cassette, *command, cwd=copy, **home)
        if name == "llm":
            assert output.count("0 word") == 5, output
            timed = run(MOCKSERVE, "run", "--speed=1", cassette, *command, cwd=copy)
            tenths = [int(line.split()[0]) for line in timed.splitlines() if "word" in line]
            assert len(tenths) == 5 and tenths[4] - tenths[0] >= 3, timed
    passed("Go, shell and the client of a stream replay what is committed, and record anew")


@check
def control_answers_every_line(place, plugin):
    process = subprocess.Popen(
        [MOCKSERVE, "control"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=place
    )

    def ask(line):
        process.stdin.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    for line in ("nonsense", "{}", '{"id": "1"}', '{"id": 1}', '{"id": 2, "stop": 7}', '{"id": 3, "start": []}', '{"id": 4, "start": ["a.cassette", "--mode", "x"]}'):
        answer = ask(line)
        assert answer["error"] and answer["status"] == 64, answer
    servers = [ask({"id": number, "start": [f"{number}.cassette"]}) for number in range(200)]
    assert len({server["url"] for server in servers}) == 200
    answer = ask({"id": 300, "stop": servers[0]["server"], "keep": True})
    assert answer == {"id": 300, "recorded": 0, "replayed": 0, "misses": 0, "unused": 0, "report": None}, answer
    assert ask({"id": 301, "stop": servers[0]["server"]})["status"] == 64
    assert ask({"id": 302, "start": ["a.cassette", 1]})["id"] == 302
    answer = ask({"id": 303, "fault": servers[1]["server"], "rule": "GET /x: wrong-length 9223372036854775807"})
    assert answer["status"] == 64 and "1099511627776" in answer["error"], answer
    os.mkfifo(os.path.join(place, "pipe.cassette"))
    answer = ask({"id": 304, "start": ["pipe.cassette", "--upstream", "http://127.0.0.1:1", "--mode", "missing"]})
    assert answer["status"] in (66, 74), answer
    os.remove(os.path.join(place, "pipe.cassette"))
    # A stalled answer does not hold the end up.
    started = time.monotonic()
    assert ask({"id": 305, "fault": servers[2]["server"], "rule": "* /**: stall"})["id"] == 305
    client = socket.create_connection(("127.0.0.1", int(servers[2]["url"].rsplit(":", 1)[1])))
    client.sendall(b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while not ask({"id": 306, "journal": servers[2]["server"]})["journal"]:
        assert time.monotonic() - started < 20
        time.sleep(0.01)
    assert ask({"id": 307, "stop": servers[2]["server"]})["id"] == 307 and time.monotonic() - started < 4
    client.close()
    assert ask({"id": 308, "end": True}) == {"id": 308}
    assert process.wait(timeout=60) == 0 and not glob.glob(os.path.join(place, "[0-9]*.cassette*"))
    passed("200 servers in one process of `control`, an error for every line that makes no sense, and all are gone with the input")


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    with folder() as place:
        plugin = install_plugin(place)
        for function in CHECKS:
            if part in function.__name__:
                function(place, plugin)


if __name__ == "__main__":
    main()

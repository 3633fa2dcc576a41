"""Talks to `mockserve control`: one process that has a server for each test. See `mockserve control --help`."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path


class MockServeError(Exception):
    """What mockserve says it cannot do. `status` is the exit status that `mockserve run` would have."""

    def __init__(self, message, status=None):
        super().__init__(message)
        self.status = status


def program():
    """The binary: the environment variable MOCKSERVE, the one that came with this package, or the one in PATH."""
    bundled = Path(__file__).with_name("bin") / "mockserve"
    found = os.environ.get("MOCKSERVE") or (str(bundled) if bundled.exists() else shutil.which("mockserve"))
    if not found:
        raise MockServeError("The program mockserve is not in PATH. Install it, or name it in the environment: MOCKSERVE=/path/to/it")
    return found


class Control:
    """The process with the servers. It ends when this one does, whatever happens. Any thread may use it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._process = None
        self._last = 0

    def ask(self, **request):
        """Sends a request and waits for its answer."""
        with self._lock:
            if self._process is None:
                self._process = self._start()
            self._last += 1
            try:
                self._process.stdin.write(json.dumps({"id": self._last, **request}) + "\n")
                self._process.stdin.flush()
                answer = self._answer(self._last)
            except BrokenPipeError:
                answer = None
            if answer is None:
                process, self._process = self._process, None
                process.stdout.close()
                raise MockServeError(f"mockserve has ended with status {process.wait()}; what it said is on standard error.")
        if "error" in answer:
            raise MockServeError(answer["error"], answer["status"])
        return answer

    @staticmethod
    def _start():
        try:
            return subprocess.Popen([program(), "control"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        except OSError as error:
            raise MockServeError(f"mockserve cannot be run: {error}. Install it, or name it in the environment: MOCKSERVE=/path/to/it") from error

    def _answer(self, number):
        """The answer to a request; those to earlier ones, whose caller was interrupted, are left out. None at the end."""
        for line in self._process.stdout:
            try:
                answer = json.loads(line)
            except ValueError:
                continue
            if isinstance(answer, dict) and answer.get("id") in (number, None):
                return answer
        return None

    def start(self, cassette, *options, record=None):
        """Starts a server.

        `options` are those of `mockserve run`; `record` says how to record, for people who read what is missing.
        """
        return MockServer(self, self.ask(start=[*options, "--", str(cassette)], record=record))

    def close(self):
        """Stops all servers. What they have recorded is dropped."""
        with self._lock:
            process, self._process = self._process, None
        if process:
            # A process that a test has left behind may hold the other end open.
            try:
                process.stdin.write('{"id": 0, "end": true}\n')
                process.stdin.close()
            except OSError:
                pass
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


class MockServer:
    """A server in the background. `url` is its base URL."""

    def __init__(self, control, answer):
        self._control = control
        self._number = answer["server"]
        self.url = answer["url"]
        self.urls = answer["urls"]
        self.is_recording = answer["recording"]

    def __str__(self):
        return self.url

    @property
    def requests(self):
        """What it was asked for, in the order of the answers: dictionaries with `method`, `target`, `status`, `outcome`."""
        return self._control.ask(journal=self._number)["journal"]

    def fault(self, rule):
        """Makes answers go wrong: `server.fault("GET /users/*: status 503 retry-after 1 times 2")`."""
        self._control.ask(fault=self._number, rule=rule)

    def report(self):
        """What is wrong with its answers so far; None if nothing is."""
        return self._control.ask(report=self._number)["report"]

    def stop(self, keep=True):
        """Stops it, and keeps what it has recorded if `keep` and nothing is wrong.

        Returns what is wrong; None if nothing is.
        """
        return self._control.ask(stop=self._number, keep=keep)["report"]

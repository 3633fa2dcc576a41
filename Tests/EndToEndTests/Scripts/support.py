"""What the end-to-end scripts share: starting programs, waiting for them, talking HTTP by hand."""

import os
import random
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

MOCKSERVE = os.environ["MOCKSERVE"]
PYTHON = sys.executable
HERE = os.path.dirname(os.path.abspath(__file__))


def environment():
    """The environment for mockserve: nothing of the caller's that changes what it does."""
    kept = {k: v for k, v in os.environ.items() if k != "CI" and not k.lower().endswith("_proxy") and not k.startswith("MOCKSERVE_")}
    return {**kept, "XDG_STATE_HOME": os.path.join(tempfile.gettempdir(), "mockserve-test-state")}


class Server:
    """`mockserve record` or `replay`, from its first line of output until it has ended."""

    def __init__(self, *arguments, stderr=None, wrapper=()):
        self.process = subprocess.Popen(
            [*wrapper, MOCKSERVE, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=stderr or sys.stderr,
            env=environment(),
        )
        line = self.process.stdout.readline().decode().strip()
        if not line:
            raise RuntimeError(f"mockserve {arguments} ended with {self.process.wait()}")
        self.url = line
        self.port = int(line.rsplit(":", 1)[1])

    @property
    def pid(self):
        return self.process.pid

    def stop(self, expected=0):
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        if expected is not None:
            assert status == expected, f"mockserve ended with {status}, not {expected}"
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind:
                self.kill()
            else:
                self.stop()


def bridge(folder, url, name):
    """A server in front of another: it takes any version of HTTP, and goes on in that of the URL (`h2c://` for HTTP/2)."""
    return Server("record", os.path.join(folder, f"{name}.cassette"), "--mode", "passthrough", "--upstream", url, "-q")


class Gunicorn:
    """httpbin under gunicorn, on a port the operating system picks."""

    def __init__(self, application="httpbin:app", *arguments):
        self.process = subprocess.Popen(
            [PYTHON, "-m", "gunicorn", "-b", "127.0.0.1:0", "--threads", "8", *arguments, application],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=HERE,
        )
        for line in self.process.stderr:
            match = re.search(rb"Listening at: http://127\.0\.0\.1:(\d+)", line)
            if match:
                self.port = int(match.group(1))
                break
        else:
            raise RuntimeError("gunicorn did not start")
        threading.Thread(target=lambda: [None for _ in self.process.stderr], daemon=True).start()
        wait_for_port(self.port)
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def wait_for_port(port, seconds=30):
    """Waits until something accepts on the port; programs that cannot say when they are ready need this."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            select.select([], [], [], 0.02)


given_ports = set()


def free_port():
    """A port for programs that cannot be given port 0, another one each time: below those that Linux hands out, so that nobody gets it meanwhile."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in given_ports:
            given_ports.add(port)
            return port


class Tap:
    """Stands between a client and a server on loopback and keeps the bytes that the server sends."""

    def __init__(self, port):
        self.target = port
        self.received = bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pump, args=(client, upstream, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(upstream, client, self.received), daemon=True).start()

    def _pump(self, source, sink, log):
        try:
            while data := source.recv(65536):
                if log is not None:
                    log.extend(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def take(self):
        data = bytes(self.received)
        self.received.clear()
        return data


def exchange(port, request, timeout=20, half_close=False):
    """Sends bytes and reads until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(request)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while data := connection.recv(65536):
                answer += data
        except ConnectionResetError:
            answer += b"<reset>"
        return answer


def resident_kib(pid, field="VmHWM"):
    """Resident memory of a process, by default its peak."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1])
    raise RuntimeError(f"no {field}")


def folder():
    return tempfile.TemporaryDirectory(prefix="mockserve-test-")


def passed(message):
    print(f"ok: {message}")

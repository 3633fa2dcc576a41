"""Servers that are measured, and the load on them: what the benchmarks have in common."""

import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARIES = ROOT / ".build-release" / "release"
DATA = ROOT / ".build-release" / "bench"
LOAD = ROOT / "Benchmarks" / "load.lua"
MITMDUMP = ROOT / ".venv-bench" / "bin" / "mitmdump"
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
# nginx is in /usr/sbin, which is not on every user's path.
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


def say(text):
    print(text, file=sys.stderr, flush=True)


def pinned(place, command):
    """place: 0 for the server, 1 for the load; None for anywhere."""
    if place is None or len(CORES) < 2 or not shutil.which("taskset"):
        return command
    return ["taskset", "-c", str(CORES[place])] + command


class Server:
    """A program that serves until it is stopped."""

    running = []

    def __init__(self, command, url=None, place=0, answers=True):
        environment = dict(os.environ)
        environment.pop("CI", None)
        self.process = subprocess.Popen(
            pinned(place, [str(part) for part in command]),
            stdout=subprocess.DEVNULL if url else subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            start_new_session=True,
        )
        Server.running.append(self)
        self.url = url or self.process.stdout.readline().strip()
        if url:
            self.await_port(answers)
        if not self.url:
            raise SystemExit(f"bench: did not start: {' '.join(map(str, command))}")

    def await_port(self, answers):
        deadline = time.monotonic() + 120
        port = int(self.url.rpartition(":")[2])
        while time.monotonic() < deadline:
            try:
                if not answers:
                    socket.create_connection(("127.0.0.1", port), 5).close()
                    return
                urllib.request.urlopen(self.url + "/items/0", timeout=5).read()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise SystemExit(f"bench: nothing answers on {self.url}")

    def stop(self):
        if self in Server.running:
            Server.running.remove(self)
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.process.kill()

    @property
    def resident(self):
        """MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def load(url, seconds, pattern="/items/%d", count=1, post=False, connections=32, seed=1, place=1):
    """One run of wrk: requests and bytes a second, latencies in milliseconds, statuses that are no 2xx or 3xx."""
    environment = {**os.environ, "PATTERN": pattern, "COUNT": str(count), "SEED": str(seed)}
    if post:
        environment["POST"] = "1"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(LOAD), url]
    output = subprocess.run(pinned(place, command), env=environment, capture_output=True, text=True, check=True).stdout

    def milliseconds(percent):
        value, unit = re.search(rf"\s{percent}%\s+([\d.]+)(us|ms|s|m)", output).groups()
        return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]

    value, unit = re.search(r"Transfer/sec:\s+([\d.]+)(B|KB|MB|GB)", output).groups()
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
        "bytes": float(value) * {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}[unit],
        "p50": milliseconds(50),
        "p99": milliseconds(99),
        "failed": int(failed[1]) if failed else 0,
        "requests": int(re.search(r"(\d+) requests in", output)[1]),
    }


class Row:
    def __init__(self, name, server, misses=False, file=None, **asked):
        self.name, self.server, self.misses, self.file, self.asked, self.results = name, server, misses, file, asked, []

    def measure(self, seconds, seed):
        if self.file:
            warm(self.file)
        result = load(self.server.url, seconds, seed=seed, **self.asked)
        if result["failed"] and not self.misses:
            raise SystemExit(f"bench: {self.name}: {result['failed']} answers were no success")
        self.results.append(result)

    def median(self, what):
        return statistics.median(result[what] for result in self.results)

    def ratio(self, other, what="rate"):
        pairs = zip(self.results, other.results)
        return statistics.median(mine[what] / its[what] for mine, its in pairs)


# What is served


def bench(*arguments):
    return [BINARIES / "mockserve-bench", *arguments]


def cassette(name, *arguments):
    DATA.mkdir(parents=True, exist_ok=True)
    path = DATA / f"{name}.cassette"
    if not path.exists():
        say(f"generating {path.name}")
        partial = DATA / f"{name}.partial"
        for old in DATA.glob(f"{name}.partial*"):
            old.unlink()
        subprocess.run(bench("generate", partial, *map(str, arguments)), check=True, stderr=subprocess.DEVNULL)
        partial.rename(path)
    return path


def warm(path):
    """Reads a file into the page cache of the operating system: some virtual machines give its memory away within seconds."""
    with open(path, "rb") as file:
        while file.read(1 << 22):
            pass


def replay(path, *options, threads=1, place=0):
    command = [BINARIES / "mockserve", "replay", path, "--threads", str(threads), "-q", *options]
    return Server(command, place=place)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def nginx(name, content, place=0, secure=False, answers=True):
    """One worker, with what its manual recommends for throughput.

    secure: whether it speaks TLS; answers: whether it speaks HTTP/1, which is how it is known to be ready."""
    folder = DATA / name
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        + ("user root;\n" if os.geteuid() == 0 else "")
        + "events { worker_connections 1024; }\n"
        + "http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 600;\n"
        + f"  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n"
        + f"  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n"
        + f"  open_file_cache max=1000; default_type application/json;\n{content.replace('PORT', str(port))} }}\n"
    )
    scheme = "https" if secure else "http"
    return Server([NGINX, "-c", folder / "nginx.conf"], f"{scheme}://127.0.0.1:{port}", place, answers and not secure)


def nginx_static(place=0):
    files = DATA / "static" / "items"
    files.mkdir(parents=True, exist_ok=True)
    for number in range(100):
        (files / str(number)).write_bytes((b'{"id":%d,"text":"' % number).ljust(1022, b"x") + b'"}')
    (DATA / "static" / "middle").write_bytes(os.urandom(100 << 10))
    (DATA / "static" / "large").write_bytes(os.urandom(10 << 20))
    content = f"  server {{ listen 127.0.0.1:PORT; root {DATA}/static; }}"
    return nginx("nginx-static" if place == 0 else "nginx-upstream", content, place)


def nginx_proxy(upstream):
    address = upstream.url.removeprefix("http://")
    return nginx(
        "nginx-proxy",
        f"  upstream up {{ server {address}; keepalive 64; keepalive_requests 1000000000; }}\n"
        "  server { listen 127.0.0.1:PORT; location / { proxy_pass http://up; proxy_http_version 1.1;"
        ' proxy_set_header Connection ""; } }',
    )

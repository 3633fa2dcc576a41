"""One cassette served by many threads, and by several processes on one port."""

import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

from support import MOCKSERVE, Server, environment, folder, free_port, passed

COUNT = 200


def make(path):
    for number in range(5):
        arguments = ["cassette", "add", path, "--request", f"GET /{number}", "--text", f"answer {number}"]
        subprocess.run([MOCKSERVE, *arguments], check=True, env=environment(), capture_output=True)


def ask(port, number):
    """One request over a connection of its own, another four over the same."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for turn in range(5):
            wanted = (number + turn) % 5
            connection.sendall(f"GET /{wanted} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            answer = b""
            while not answer.endswith(b"answer %d" % wanted):
                data = connection.recv(65536)
                assert data, f"the connection was closed after {answer!r}"
                answer += data
            assert answer.startswith(b"HTTP/1.1 200 "), answer


def ask_all(port):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: ask(port, number), range(COUNT)))


def replayed(server, log):
    server.stop()
    log.seek(0)
    line = next(line for line in log.read().decode().splitlines() if "replayed" in line and "replaying" not in line)
    return int(line.split("mockserve: ")[1].split(" replayed")[0])


def main():
    with folder() as temporary:
        cassette = os.path.join(temporary, "a.cassette")
        make(cassette)
        for options in (["--threads", "1"], ["--threads", "4"], ["--threads", "3", "--cache-size", "0"]):
            with open(os.path.join(temporary, "log"), "w+b") as log:
                server = Server("replay", cassette, *options, stderr=log)
                ask_all(server.port)
                count = replayed(server, log)
                assert count == COUNT * 5, f"{options}: {count} replayed"
        passed("threads: every request is answered and counted, with and without memory for answers")

        port = free_port()
        logs = [open(os.path.join(temporary, f"log{number}"), "w+b") for number in range(3)]
        servers = [Server("replay", cassette, "--port", port, "--reuse-port", stderr=log) for log in logs]
        assert all(server.port == port for server in servers)
        ask_all(port)
        counts = [replayed(server, log) for server, log in zip(servers, logs)]
        for log in logs:
            log.close()
        assert sum(counts) == COUNT * 5, counts
        # By the hash of each connection's addresses: 200 of them do not all go to one.
        assert sum(count > 0 for count in counts) >= 2, counts
        passed("three processes share a cassette and a port")

        refused = subprocess.run(
            [MOCKSERVE, "replay", cassette, "--reuse-port"], env=environment(), capture_output=True, text=True
        )
        assert refused.returncode == 64 and "--reuse-port needs --port" in refused.stderr, refused
        with Server("replay", cassette, "--quiet") as server:
            taken = subprocess.run(
                [MOCKSERVE, "replay", cassette, "--port", str(server.port), "--reuse-port"],
                env=environment(),
                capture_output=True,
                text=True,
            )
            assert taken.returncode == 71, taken
        passed("--reuse-port without a port, and beside a server that does not share, is refused")


main()

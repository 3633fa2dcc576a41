"""A normal client beside ten thousand idle connections and five hundred slow ones.

With `measure` as argument the time of its requests is printed with and without them; a test does not judge it.
"""

import os
import resource
import socket
import sys
import threading
import time

from support import Server, folder, passed

IDLE, SLOW, REQUESTS = 10_000, 500, 3000


def raise_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def connect(port, host="127.0.0.1"):
    connection = socket.socket()
    connection.connect((host, port))
    return connection


def times(port, count):
    """Seconds of each of some requests over one connection."""
    connection = connect(port)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    request = f"GET /a HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        connection.sendall(request)
        answer = b""
        while not answer.endswith(b"answer"):
            data = connection.recv(65536)
            assert data, "the connection was closed"
            answer += data
        taken.append(time.perf_counter() - start)
    connection.close()
    return sorted(taken)


def dribble(slow, stop):
    """One byte of an endless head every second for each of the slow connections."""
    while not stop.wait(1):
        for connection in slow:
            try:
                connection.send(b"x")
            except OSError:
                pass


def describe(taken):
    return f"p50 {taken[len(taken) // 2] * 1e6:.0f} µs, p99 {taken[len(taken) * 99 // 100] * 1e6:.0f} µs"


def main():
    measure = sys.argv[1:] == ["measure"]
    # Both ends are counted: this process has one of every connection, the server the other.
    idle_count = min(IDLE, raise_limit() - SLOW - 200)
    with folder() as temporary:
        cassette = os.path.join(temporary, "a.cassette")
        from subprocess import run
        from support import MOCKSERVE, environment
        run([MOCKSERVE, "cassette", "add", cassette, "--request", "GET /a", "--text", "answer"], check=True, env=environment(), capture_output=True)
        with Server("replay", cassette, "--quiet") as server:
            times(server.port, 500)
            alone = times(server.port, REQUESTS)
            idle = [connect(server.port) for _ in range(idle_count)]
            slow = [connect(server.port) for _ in range(SLOW)]
            for connection in slow:
                connection.send(b"GET /a HTTP/1.1\r\nX: ")
            stop = threading.Event()
            thread = threading.Thread(target=dribble, args=(slow, stop))
            if measure:
                thread.start()
            beside = times(server.port, REQUESTS)
            stop.set()
            if measure:
                thread.join()
            # All of them are still served.
            for connection in idle[::500]:
                connection.sendall(f"GET /a HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode())
                answer = b""
                while data := connection.recv(65536):
                    answer += data
                assert answer.endswith(b"answer"), answer
            for connection in slow[::50]:
                connection.sendall(f"\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode())
                answer = b""
                while data := connection.recv(65536):
                    answer += data
                assert answer.endswith(b"answer"), answer
            with open(f"/proc/{server.process.pid}/status") as status:
                resident = next(line for line in status if line.startswith("VmRSS")).split()[1]
            for connection in idle + slow:
                connection.close()
    figures = f"; alone: {describe(alone)}; beside them: {describe(beside)}; resident {int(resident) // 1024} MiB" if measure else ""
    passed(f"{len(idle)} idle and {len(slow)} slow connections{figures}")


main()

"""A normal client beside ten thousand idle connections and five hundred slow ones.

With `measure` as argument the time of its requests is printed with and without them; a test does not judge it.
"""

import os
import resource
import select
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


def ask_and_close(connection, head):
    """Sends the rest of a request, and reads its answer to the end of the connection."""
    connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
    answer = b""
    while data := connection.recv(65536):
        answer += data
    assert answer.endswith(b"answer"), answer


def dribble(slow, stop):
    """One byte of an endless head every second for each of the slow connections."""
    while not stop.wait(1):
        for connection in slow:
            try:
                connection.send(b"x")
            except OSError:
                pass


def pipeline_unread(server):
    """Sends requests for as long as they are taken, and reads the answers only then: how many there were."""
    request = f"GET /a HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    connection = connect(server.port)
    connection.setblocking(False)
    sent = 0
    # When nothing is taken any more, the server has stopped reading: the client does not read either.
    while select.select([], [connection], [], 1)[1]:
        sent += connection.send(request * 1000)
        assert sent < 1 << 30, "the server never stops taking requests that nobody reads the answers of"
    unread = resident(server)
    # The last one whole, and with it the end.
    connection.setblocking(True)
    rest = request[sent % len(request):] if sent % len(request) else b""
    asked = (sent + len(rest)) // len(request)
    sender = threading.Thread(target=connection.sendall, args=(rest,))
    sender.start()
    answers, tail = 0, b""
    while answers < asked:
        data = connection.recv(1 << 20)
        assert data, "the connection was closed"
        answers += (tail + data).count(b"\r\n\r\nanswer")
        tail = (tail + data)[-9:]
    sender.join()
    connection.close()
    assert unread < 200, f"{unread} MiB for answers that nobody reads"
    return asked


def resident(server):
    """MiB."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) // 1024


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
                ask_and_close(connection, f"GET /a HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n")
            for connection in slow[::50]:
                ask_and_close(connection, f"\r\nHost: 127.0.0.1:{server.port}\r\n")
            held = resident(server)
            for connection in idle + slow:
                connection.close()
            pipelined = pipeline_unread(server)
    figures = f"; alone: {describe(alone)}; beside them: {describe(beside)}; resident {held} MiB" if measure else ""
    passed(f"{pipelined} requests of a client that did not read its answers until the server read no more")
    passed(f"{len(idle)} idle and {len(slow)} slow connections{figures}")


main()

"""Records a stream of server-sent events: they reach the client as they happen, and are replayed as they happened."""

import os
import socket
import statistics
import threading
import time

from support import Server, folder, passed

GAPS = [0.05, 0.20, 0.10, 0.30, 0.00, 0.15]
TOLERANCE = 0.020
ATTEMPTS = 12


def serve(listener):
    """Sends an event after each gap, as one chunk, and notes when."""
    while True:
        connection, _ = listener.accept()
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                piece = connection.recv(4096)
                if not piece:
                    break
                data += piece
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for number, gap in enumerate(GAPS):
                time.sleep(gap)  # The gaps are what is measured.
                event = f"data: event {number} at {listener.getsockname()[1]}\n\n".encode()
                sent.append(time.monotonic())
                connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
            connection.sendall(b"0\r\n\r\n")


sent = []


def read(port):
    """The whole answer, and when each event came."""
    times, data = [], b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.monotonic()
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while piece := connection.recv(65536):
            data += piece
            times += [time.monotonic()] * (data.count(b"data: ") - len(times))
    assert data.endswith(b"0\r\n\r\n"), data
    return data, times, time.monotonic() - started


def gaps(times):
    return [after - before for before, after in zip(times, times[1:])]


def best(measure, limit):
    """A busy machine adds some seconds now and then: a server that is late is so every time."""
    for _ in range(ATTEMPTS):
        seconds = measure()
        if seconds < limit:
            return seconds
    raise AssertionError(f"{measure.__name__}: {seconds} s, each of {ATTEMPTS} times over {limit}")


def lateness(port):
    """The whole answer, and how many seconds after it was sent an event came."""
    sent.clear()
    data, times, _ = read(port)
    assert len(times) == len(GAPS), times
    return data, statistics.median(seen - said for said, seen in zip(sent, times))


def inexactness():
    """How many seconds a sleep of this program is wrong by."""
    times = [time.monotonic()]
    for gap in GAPS:
        time.sleep(gap)
        times.append(time.monotonic())
    return statistics.median(abs(a - b) for a, b in zip(gaps(times), GAPS))


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    with folder() as temporary:
        cassette = os.path.join(temporary, "events.cassette")
        recorded, said = b"", []

        def recording():
            nonlocal recorded, said
            if os.path.exists(cassette):
                os.remove(cassette)
            with Server("record", cassette, "--upstream", f"http://127.0.0.1:{port}") as server:
                recorded, late = lateness(server.port)
            said = list(sent)
            return late - lateness(port)[1]

        delay = best(recording, TOLERANCE)
        listener.close()

        def replay(*options):
            with Server("replay", cassette, *options) as server:
                data, times, seconds = read(server.port)
            assert data == recorded, (recorded, data)
            return times, seconds

        def as_recorded():
            times, _ = replay("--speed", "1")
            return statistics.median(abs(a - b) for a, b in zip(gaps(times), gaps(said))) - inexactness()

        def four_times_as_fast():
            return replay("--speed", "4")[1]

        def at_once():
            return replay()[1]

        error = best(as_recorded, TOLERANCE)
        best(four_times_as_fast, sum(GAPS) / 2)
        whole = best(at_once, 0.1)
    passed(
        f"{len(GAPS)} events: {max(delay, 0) * 1000:.1f} ms later while recording than without, gaps within "
        f"{max(error, 0) * 1000:.1f} ms at --speed 1 (medians), all of it in {whole * 1000:.1f} ms at 0"
    )


main()

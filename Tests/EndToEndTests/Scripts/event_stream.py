"""Records a stream of server-sent events: they reach the client as they happen, and are replayed as they happened."""

import os
import socket
import threading
import time

from support import Server, folder, passed

GAPS = [0.05, 0.20, 0.10, 0.30, 0.00, 0.15]
TOLERANCE = 0.020


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


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    with folder() as temporary:
        cassette = os.path.join(temporary, "events.cassette")
        with Server("record", cassette, "--upstream", f"http://127.0.0.1:{listener.getsockname()[1]}") as server:
            recorded, times, _ = read(server.port)
        listener.close()
        delays = [seen - said for said, seen in zip(sent, times)]
        assert len(times) == len(GAPS) and max(delays) < TOLERANCE, delays
        with Server("replay", cassette, "--speed", "1") as server:
            replayed, slow, _ = read(server.port)
        assert replayed == recorded, (recorded, replayed)
        errors = [abs(a - b) for a, b in zip(gaps(slow), gaps(sent))]
        assert max(errors) < TOLERANCE, errors
        with Server("replay", cassette, "--speed", "4") as server:
            _, _, quarter = read(server.port)
        assert quarter < sum(GAPS) / 2, quarter
        with Server("replay", cassette) as server:
            replayed, _, at_once = read(server.port)
        assert replayed == recorded and at_once < 0.05, at_once
    passed(
        f"{len(GAPS)} events: at most {max(delays) * 1000:.1f} ms late while recording, gaps within "
        f"{max(errors) * 1000:.1f} ms at --speed 1, all of it in {at_once * 1000:.1f} ms at 0"
    )


main()

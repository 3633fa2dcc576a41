"""Mutated requests over real sockets, for some seconds, by clients that close one half, stall, reset or just go: every connection is
answered or closed, the servers live on, and no descriptor stays open.

Usage: mutated_requests.py [SECONDS [SEED]]
"""

import concurrent.futures
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import time

from support import MOCKSERVE, Server, folder, passed

CASSETTE = os.path.join(os.path.dirname(__file__), "../../../cassettes/httpbin.cassette")
HEAD = b"Host: localhost\r\n"
SEEDS = [
    b"GET /get HTTP/1.1\r\n" + HEAD + b"\r\n",
    b"GET /get?page=2 HTTP/1.1\r\n" + HEAD + b"Accept: */*\r\nCookie: a=b; c=d\r\nAuthorization: Bearer x\r\n\r\n",
    b"POST /post HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"name\":\"Ada\"}",
    b"POST /post HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    b"POST /post HTTP/1.1\r\n" + HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    b"HEAD /get HTTP/1.0\r\n\r\n",
    b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n",
    b"GET /large HTTP/1.1\r\n" + HEAD + b"\r\n",
    b"GET /large HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n",
    b"GET http://localhost/get HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n" + HEAD + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    b"POST /x HTTP/1.1\r\n" + HEAD + b"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 62\r\n\r\n"
    b"--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nx\r\n--B--",
]
TOKENS = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n", b"Host: a\r\n", b"\r\n\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"%00", b"\xff\xfe", b"[redacted:token:1]",
    b"A" * 20_000, b"X: y\r\n" * 1200, b"?token=x&token=y", b"HTTP/1.1", b"HTTP/9.9", b"{" * 600, b"Content-Encoding: gzip\r\n", b"Connection: close\r\n",
]


def mutate(generator):
    text = bytearray(b"".join(generator.choice(SEEDS) for _ in range(generator.choice((1, 1, 1, 2, 3)))))
    for _ in range(generator.randrange(6)):
        place = generator.randrange(len(text) + 1)
        action = generator.randrange(5)
        if action == 0 and text:
            text[place % len(text)] = generator.randrange(256)
        elif action == 1:
            text[place:place] = generator.choice(TOKENS)
        elif action == 2:
            del text[place:place + generator.randrange(1, 20)]
        elif action == 3:
            text[place:place] = text[generator.randrange(len(text) + 1):][:generator.randrange(1, 100)]
        else:
            del text[place:]
    return bytes(text)


def send(port, request, generator):
    """Sends a request as one of many kinds of clients would, and sees to its end what comes."""
    connection = socket.socket()
    stalls = generator.randrange(4) == 0
    if stalls:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(15)
    connection.connect(("127.0.0.1", port))
    end = generator.choice(("half-close", "half-close", "half-close", "reset", "go"))
    try:
        place = 0
        for _ in range(generator.choice((0, 1, 1, 3))):
            middle = generator.randrange(place, len(request) + 1)
            connection.sendall(request[place:middle])
            place = middle
            if stalls:
                time.sleep(generator.random() / 50)
        if generator.randrange(20) > 0:
            connection.sendall(request[place:])
        if end == "half-close":
            connection.shutdown(socket.SHUT_WR)
            read_to_end(connection, generator if stalls else None)
        else:
            # Reads a part of the answer, or nothing.
            connection.settimeout(generator.random() / 20)
            connection.recv(generator.choice((1, 1000, 65536)))
    except TimeoutError:
        if end == "half-close":
            raise AssertionError("neither answered nor closed") from None
    except OSError:
        pass
    finally:
        if end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def read_to_end(connection, stalling):
    total = 0
    while data := connection.recv(65536):
        total += len(data)
        assert total < 64 << 20, "an answer without end"
        if stalling and total < 100_000 and stalling.randrange(4) == 0:
            time.sleep(stalling.random() / 20)


def descriptors(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def await_descriptors(server, expected):
    deadline = time.monotonic() + 20
    while descriptors(server) > expected:
        assert time.monotonic() < deadline, f"{descriptors(server)} descriptors are open, {expected} were expected"
        time.sleep(0.05)


def prepare(cassette, temporary):
    shutil.copy(CASSETTE, cassette)
    large = os.path.join(temporary, "large")
    with open(large, "wb") as file:
        file.write(random.Random(1).randbytes(3 << 20))
    subprocess.run([MOCKSERVE, "cassette", "add", cassette, "--request", "GET /large", "--file", large], check=True, stderr=subprocess.DEVNULL)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    good = b"GET /get HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
    with folder() as temporary, open(os.path.join(temporary, "stderr"), "w") as log:
        cassette = os.path.join(temporary, "b.cassette")
        prepare(cassette, temporary)
        with Server("replay", cassette, "--quiet", stderr=log) as replay:
            recorder = Server("record", os.path.join(os.environ.get("KEEP", temporary), "a.cassette"), "--upstream", replay.url, "--mode", "missing", "--quiet", stderr=log)
            end = time.monotonic() + seconds
            count = 0

            def one(number):
                own = random.Random(f"{seed} {number}")
                request = mutate(own)
                server = (replay, recorder)[number % 2]
                try:
                    send(server.port, request, own)
                except (AssertionError, ConnectionError) as error:
                    raise AssertionError(f"seed {seed}, request {number}: {error}\n{request[:2000]!r}") from error

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                while time.monotonic() < end:
                    list(pool.map(one, range(count, count + 64)))
                    count += 64
                    if count == 64:
                        # Now event loops, connections to the cassette and to the upstream are there.
                        base = [descriptors(server) for server in (replay, recorder)]
            for server in (replay, recorder):
                connection = socket.create_connection(("127.0.0.1", server.port))
                connection.sendall(good)
                assert connection.recv(100).startswith(b"HTTP/1.1 200"), "the server does not answer any more"
                connection.close()
            # Idle connections of the recorder to its upstream stay: eight for each event loop at most.
            spare = 8 * (os.cpu_count() or 1) + 8
            for server, expected in zip((replay, recorder), base):
                await_descriptors(server, expected + spare)
            # Requests cut off by their clients are failures of theirs, so the status says that not all was recorded.
            recorder.process.terminate()
            status = recorder.process.wait(60)
            log.flush()
            with open(log.name) as text:
                assert status in (0, 69), f"seed {seed}: the recorder ended with {status}: {text.read()[-600:]}"
    passed(f"{count} mutated requests in {seconds:.0f} s, seed {seed}: each answered or closed, both servers live on")


main()

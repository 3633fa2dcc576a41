"""Mutated requests over real sockets, for some seconds: every connection is answered or closed, and the servers live on.

Usage: mutated_requests.py [SECONDS [SEED]]
"""

import os
import random
import socket
import sys
import time

from support import Server, folder, passed

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
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(15)
    try:
        middle = generator.randrange(len(request) + 1)
        connection.sendall(request[:middle])
        if generator.randrange(20) == 0:
            # Goes away in the middle.
            return
        connection.sendall(request[middle:])
        connection.shutdown(socket.SHUT_WR)
        total = 0
        while data := connection.recv(65536):
            total += len(data)
            assert total < 64 << 20, "an answer without end"
    except TimeoutError:
        raise AssertionError("neither answered nor closed") from None
    except OSError:
        pass
    finally:
        connection.close()


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    generator = random.Random(seed)
    good = b"GET /get HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
    with folder() as temporary, open(os.path.join(temporary, "stderr"), "w") as log:
        with Server("replay", CASSETTE, "--quiet", stderr=log) as replay:
            recorder = Server("record", os.path.join(os.environ.get("KEEP", temporary), "a.cassette"), "--upstream", replay.url, "--mode", "missing", "--quiet", stderr=log)
            end = time.monotonic() + seconds
            count = 0
            while time.monotonic() < end:
                request = mutate(generator)
                for server in (replay, recorder):
                    try:
                        send(server.port, request, generator)
                    except (AssertionError, ConnectionError) as error:
                        raise AssertionError(f"seed {seed}, request {count}: {error}\n{request[:2000]!r}") from error
                    count += 1
            for server in (replay, recorder):
                connection = socket.create_connection(("127.0.0.1", server.port))
                connection.sendall(good)
                assert connection.recv(100).startswith(b"HTTP/1.1 200"), "the server does not answer any more"
                connection.close()
            # Requests cut off by their clients are failures of theirs, so the status says that not all was recorded.
            recorder.process.terminate()
            status = recorder.process.wait(60)
            log.flush()
            with open(log.name) as text:
                assert status in (0, 69), f"seed {seed}: the recorder ended with {status}: {text.read()[-600:]}"
    passed(f"{count} mutated requests in {seconds:.0f} s, seed {seed}: each answered or closed, both servers live on")


main()

"""Records and replays a response and a request of 1 GiB and watches the memory of the server.

With `http2`, clients and upstream speak HTTP/2 with it.

Usage: huge_bodies.py [MIB [http2]]
"""

import contextlib
import hashlib
import http.server
import os
import socket
import socketserver
import sys
import threading

from support import Server, bridge, folder, passed, resident_kib

LIMIT_MIB = 150
BLOCK = 1 << 20


def block(number):
    """A block that no other is equal to."""
    seed = hashlib.sha256(number.to_bytes(8, "big")).digest()
    return seed * (BLOCK // len(seed))


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    blocks = 0

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(self.blocks * BLOCK))
        self.end_headers()
        for number in range(self.blocks):
            self.wfile.write(block(number))

    def do_PUT(self):
        digest = hashlib.sha256()
        remaining = int(self.headers["Content-Length"])
        while remaining:
            data = self.rfile.read(min(remaining, BLOCK))
            digest.update(data)
            remaining -= len(data)
        answer = digest.hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Threaded(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        assert piece, f"closed after {data!r}"
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def download(port, blocks):
    digest = hashlib.sha256()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, rest = read_head(connection)
        assert f"content-length: {blocks * BLOCK}".encode() in head.lower(), head + rest
        size = len(rest)
        digest.update(rest)
        while data := connection.recv(1 << 18):
            digest.update(data)
            size += len(data)
    assert size == blocks * BLOCK, size
    return digest.hexdigest()


def upload(port, blocks):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = f"PUT /big HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: {blocks * BLOCK}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        for number in range(blocks):
            connection.sendall(block(number))
        _, body = read_head(connection)
        while data := connection.recv(65536):
            body += data
        return body.decode()


def front_of(server, place, speaks_http2):
    """What clients speak HTTP/1 with."""
    return bridge(place, server.url.replace("http:", "h2c:"), "front") if speaks_http2 else contextlib.nullcontext(server)


def main():
    blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    Upstream.blocks = blocks
    upstream = Threaded(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    digest = hashlib.sha256()
    for number in range(blocks):
        digest.update(block(number))
    expected = digest.hexdigest()

    speaks_http2 = sys.argv[2:] == ["http2"]
    with folder() as temporary, folder() as bridges:
        cassette = os.path.join(temporary, "huge.cassette")
        url = f"http://127.0.0.1:{upstream.server_address[1]}"
        back = bridge(bridges, url, "back") if speaks_http2 else None
        url = back.url.replace("http:", "h2c:") if back else url
        with Server("record", cassette, "--upstream", url) as server, front_of(server, bridges, speaks_http2) as front:
            assert download(front.port, blocks) == expected
            after_download = resident_kib(server.pid)
            assert upload(front.port, blocks) == expected
            recording = resident_kib(server.pid)
        upstream.shutdown()
        if back:
            back.stop()
        assert os.listdir(temporary) == ["huge.cassette"], os.listdir(temporary)
        # Both bodies are the same, so they are stored once.
        assert os.path.getsize(cassette) < (blocks + 64) * BLOCK * 1.02, os.path.getsize(cassette)
        with Server("replay", cassette) as server, front_of(server, bridges, speaks_http2) as front:
            assert download(front.port, blocks) == expected
            assert upload(front.port, blocks) == expected
            replaying = resident_kib(server.pid)
    for name, kib in [("recording, after the response", after_download), ("recording", recording), ("replaying", replaying)]:
        assert kib < LIMIT_MIB * 1024, f"{name}: {kib // 1024} MiB resident"
    passed(
        f"{blocks} MiB both ways{' over HTTP/2' if speaks_http2 else ''}: peak resident memory {recording // 1024} MiB recording "
        f"({after_download // 1024} after the response), {replaying // 1024} MiB replaying"
    )


main()

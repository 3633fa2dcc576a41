"""Kills a recording under load, again and again: what a client saw complete is in the cassette, once, and the file opens.

With `http2`, clients and upstream speak HTTP/2 with the recording.

Usage: kill_recording.py [ROUNDS [http2]]
"""

import hashlib
import http.client
import http.server
import json
import os
import random
import select
import socketserver
import sqlite3
import subprocess
import sys
import threading

from support import MOCKSERVE, Server, bridge, environment, folder, passed

CLIENTS = 6


def body_of(path):
    """What the upstream answers: short, chunked or longer than a stored slice, by the path."""
    seed = hashlib.sha256(path.encode()).digest()
    size = [10, 1000, 20_000, 300_000, 700_000][seed[0] % 5]
    return (seed * (size // len(seed) + 1))[:size]


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = body_of(self.path)
        self.send_response(200)
        if len(body) % 3 == 0 or len(body) == 20_000:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 4096):
                piece = body[start:start + 4096]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Threaded(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


def load(port, name, complete, stop):
    """Requests new paths until the server is gone; notes those whose answer came whole."""
    number = 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while not stop.is_set():
        path = f"/{name}/{number}"
        number += 1
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            return
        if response.status == 502:
            # Of the server in front, whose upstream is gone.
            return
        assert response.status == 200 and body == body_of(path), f"{path}: {response.status}, {len(body)} bytes"
        complete.append(path)


def round_of(number, upstream, temporary, bridges):
    cassette = os.path.join(temporary, f"{number}.cassette")
    server = Server("record", cassette, "--upstream", upstream, "--quiet")
    front = bridge(bridges, server.url.replace("http:", "h2c:"), "front") if bridges else server
    complete, stop = [], threading.Event()
    threads = [
        threading.Thread(target=load, args=(front.port, f"{number}-{client}", complete, stop))
        for client in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    select.select([], [], [], random.uniform(0.0, 0.5))
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()
    if front is not server:
        front.kill()

    listing = subprocess.run([MOCKSERVE, "cassette", "list", "--json", cassette], capture_output=True, env=environment())
    assert listing.returncode == 0, listing.stderr
    rows = [json.loads(line) for line in listing.stdout.splitlines()]
    targets = [row["target"] for row in rows]
    missing = set(complete) - set(targets)
    assert not missing, f"{len(missing)} complete answers are not in the cassette: {sorted(missing)[:5]}"
    assert len(targets) == len(set(targets)), "an interaction is in the cassette twice"
    for row in rows:
        assert row["response_size"] == len(body_of(row["target"])), row

    # Replaying opens it, gives the same bytes, and leaves one file.
    with Server("replay", cassette, "--quiet") as replay:
        for path in random.sample(complete, min(5, len(complete))):
            connection = http.client.HTTPConnection("127.0.0.1", replay.port, timeout=10)
            connection.request("GET", path)
            response = connection.getresponse()
            assert response.status == 200 and response.read() == body_of(path), path
            connection.close()
    left = [name for name in os.listdir(temporary) if name.startswith(f"{number}.")]
    assert left == [f"{number}.cassette"], left
    database = sqlite3.connect(f"file:{cassette}?mode=ro", uri=True)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("SELECT count(*) FROM body WHERE sha256 IS NULL").fetchone() == (0,)
    database.close()
    os.remove(cassette)
    return len(complete), len(targets)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    random.seed(20_000 + rounds)
    upstream = Threaded(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{upstream.server_address[1]}"
    speaks_http2 = sys.argv[2:] == ["http2"]
    seen = kept = 0
    with folder() as temporary, folder() as bridges:
        back = bridge(bridges, url, "back") if speaks_http2 else None
        url = back.url.replace("http:", "h2c:") if back else url
        for number in range(rounds):
            complete, recorded = round_of(number, url, temporary, bridges if speaks_http2 else None)
            seen += complete
            kept += recorded
        if back:
            back.stop(expected=None)
    assert seen > rounds, "the clients saw too little for this to prove anything"
    passed(f"{rounds} kills{' over HTTP/2' if speaks_http2 else ''}: {seen} answers seen complete, all of them among the {kept} recorded, none twice")


main()

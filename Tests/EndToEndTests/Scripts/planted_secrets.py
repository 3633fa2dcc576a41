"""No secret reaches the disk: planted in every place and spelling, in both directions, also when the recording is killed."""

import base64
import gzip
import json
import os
import random
import signal
import socket
import string
import subprocess
import threading
import time
import urllib.parse
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import MOCKSERVE, Server, environment, folder, passed

generator = random.Random(20)


def word(size, alphabet=string.ascii_letters + string.digits):
    return "".join(generator.choice(alphabet) for _ in range(size))


class Echo(BaseHTTPRequestHandler):
    """Answers with what the query and the body ask for: fields as `field`, the body as sent, cut in chunks."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.send_response(200)
        for name in ("Content-Type", "Content-Encoding"):
            if self.headers.get(name):
                self.send_header(name, self.headers[name])
        for name, value in json.loads(bytes.fromhex(self.headers.get("X-Answer") or "5b5d")):
            self.send_header(name, value)
        size = int(self.headers.get("X-Chunk") or 0)
        if size:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not size:
            self.wfile.write(body)
            return
        for start in range(0, len(body), size):
            chunk = body[start:start + size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = answer

    def log_message(self, *arguments):
        pass


TOKEN = 'Tok/en+"' + word(24) + "=&é"
FILE = word(40) + "\n" + word(40)


def jwt():
    return ".".join(["eyJ" + word(20), "eyJ" + word(30), word(43)])


def plan(token, file):
    """Every planted secret: what must not be found afterwards, and the request that carries it both ways."""
    requests = []

    def plant(secret, target="/", fields=(), body=b"", kind=None, coding=None, chunk=0, answer=()):
        fields = list(fields)
        if kind:
            fields.append(("Content-Type", kind))
        if coding:
            fields.append(("Content-Encoding", coding))
        if chunk:
            fields.append(("X-Chunk", str(chunk)))
        if answer:
            # In a way that is none of those in which secrets are looked for: it is the answer that is to hold them.
            fields.append(("X-Answer", json.dumps(answer).encode().hex()))
        requests.append((secret if isinstance(secret, list) else [secret], target, fields, body))

    def text(secret, body, **options):
        plant(secret, f"/{len(requests)}", body=body if isinstance(body, bytes) else body.encode(), **options)

    # Fields.
    for name, scheme in (("Authorization", "Bearer "), ("Authorization", "Basic "), ("Proxy-Authorization", "Digest "), ("X-API-Key", ""),
                         ("Private-Token", ""), ("X-Amz-Security-Token", ""), ("X-Declared", "")):
        secret = word(30)
        plant(secret, f"/{len(requests)}", [(name, scheme + secret)])
    secret, other = word(20), word(20)
    plant([secret, other], f"/{len(requests)}", [("Cookie", f"sid={secret}; theme={other}")])
    secret, other = word(20), word(20)
    plant([secret, other], f"/{len(requests)}", answer=[("Set-Cookie", f"sid={secret}; Path=/; HttpOnly"), ("WWW-Authenticate", f"x {jwt()}"), ("X-API-Key", other)])
    secret = word(20)
    plant(secret, f"/{len(requests)}", answer=[("Location", f"https://a.example/cb?state=1&access_token={secret}#x")])
    # Targets.
    for name in ("access_token", "api_key", "X-Amz-Signature", "X-Amz-Credential", "sig", "Api-Key", "client%5Fsecret"):
        secret = word(25)
        plant(secret, f"/{len(requests)}?a=1&{name}={secret}&b=2")
    secret = word(12)
    plant(secret, f"/{len(requests)}?next=https://user:{secret}@a.example/")
    # Forms, multipart, JSON at any depth, JSON in JSON, events.
    secret, other = word(12), word(12)
    text([secret, other], f"password={secret}&a=b&client_secret={other}", kind="application/x-www-form-urlencoded")
    secret = word(12)
    text(secret, f'--B\r\nContent-Disposition: form-data; name="password"\r\n\r\n{secret}\r\n--B--\r\n', kind="multipart/form-data; boundary=B")
    secret, other = word(12), str(generator.randrange(10**15, 10**16))
    text([secret, other], json.dumps({"a": [{"refreshToken": secret, "b": {"secret": int(other)}}]}), kind="application/json")
    secret = word(12)
    text(secret, json.dumps({"inner": json.dumps({"api_key": secret})}), kind="application/json")
    secret = word(12)
    text(secret, f'data: {{"access_token": "{secret}"}}\n\n', kind="text/event-stream", chunk=7)
    # Known shapes, in text and in compressed text.
    shapes = [
        "AKIA" + word(16, string.ascii_uppercase + string.digits), "ghp_" + word(36), "glpat-" + word(20), "xoxb-" + word(12, string.digits),
        "sk_live_" + word(24), "sk-ant-" + word(40), "AIza" + word(35), jwt(),
    ]
    for shape in shapes:
        text(shape, f"before {shape} after", kind="text/html")
    key = word(64) + "\n" + word(64)
    text(key.split("\n"), f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n")
    text(key.split("\n"), json.dumps({"pem": f"-----BEGIN RSA PRIVATE KEY-----\n{key}\n-----END RSA PRIVATE KEY-----\n"}), kind="application/json")
    for coding, encode in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        shape = "ghp_" + word(36)
        text(shape, encode(f'{{"x": "{shape}"}}'.encode() + b" " * 3000), kind="application/json", coding=coding)
    # Declared ones, in all spellings.
    whole = token.encode()
    spellings = [
        whole, urllib.parse.quote(token, safe="").encode(), urllib.parse.quote_plus(urllib.parse.quote(token)).encode(),
        json.dumps(token)[1:-1].encode(), json.dumps(token).replace("/", "\\/")[1:-1].encode(),
        *(base64.b64encode(b"x" * offset + whole + b"yz") for offset in range(3)),
        base64.urlsafe_b64encode(b"12345" + whole),
    ]
    for spelling in spellings:
        text([], b"before " + spelling + b" after", chunk=5, kind="application/octet-stream")
    text([], gzip.compress(b"before " + whole + b" after"), coding="gzip")
    text([], file.encode() * 2 + b"." + json.dumps({"f": file}).encode(), kind="text/plain")
    plant([], f"/{len(requests)}?q={urllib.parse.quote(token, safe='')}", [("X-Any", token.encode().decode("latin-1"))])
    return requests


def send(port, requests):
    answers = []
    for _, target, fields, body in requests:
        connection = socket.create_connection(("127.0.0.1", port))
        lines = [f"POST {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in fields]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
        answer = b""
        while data := connection.recv(65536):
            answer += data
        connection.close()
        answers.append(answer)
    return answers


def pieces(secret, size=8):
    """Parts of a secret of which none may be found: a placeholder in the middle of it would not do."""
    return [secret[start:start + size].encode() for start in range(0, len(secret) - size + 1, size)] or [secret.encode()]


def search(directory, secrets):
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            content = file.read()
        for secret in secrets:
            for piece in pieces(secret):
                assert piece not in content, f"{name} holds {piece} of {secret}"
    return os.listdir(directory)


def decoded_bodies(cassette):
    rows = subprocess.run(
        ["sqlite3", cassette, "SELECT hex(body.bytes) FROM interaction JOIN body ON body.id = response_body_id"],
        capture_output=True, check=True, text=True,
    ).stdout.split()
    bodies = [bytes.fromhex(row) for row in rows]
    return [gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body for body in bodies]


def main():
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{upstream.server_address[1]}"
    with folder() as temporary:
        secret_file = os.path.join(temporary, "key.txt")
        with open(secret_file, "w") as file:
            file.write(FILE + "\n")
        declared = ["--secret-env", "API_TOKEN", "--secret-file", secret_file]
        os.environ["API_TOKEN"] = TOKEN
        disk = os.path.join(temporary, "disk")
        os.mkdir(disk)
        cassette, journal = os.path.join(disk, "s.cassette"), os.path.join(disk, "journal.jsonl")
        requests = plan(TOKEN, FILE)
        planted = [secret for entry in requests for secret in entry[0]] + [TOKEN, *FILE.split("\n")]
        with open(os.path.join(disk, "stderr"), "w") as log:
            server = Server(
                "record", cassette, "--upstream", origin, *declared, "--journal", journal, "--redact", "field:X-Declared", stderr=log)
            recorded = send(server.port, requests)
            search(disk, planted)
            server.stop()
        for answer, (_, target, fields, body) in zip(recorded, requests):
            # The client that records sees everything as it is.
            assert answer.startswith(b"HTTP/1.1 200"), (target, answer)
        files = search(disk, planted)
        assert sorted(files) == ["journal.jsonl", "s.cassette", "stderr"], files
        for body in decoded_bodies(cassette):
            for secret in planted:
                assert not any(piece in body for piece in pieces(secret)), (secret, body)
            for offset in range(3):
                encoded = base64.b64encode(b"x" * offset + TOKEN.encode())[4 + offset:-4]
                assert encoded not in body, body
        passed(f"{len(planted)} secrets in {len(requests)} exchanges: none in {len(files)} files, during the recording or after it")

        # Other credentials match, and what is answered is framed as it should be.
        # As long as the one before: in base64, what follows it looks the same then.
        os.environ["API_TOKEN"] = 'another/+"' + word(len(TOKEN.encode()) - 10)
        generator.seed(21)
        others = plan(os.environ["API_TOKEN"], FILE)
        with Server("replay", cassette, *declared, "--quiet") as server:
            replayed = send(server.port, others)
        for number, (answer, (_, target, fields, body)) in enumerate(zip(replayed, others)):
            assert answer.startswith(b"HTTP/1.1 200"), (number, target, answer)
            head, content = answer.split(b"\r\n\r\n", 1)
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if length:
                assert int(length[0].split(b":")[1]) == len(content), answer
            else:
                assert content.endswith(b"0\r\n\r\n"), answer
            if b"Content-Encoding: gzip" in head and length:
                assert b"redacted." in gzip.decompress(content), content
        passed(f"{len(others)} requests with other credentials match, validly framed")

        # Declared secrets can be given back.
        with Server("replay", cassette, *declared, "--give-back", "--quiet") as server:
            answer = send(server.port, [others[-2]])[0]
        assert FILE.encode() in answer and b"redacted.key-txt" not in answer, answer
        listing = subprocess.run([MOCKSERVE, "cassette", "rule", "list", cassette], capture_output=True, check=True, env=environment()).stdout
        assert b"secret:api_token" in listing and b"secret:key.txt" in listing and b"field:X-Declared" in listing, listing
        missing = {k: v for k, v in environment().items() if k != "API_TOKEN"}
        result = subprocess.run(
            [MOCKSERVE, "record", os.path.join(temporary, "new.cassette"), "--upstream", origin, *declared], capture_output=True, env=missing, timeout=20)
        assert result.returncode == 64 and b"API_TOKEN" in result.stderr, result
        passed("secrets given back on demand; one that is not set refuses to record")

        # Killed in the middle, many times.
        os.environ["API_TOKEN"] = TOKEN
        for attempt in range(5):
            killed = os.path.join(temporary, f"killed{attempt}")
            os.mkdir(killed)
            with open(os.path.join(killed, "stderr"), "w") as log:
                server = Server("record", os.path.join(killed, "k.cassette"), "--upstream", origin, *declared, "--redact", "field:X-Declared",
                                "--journal", os.path.join(killed, "journal.jsonl"), stderr=log)
                sender = threading.Thread(target=lambda: suppress(lambda: send(server.port, requests * 3)))
                sender.start()
                time.sleep(generator.uniform(0.02, 0.15))
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
                sender.join()
            files = search(killed, planted)
        passed(f"killed 5 times in the middle: nothing in {', '.join(sorted(files))}")


def suppress(body):
    try:
        body()
    except OSError:
        pass


main()

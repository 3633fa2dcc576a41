"""TLS, HTTP/2 and gRPC beside nginx: rows and bars for bench.py."""

import re
import statistics
import subprocess
import time

from servers import BINARIES, DATA, Server, load, nginx, pinned, replay, say

CONNECTIONS = 32
# Each is a new connection with a full handshake.
HANDSHAKES = 400


def h2load(url, seconds, streams, *options):
    """Requests a second over HTTP/2."""
    command = ["h2load", "-t1", f"-c{CONNECTIONS}", f"-m{streams}", f"-D{seconds}", *options, f"{url}/items/0"]
    output = subprocess.run(pinned(1, command), capture_output=True, text=True, check=True).stdout
    done = re.search(r"(\d+) done, (\d+) succeeded, (\d+) failed", output)
    if int(done[1]) == 0 or int(done[3]) > 0:
        raise SystemExit(f"bench: {' '.join(command)}: {done[0]}")
    return float(re.search(r"([\d.]+) req/s", output)[1])


def http1(url, seconds, _):
    return load(url, seconds, pattern="/items/0", connections=CONNECTIONS)["rate"]


def handshakes(url, _, __):
    """Connections a second, each with one request."""
    command = ["h2load", "-t1", f"-c{HANDSHAKES}", f"-n{HANDSHAKES}", "-m1", f"{url}/items/0"]
    start = time.perf_counter()
    output = subprocess.run(pinned(1, command), capture_output=True, text=True, check=True).stdout
    if f"{HANDSHAKES} succeeded" not in output:
        raise SystemExit(f"bench: {' '.join(command)}: not all succeeded")
    return HANDSHAKES / (time.perf_counter() - start)


def nginx_of_versions():
    """With TLS and HTTP/2 on one port, with HTTP/2 without TLS on another; answers of 1 KB, and one message of gRPC."""
    folder = DATA / "protocols"
    (folder / "items").mkdir(parents=True, exist_ok=True)
    (folder / "items" / "0").write_bytes(b'{"text":"'.ljust(1022, b"x") + b'"}')
    (folder / "call").write_bytes(b"\0\0\0\0\x05\x0a\x03abc")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    if not key.exists():
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"]
        subprocess.run([*command, "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    # A POST for a file is answered with the file.
    content = (
        f"  root {folder}; ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_session_tickets off;\n"
        "  ssl_protocols TLSv1.3; http2_max_requests 1000000000; error_page 405 =200 $uri;\n"
    )
    secure = nginx("nginx-tls", content + "  server { listen 127.0.0.1:PORT ssl http2; }", secure=True)
    # With sendfile, and without TLS, the end of an answer would wait for 40 ms.
    plain = nginx("nginx-h2c", content + "  server { listen 127.0.0.1:PORT http2; sendfile off; tcp_nopush off; }", answers=False)
    return secure, plain


def recorded_call(upstream):
    """A cassette with one call of gRPC, and the file with its request."""
    path, request = DATA / "call.cassette", DATA / "call.request"
    request.write_bytes(b"\0\0\0\0\x03\x0a\x01a")
    for old in DATA.glob("call.cassette*"):
        old.unlink()
    recorder = Server([BINARIES / "mockserve", "record", path, "-q", "--upstream", upstream.url.replace("http:", "h2c:")])
    command = ["curl", "-sS", "--fail", "--http2-prior-knowledge", "-H", "content-type: application/grpc", "-H", "te: trailers"]
    subprocess.run([*command, "--data-binary", f"@{request}", f"{recorder.url}/call", "-o", "/dev/null"], check=True)
    recorder.stop()
    return path, request


def measure_protocols(cassette, rounds, seconds):
    """Lines of the table, and the bars."""
    say("starting servers with TLS")
    secure, plain = nginx_of_versions()
    own = replay(cassette)
    tls = own.url.replace("http:", "https:")
    calls, request = recorded_call(plain)
    call = replay(calls)
    grpc = ("-d", str(request), "-H", "content-type: application/grpc", "-H", "te: trailers")

    def unary(url, seconds, streams):
        command = ["h2load", "-t1", f"-c{CONNECTIONS}", f"-m{streams}", f"-D{seconds}", *grpc, f"{url}/call"]
        output = subprocess.run(pinned(1, command), capture_output=True, text=True, check=True).stdout
        if not re.search(r"[1-9]\d* succeeded, 0 failed", output):
            raise SystemExit(f"bench: {' '.join(command)}: calls have failed")
        return float(re.search(r"([\d.]+) req/s", output)[1])

    kinds = [
        ("HTTP/1.1 over TLS 1.3", http1, 1, tls, secure.url),
        ("HTTP/2 over TLS 1.3, 1 stream", h2load, 1, tls, secure.url),
        ("HTTP/2 over TLS 1.3, 10 streams", h2load, 10, tls, secure.url),
        ("HTTP/2 without TLS, 1 stream", h2load, 1, own.url, plain.url),
        ("HTTP/2 without TLS, 10 streams", h2load, 10, own.url, plain.url),
        ("unary calls of gRPC, 10 streams", unary, 10, call.url, plain.url),
        ("new connections with TLS 1.3", handshakes, 1, tls, secure.url),
    ]
    results = {name: [] for name, *_ in kinds}
    for number in range(rounds):
        for name, measure, streams, ours, theirs in kinds:
            say(f"round {number + 1} of {rounds}: {name}")
            results[name].append((measure(ours, seconds, streams), measure(theirs, seconds, streams)))
    for server in (secure, plain, own, call):
        server.stop()

    def ratio(name):
        return statistics.median(mine / its for mine, its in results[name])

    lines = []
    for name, pairs in results.items():
        mine, its = (statistics.median(pair[index] for pair in pairs) for index in (0, 1))
        lines.append(f"| replay, {name} | {mine:,.0f} | {ratio(name):.2f} |")
        lines.append(f"| nginx, {name} | {its:,.0f} | |")
    bars = {
        "HTTP/2 over TLS, 10 streams, × nginx": (ratio("HTTP/2 over TLS 1.3, 10 streams"), ">=", 0.5),
        "new connections with TLS, × nginx": (ratio("new connections with TLS 1.3"), ">=", 0.8),
    }
    return lines, bars

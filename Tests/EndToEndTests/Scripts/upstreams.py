"""Upstreams that are reached in other ways: over TLS, through proxies, and ones that answer before they were asked all."""

import http.server
import os
import socket
import socketserver
import ssl
import subprocess
import threading

import support
from support import Server, exchange, folder, free_port, passed


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"secure {self.path} for {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Location", f"https://{self.headers['Host']}/next")
        self.send_header("Set-Cookie", "a=b; Secure; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Threaded(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def certificate(temporary, name, subject):
    key, file = os.path.join(temporary, f"{name}.key"), os.path.join(temporary, f"{name}.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", file, "-days", "2",
         "-subj", "/CN=test", "-addext", f"subjectAltName={subject}"],
        check=True, capture_output=True,
    )
    return key, file


def serve_tls(temporary, name, subject):
    key, file = certificate(temporary, name, subject)
    server = Threaded(("127.0.0.1", 0), Upstream)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1], file


def get(port, path="/x"):
    return exchange(port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())


def tls(temporary):
    port, file = serve_tls(temporary, "good", "DNS:localhost,IP:127.0.0.1")
    cassette = os.path.join(temporary, "tls.cassette")
    for host in ("localhost", "127.0.0.1"):
        with Server("record", cassette, "--upstream", f"https://{host}:{port}", "--upstream-ca", file, "--quiet", "--mode", "all") as server:
            answer = get(server.port)
            assert answer.startswith(b"HTTP/1.1 200") and f"secure /x for {host}:{port}".encode() in answer, answer
            assert f"Location: http://127.0.0.1:{server.port}/next".encode() in answer, answer
            # Over plain http a client would not send a Secure cookie back.
            assert b"Set-Cookie: a=b; Path=/\r\n" in answer, answer
    with Server("replay", cassette, "--quiet") as server:
        assert b"secure /x for localhost" in get(server.port)

    # Not trusted, and trusted for another name: refused, and nothing is recorded.
    other, other_file = serve_tls(temporary, "other", "DNS:other.test")
    for arguments in (["--upstream", f"https://localhost:{port}"], ["--upstream", f"https://localhost:{other}", "--upstream-ca", other_file]):
        missing = os.path.join(temporary, "refused.cassette")
        server = Server("record", missing, *arguments, "--quiet")
        answer = get(server.port)
        assert answer.startswith(b"HTTP/1.1 502") and b"TLS failed" in answer, answer
        server.stop(expected=69)
        assert not os.path.exists(missing)
    passed("https: by name and address, own certificates, untrusted and misnamed ones refused")


class Proxy(threading.Thread):
    """A forward proxy that takes every host for 127.0.0.1 and notes what it was asked."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = client.recv(65536)
            if not piece:
                return
            data += piece
        self.asked.append(data)
        upstream = socket.create_connection(("127.0.0.1", self.target))
        if data.startswith(b"CONNECT"):
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            upstream.sendall(data)
        for source, sink in ((client, upstream), (upstream, client)):
            threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def proxies(temporary):
    plain = Threaded(("127.0.0.1", 0), Upstream)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    secure_port, file = serve_tls(temporary, "proxied", "DNS:secure.test")
    by_http, by_connect = Proxy(plain.server_address[1]), Proxy(secure_port)
    settings = {
        "HTTP_PROXY": f"http://user:word@127.0.0.1:{by_http.port}",
        "HTTPS_PROXY": f"http://127.0.0.1:{by_connect.port}",
        "NO_PROXY": "direct.test",
    }
    original = support.environment
    support.environment = lambda: {**original(), **settings}
    try:
        cassette = os.path.join(temporary, "proxied.cassette")
        with Server("record", cassette, "--upstream", "http://plain.test", "--quiet") as server:
            answer = get(server.port)
            assert b"secure http://plain.test/x for plain.test" in answer, answer
        assert by_http.asked[0].startswith(b"GET http://plain.test/x HTTP/1.1\r\nHost: plain.test\r\n"), by_http.asked
        assert b"Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in by_http.asked[0]
        with Server("record", cassette + "2", "--upstream", "https://secure.test", "--upstream-ca", file, "--quiet") as server:
            assert b"secure /y for secure.test" in get(server.port, "/y")
        assert by_connect.asked[0].startswith(b"CONNECT secure.test:443 HTTP/1.1\r\nHost: secure.test:443\r\n"), by_connect.asked
        before = len(by_http.asked)
        with Server("record", cassette + "3", "--upstream", f"http://127.0.0.1:{plain.server_address[1]}", "--quiet") as server:
            assert b"secure /x" in get(server.port)
        server = Server("record", cassette + "4", "--upstream", "http://direct.test", "--quiet")
        assert get(server.port).startswith(b"HTTP/1.1 502"), "direct.test has no address"
        server.stop(expected=69)
        assert len(by_http.asked) == before, "loopback and NO_PROXY are reached without the proxy"
    finally:
        support.environment = original
    # Proxy credentials are not part of what is recorded.
    with open(cassette, "rb") as content:
        assert b"dXNlcjp3b3Jk" not in content.read()
    passed("HTTP_PROXY with credentials, HTTPS_PROXY by CONNECT, NO_PROXY, loopback")


def early_answer(temporary):
    """An upstream that answers at once and closes, while the client still sends."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            connection, _ = listener.accept()
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(4096)
            connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!")
            # Read on for a while, so that closing does not reset the connection.
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(5)
            try:
                while connection.recv(65536):
                    pass
            except OSError:
                pass
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    cassette = os.path.join(temporary, "early.cassette")
    big = os.path.join(temporary, "big")
    with open(big, "wb") as file:
        file.truncate(30 << 20)
    server = Server("record", cassette, "--upstream", f"http://127.0.0.1:{listener.getsockname()[1]}", "--quiet")
    result = subprocess.run(
        ["curl", "-sS", "-o", "-", "-w", "%{http_code}", "-T", big, "-H", "Expect:", "--max-time", "30", server.url + "/up"],
        capture_output=True, text=True,
    )
    assert result.stdout == "no!413", result
    server.stop(expected=None)
    passed("an answer before the end of the request reaches the client")


def stale_connections(temporary):
    """An upstream that closes kept-alive connections without a word: the next request goes over a new one."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            connection, _ = listener.accept()
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    cassette = os.path.join(temporary, "stale.cassette")
    with Server("record", cassette, "--upstream", f"http://127.0.0.1:{listener.getsockname()[1]}", "--quiet") as server:
        for number in range(200):
            answer = get(server.port, f"/{number}")
            assert answer.endswith(b"ok"), answer
    passed("200 requests to an upstream that closes every connection after its answer")


def main():
    with folder() as temporary:
        tls(temporary)
        proxies(temporary)
        early_answer(temporary)
        stale_connections(temporary)


main()

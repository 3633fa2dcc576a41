"""Records every httpbin endpoint that needs no other network, with curl and requests, and compares the replay byte by byte.

A tap between mockserve and httpbin keeps what httpbin really sent. Three byte strings are compared for every request: what
httpbin sent (tap), what curl saw while recording, what curl saw from the replay. The last two must be equal. They may
differ from the first only here, and the test says for how many:
- `Connection` and `Keep-Alive` are about one connection (RFC 9110 §7.6.1);
- the hexadecimal digits of chunk sizes, which gunicorn writes in capitals; the chunks themselves are the same;
- httpbin's own origin appears as the server's own (`mapsOrigins`), and Content-Length follows.
"""

import os
import subprocess

import requests
from support import Gunicorn, Server, Tap, folder, passed

JSON = ["-H", "Content-Type: application/json", "-d", '{"b": 2, "a": [1, 2.50, "ü"]}']
FORM = ["-d", "a=1&b=two+words&a=2"]
BINARY = ["-H", "Content-Type: application/octet-stream", "--data-binary", "@{binary}"]
MULTIPART = ["-F", "field=value", "-F", "file=@{binary};filename=x.bin"]

REQUESTS = [
    [f"/{method.lower()}", "-X", method] for method in ("GET", "DELETE", "PATCH", "POST", "PUT")
] + [
    ["/post", *JSON], ["/post", *FORM], ["/put", "-X", "PUT", *BINARY], ["/patch", "-X", "PATCH", *JSON],
    ["/get", "-I"], ["/get?a=1&b=2&a=3"], ["/get", "-H", "Accept: text/plain"],
    *[[f"/status/{code}"] for code in (200, 201, 204, 205, 206, 300, 301, 302, 304, 307, 400, 401, 402, 403, 404,
                                       406, 410, 418, 429, 500, 502, 503, 504)],
    ["/status/200", "-X", "PUT"], ["/status/404", "-X", "DELETE"],
    ["/redirect/3"], ["/relative-redirect/2"], ["/absolute-redirect/2"],
    ["/redirect-to?url=/get"], ["/redirect-to?url=/get&status_code=307", "-X", "POST"],
    ["/cookies"], ["/cookies", "-b", "a=1; b=2"], ["/cookies/set?a=1&b=2"], ["/cookies/set/c/3"], ["/cookies/delete?a"],
    ["/gzip"], ["/deflate"], ["/brotli"], ["/gzip", "-H", "Accept-Encoding: gzip"],
    ["/brotli", "-H", "Accept-Encoding: br"],
    *[[f"/bytes/{n}?seed=7"] for n in (0, 1, 1024, 102400)],
    *[[f"/stream/{n}"] for n in (1, 5, 100)],
    ["/stream-bytes/1000?seed=3&chunk_size=100"], ["/stream-bytes/100000?seed=3"],
    ["/drip?duration=1&numbytes=5&delay=0"], ["/drip?duration=0&numbytes=3&code=201"],
    *[[f"/image/{kind}"] for kind in ("png", "jpeg", "svg", "webp")],
    ["/image", "-H", "Accept: image/webp"], ["/image", "-H", "Accept: image/svg+xml"],
    ["/encoding/utf8"], ["/html"], ["/xml"], ["/json"], ["/robots.txt"], ["/deny"],
    ["/response-headers?X-Dup=1&X-Dup=2&Set-Cookie=a%3D1&Set-Cookie=b%3D2&Content-Type=text/plain"],
    ["/anything"], ["/anything/a/b%2Fc?q=%C3%BC&e="], ["/anything", *JSON], ["/anything", *FORM],
    ["/anything", *MULTIPART], ["/anything", *BINARY], ["/anything", "-X", "PUT", *JSON],
    ["/anything", "-H", "Transfer-Encoding: chunked", "-d", "chunked request"],
    ["/range/1000"], ["/range/1000", "-r", "0-99"], ["/range/1000", "-r", "100-199"], ["/range/1000", "-r", "900-"],
    ["/range/500?chunk_size=50&duration=0"],
    ["/etag/abc"], ["/etag/abc", "-H", 'If-None-Match: "abc"', "-X", "DELETE"], ["/cache"], ["/cache/60"],
    ["/basic-auth/u/p", "-u", "u:p"], ["/hidden-basic-auth/x/y"], ["/bearer", "-H", "Authorization: Bearer t"],
    ["/headers"], ["/user-agent"], ["/ip"], ["/uuid"], ["/base64/aGVsbG8="], ["/links/5/0"], ["/forms/post"],
    ["/delay/1"], ["/delay/0", "-X", "POST"],
]
HOP_BY_HOP = (b"connection:", b"keep-alive:")


def curl(base, arguments, binary):
    path, *rest = arguments
    rest = [a.replace("{binary}", binary) for a in rest]
    # `-i --raw` prints the bytes of the answer as they came in.
    command = ["curl", "-sS", "-i", "--raw", "--max-time", "20", "-H", "User-Agent: test", "-H", "Expect:", *rest, base + path]
    result = subprocess.run(command, capture_output=True)
    assert result.returncode == 0, f"{command}: {result.returncode} {result.stderr}"
    return result.stdout


def without_hop_by_hop(raw):
    head, separator, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(HOP_BY_HOP)]
    return b"\r\n".join(lines) + separator + body


def chunks_in_lower_case(raw):
    """The same bytes with lower-case chunk sizes, if the body is chunked."""
    head, separator, body = raw.partition(b"\r\n\r\n")
    if b"\r\ntransfer-encoding: chunked" not in head.lower():
        return raw
    output = head + separator
    while body:
        size, _, body = body.partition(b"\r\n")
        output += size.lower() + b"\r\n" + body[: int(size, 16) + 2]
        body = body[int(size, 16) + 2 :]
    return output


def requests_session(base, binary):
    """The same kinds of requests as a Python program makes them, redirects followed, cookies kept."""
    session = requests.Session()
    session.headers["User-Agent"] = "test"
    seen = []

    def note(response):
        for step in [*response.history, response]:
            seen.append((step.status_code, step.reason, list(step.raw.headers.items()), step.content))

    note(session.get(base + "/cookies/set?session=1"))
    note(session.get(base + "/absolute-redirect/3"))
    note(session.post(base + "/anything/requests", json={"z": 1, "a": [True, None]}))
    note(session.post(base + "/anything/requests", data={"a": "1", "b": "zwei"}))
    with open(binary, "rb") as file:
        content = file.read()
    # A new boundary every time.
    note(session.post(base + "/post", files={"file": ("x.bin", content)}, data={"k": "v"}))
    note(session.put(base + "/put", data=iter([b"one", b"two"])))
    for coding in ("gzip", "deflate", "brotli"):
        note(session.get(base + "/" + coding))
    note(session.get(base + "/stream/3"))
    note(session.head(base + "/get"))
    note(session.options(base + "/get"))
    note(session.get(base + "/basic-auth/u/p", auth=("u", "p")))
    return seen


def main():
    with folder() as temporary:
        binary = os.path.join(temporary, "binary")
        with open(binary, "wb") as file:
            file.write(bytes(range(256)) * 4)
        cassette = os.path.join(temporary, "httpbin.cassette")

        upstream = Gunicorn()
        tap = Tap(upstream.port)
        with Server("record", cassette, "--upstream", f"http://127.0.0.1:{tap.port}", "--no-default-redaction") as server:
            recorded_port = server.port
            recorded, sent = [], []
            for arguments in REQUESTS:
                recorded.append(curl(server.url, arguments, binary))
                sent.append(tap.take())
            recorded_session = requests_session(server.url, binary)
        upstream.stop()
        tap.listener.close()
        assert os.listdir(temporary) == ["binary", "httpbin.cassette"] or sorted(os.listdir(temporary)) == [
            "binary", "httpbin.cassette"], os.listdir(temporary)

        hop_by_hop = mapped = 0
        with Server("replay", cassette) as server:
            own = f"127.0.0.1:{server.port}".encode()
            before = f"127.0.0.1:{recorded_port}".encode()
            assert len(own) == len(before), "the two ports have different lengths; run again"
            for arguments, then, original in zip(REQUESTS, recorded, sent):
                now = curl(server.url, arguments, binary)
                assert now.replace(own, before) == then, f"{arguments}\nrecorded {then!r}\nreplayed {now!r}"
                name = f"127.0.0.1:{tap.port}".encode()
                if without_hop_by_hop(then) != then or without_hop_by_hop(original) != original:
                    hop_by_hop += 1
                plain = chunks_in_lower_case(without_hop_by_hop(original))
                if plain != without_hop_by_hop(then):
                    assert name in original, f"{arguments}\nsent {original!r}\nseen {then!r}"
                    mapped += 1
                    plain = plain.replace(b"http://" + name, b"http://" + before)
                assert plain == without_hop_by_hop(then), f"{arguments}\nsent {original!r}\nseen {then!r}"
            replayed_session = requests_session(server.url, binary)
        old, new = f":{recorded_port}", f":{server.port}"
        text = repr(replayed_session).replace(new, old)
        assert text == repr(recorded_session), f"\n{recorded_session}\n{replayed_session}"
        passed(f"{len(REQUESTS)} requests with curl: replay equal to recording, byte by byte")
        passed(f"differences from httpbin's own bytes: connection fields in {hop_by_hop}, mapped origins in {mapped}")
        passed(f"{len(recorded_session)} exchanges with requests: equal")


main()

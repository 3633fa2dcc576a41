"""gRPC: a service of all four kinds is recorded, stopped, and replayed; what clients in Python and Go see must be the same.

Unary calls with metadata, also binary, compression and 4 MB; errors with details; deadlines; streams of the server and of the
client; conversations in which both sides take turns; a thousand calls at the same time; a miss; the same over TLS, and by
gRPC-Web in both forms. Then messages are shown by their schema, and secrets are looked for in the file.

Usage: grpc_calls.py
"""

import base64
import concurrent.futures
import http.client
import os
import queue
import shutil
import subprocess
import sys
import threading
import time

from support import HERE, MOCKSERVE, Server, environment, folder, passed

PROTO = """
syntax = "proto3";
package demo;
message Inner { string text = 1; repeated int32 numbers = 2; }
message Note { string text = 1; int32 number = 2; bytes data = 3; Inner inner = 4; }
service Notes {
  rpc Get (Note) returns (Note);
  rpc Fail (Note) returns (Note);
  rpc Slow (Note) returns (Note);
  rpc List (Note) returns (stream Note);
  rpc Add (stream Note) returns (Note);
  rpc Chat (stream Note) returns (stream Note);
}
"""
SECRET = "Tk9vQm9keUtub3dzVGhpczQy"
LARGE = 4_000_000
CALLS = 1000


def compile_proto(place):
    with open(os.path.join(place, "notes.proto"), "w") as file:
        file.write(PROTO)
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", "--python_out=.", "--grpc_python_out=.", "--descriptor_set_out=notes.pb"]
    subprocess.run([*command, "notes.proto"], cwd=place, check=True, timeout=60)
    sys.path.insert(0, place)


def service():
    import grpc
    import notes_pb2 as pb
    import notes_pb2_grpc as rpc
    from google.protobuf import any_pb2
    from google.rpc import code_pb2, error_details_pb2, status_pb2
    from grpc_status import rpc_status

    class Notes(rpc.NotesServicer):
        def Get(self, request, context):
            seen = dict(context.invocation_metadata()).get("x-sent-bin", b"")
            context.send_initial_metadata((("x-first", "early"),))
            context.set_trailing_metadata((("x-count", str(request.number)), ("x-seen-bin", seen + b"\x00\xff")))
            return pb.Note(text="got " + request.text, number=request.number + 1, data=b"d" * request.number, inner=request.inner)

        def Fail(self, request, context):
            detail = any_pb2.Any()
            detail.Pack(error_details_pb2.ErrorInfo(reason="NO_WAY", domain=request.text))
            context.abort_with_status(
                rpc_status.to_status(status_pb2.Status(code=code_pb2.FAILED_PRECONDITION, message="no way, für niemand", details=[detail]))
            )

        def Slow(self, request, context):
            time.sleep(request.number)
            return request

        def List(self, request, context):
            for number in range(request.number):
                yield pb.Note(text=request.text, number=number)

        def Add(self, requests, context):
            return pb.Note(text="sum", number=sum(request.number for request in requests))

        def Chat(self, requests, context):
            for request in requests:
                if request.text == "stop":
                    context.abort(grpc.StatusCode.ABORTED, "stopped")
                yield pb.Note(text="re " + request.text, number=request.number)

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(32), options=[("grpc.max_receive_message_length", -1)])
    rpc.add_NotesServicer_to_server(Notes(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def channel_to(address, authority=None):
    import grpc

    options = [("grpc.max_receive_message_length", -1), ("grpc.enable_retries", 0)]
    if authority is None:
        return grpc.insecure_channel(address, options=options)
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(authority), options=options)


def seen(call):
    """What a client sees of a call, as text."""
    import grpc
    from grpc_status import rpc_status

    try:
        return call()
    except grpc.RpcError as error:
        details = rpc_status.from_call(error)
        info = [bytes(detail.value) for detail in details.details] if details else []
        return error.code().name, error.details(), info


def talk(stub, pb, words, timeout=20):
    """A conversation in turns: what comes back for each word, and how it ends."""
    import grpc

    waiting = queue.Queue()
    call = stub.Chat(iter(waiting.get, None), timeout=timeout)
    heard = []
    try:
        for number, word in enumerate(words):
            waiting.put(pb.Note(text=word, number=number))
            heard.append(next(call).text)
        waiting.put(None)
        heard += [note.text for note in call]
    except grpc.RpcError as error:
        waiting.put(None)
        heard.append((error.code().name, error.details()[:60]))
    return heard


def everything(address, authority=None):
    """All that a client in Python sees."""
    import grpc
    import notes_pb2 as pb
    import notes_pb2_grpc as rpc

    channel = channel_to(address, authority)
    stub = rpc.NotesStub(channel)
    found = {}

    def unary():
        metadata = (("x-sent-bin", b"\x01\x02"), ("authorization", f"Bearer {SECRET}"))
        inner = pb.Inner(text="within", numbers=[1, 300, -1])
        answer, call = stub.Get.with_call(pb.Note(text="a", number=3, inner=inner), timeout=20, metadata=metadata)
        return str(answer), sorted(call.trailing_metadata()), dict(call.initial_metadata()).get("x-first")

    found["unary"] = seen(unary)
    found["a secret in messages"] = seen(lambda: str(stub.Get(pb.Note(text=f"token {SECRET} end", number=1), timeout=20)))
    found["large"] = seen(lambda: len(stub.Get(pb.Note(text="large", number=LARGE), timeout=30).data))
    found["large request"] = seen(lambda: stub.Get(pb.Note(text="x", data=b"y" * LARGE), timeout=30).text)
    found["compressed"] = seen(lambda: stub.Get(pb.Note(text="z" * 500), timeout=20, compression=grpc.Compression.Gzip).text)
    found["error with details"] = seen(lambda: stub.Fail(pb.Note(text="d.example"), timeout=20))
    found["empty message"] = seen(lambda: str(stub.Get(pb.Note(), timeout=20)))
    found["stream of the server"] = seen(lambda: [note.number for note in stub.List(pb.Note(text="l", number=200), timeout=20)])
    found["no messages"] = seen(lambda: [note.number for note in stub.List(pb.Note(text="l"), timeout=20)])
    found["stream of the client"] = seen(lambda: stub.Add(iter([pb.Note(number=n) for n in range(50)]), timeout=20).number)
    found["empty stream of the client"] = seen(lambda: stub.Add(iter([]), timeout=20).number)
    found["conversation"] = talk(stub, pb, ["one", "two", "three"])
    found["conversation that goes another way"] = talk(stub, pb, ["one", "four"])
    found["conversation that the server ends"] = talk(stub, pb, ["one", "stop"])
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        calls = [pool.submit(lambda n=n: stub.Get(pb.Note(text=f"call {n}", number=n % 7), timeout=60).text) for n in range(CALLS)]
        found["calls at the same time"] = [call.result() for call in calls]
    channel.close()
    return found


def differences(one, other):
    return [f"{name}: recorded {str(one[name])[:300]}, replayed {str(other.get(name))[:300]}" for name in one if one[name] != other.get(name)]


def go(program, address):
    return subprocess.run([program, address], capture_output=True, text=True, timeout=60, check=True).stdout


def build_go(place):
    program = os.path.join(place, "grpc_client")
    assert shutil.which("go"), "go is not installed: Debian has it in golang-go"
    outside = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOCACHE": os.path.join(place, "cache")}
    built = subprocess.run(["go", "build", "-o", program, os.path.join(HERE, "grpc_client.go")], env=outside, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, f"Debian's golang-google-grpc-dev is needed: {built.stderr}"
    return program


def web_call(port, body, is_text):
    """A call of gRPC-Web over HTTP/1.1."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    kind = "application/grpc-web-text+proto" if is_text else "application/grpc-web+proto"
    connection.request("POST", "/demo.Notes/Get", base64.b64encode(body) if is_text else body, {"Content-Type": kind, "X-Grpc-Web": "1"})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


class WebService(threading.Thread):
    """Answers calls of gRPC-Web as a proxy for browsers would: the trailers are a message of their own."""

    def __init__(self):
        super().__init__(daemon=True)
        import http.server

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = self.headers["Content-Type"]
                body = base64.b64decode(body) if "text" in kind else body
                trailers = b"grpc-status: 0\r\n"
                pieces = [body, b"\x80" + len(trailers).to_bytes(4, "big") + trailers]
                answer = b"".join(base64.b64encode(piece) if "text" in kind else piece for piece in pieces)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def run(self):
        self.server.serve_forever()


def check_web(place):
    cassette = os.path.join(place, "web.cassette")
    upstream = WebService()
    upstream.start()
    body = b"\x00\x00\x00\x00\x03\x0a\x01a"
    with Server("record", cassette, "--upstream", f"http://127.0.0.1:{upstream.port}", "-q") as recorder:
        recorded = [web_call(recorder.port, body, is_text) for is_text in (False, True)]
    upstream.server.shutdown()
    with Server("replay", cassette, "-q") as replay:
        replayed = [web_call(replay.port, body, is_text) for is_text in (False, True)]
        status, fields, _ = web_call(replay.port, b"\x00\x00\x00\x00\x03\x0a\x01b", False)
    assert [(one[0], one[2]) for one in recorded] == [(one[0], one[2]) for one in replayed], (recorded, replayed)
    assert base64.b64decode(replayed[1][2][:12]) == body, replayed[1]
    assert (status, fields["grpc-status"]) == (200, "12") and "No recorded" in fields["grpc-message"], fields


def check_deadline(address):
    """A client that gives up does no harm to others."""
    import grpc
    import notes_pb2 as pb
    import notes_pb2_grpc as rpc

    with channel_to(address) as channel:
        stub = rpc.NotesStub(channel)
        slow = stub.Slow.future(pb.Note(number=2), timeout=0.3)
        quick = stub.Get(pb.Note(text="beside", number=1), timeout=20).text
        assert slow.exception(timeout=20).code() == grpc.StatusCode.DEADLINE_EXCEEDED, slow
        return quick


def main():
    with folder() as place:
        compile_proto(place)
        import grpc
        import notes_pb2 as pb
        import notes_pb2_grpc as rpc

        program = build_go(place)
        cassette = os.path.join(place, "notes.cassette")
        server, port = service()
        direct = everything(f"127.0.0.1:{port}")
        with Server("record", cassette, "--upstream", f"h2c://127.0.0.1:{port}", "-q") as recorder:
            address = f"127.0.0.1:{recorder.port}"
            recorded = everything(address)
            in_go = go(program, address)
            beside = check_deadline(address)
        assert not differences(direct, recorded), differences(direct, recorded)
        server.stop(None)

        authority = os.path.join(place, "ca.pem")
        with Server("replay", cassette, "--ca-file", authority, "-q") as replay:
            address = f"127.0.0.1:{replay.port}"
            replayed = everything(address)
            # What was said under a secret is not the secret any more.
            recorded["a secret in messages"] = recorded["a secret in messages"].replace(SECRET, "redacted.authorization.c1")
            assert not differences(recorded, replayed), differences(recorded, replayed)
            assert go(program, address) == in_go, (in_go, go(program, address))
            assert check_deadline(address) == beside
        with Server("replay", cassette, "--tls", "--ca-file", authority, "-q") as replay:
            with open(authority, "rb") as file:
                secure = everything(f"127.0.0.1:{replay.port}", file.read())
            assert not differences(recorded, secure), differences(recorded, secure)
        with Server("replay", cassette, "-q") as replay:
            with channel_to(f"127.0.0.1:{replay.port}") as channel:
                stub = rpc.NotesStub(channel)
                code, text, _ = seen(lambda: stub.Get(pb.Note(text="never asked", number=3), timeout=20))
                assert code == "UNIMPLEMENTED" and "No recorded interaction" in text and "h2c://" in text, (code, text)
                turned = talk(stub, pb, ["one", "never said"])
                assert turned[0] == "re one" and turned[1][0] == "UNIMPLEMENTED", turned

        shown = subprocess.run(
            [MOCKSERVE, "cassette", "show", cassette, "--descriptors", os.path.join(place, "notes.pb")],
            capture_output=True, text=True, env=environment(), timeout=60, check=True,
        ).stdout
        for line in ('@   text: "got a"', "@   inner {", "@     numbers: [1, 300, -1]", "# conversation ><><><"):
            assert line in shown, line
        with open(cassette, "rb") as file:
            content = file.read()
        assert SECRET.encode() not in content and base64.b64encode(SECRET.encode())[:-4] not in content
        check_web(place)
    passed(f"{len(recorded)} kinds of calls, {CALLS} of them at the same time, from Python and Go, with and without TLS")


if __name__ == "__main__":
    main()

"""Parts of formats.py: tools that record as servers between the client and the service: mitmproxy and WireMock."""

import glob
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request

from formats_common import of_mockserve, part, round_trip
from formats_python import plainly
from formats_service import STEPS
from support import environment

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
# Tools that cannot be in one environment with the others.
PEERS = os.path.join(ROOT, ".venv-peers", "bin")


class Tool:
    """A server of another tool, which says on its standard output where it listens."""

    def __init__(self, *command, listening, cwd=None):
        self.process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd, env=environment())
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if match := re.search(listening, line):
                self.url = f"http://127.0.0.1:{match.group(1)}"
                break
        else:
            raise AssertionError(f"{command} ended with {self.process.wait()}:\n{''.join(self.said)}")
        # Whatever it says later must not fill the pipe.
        self.reader = threading.Thread(target=lambda: self.said.extend(self.process.stdout), daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        self.reader.join()
        if kind:
            sys.stdout.write("".join(self.said[-40:]))


# MARK: mitmproxy


def mitmdump(*options, mode):
    """With a folder for its configuration that is not the user's: it makes keys there."""
    program = os.path.join(PEERS, "mitmdump")
    assert os.path.exists(program), "run `make test-tools` first"
    return Tool(
        program, "--mode", mode, "--listen-host", "127.0.0.1", "--listen-port", "0", "--set", "connection_strategy=lazy",
        "--set", f"confdir={os.path.join(ROOT, '.venv-peers', 'configuration')}", "--set", "termlog_verbosity=info", "--set", "flow_detail=0", *options,
        listening=r"listening at (?:http://)?127\.0\.0\.1:(\d+)",
    )


# Each recorded flow once and in order, as it was recorded; nothing goes to the service.
PLAYING = ["--set", "server_replay_extra=500", "--set", "server_replay_refresh=false", "--set", "server_replay_use_headers="]


def mitmproxy_client(recording):
    def client(mode, base, file, steps):
        if mode == "plain":
            return plainly("requests", base, steps)
        options = recording(file) if mode == "record" else [*PLAYING, "--server-replay", file]
        with mitmdump(*options, mode=f"reverse:{base}") as proxy:
            return plainly("requests", proxy.url, steps)

    return client


@part
def mitmproxy(place):
    # A HAR holds bodies without their compression.
    lost = {"content-encoding of /gzip", "content-length of /gzip"}
    # Flows are read and not written: mitmproxy plays HAR as well.
    # It does not read what says in a HAR that the body of a request is in Base64.
    options = {"exported_name": "flows.har", "unplayable": {"PUT"}}
    round_trip("mitmproxy", place, "recorded.flows", "har", mitmproxy_client(lambda file: ["-w", file]), STEPS, (), lost, **options)
    round_trip("mitmproxy", place, "recorded.har", "har", mitmproxy_client(lambda file: ["--set", f"hardump={file}"]), STEPS, lost, unplayable={"PUT"})
    of_mockserve("mitmproxy", place, "flows.har", "har", mitmproxy_client(None), STEPS, lost, unplayable={"PUT"})


# MARK: WireMock


def wiremock_server(folder):
    # The wheel has the program, in one file with all that it needs.
    package = os.path.dirname(importlib.util.find_spec("wiremock").origin)
    (jar,) = glob.glob(os.path.join(package, "server", "wiremock-standalone-*.jar"))
    return Tool("java", "-jar", jar, "--port", "0", "--bind-address", "127.0.0.1", "--root-dir", folder, "--disable-gzip", listening=r"^port:\s+(\d+)")


def administer(server, path, document):
    body = json.dumps(document).encode()
    return urllib.request.urlopen(urllib.request.Request(f"{server.url}/__admin/{path}", body, {"Content-Type": "application/json"}), timeout=60).read()


def wiremock_client(settings):
    def client(mode, base, folder, steps):
        if mode == "plain":
            return plainly("requests", base, steps)
        os.makedirs(folder, exist_ok=True)
        with wiremock_server(folder) as server:
            if mode == "record":
                administer(server, "recordings/start", {"targetBaseUrl": base, "persist": True, **settings})
            answers = plainly("requests", server.url, steps)
            if mode == "record":
                administer(server, "recordings/stop", {})
            return answers

    return client


WITHOUT_LATIN = [asked for asked in STEPS if asked["target"] != "/latin"]


@part
def wiremock(place):
    # It takes the compression off before it writes, it takes a text that is in another charset for UTF-8, and says which mapping it was. A mapping
    # knows no origin, so that another one cannot take its place in an answer.
    lost, lost_by_player = {"content-length", "content-encoding", "location of /redirect"}, {"matched-stub-id", "matched-stub-name"}
    round_trip("wiremock", place, "small", "wiremock", wiremock_client({}), WITHOUT_LATIN, lost, lost_by_player)
    # Fields count, and every body is in a file of its own.
    settings = {"captureHeaders": {"Content-Type": {}, "Accept": {"caseInsensitive": True}}, "extractBodyCriteria": {"textSizeThreshold": "0", "binarySizeThreshold": "0"},
                "requestBodyPattern": {"matcher": "equalTo"}}
    # Of a binary body it keeps only what is text in it; that becomes an expression here, which looks at bytes, and not at text.
    round_trip("wiremock", place, "files", "wiremock", wiremock_client(settings), WITHOUT_LATIN, lost, lost_by_player, unplayable=("PUT",))
    of_mockserve("wiremock", place, "recorded", "wiremock", wiremock_client({}), WITHOUT_LATIN, {*lost, *lost_by_player})

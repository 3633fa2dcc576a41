"""Replay opens no outgoing connection: every system call that could is traced while hits and misses are answered."""

import os
import re
import shutil
import subprocess

from support import MOCKSERVE, Server, environment, exchange, folder, passed


def main():
    strace = shutil.which("strace")
    assert strace, "strace is not installed"
    with folder() as temporary:
        cassette = os.path.join(temporary, "a.cassette")
        trace = os.path.join(temporary, "trace")
        subprocess.run(
            [MOCKSERVE, "cassette", "add", cassette, "--request", "GET /here", "--json", "{}", "--upstream", "http://127.0.0.1:9"],
            check=True, env=environment(),
        )
        wrapper = [strace, "-f", "-o", trace, "-e", "trace=socket,connect,sendto,sendmsg,sendmmsg"]
        server = Server("replay", cassette, wrapper=wrapper)
        for path in ("here", "nowhere", "here?miss"):
            answer = exchange(server.port, f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert answer.startswith(b"HTTP/1.1 200" if path == "here" else b"HTTP/1.1 404"), answer
        # strace passes no signal on to what it traces.
        children = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True).stdout.split()
        for child in children:
            os.kill(int(child), 2)
        assert server.process.wait(timeout=30) == 0
        server.process.stdout.close()
        with open(trace) as lines:
            calls = [line for line in lines if re.search(r"\b(socket|connect|send\w+)\(", line)]
    sockets = [call for call in calls if "socket(" in call]
    assert sockets, "the trace shows not even the listening socket, so it proves nothing"
    others = [call for call in calls if "socket(" not in call]
    assert not others, others
    inet = [call for call in sockets if "AF_INET" in call]
    assert len(inet) == 1, inet
    passed("replay made one socket, to listen on, and called connect, sendto and sendmsg never")


main()

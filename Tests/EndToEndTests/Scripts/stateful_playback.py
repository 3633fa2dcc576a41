"""Records a service with state, and replays it to clients that poll another number of times, over several connections: they
still get what was true at that point of the recording."""

import json
import os
import random
import subprocess
import sys
import threading
import urllib.request

from support import HERE, Server, folder, passed

WRITES = [
    ("POST", "/items", {"title": "milk"}),
    ("POST", "/items", {"title": "bread"}),
    ("PUT", "/items/1", {"done": True}),
    ("DELETE", "/items/2", None),
    ("POST", "/items", {"title": "tea"}),
]
READS = ["/items", "/items/1", "/items/2"]


def call(url, method, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url + path, data=data, method=method, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def main():
    service = subprocess.Popen([sys.executable, os.path.join(HERE, "todo_service.py")], stdout=subprocess.PIPE)
    port = int(service.stdout.readline())
    with folder() as temporary:
        cassette = os.path.join(temporary, "todo.cassette")
        # What each path answered in each state, as recorded: every state is polled once.
        truth = []
        with Server("record", cassette, "--upstream", f"http://127.0.0.1:{port}", "--quiet") as server:
            truth.append({path: call(server.url, "GET", path) for path in READS})
            for write in WRITES:
                assert call(server.url, *write)[0] in (200, 201)
                truth.append({path: call(server.url, "GET", path) for path in READS})
        service.kill()
        assert len({truth_["/items"] for truth_ in truth}) == len(truth), "every state looks different"

        generator = random.Random(11)
        asked = 0
        for _ in range(10):
            with Server("replay", cassette, "--quiet") as server:
                for state in range(len(WRITES) + 1):
                    if state > 0:
                        assert call(server.url, *WRITES[state - 1])[0] in (200, 201)
                    wrong = []

                    def poll(paths):
                        for path in paths:
                            if call(server.url, "GET", path) != truth[state][path]:
                                wrong.append(path)

                    # Several connections at once, each polling in an order and a number of its own; sometimes none at all.
                    polls = [[generator.choice(READS) for _ in range(generator.randrange(6))] for _ in range(4)]
                    threads = [threading.Thread(target=poll, args=(paths,)) for paths in polls]
                    for thread in threads:
                        thread.start()
                    for thread in threads:
                        thread.join()
                    asked += sum(map(len, polls))
                    assert not wrong, f"in state {state}: {wrong}"
        # By sequence alone the same client goes wrong: it has polled its way past the writes.
        with Server("replay", cassette, "--quiet", "--playback", "sequence") as server:
            answers = [call(server.url, "GET", "/items") for _ in range(3)]
            assert answers == [truth[0]["/items"], truth[1]["/items"], truth[2]["/items"]], answers
    passed(f"{asked} polls in 10 interleavings, all true to their point of the recording")


main()

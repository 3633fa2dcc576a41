"""Every fault as clients report it: curl, Python's requests, Node's fetch. Each is to see a fault as what it is meant to be.

URLSession is in Tests/MockServeTests/FaultyAnswerTests.swift.

Usage: fault_clients.py
"""

import json
import os
import subprocess

import requests

from support import MOCKSERVE, Server, environment, folder, passed

LENGTH = 1000
# The fault; what curl, requests and fetch say, as a part of their words; what is answered in the end.
FAULTS = (
    ("reset", "(56)", "ConnectionError", "ECONNRESET"),
    ("close", "(18)", "ChunkedEncodingError", "other side closed"),
    ("close after 100", "(18) 100", "ChunkedEncodingError", "other side closed"),
    ("close after 5000", "200 1000", "200 1000", "200 1000"),
    ("stall after 10", "(28)", "ConnectionError: read timed out", "TimeoutError"),
    ("delay 200ms", "200 1000", "200 1000", "200 1000"),
    ("delay 50ms..100ms", "200 1000", "200 1000", "200 1000"),
    ("delay about 50ms", "200 1000", "200 1000", "200 1000"),
    ("status 503 retry-after 7", "503 0 retry-after 7", "503 0 retry-after 7", "503 0 retry-after 7"),
    ("garbage", "(1)", "ConnectionError", "HPE_INVALID_CONSTANT"),
    ("unfinished-chunks", "(18)", "ChunkedEncodingError", "other side closed"),
    ("wrong-length 5", "(18)", "ChunkedEncodingError", "other side closed"),
    ("slow 2000", "200 1000", "200 1000", "200 1000"),
)

NODE = """
const timeout = AbortSignal.timeout(1000);
try {
  const answer = await fetch(process.argv[1], { signal: timeout });
  const body = await answer.text();
  const after = answer.headers.get("retry-after");
  console.log(`${answer.status} ${body.length}` + (after ? ` retry-after ${after}` : ""));
} catch (error) {
  const causes = [];
  for (let cause = error; cause; cause = cause.cause) causes.push(`${cause.name} ${cause.code ?? ""} ${cause.message}`);
  console.log(causes.join(": "));
}
"""


def by_curl(url):
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "1", "-o", "/dev/null", "-w", "%{http_code} %{size_download} %header{retry-after}", url],
        capture_output=True, text=True, timeout=20,
    )
    status, size, after = (done.stdout + "  ").split(" ")[:3]
    if done.returncode:
        return f"({done.returncode}) {size} of the body: {done.stderr.strip()}"
    return f"{status} {size}" + (f" retry-after {after}" if after else "")


def by_requests(url):
    try:
        answer = requests.get(url, timeout=1)
    except requests.RequestException as error:
        text = "read timed out" if "timed out" in str(error).lower() else str(error)[:60]
        return f"{type(error).__name__}: {text}"
    after = answer.headers.get("Retry-After")
    return f"{answer.status_code} {len(answer.content)}" + (f" retry-after {after}" if after else "")


def by_node(url):
    done = subprocess.run(["node", "--input-type=module", "-e", NODE, url], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def main():
    rows, wrong = [], []
    with folder() as place:
        cassette = os.path.join(place, "a.cassette")
        command = [MOCKSERVE, "cassette", "add", cassette, "--request", "GET /x", "--text", "x" * LENGTH]
        subprocess.run(command, check=True, env=environment())
        journal = os.path.join(place, "journal.jsonl")
        for fault, *expected in FAULTS:
            with Server("replay", cassette, "-q", "--fault", f"GET /x: {fault}", "--playback", "cycle", "--journal", journal, "--stop-deadline", "0") as server:
                seen = [ask(f"{server.url}/x") for ask in (by_curl, by_requests, by_node)]
            rows.append((fault, *seen))
            wrong += [f"{fault}: {text!r} is not {part!r}" for part, text in zip(expected, seen) if part not in text]
        with open(journal) as file:
            remarks = [json.loads(line).get("remark", "") for line in file]
        assert len(remarks) == 3 * len(FAULTS) and all(remark.startswith("fault: ") for remark in remarks), remarks
    for row in [("fault", "curl", "requests", "fetch"), *rows]:
        print("| " + " | ".join(text.replace("|", "\\|")[:70] for text in row) + " |")
    assert not wrong, "\n".join(wrong)
    passed(f"{len(rows)} faults are what curl, requests and fetch say, and the journal names them")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Counts the instructions that one replayed request takes and compares them with Benchmarks/instructions.json: `make guard`.

Instructions, unlike seconds, are the same on a busy machine. They are counted by `valgrind --tool=callgrind` in a program that
answers requests with the code of the server, but without sockets. What one request takes is the difference between many
requests and few, so that starting does not count.

When a change makes a request cheaper, or is worth what it costs: `make guard GUARD=--update`, and commit the file."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / ".build-release" / "release" / "mockserve-bench"
FIGURES = ROOT / "Benchmarks" / "instructions.json"
# How many per cent more than written down is too much. Processors differ a little: valgrind shows programs what the host has,
# and the C library chooses its functions by that.
TOLERANCE = 10
FEW, MANY = 1000, 3000
# Name, options of `mockserve-bench requests`, interactions in the cassette.
KINDS = [
    ("the same request again", [], 100),
    ("a request that is read anew", ["--distinct"], 100),
    ("an answer that is read from the cassette", [], MANY),
    ("a POST with 1 KB of JSON", ["--post"], 100),
]


def instructions(program, arguments, count, folder):
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, "requests", *arguments]
    environment = {**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1"}
    done = subprocess.run([*command, "--count", str(count)], capture_output=True, text=True, env=environment)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"guard: {' '.join(map(str, command))} failed:\n{done.stderr}")
    return int(found[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--update", action="store_true", help="write down what was counted")
    options = parser.parse_args()
    written = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    counted, exceeded = {}, []
    with tempfile.TemporaryDirectory() as folder:
        # Valgrind cannot read the debug information that Swift writes.
        program = f"{folder}/mockserve-bench"
        subprocess.run(["strip", "--strip-debug", "-o", program, BENCH], check=True)
        for kind, flags, interactions in KINDS:
            size = ["--interactions", str(interactions)]
            made = [flag for flag in flags if flag == "--post"]
            cassette = f"{folder}/{interactions}{''.join(made)}.cassette"
            if not pathlib.Path(cassette).exists():
                subprocess.run([BENCH, "generate", cassette, *size, *made], check=True, stderr=subprocess.DEVNULL)
            arguments = [cassette, *size, *flags]
            many, few = (instructions(program, arguments, count, folder) for count in (MANY, FEW))
            counted[kind] = (many - few) // (MANY - FEW)
            limit = written.get(kind)
            change = f"{100 * counted[kind] / limit - 100:+.1f} %" if limit else "new"
            print(f"{kind}: {counted[kind]:,} instructions, {limit or 0:,} written down ({change})")
            if not options.update and (limit is None or counted[kind] > limit * (1 + TOLERANCE / 100)):
                exceeded.append(kind)
    if options.update:
        FIGURES.write_text(json.dumps(counted, indent=2) + "\n")
        print(f"written to {FIGURES.relative_to(ROOT)}")
    if exceeded:
        sys.exit(
            f"guard: more than {TOLERANCE} % above what is written down: {', '.join(exceeded)}.\n"
            "Find out why with `valgrind --tool=callgrind` and `callgrind_annotate`. If it is worth it: make guard GUARD=--update"
        )


if __name__ == "__main__":
    main()

"""Recordings of other tools: each is recorded by the tool itself, imported, replayed, exported, and played by the tool again.

Usage: formats.py [--keep FOLDER] [--only-recording] [PART ...]

Without a part, all of them run. `--keep` copies what the tools recorded and what was exported, `--only-recording` stops where mockserve would begin.
"""

import argparse
import sys
import time

import formats_browser
import formats_languages
import formats_python
import formats_servers
from formats_common import FAILED, KEEP, PARTS, attempt
from support import folder, passed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep")
    parser.add_argument("--only-recording", action="store_true")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    options = parser.parse_args()
    KEEP.update(folder=options.keep, only_recording=options.only_recording)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name, function in PARTS.items():
        if options.parts and name not in options.parts:
            continue
        started = time.monotonic()
        print(name, flush=True)
        with folder() as place:
            attempt(name, function, place)
        print(f"{time.monotonic() - started:6.2f} s  {name}", flush=True)
    if FAILED:
        sys.exit("failed:\n    " + "\n    ".join(FAILED))
    passed("recordings of other tools are imported, replayed, exported, and played by the tool that made them")


if __name__ == "__main__":
    main()

"""A client that shows an answer as it comes: server-sent events, a word at a time, as language models send them.

Prints each word with the tenths of a second after which it came. Usage: mockserve run chat.cassette python3 chat.py
"""

import json
import os
import time
import urllib.request

started = time.monotonic()
with urllib.request.urlopen(os.environ["MOCKSERVE_URL"] + "/events?count=5") as answer:
    for line in answer:
        if line.startswith(b"data: {"):
            print(f"{10 * (time.monotonic() - started):.0f}", json.loads(line[6:])["word"], flush=True)

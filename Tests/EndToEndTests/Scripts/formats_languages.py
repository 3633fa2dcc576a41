"""Parts of formats.py: VCR (Ruby), go-vcr (Go) and nock (Node), each with a client in its language.

All of them are Debian's packages. Polly.JS is not among those, and is left out.
"""

import os
import subprocess

from formats_common import of_mockserve, part, program, round_trip
from formats_service import STEPS, TEXT_STEPS
from support import HERE, environment


def script(*command, **variables):
    """A client that is a program of its own. It gets the mode, the URL, the file, and what may follow."""
    return lambda *more: lambda mode, base, file, steps: program(*command, mode, base, file or "-", *more, steps=steps, **variables)


@part
def ruby_vcr(place):
    # It writes only the last of two query parameters of a name.
    steps, texts = ([step for step in steps if step["target"] != "/search?a=1&a=3"] for steps in (STEPS, TEXT_STEPS))
    client = script("ruby", os.path.join(HERE, "formats_vcr.rb"))
    round_trip("vcr", place, "plain.yml", "vcr", client("yaml", "plain"), steps)
    round_trip("vcr", place, "exact.yml", "vcr", client("yaml", "exact"), steps)
    round_trip("vcr", place, "plain.json", "vcr", client("json", "plain"), texts)
    round_trip("vcr", place, "exact.json", "vcr", client("json", "exact"), steps)
    # VCR looks for the URL as WebMock writes it, with sorted parameters; ours is the one that was sent.
    sent = [step for step in steps if not step["target"].startswith("/search")]
    of_mockserve("vcr", place, "cassette.yml", "vcr", client("yaml", "plain"), sent)


@part
def go_vcr(place):
    built = os.path.join(place, "formats_govcr")
    # The library is Debian's, which is made to be used so.
    where = {"GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": os.path.join(place, "cache")}
    subprocess.run(["go", "build", "-o", built, os.path.join(HERE, "formats_govcr.go")], check=True, env={**environment(), **where}, timeout=300)
    # Its version 1 plays no file of the later ones.
    round_trip("go-vcr", place, "fixture.yaml", "go-vcr-1", script(built)(), STEPS)
    of_mockserve("go-vcr", place, "fixture.yaml", "go-vcr-1", script(built)())


@part
def nock(place):
    # Debian's library, with any Node.
    client = script("node", os.path.join(HERE, "formats_nock.js"), NODE_PATH="/usr/share/nodejs")
    # nock keeps what JSON says, so the length is another one.
    round_trip("nock", place, "fixture.json", "nock", client(), STEPS, lost={"content-length"}, by_value=True)
    of_mockserve("nock", place, "fixture.json", "nock", client(), lost={"content-length"}, by_value=True)

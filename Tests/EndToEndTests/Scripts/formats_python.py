"""Parts of formats.py: vcrpy and betamax."""

import os

import httpx
import requests
import vcr
from betamax import Betamax
from formats_common import content, of_mockserve, part, round_trip, seen
from formats_service import STEPS, TEXT_STEPS


def ask_with_requests(session, base, steps):
    answers = []
    for asked in steps:
        # What requests would add of itself is left out, so that a field is sent as the step has it.
        answer = session.request(asked["method"], base + asked["target"], headers=asked["fields"], data=content(asked), allow_redirects=False, timeout=30)
        session.cookies.clear()
        raw = answer.raw.headers
        names = dict.fromkeys(name.lower() for name in raw.keys())
        answers.append(seen(answer.status_code, [(name, value) for name in names for value in raw.getlist(name)], answer.content))
    return answers


def ask_with_httpx(client, base, steps):
    answers = []
    for asked in steps:
        answer = client.request(asked["method"], base + asked["target"], headers=asked["fields"], content=content(asked))
        client.cookies.clear()
        answers.append(seen(answer.status_code, answer.headers.multi_items(), answer.content))
    return answers


def plainly(library, base, steps):
    if library == "httpx":
        with httpx.Client(trust_env=False) as client:
            return ask_with_httpx(client, base, steps)
    with requests.Session() as session:
        session.trust_env = False
        return ask_with_requests(session, base, steps)


def vcrpy_client(library, serializer):
    def client(mode, base, file, steps):
        if mode == "plain":
            return plainly(library, base, steps)
        # No body is null if requests asked, and an empty string if httpx did.
        matching = ["method", "uri"] if library == "httpx" else ["method", "uri", "body"]
        recorder = vcr.VCR(serializer=serializer, record_mode="once" if mode == "record" else "none", match_on=matching)
        with recorder.use_cassette(file) as cassette:
            answers = plainly(library, base, steps)
        assert mode == "record" or cassette.all_played, "some of what was recorded was not played"
        return answers

    return client


@part
def vcrpy(place):
    # It takes the compression off before it writes, and leaves the fields.
    lost = {"content-encoding of /gzip", "content-length of /gzip"}
    for library in ("requests", "httpx"):
        for serializer, steps in (("yaml", STEPS), ("json", TEXT_STEPS)):
            round_trip("vcrpy", place, f"{library}.{serializer}", "vcrpy", vcrpy_client(library, serializer), steps, lost)
    of_mockserve("vcrpy", place, "requests.yaml", "vcrpy", vcrpy_client("requests", "yaml"))


def betamax_client(options):
    def client(mode, base, file, steps):
        with requests.Session() as session:
            session.trust_env = False
            if mode == "plain":
                return ask_with_requests(session, base, steps)
            recorder = Betamax(session, cassette_library_dir=os.path.dirname(file))
            name = os.path.basename(file).removesuffix(".json")
            with recorder.use_cassette(name, record="once" if mode == "record" else "none", match_requests_on=["method", "uri", "body"], **options):
                return ask_with_requests(session, base, steps)

    return client


@part
def betamax(place):
    # With this version of urllib3, betamax fails at a HEAD whose answer has a length.
    bodies, texts = ([asked for asked in steps if asked["method"] != "HEAD"] for steps in (STEPS, TEXT_STEPS))
    round_trip("betamax", place, "plain.json", "betamax", betamax_client({}), texts)
    round_trip("betamax", place, "exact.json", "betamax", betamax_client({"preserve_exact_body_bytes": True}), bodies)
    of_mockserve("betamax", place, "cassette.json", "betamax", betamax_client({}), bodies)

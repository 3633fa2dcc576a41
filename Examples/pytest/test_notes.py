"""Tests of a client with state: each has a server, and a cassette, of its own. They pass offline, in any order, in parallel, and alone."""

import hashlib
import json
import random
import uuid

import pytest
import requests

pytestmark = pytest.mark.mockserve("notes", upstream="http://127.0.0.1:8000")


def test_who_is_not_logged_in_is_told_so(anonymous):
    answer = anonymous.get("/me")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {"title": "Log in first."}


def test_logging_in_begins_a_session(ada):
    assert ada.get("/me").json() == {"user": "ada"}


def test_a_wrong_password_is_refused(anonymous):
    assert anonymous.post("/login", json={"user": "ada", "password": "guess"}).status_code == 401
    assert anonymous.get("/me").status_code == 401


def test_a_second_attempt_succeeds(anonymous):
    assert anonymous.post("/login", json={"user": "eve", "password": "?"}).status_code == 401
    assert anonymous.post("/login", json={"user": "grace", "password": "nanosecond-1952"}).status_code == 200
    assert anonymous.get("/me").json() == {"user": "grace"}


def test_logging_out_ends_the_session(ada):
    assert ada.post("/logout").status_code == 204
    assert "session" not in ada.session.cookies
    assert ada.get("/me").status_code == 401


def test_two_users_have_sessions_of_their_own(ada, grace):
    assert [ada.get("/me").json()["user"], grace.get("/me").json()["user"]] == ["ada", "grace"]
    assert ada.session.cookies["session"] != grace.session.cookies["session"]


def test_without_the_csrf_token_nothing_is_changed(ada):
    del ada.session.headers["X-CSRF-Token"]
    assert ada.post("/notes", json={"text": "forged"}).status_code == 403


def test_a_wrong_csrf_token_is_refused(ada, grace):
    grace.session.headers["X-CSRF-Token"] = ada.session.headers["X-CSRF-Token"]
    assert grace.post("/notes", json={"text": "stolen"}).status_code == 403


def test_a_note_gets_its_id_from_the_service(ada):
    answer = ada.post("/notes", json={"text": "buy milk"})
    assert answer.status_code == 201
    note = answer.json()
    assert uuid.UUID(note["id"]) and note["version"] == 1 and note["author"] == "ada"
    assert answer.headers["Location"].endswith(f"/notes/{note['id']}")


def test_the_location_leads_to_the_note(ada):
    location = ada.post("/notes", json={"text": "follow me"}).headers["Location"]
    assert location.startswith(ada.url)
    assert ada.get(location).json()["text"] == "follow me"


def test_each_note_has_an_id_of_its_own(ada):
    ids = [ada.add("the same text")["id"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert [ada.get(f"/notes/{number}").json()["id"] for number in reversed(ids)] == ids[::-1]


def test_a_note_is_changed(ada):
    number = ada.add("first")["id"]
    assert ada.get(f"/notes/{number}").json()["text"] == "first"
    assert ada.put(f"/notes/{number}", json={"text": "second"}).json()["version"] == 2
    assert ada.get(f"/notes/{number}").json()["text"] == "second"


def test_a_deleted_note_is_gone(ada):
    number = ada.add("short-lived")["id"]
    assert ada.get(f"/notes/{number}").status_code == 200
    assert ada.delete(f"/notes/{number}").status_code == 204
    assert ada.get(f"/notes/{number}").status_code == 404


def test_an_unchanged_note_is_not_sent_again(ada):
    number = ada.add("cached")["id"]
    tag = ada.get(f"/notes/{number}").headers["ETag"]
    answer = ada.get(f"/notes/{number}", headers={"If-None-Match": tag})
    assert answer.status_code == 304 and not answer.content


def test_a_changed_note_is_sent_again(ada):
    number = ada.add("cached")["id"]
    tag = ada.get(f"/notes/{number}").headers["ETag"]
    ada.put(f"/notes/{number}", json={"text": "changed"})
    answer = ada.get(f"/notes/{number}", headers={"If-None-Match": tag})
    assert answer.status_code == 200 and answer.json()["text"] == "changed"


def test_a_lost_update_is_noticed(ada, grace):
    number = ada.add("contended")["id"]
    tag = grace.get(f"/notes/{number}").headers["ETag"]
    assert ada.put(f"/notes/{number}", json={"text": "ada was here"}, headers={"If-Match": tag}).status_code == 200
    assert grace.put(f"/notes/{number}", json={"text": "grace, too"}, headers={"If-Match": tag}).status_code == 412


def test_pages_are_followed(ada):
    ids = [ada.add(f"note {number}")["id"] for number in range(7)]
    answer, seen = ada.get("/notes", params={"author": "ada"}), []
    while True:
        assert len(answer.json()) <= 5
        seen += [note["id"] for note in answer.json()]
        if "next" not in answer.links:
            break
        answer = ada.get(answer.links["next"]["url"])
    assert seen[-7:] == ids


def test_pages_lead_back(ada):
    for number in range(6):
        ada.add(f"note {number}")
    first = ada.get("/notes", params={"author": "ada"})
    second = ada.get(first.links["next"]["url"])
    assert ada.get(second.links["prev"]["url"]).json() == first.json()


def test_a_file_is_uploaded_and_downloaded(ada):
    content = random.Random(1).randbytes(50_000)
    answer = ada.post("/files", files={"file": ("noise.bin", content, "application/octet-stream")})
    assert answer.status_code == 201 and answer.json()["size"] == 50_000
    assert answer.json()["sha256"] == hashlib.sha256(content).hexdigest()
    assert ada.get(answer.headers["Location"]).content == content


def test_events_come_one_by_one(anonymous):
    answer = anonymous.get("/events", params={"count": 3}, stream=True)
    lines = [line for line in answer.iter_lines() if line.startswith(b"data: ")]
    assert [json.loads(line[6:])["word"] for line in lines[:-1]] == ["word 0", "word 1", "word 2"]
    assert lines[-1] == b"data: [DONE]"


def test_a_counter_goes_on(anonymous):
    first, second, third = (anonymous.get("/visits").json()["count"] for _ in range(3))
    assert second == first + 1 and third == first + 2


def test_a_key_that_is_made_up_anew_does_not_count(ada):
    answer = ada.post("/notes", json={"text": "once"}, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.json()["text"] == "once"


@pytest.mark.mockserve(options=["--ignore=json:$.sent_at"])
def test_a_number_that_is_made_up_anew_is_left_out_by_a_rule(ada):
    answer = ada.post("/notes", json={"text": "now", "sent_at": random.random()})
    assert answer.json()["text"] == "now"


@pytest.mark.parametrize("user", ["ada", "grace", "nobody"])
def test_every_user_is_known_or_not(anonymous, user):
    passwords = {"ada": "enchantress-1843", "grace": "nanosecond-1952"}
    answer = anonymous.post("/login", json={"user": user, "password": passwords.get(user, "")})
    assert answer.status_code == (401 if user == "nobody" else 200)


def test_a_busy_service_is_asked_again(mockserve):
    mockserve.fault("GET /visits: status 503 retry-after 1 times 2")
    statuses = [requests.get(f"{mockserve.url}/visits").status_code for _ in range(3)]
    assert statuses == [503, 503, 200]

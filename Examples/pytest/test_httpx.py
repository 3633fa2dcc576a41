"""The same with httpx."""

import httpx
import pytest


@pytest.mark.mockserve("notes", upstream="http://127.0.0.1:8000")
def test_a_note_is_read(mockserve):
    with httpx.Client(base_url=mockserve.url, timeout=20) as client:
        csrf = client.post("/login", json={"user": "ada", "password": "enchantress-1843"}).json()["csrf_token"]
        answer = client.post("/notes", json={"text": "by httpx"}, headers={"X-CSRF-Token": csrf})
        assert client.get(answer.headers["Location"]).json()["text"] == "by httpx"
    assert [request["outcome"] for request in mockserve.requests] in (["replayed"] * 3, ["recorded"] * 3)

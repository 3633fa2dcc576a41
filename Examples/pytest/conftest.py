import pytest
import requests


class Notes:
    """A client of the service, as an application would have it."""

    def __init__(self, url, user=None, password=None):
        self.url = url
        self.session = requests.Session()
        if user:
            answer = self.post("/login", json={"user": user, "password": password})
            answer.raise_for_status()
            self.session.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    def __getattr__(self, method):
        return lambda path, **options: self.session.request(method, self.url + path if path[0] == "/" else path, timeout=20, **options)

    def add(self, text):
        answer = self.post("/notes", json={"text": text})
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def anonymous(mockserve):
    return Notes(mockserve.url)


@pytest.fixture
def ada(mockserve):
    return Notes(mockserve.url, "ada", "enchantress-1843")


@pytest.fixture
def grace(mockserve):
    return Notes(mockserve.url, "grace", "nanosecond-1952")

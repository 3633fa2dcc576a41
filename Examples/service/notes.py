"""The service that the examples were recorded from: notes of users who log in. Run it with

    flask --app notes run --port 8000
"""

import hashlib
import itertools
import json
import secrets
import time
import uuid

from flask import Flask, Response, jsonify, request

app = Flask(__name__)
PASSWORDS = {"ada": "enchantress-1843", "grace": "nanosecond-1952"}
PAGE = 5
sessions, notes, files = {}, {}, {}


def problem(status, title):
    return jsonify(title=title), status, {"Content-Type": "application/problem+json"}


def session():
    return sessions.get(request.cookies.get("session"))


def refusal():
    """Why this request may not change anything; None if it may."""
    if not session():
        return problem(401, "Log in first.")
    if request.headers.get("X-CSRF-Token") != session()["csrf"]:
        return problem(403, "The X-CSRF-Token is not that of the session.")
    return None


def shown(note):
    return {key: note[key] for key in ("id", "author", "text", "version")}


def tagged(note, status=200, **fields):
    return jsonify(shown(note)), status, {"ETag": f'"{note["version"]}"', **fields}


@app.post("/login")
def login():
    given = request.get_json()
    if PASSWORDS.get(given.get("user")) != given.get("password"):
        return problem(401, "Wrong user or password.")
    number, csrf = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    sessions[number] = {"user": given["user"], "csrf": csrf}
    answer = jsonify(user=given["user"], csrf_token=csrf)
    answer.set_cookie("session", number, httponly=True, samesite="Lax")
    return answer


@app.post("/logout")
def logout():
    sessions.pop(request.cookies.get("session"), None)
    answer = Response(status=204)
    answer.delete_cookie("session")
    return answer


@app.get("/me")
def me():
    return jsonify(user=session()["user"]) if session() else problem(401, "Log in first.")


@app.get("/notes")
def list_notes():
    page = request.args.get("page", 1, int)
    own = [shown(note) for note in notes.values() if note["author"] == request.args.get("author", note["author"])]
    links = []
    for name, number in (("prev", page - 1), ("next", page + 1)):
        if 0 < number <= max(1, -(-len(own) // PAGE)):
            query = "&".join(f"{key}={value}" for key, value in {**request.args, "page": number}.items())
            links.append(f'<{request.host_url}notes?{query}>; rel="{name}"')
    return jsonify(own[(page - 1) * PAGE : page * PAGE]), 200, {"Link": ", ".join(links)} if links else {}


@app.post("/notes")
def add_note():
    if refused := refusal():
        return refused
    note = {"id": str(uuid.uuid4()), "author": session()["user"], "text": request.get_json()["text"], "version": 1}
    notes[note["id"]] = note
    return tagged(note, 201, Location=f"{request.host_url}notes/{note['id']}")


@app.route("/notes/<number>", methods=["GET", "PUT", "DELETE"])
def one_note(number):
    if number not in notes:
        return problem(404, "There is no such note.")
    note = notes[number]
    if request.method == "GET":
        if request.headers.get("If-None-Match") == f'"{note["version"]}"':
            return Response(status=304, headers={"ETag": f'"{note["version"]}"'})
        return tagged(note)
    if refused := refusal():
        return refused
    if request.headers.get("If-Match", f'"{note["version"]}"') != f'"{note["version"]}"':
        return problem(412, "The note has changed.")
    if request.method == "DELETE":
        del notes[number]
        return Response(status=204)
    note.update(text=request.get_json()["text"], version=note["version"] + 1)
    return tagged(note)


@app.post("/files")
def upload():
    if refused := refusal():
        return refused
    given = request.files["file"]
    content = given.read()
    number = str(len(files) + 1)
    files[number] = (given.mimetype, content)
    digest = hashlib.sha256(content).hexdigest()
    return jsonify(id=number, name=given.filename, size=len(content), sha256=digest), 201, {"Location": f"/files/{number}"}


@app.get("/files/<number>")
def download(number):
    kind, content = files[number]
    return Response(content, content_type=kind)


@app.get("/events")
def events():
    """As language models answer: a word at a time."""
    count = request.args.get("count", 5, int)

    def words():
        for number in range(count):
            yield f"id: {number}\ndata: {json.dumps({'word': f'word {number}'})}\n\n"
            time.sleep(0.1)
        yield "data: [DONE]\n\n"

    return Response(words(), content_type="text/event-stream")


visits = itertools.count(1)


@app.get("/visits")
def count_visit():
    return jsonify(count=next(visits))

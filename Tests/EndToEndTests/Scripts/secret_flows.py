"""Flows in which secrets travel: recorded against real programs, replayed offline with other credentials, and nothing of them on the disk.

Usage: secret_flows.py [NAME ...]   runs all flows, or those whose names begin so.

OAuth with an authorization code and with client credentials (by authlib), OpenID (by PyJWT), a session with a CSRF form, temporary
credentials of AWS (boto3 and moto), listings with fourteen kinds of cursors, a login that fails and then succeeds, an API that echoes what it
gets, and two users in one cassette. Every flow is a program that gets a URL and returns what it saw; it must see the same from the replay,
while the upstream is stopped.
"""

import base64
import hashlib
import html.parser
import json
import os
import random
import re
import secrets
import sys
import threading
import time
import traceback
import urllib.parse

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import flask
import jwt
import requests
from authlib.integrations.requests_client import OAuth2Session
from cryptography.hazmat.primitives.asymmetric import rsa
from ordinary_traffic import start_moto
from support import Server, folder, passed
from werkzeug.serving import WSGIRequestHandler, make_server

ISSUED = []  # Every secret of the upstream and of the clients that record.
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RUN = {"recording": True}


def issue(size=24, prefix=""):
    value = prefix + secrets.token_urlsafe(size)
    ISSUED.append(value)
    return value


def credential(size=18):
    """What a client makes for itself: another one in every run."""
    return issue(size) if RUN["recording"] else secrets.token_urlsafe(size)


# MARK: The upstream

app = flask.Flask("upstream")
codes, access, refreshable, sessions, passwords, paths = {}, {}, {}, {}, {}, {}


def refuse(status=401, error="invalid_token"):
    return {"error": error}, status


def grant(user, scope="read"):
    token, refresh = issue(), issue()
    access[token], refreshable[refresh] = user, user
    return {"access_token": token, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600, "scope": scope}


@app.get("/oauth/authorize")
def authorize():
    asked = flask.request.args
    code = issue()
    codes[code] = asked.get("code_challenge"), asked["client_id"]
    return flask.redirect(asked["redirect_uri"] + "?" + urllib.parse.urlencode({"code": code, "state": asked["state"]}))


@app.post("/oauth/token")
def token():
    form, login = flask.request.form, flask.request.authorization
    client = login.username if login else form.get("client_id")
    if client != "web" and not (login and login.password or form.get("client_secret")):
        return refuse(401, "invalid_client")
    kind = form["grant_type"]
    if kind == "authorization_code":
        challenge, owner = codes.pop(form["code"], (None, None))
        digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if owner != client or digest != challenge:
            return refuse(400, "invalid_grant")
        answer = grant("anna", "openid read")
        now = int(time.time())
        person = f"{secrets.token_hex(8)}@people.example"
        claims = {"iss": "https://id.example", "aud": client, "iat": now, "nbf": now, "exp": now + 3600, "auth_time": now, "scope": "openid read",
                  "sub": issue(15), "email": person, "name": "Anna " + secrets.token_hex(7), "email_verified": True}
        ISSUED.extend([person, claims["name"][5:]])
        answer["id_token"] = jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "key-1"})
        ISSUED.append(answer["id_token"].rsplit(".", 1)[1])
        return answer
    if kind == "refresh_token":
        return grant(refreshable.pop(form["refresh_token"])) if form["refresh_token"] in refreshable else refuse(400, "invalid_grant")
    return grant(client)


@app.get("/api/orders")
def orders():
    user = access.get((flask.request.headers.get("Authorization") or "").removeprefix("Bearer "))
    return {"user": user, "orders": [{"id": number, "total": number * 9.5, "state": "open"} for number in range(3)]} if user else refuse()


@app.get("/login")
def login_page():
    number = issue()
    sessions[number] = {"csrf": issue()}
    page = flask.make_response(f"""<!DOCTYPE html><html><head><meta name="csrf-token" content="{sessions[number]['csrf']}"></head><body>
<form action="/login" method="post"><input type="hidden" name="csrf_token" value="{sessions[number]['csrf']}">
<input name="username"><input type="password" name="password"></form></body></html>""")
    page.set_cookie("session", number, httponly=True)
    return page


@app.post("/login")
def login():
    session = sessions.pop(flask.request.cookies.get("session"), None)
    if not session or flask.request.form.get("csrf_token") != session["csrf"]:
        return refuse(403, "csrf")
    if len(flask.request.form["password"]) < 12:
        return refuse(403, "password")
    number = issue()
    sessions[number] = {"user": flask.request.form["username"]}
    answer = flask.redirect("/private")
    answer.set_cookie("session", number, httponly=True)
    return answer


@app.get("/private")
def private():
    session = sessions.get(flask.request.cookies.get("session"), {})
    return f"<html><p>Welcome, {session['user']}.</p></html>" if "user" in session else (flask.redirect("/login"))


@app.post("/json-login")
def json_login():
    value = flask.request.json
    if passwords.get(value["user"]) != value["password"]:
        return refuse(401, "wrong password")
    number, bearer, path = issue(), issue(), issue()
    sessions[number] = access[bearer] = paths[path] = value["user"]
    sessions[number] = {"user": value["user"]}
    answer = flask.jsonify({"user": value["user"], "access_token": bearer, "private_token": path, "expires_in": 3600})
    answer.set_cookie("sid", number)
    return answer


def owner(path=None):
    if path:
        return paths.get(path)
    bearer = (flask.request.headers.get("Authorization") or "").removeprefix("Bearer ")
    return access.get(bearer) or sessions.get(flask.request.cookies.get("sid"), {}).get("user")


@app.get("/me", defaults={"path": None})
@app.get("/u/<path>/me")
def me(path):
    user = owner(path)
    return {"user": user, "mail": f"{user}@shop.example", "theme": "dark"} if user else refuse()


@app.get("/items", defaults={"path": None})
@app.get("/u/<path>/items")
def items_of(path):
    user = owner(path)
    return {"items": [f"{user}-{number}" for number in range(4)]} if user else refuse()


@app.route("/anything", methods=["GET", "POST"])
def anything():
    request = flask.request
    return {"method": request.method, "url": request.url, "args": request.args.to_dict(), "headers": dict(request.headers), "form": request.form.to_dict(),
            "data": request.get_data(as_text=True) if not request.form else "", "json": request.get_json(silent=True), "cookies": dict(request.cookies)}


# Listings: 23 items in pages of 5. The cursors of the opaque kinds are made anew for every upstream.
ITEMS = [{"id": f"item-{number:02}", "name": f"Item number {number}", "key": f"shelf/{number}", "hash": hashlib.sha256(b"%d" % number).hexdigest()} for number in range(23)]
OPAQUE = {start: base64.b64encode(json.dumps({"at": start, "salt": secrets.token_hex(9)}).encode()).decode() for start in range(0, 30, 5)}
STARTS = {value: start for start, value in OPAQUE.items()}


def page(start):
    start = int(start or 0)
    return ITEMS[start:start + 5], start + 5 if start + 5 < len(ITEMS) else None


def link(path, **query):
    return flask.request.host_url.rstrip("/") + path + "?" + urllib.parse.urlencode(query)


@app.route("/list/<style>", methods=["GET", "POST"])
def listing(style):
    if not flask.request.headers.get("X-API-Key"):
        return refuse()
    args, value = flask.request.args, flask.request.get_json(silent=True) or {}
    path = flask.request.path

    def opaque(text):
        return STARTS[text] if text else 0

    if style == "page":
        found, after = page((int(args.get("page", 1)) - 1) * 5)
        return {"page": int(args.get("page", 1)), "pages": 5, "total": 23, "items": found}
    if style == "offset":
        found, after = page(args.get("offset", 0))
        return {"offset": int(args.get("offset", 0)), "limit": 5, "total": 23, "items": found}
    if style == "next_page_token":
        found, after = page(opaque(args.get("page_token")))
        return {"items": found, "next_page_token": OPAQUE[after] if after else ""}
    if style == "cursor":
        found, after = page(opaque(args.get("cursor")))
        return {"items": found, "response_metadata": {"next_cursor": OPAQUE[after] if after else ""}}
    if style == "link":
        found, after = page(args.get("start", 0))
        answer = flask.jsonify(found)
        if after:
            answer.headers["Link"] = f'<{link(path, start=after, per_page=5)}>; rel="next", <{link(path, start=20)}>; rel="last"'
        return answer
    if style == "after":
        at = next((number + 1 for number, item in enumerate(ITEMS) if item["id"] == args.get("after")), 0)
        found, after = page(at)
        return {"data": found, "has_more": bool(after), "last_id": found[-1]["id"]}
    if style == "continuation-token":
        found, after = page(opaque(args.get("continuation-token")))
        text = "".join(f"<Contents><Key>{item['key']}</Key><ETag>&quot;{item['hash'][:32]}&quot;</ETag></Contents>" for item in found)
        more = f"<NextContinuationToken>{OPAQUE[after]}</NextContinuationToken>" if after else ""
        return flask.Response(f'<?xml version="1.0"?><ListBucketResult><IsTruncated>{str(bool(after)).lower()}</IsTruncated>{more}{text}</ListBucketResult>', mimetype="application/xml")
    if style == "x-next-page":
        found, after = page((int(args.get("page", 1)) - 1) * 5)
        answer = flask.jsonify(found)
        answer.headers["X-Next-Page"] = str(int(args.get("page", 1)) + 1) if after else ""
        answer.headers["X-Total"] = "23"
        return answer
    if style == "nextLink":
        found, after = page(opaque(args.get("$skiptoken")))
        return {"value": found, **({"nextLink": link(path, **{"api-version": "2024-01-01", "$skiptoken": OPAQUE[after]})} if after else {})}
    if style == "pageToken":
        found, after = page(opaque(args.get("pageToken")))
        return {"kind": "list", "items": found, "etag": hashlib.md5(json.dumps(found).encode()).hexdigest(), **({"nextPageToken": OPAQUE[after]} if after else {})}
    if style == "graphql":
        found, after = page(opaque(value["variables"]["after"]))
        return {"data": {"items": {"edges": [{"cursor": item["id"], "node": item} for item in found],
                                   "pageInfo": {"endCursor": OPAQUE[after] if after else None, "hasNextPage": bool(after)}}}}
    if style == "starting_after":
        at = next((number + 1 for number, item in enumerate(ITEMS) if item["id"] == args.get("starting_after")), 0)
        found, after = page(at)
        return {"object": "list", "url": path, "has_more": bool(after), "data": found}
    if style == "scroll_id":
        found, after = page(opaque(value.get("scroll_id")))
        return {"_scroll_id": OPAQUE[after] if after else OPAQUE[25], "hits": {"total": {"value": 23}, "hits": [{"_id": item["id"], "_source": item} for item in found]}}
    if style == "odata":
        found, after = page(args.get("$skip", 0))
        return {"@odata.context": link("/$metadata"), "value": found, **({"@odata.nextLink": link(path, **{"$skip": after, "$top": 5})} if after else {})}
    if style == "json-api":
        found, after = page(args.get("page[offset]", 0))
        return {"data": [{"type": "item", "id": item["id"], "attributes": item} for item in found],
                "links": {"self": link(path), "next": link(path, **{"page[offset]": after, "page[limit]": 5}) if after else None}}
    if style == "cursor-in-body":
        found, after = page(opaque(value.get("cursor")))
        return {"results": found, "next_cursor": OPAQUE[after] if after else None, "has_more": bool(after)}
    if style == "etag":
        # What comes next is asked for with what was answered in a field.
        at = int((flask.request.headers.get("If-Range") or '"p0"').strip('"')[1:])
        found, after = page(args.get("from", at))
        answer = flask.jsonify(found)
        answer.headers["ETag"] = f'"p{after or 0}"'
        return answer
    return refuse(404, "style")


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


# MARK: The programs

def ask(method, url, **options):
    answer = requests.request(method, url, timeout=20, **options)
    if "mockserve-miss" in answer.headers:
        raise AssertionError("a miss: " + answer.text[:1500])
    return answer


def checked(session):
    """A session of requests that stops at a miss."""
    def look(answer, *_, **__):
        if "mockserve-miss" in answer.headers:
            raise AssertionError("a miss: " + answer.text[:1500])
    session.hooks["response"].append(look)
    return session


def oauth_code(base):
    session = checked(OAuth2Session("web", redirect_uri="http://127.0.0.1:1/cb", scope="openid read", code_challenge_method="S256", token_endpoint_auth_method="none"))
    verifier = credential(40)
    # The state is compared by the client: it has to be the one that was recorded.
    url, state = session.create_authorization_url(base + "/oauth/authorize", state="state-of-this-client", code_verifier=verifier)
    back = ask("GET", url, allow_redirects=False)
    assert back.status_code == 302, back.status_code
    token = session.fetch_token(base + "/oauth/token", authorization_response=back.headers["Location"], state=state, code_verifier=verifier)
    seen = [token["token_type"], token["expires_in"], token["scope"], session.get(base + "/api/orders").json()]
    renewed = session.refresh_token(base + "/oauth/token", refresh_token=token["refresh_token"])
    assert renewed["access_token"] != token["access_token"], "the renewed token is the old one"
    seen += [renewed["expires_in"], session.get(base + "/api/orders").json()]
    header, claims = jwt.get_unverified_header(token["id_token"]), jwt.decode(token["id_token"], options={"verify_signature": False})
    parts = token["id_token"].split(".")
    base64.urlsafe_b64decode(parts[2] + "==")
    for name in ("sub", "email", "name"):
        assert isinstance(claims[name], str) and claims[name], claims
        if not RUN["recording"]:
            assert not any(claims[name] == value for value in ISSUED), f"the id_token holds the recorded {name}"
    if not RUN["recording"]:
        assert parts[2].startswith("redactedJWT"), parts[2][:20]
    return seen + [header["alg"], header["kid"], {name: claims[name] for name in ("iss", "aud", "iat", "nbf", "exp", "auth_time", "scope", "email_verified")}]


def oauth_credentials(base):
    seen = []
    for way in ("client_secret_basic", "client_secret_post"):
        session = checked(OAuth2Session("robot", credential(), token_endpoint_auth_method=way))
        token = session.fetch_token(base + "/oauth/token", grant_type="client_credentials")
        seen += [token["expires_in"], token["token_type"], session.get(base + "/api/orders").json()]
        session.refresh_token(base + "/oauth/token", refresh_token=token["refresh_token"])
        seen.append(session.get(base + "/api/orders").json())
    return seen


class Inputs(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.values = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in ("input", "meta") and attributes.get("name"):
            self.values[tag, attributes["name"]] = attributes.get("value", attributes.get("content"))


def csrf_form(base):
    session = checked(requests.Session())
    page = session.get(base + "/login", timeout=20)
    values = Inputs(page.text).values
    assert values["input", "csrf_token"] == values["meta", "csrf-token"], values
    assert session.post(base + "/login", data={"csrf_token": "wrong-token-of-nobody", "username": "eve", "password": credential()}, timeout=20).status_code == 403
    page = session.get(base + "/login", timeout=20)
    values = Inputs(page.text).values
    answer = session.post(base + "/login", data={"csrf_token": values["input", "csrf_token"], "username": "anna", "password": credential()}, timeout=20)
    return [answer.status_code, answer.url.removeprefix(base), answer.text, session.get(base + "/private", timeout=20).text]


def aws_session(base):
    import boto3
    from botocore.config import Config

    settings = dict(endpoint_url=base, region_name="eu-west-1", config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}))
    own = dict(aws_access_key_id="AKIA" + "".join(secrets.choice("ABCDEFGH234567") for _ in range(16)), aws_secret_access_key=credential(30))
    sts = boto3.client("sts", **settings, **own)
    seen = []
    for number, given in enumerate((
            sts.get_session_token(DurationSeconds=3600),
            sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/shelf", RoleSessionName="tests", ExternalId="partner-7"))):
        keys = given["Credentials"]
        if RUN["recording"]:
            ISSUED.extend([keys["SecretAccessKey"], keys["SessionToken"]])
        seen.append(keys["Expiration"].isoformat())
        s3 = boto3.client("s3", **settings, aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
        bucket = f"shelf-{number}"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for name in ("a.txt", "b c.bin", "d/ü.json"):
            seen.append(s3.put_object(Bucket=bucket, Key=name, Body=name.encode() * 100)["ETag"])
        seen.append([item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]])
        seen.append(s3.get_object(Bucket=bucket, Key="b c.bin")["Body"].read().decode())
    return seen


def list_style(base, style):
    """All items of all pages, and every page as it came."""
    url, fields = f"{base}/list/{style}", {"X-API-Key": credential()}
    items, pages = [], []

    def get(url, method="GET", **options):
        answer = ask(method, url, headers={**fields, **options.pop("headers", {})}, **options)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        kept = {name: value.replace(base, "BASE") for name, value in answer.headers.items() if name in ("Link", "X-Next-Page", "X-Total", "ETag")}
        pages.append([answer.text.replace(base, "BASE"), kept])
        return answer

    def more(query):
        return url + "?" + urllib.parse.urlencode(query)

    if style in ("page", "x-next-page"):
        number = 1
        while number:
            answer = get(more({"page": number}))
            items += answer.json()["items"] if style == "page" else answer.json()
            number = number + 1 if style == "page" and number < answer.json()["pages"] else answer.headers.get("X-Next-Page") if style != "page" else None
    elif style == "offset":
        while len(items) < 23:
            items += get(more({"offset": len(items), "limit": 5})).json()["items"]
    elif style in ("next_page_token", "cursor", "pageToken"):
        name = {"next_page_token": "page_token"}.get(style, style)
        cursor = ""
        while cursor is not None:
            value = get(more({name: cursor}) if cursor else url).json()
            items += value["items"]
            cursor = value.get("next_page_token") or value.get("nextPageToken") or value.get("response_metadata", {}).get("next_cursor") or None
    elif style == "link":
        following = url
        while following:
            answer = get(following)
            items += answer.json()
            following = answer.links.get("next", {}).get("url")
    elif style in ("after", "starting_after"):
        value = {"has_more": True, "data": []}
        while value["has_more"]:
            value = get(more({style: items[-1]["id"]}) if items else url).json()
            items += value["data"]
    elif style == "continuation-token":
        token = [""]
        while token:
            text = get(more({"list-type": 2, "continuation-token": token[0]}) if token[0] else url).text
            items += [{"id": "item-%02d" % int(key.split("/")[1])} for key in re.findall("<Key>(.*?)</Key>", text)]
            token = re.findall("<NextContinuationToken>(.*?)</NextContinuationToken>", text)
    elif style in ("nextLink", "odata", "json-api"):
        following = url
        while following:
            value = get(following).json()
            items += value.get("value") or [item["attributes"] for item in value["data"]]
            following = value.get("nextLink") or value.get("@odata.nextLink") or value.get("links", {}).get("next")
    elif style == "graphql":
        after, going = None, True
        while going:
            value = get(url, "POST", json={"query": "query($after: String) { items(after: $after) { edges { node { id } } } }", "variables": {"after": after}}).json()
            items += [edge["node"] for edge in value["data"]["items"]["edges"]]
            after, going = value["data"]["items"]["pageInfo"]["endCursor"], value["data"]["items"]["pageInfo"]["hasNextPage"]
    elif style == "scroll_id":
        scroll, hits = None, True
        while hits:
            value = get(url, "POST", json={"scroll": "1m", **({"scroll_id": scroll} if scroll else {})}).json()
            hits, scroll = value["hits"]["hits"], value["_scroll_id"]
            items += [hit["_source"] for hit in hits]
    elif style == "cursor-in-body":
        value = {"next_cursor": None, "has_more": True}
        while value["has_more"]:
            value = get(url, "POST", json={"cursor": value["next_cursor"], "limit": 5}).json()
            items += value["results"]
    elif style == "etag":
        at = '"p0"'
        while at != '"p0"' or not items:
            answer = get(more({"from": at.strip('"')[1:]}), headers={"If-Range": at})
            items += answer.json()
            at = answer.headers["ETag"]
    assert [item["id"] for item in items] == [item["id"] for item in ITEMS], f"{style}: {len(items)} items: {[item['id'] for item in items]}"
    return pages


STYLES = ["page", "offset", "next_page_token", "cursor", "link", "after", "continuation-token", "x-next-page", "nextLink", "pageToken", "graphql", "starting_after",
          "scroll_id", "odata", "json-api", "cursor-in-body", "etag"]


def echo(base):
    values = [credential() for _ in range(9)]
    seen = []
    for method, more in (("GET", {}), ("POST", {"json": {"user": "anna", "password": values[6], "note": f"my password is {values[6]}"}}),
                         ("POST", {"data": {"api_key": values[7], "comment": f"the key {values[7]} and the token {values[0]}"}})):
        answer = ask(method, base + "/anything", params={"access_token": values[1], "page": "2", "hint": values[0], "next": f"https://a.example/?token={values[2]}"},
                     headers={"Authorization": f"Bearer {values[0]}", "X-API-Key": values[3], "Cookie": f"sid={values[4]}; theme=dark", "X-Vendor-Secret-Key": values[5],
                              "X-Trace": f"key={values[3]}", "Referer": f"https://a.example/?api_key={values[8]}"}, **more)
        value = answer.json()
        seen.append([answer.status_code, value["method"], value["args"]["page"], sorted(value["headers"]), sorted(value["form"])])
    return seen


def failing_login(base, order=("wrong", "right"), known={}):
    """The passwords are the same in every run: the program has them, the cassette does not."""
    if not known:
        known.update({"wrong": issue(12), "right": passwords["anna"]})
    return [ask("POST", base + "/json-login", json={"user": "anna", "password": known[which]}).status_code for which in order]


def log_in(base, user):
    password = passwords[user] if RUN["recording"] else secrets.token_urlsafe(12)
    session = checked(requests.Session())
    answer = session.post(base + "/json-login", json={"user": user, "password": password}, timeout=20)
    assert answer.status_code == 200, (user, answer.status_code)
    return session, answer.json()


def own_things(base, way, session, value, which):
    if way == "cookie":
        return session.get(f"{base}/{which}", timeout=20).json()
    if way == "bearer":
        return ask("GET", f"{base}/{which}", headers={"Authorization": "Bearer " + value["access_token"]}).json()
    return ask("GET", f"{base}/u/{value['private_token']}/{which}").json()


def two_users(base, way, order, interleaved=True):
    seen = {}
    if interleaved:
        logged = {user: log_in(base, user) for user in order}
        for which in ("me", "items"):
            for user in order:
                seen[f"{user} {which}"] = own_things(base, way, *logged[user], which)
    else:
        for user in order:
            logged = log_in(base, user)
            for which in ("me", "items"):
                seen[f"{user} {which}"] = own_things(base, way, *logged, which)
    return seen


def two_users_at_once(base, way):
    seen, errors = {}, []

    def one(user):
        try:
            for _ in range(3):
                seen.update(two_users(base, way, (user,)))
        except Exception as error:
            errors.append(error)
    threads = [threading.Thread(target=one, args=(user,)) for user in ("anna", "bert")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return seen


# MARK: Recording and replaying

class Flow:
    def __init__(self, name, program, replays=None, options=(), upstream="app"):
        self.name, self.program, self.options, self.upstream = name, program, options, upstream
        self.replays = replays or [("", lambda base, seen: same(program(base), seen))]


def same(got, want):
    if got != want:
        raise AssertionError(f"it saw {shortened(got, want)}")


def shortened(got, want):
    if isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
        return "; ".join(shortened(one, other) for one, other in zip(got, want) if one != other)
    if isinstance(got, dict) and isinstance(want, dict) and got.keys() == want.keys():
        return "; ".join(f"{key}: {shortened(got[key], want[key])}" for key in got if got[key] != want[key])
    got, want = str(got), str(want)
    start = max(0, len(os.path.commonprefix([got, want])) - 60)
    return f"{got[start:start + 200]!r} instead of {want[start:start + 200]!r}"


def some(got, want):
    same(got, {key: want[key] for key in got})


def users(way):
    return Flow(f"two users, {way}", lambda base: two_users(base, way, ("anna", "bert")), [
        ("in the recorded order", lambda base, seen: same(two_users(base, way, ("anna", "bert")), seen)),
        ("in the reverse order", lambda base, seen: same(two_users(base, way, ("bert", "anna")), seen)),
        ("one after the other", lambda base, seen: same(two_users(base, way, ("anna", "bert"), False), seen)),
        ("one after the other, reversed", lambda base, seen: same(two_users(base, way, ("bert", "anna"), False), seen)),
        ("at once", lambda base, seen: same(two_users_at_once(base, way), seen)),
        ("the first alone", lambda base, seen: some(two_users(base, way, ("anna",)), seen)),
        ("the second alone", lambda base, seen: some(two_users(base, way, ("bert",)), seen)),
    ])


FLOWS = [
    Flow("oauth authorization code, openid", oauth_code),
    Flow("oauth client credentials", oauth_credentials),
    Flow("csrf form", csrf_form),
    Flow("aws temporary credentials", aws_session, upstream="moto"),
    *[Flow(f"listing by {style}", lambda base, style=style: list_style(base, style)) for style in STYLES],
    Flow("failing login", failing_login, [("in the recorded order", lambda base, seen: same(failing_login(base), seen))]),
    Flow("failing login told apart", failing_login, [
        ("in the recorded order", lambda base, seen: same(failing_login(base), seen)),
        ("often", lambda base, seen: same(failing_login(base, ("wrong", "right", "wrong", "right")), seen * 2)),
    ], options=("--tell-apart", "json:password")),
    Flow("failing login told apart by digest", failing_login, [
        ("in the reverse order", lambda base, seen: same(failing_login(base, ("right", "wrong")), seen[::-1])),
    ], options=("--tell-apart", "digest:json:password")),
    Flow("echo", echo),
    *[users(way) for way in ("cookie", "bearer", "path")],
]


def search(directory, issued):
    pieces = {}
    for value in issued:
        for text in {value, urllib.parse.quote(value, safe=""), base64.b64encode(value.encode()).decode()[4:-4]}:
            for start in range(0, max(1, len(text) - 11)):
                pieces[text[start:start + 12].encode()] = value
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            data = file.read()
        for start in range(len(data) - 11):
            if data[start:start + 12] in pieces:
                raise AssertionError(f"{name} holds a part of a secret: {data[max(0, start - 60):start + 30]!r}")


def main():
    wanted = sys.argv[1:]
    flows = [flow for flow in FLOWS if not wanted or any(flow.name.startswith(name) for name in wanted)]
    upstream = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    passwords.update({"anna": issue(12), "bert": issue(12)})
    moto = None
    if any(flow.upstream == "moto" for flow in flows):
        moto, moto_port = start_moto()
    results, failed, begun = {}, 0, time.monotonic()
    with folder() as temporary:
        for number, flow in enumerate(flows):
            directory = os.path.join(temporary, str(number))
            os.mkdir(directory)
            flow.cassette = os.path.join(directory, "flow.cassette")
            origin = f"http://127.0.0.1:{moto_port if flow.upstream == 'moto' else upstream.server_port}"
            try:
                with open(os.path.join(directory, "stderr"), "w") as log:
                    with Server("record", flow.cassette, "--upstream", origin, *flow.options, "--journal", os.path.join(directory, "journal"), stderr=log) as server:
                        flow.seen = flow.program(server.url)
                        search(directory, ISSUED)
                search(directory, ISSUED)
            except Exception as error:
                results[flow.name, "recorded"] = error
        RUN["recording"] = False
        upstream.shutdown()
        upstream.server_close()
        if moto:
            moto.terminate()
            moto.wait(timeout=30)
        for flow in flows:
            if not hasattr(flow, "seen"):
                continue
            for name, replay in flow.replays:
                # Twice: nothing may depend on a second chance.
                for attempt in (1, 2):
                    try:
                        with open(os.path.join(os.path.dirname(flow.cassette), "stderr"), "w") as log:
                            with Server("replay", flow.cassette, stderr=log) as server:
                                replay(server.url, flow.seen)
                    except Exception as error:
                        results.setdefault((flow.name, name), error)
    for flow in flows:
        bad = {name: error for (owner, name), error in results.items() if owner == flow.name}
        failed += bool(bad)
        if not bad:
            print(f"{flow.name}: ok")
        for name, error in bad.items():
            text = str(error) or traceback.format_exception_only(error)[-1]
            print(f"{flow.name}: FAILED {name or 'replayed'}: {type(error).__name__}: {text[:1800]}")
    text = f"{len(flows)} flows, {failed} of them failed, in {time.monotonic() - begun:.0f} s"
    if failed:
        raise SystemExit(f"FAILED: {text}")
    passed(text)


main()

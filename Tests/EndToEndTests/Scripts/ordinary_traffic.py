"""Traffic without secrets is recorded as it is: what redaction changes of it is counted, and must be expected.

Usage: ordinary_traffic.py [MIB]   records about 6 MiB of generated documents, or MIB, and what httpbin and moto answer.

A relay between mockserve and its upstreams keeps what was really sent in both directions. Afterwards the cassette is read with SQLite and
compared with that: targets, fields, trailers and bodies. Every change is listed with what is around it. EXPECTED lists those that are
right, with the reason. Any other fails.
"""

import base64
import gzip
import hashlib
import http.client
import json
import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import Gunicorn, Server, folder, passed

# Parts of (request, place, what was sent around the change), as expressions, and why a change is right there.
EXPECTED = [
    (r".", r"^request field Authorization$", r"AWS4-HMAC-SHA256", "the signature of the AWS client"),
    (r".", r"^request field Cookie$", r".", "a cookie may always be a credential"),
    (r"^/cookies", r"^response body$", r".", "httpbin shows the cookies it got"),
]

WORDS = """account address agent album answer apple arrow article author autumn avenue balance banner barrel basket beach bicycle blanket board
bottle branch bread bridge bright brother bucket budget button cabin camera candle canvas captain carpet castle cattle center chapter circle
citizen climate closet cloud coffee column comment concert copper corner cotton country cousin culture custom danger daughter decision degree
design desktop detail dinner doctor dragon drawer eagle editor effect engine evening example factory family farmer feather festival figure
finger flight flower folder forest fortune fountain friend garden gentle glacier grammar guitar hammer harbor harvest helmet history holiday
honey horizon hotel island jacket journal journey jungle kitchen ladder lantern leader leather lemon letter library lizard machine market
marble meadow member memory metal minute mirror model morning mountain museum needle network night number object ocean office orange orchard
outline oxygen package palace paper parade parcel pattern pencil people pepper picture pigeon planet plastic pocket police potato prairie
problem project puzzle rabbit rainbow reason record region report result ribbon river rocket saddle sailor salmon sample school science
season second sentence shadow shelter silver sister sketch soldier spider spring square stadium station stone storm story street student
summer sunset surface system table teacher temple thunder ticket timber tomato travel tunnel turtle valley velvet vessel village violin
voyage wagon walnut weather window winter wisdom wizard yellow zebra""".split()

generator = random.Random(35)


def words(count):
    return " ".join(generator.choice(WORDS) for _ in range(count))


def slug(count=3):
    return "-".join(generator.choice(WORDS) for _ in range(count))


def name():
    return f"{generator.choice(WORDS).title()} {generator.choice(WORDS).title()}"


def hexadecimal(digits):
    return "".join(generator.choice("0123456789abcdef") for _ in range(digits))


def identifier():
    return str(uuid.UUID(int=generator.getrandbits(128), version=4))


def token64(size):
    return base64.b64encode(generator.randbytes(size)).decode()


def cursor():
    return base64.b64encode(json.dumps({"after": generator.randrange(10**6), "sort": "name"}).encode()).decode()


def moment():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_600_000_000 + generator.randrange(10**8)))


# MARK: Documents


def packages_index():
    """Debian: Packages."""
    for _ in range(220):
        package, version = slug(2), f"{generator.randrange(9)}.{generator.randrange(30)}-{generator.randrange(5)}"
        yield (
            f"Package: {package}\nVersion: {version}\nArchitecture: amd64\nMaintainer: {name()} <{package}@packages.example>\n"
            f"Installed-Size: {generator.randrange(9999)}\nDepends: lib{slug(1)} (>= 2.{generator.randrange(40)}), {slug(1)}\n"
            f"Description: {words(6)}\nDescription-md5: {hexadecimal(32)}\nTag: role::program, works-with::{slug(1)}\nSection: net\n"
            f"Priority: optional\nFilename: pool/main/{package[0]}/{package}/{package}_{version}_amd64.deb\n"
            f"Size: {generator.randrange(10**7)}\nMD5sum: {hexadecimal(32)}\nSHA1: {hexadecimal(40)}\nSHA256: {hexadecimal(64)}\n\n"
        )


def simple_index(project):
    files = [f"{project}-{n}.{m}.{p}-py3-none-any.whl" for n in range(5) for m in range(6) for p in range(4)]
    hashes = [hexadecimal(64) for _ in files]
    folders = [f"{hexadecimal(2)}/{hexadecimal(2)}/{hexadecimal(60)}" for _ in files]
    html = "<!DOCTYPE html>\n<html>\n  <head>\n    <meta name=\"pypi:repository-version\" content=\"1.1\">\n" + "".join(
        f'    <a href="https://files.example/packages/{path}/{file}#sha256={digest}" data-requires-python="&gt;=3.8" '
        f'data-core-metadata="sha256={digest[::-1]}">{file}</a><br />\n' for file, digest, path in zip(files, hashes, folders)
    ) + "  </head>\n</html>\n<!--SERIAL 23456789-->"
    value = {
        "meta": {"_last-serial": 23456789, "api-version": "1.1"}, "name": project,
        "files": [
            {"filename": file, "url": f"https://files.example/packages/{path}/{file}", "hashes": {"sha256": digest, "blake2b_256": digest[::-1]},
             "requires-python": ">=3.8", "size": generator.randrange(10**6), "upload-time": moment(), "yanked": False}
            for file, digest, path in zip(files, hashes, folders)
        ],
    }
    return html, value


def graphql_page():
    return {
        "data": {"repository": {"issues": {
            "edges": [
                {"cursor": cursor(), "node": {
                    "id": base64.b64encode(f"Issue:{generator.randrange(10**8)}".encode()).decode(), "number": generator.randrange(9999),
                    "title": words(5), "body": words(30), "state": generator.choice(["OPEN", "CLOSED"]), "author": {"login": slug(2)},
                    "authorAssociation": "MEMBER", "createdAt": moment(), "viewerCanUpdate": False,
                    "labels": {"nodes": [{"name": slug(1), "color": hexadecimal(6)}]}}}
                for _ in range(40)
            ],
            "pageInfo": {"endCursor": cursor(), "startCursor": cursor(), "hasNextPage": True, "hasPreviousPage": False},
            "totalCount": 4321}}},
        "extensions": {"cost": {"requestedQueryCost": 42, "throttleStatus": {"maximumAvailable": 1000.0, "restoreRate": 50.0}}},
    }


def chat_completion():
    text = words(40)
    return {
        "id": "chatcmpl-" + "".join(generator.choice("ABCDEFGHabcdefgh0123456789") for _ in range(29)), "object": "chat.completion",
        "created": 1700000000 + generator.randrange(10**7), "model": "gpt-4o-2024-08-06", "system_fingerprint": f"fp_{hexadecimal(10)}",
        "choices": [{
            "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, "refusal": None},
            "logprobs": {"content": [
                {"token": word, "logprob": -generator.random(), "bytes": list(word.encode()),
                 "top_logprobs": [{"token": generator.choice(WORDS), "logprob": -generator.random() * 5} for _ in range(2)]}
                for word in re.findall(r"\s?\w+", text)
            ]},
        }],
        "usage": {"prompt_tokens": generator.randrange(900), "completion_tokens": 40, "total_tokens": 940,
                  "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                  "completion_tokens_details": {"reasoning_tokens": 12, "accepted_prediction_tokens": 0}},
    }


def chat_request():
    return {
        "model": "gpt-4o", "max_tokens": 256, "max_completion_tokens": 512, "temperature": 0.2, "stream": True, "stop_token_ids": [50256],
        "messages": [{"role": "user", "content": "How do I reset my password? The token field of the form is empty. " + words(30)}],
        "tools": [{"type": "function", "function": {"name": "get_token_price", "description": words(8), "parameters": {
            "type": "object", "properties": {"token": {"type": "string", "description": "Symbol of the token"},
                                             "password": {"type": "string", "format": "password"}}, "required": ["token"]}}}],
        "tool_choice": "auto", "prompt_cache_key": "docs-helper-v2", "logit_bias": {"50256": -100},
    }


def chat_stream():
    head = {"id": f"chatcmpl-{hexadecimal(29)}", "object": "chat.completion.chunk", "created": 1712345678, "model": "gpt-4o"}
    for word in words(60).split():
        yield "data: " + json.dumps({**head, "choices": [{"index": 0, "delta": {"content": " " + word}, "logprobs": {
            "content": [{"token": " " + word, "logprob": -0.25, "bytes": [32, *word.encode()], "top_logprobs": []}]}}]}) + "\n\n"
    yield "data: " + json.dumps({**head, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 60, "total_tokens": 69}}) + "\n\n"
    yield "data: [DONE]\n\n"


def search_answer():
    return {
        "took": 12, "timed_out": False, "_shards": {"total": 5, "successful": 5, "skipped": 0, "failed": 0},
        "hits": {"total": {"value": 10000, "relation": "gte"}, "max_score": 1.0, "hits": [
            {"_index": "articles-2024.05", "_id": token64(15).replace("+", "-").replace("/", "_"), "_score": generator.random(),
             "_seq_no": generator.randrange(10**6), "_primary_term": 3, "_routing": str(generator.randrange(99)),
             "_source": {"title": words(5), "text": words(50), "author": name(), "tags": [slug(1), slug(1)], "@timestamp": moment()},
             "sort": [generator.randrange(10**12), identifier()]}
            for _ in range(50)
        ]},
        "aggregations": {"by_key": {"buckets": [{"key": slug(1), "doc_count": generator.randrange(999)} for _ in range(10)]}},
    }


def analyzed():
    offset, tokens = 0, []
    for position, word in enumerate(words(120).split()):
        tokens.append({"token": word, "start_offset": offset, "end_offset": offset + len(word), "type": "<ALPHANUM>", "position": position})
        offset += len(word) + 1
    return {"tokens": tokens, "detail": {"tokenizer": {"name": "standard", "tokens": tokens[:10]}}}


TRANSLATIONS = {
    "de": ["Passwort", "Passwort vergessen?", "Das Passwort muss mindestens 8 Zeichen haben.", "Neues Passwort", "Zugangstoken", "Geheimnis",
           "API-Schlüssel", "Anmelden", "Sitzung abgelaufen", "Bestätigungscode", "Benutzername"],
    "en": ["Password", "Forgot your password?", "The password must have at least 8 characters.", "New password", "Access token", "Secret",
           "API key", "Sign in", "Session expired", "Verification code", "User name"],
    "fr": ["Mot de passe", "Mot de passe oublié ?", "Le mot de passe doit contenir au moins 8 caractères.", "Nouveau mot de passe",
           "Jeton d’accès", "Secret", "Clé d’API", "Se connecter", "Session expirée", "Code de vérification", "Nom d’utilisateur"],
    "es": ["Contraseña", "¿Olvidaste tu contraseña?", "La contraseña debe tener al menos 8 caracteres.", "Nueva contraseña",
           "Token de acceso", "Secreto", "Clave de API", "Iniciar sesión", "La sesión ha caducado", "Código de verificación", "Usuario"],
    "pl": ["Hasło", "Nie pamiętasz hasła?", "Hasło musi mieć co najmniej 8 znaków.", "Nowe hasło", "Token dostępu", "Sekret", "Klucz API",
           "Zaloguj się", "Sesja wygasła", "Kod weryfikacyjny", "Nazwa użytkownika"],
    "ja": ["パスワード", "パスワードをお忘れですか？", "パスワードは8文字以上で入力してください。", "新しいパスワード", "アクセストークン", "シークレット",
           "APIキー", "ログイン", "セッションの有効期限が切れました", "確認コード", "ユーザー名"],
}
LABELS = ["password", "forgot_password", "password_too_short", "new_password", "access_token", "secret", "api_key", "login", "session_expired",
          "verification_code", "username"]


def openapi():
    paths = {}
    for resource in WORDS[:60]:
        paths[f"/{resource}s/{{id}}"] = {"get": {
            "operationId": f"get{resource.title()}", "summary": words(6), "security": [{"ApiKeyAuth": []}, {"OAuth2": ["read"]}],
            "parameters": [{"name": "X-API-Key", "in": "header", "required": True, "schema": {"type": "string"}},
                           {"name": "page_token", "in": "query", "description": "Token of the page, from next_page_token", "schema": {"type": "string"}}],
            "responses": {"200": {"description": words(4)}, "401": {"description": "The access token is missing or invalid"}}}}
    return {
        "openapi": "3.1.0", "info": {"title": "Shop", "version": "1.0.0", "description": "Send `Authorization: Bearer <token>` with every request."},
        "servers": [{"url": "https://api.shop.example/v1"}], "paths": paths,
        "components": {
            "securitySchemes": {
                "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "CookieAuth": {"type": "apiKey", "in": "cookie", "name": "session_id"},
                "BasicAuth": {"type": "http", "scheme": "basic"}, "BearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "OAuth2": {"type": "oauth2", "flows": {"authorizationCode": {
                    "authorizationUrl": "https://auth.shop.example/oauth/authorize", "tokenUrl": "https://auth.shop.example/oauth/token",
                    "refreshUrl": "https://auth.shop.example/oauth/refresh", "scopes": {"read": "Read", "write": "Write"}}}},
                "OpenID": {"type": "openIdConnect", "openIdConnectUrl": "https://auth.shop.example/.well-known/openid-configuration"}},
            "schemas": {
                "Login": {"type": "object", "required": ["username", "password"], "properties": {
                    "username": {"type": "string"}, "password": {"type": "string", "format": "password", "minLength": 8, "writeOnly": True}}},
                "Token": {"type": "object", "properties": {
                    "access_token": {"type": "string", "description": "The token"}, "token_type": {"type": "string", "enum": ["Bearer"]},
                    "expires_in": {"type": "integer"}, "refresh_token": {"type": "string"}}}}},
    }


DISCOVERY = {
    "issuer": "https://auth.shop.example", "authorization_endpoint": "https://auth.shop.example/oauth/authorize",
    "token_endpoint": "https://auth.shop.example/oauth/token", "userinfo_endpoint": "https://auth.shop.example/userinfo",
    "jwks_uri": "https://auth.shop.example/.well-known/jwks.json", "device_authorization_endpoint": "https://auth.shop.example/device",
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    "response_types_supported": ["code", "id_token", "code id_token"], "grant_types_supported": ["authorization_code", "refresh_token", "password"],
    "id_token_signing_alg_values_supported": ["RS256", "ES256"], "code_challenge_methods_supported": ["S256"],
}

LOGIN_PAGE = """<!DOCTYPE html><html lang="en"><head><title>Sign in</title><meta name="description" content="Sign in to the shop">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="csrf-param" content="authenticity_token">
<link rel="stylesheet" href="/app.css?v=%(version)s"></head><body><form action="/login" method="post" autocomplete="on">
<label for="user">User name</label><input type="text" name="username" id="user" placeholder="anna@example.com" value="">
<label for="password">Password</label><input type="password" name="password" id="password" placeholder="Your password" minlength="8" value="">
<input type="checkbox" name="remember" value="1"> <input type="hidden" name="utf8" value="&#x2713;"><input type="submit" name="commit" value="Sign in">
<input type="hidden" name="csrf_token" value=""><a href="/password/reset">Forgot your password?</a> <a href="/oauth/authorize?client_id=web&scope=openid">Other</a>
<p>Never tell anybody your password: we do not ask for it. %(text)s</p></form>
<script>document.getElementById("password").focus();var token=null;</script></body></html>"""

SNIPPETS = [
    "function %s(e,t){return e.token===t.token?e.key:t.password}", "var %s={token:e.token,key:t,password:this.state.password,secret:!0};",
    "if(\"password\"===e.type){%s(e.value)}", "%s.headers.Authorization=\"Bearer \"+t;", "const %s=localStorage.getItem(\"access_token\")||null;",
    "let %s=process.env.API_KEY;", "e.%s={apiKey:void 0,clientSecret:null,accessToken:\"\",refreshToken:n()};",
    "fetch(\"/%s?token=\"+encodeURIComponent(t)+\"&page=\"+n);", "%s.password=e=>e.length>=8;", "case\"%s\":token=lexer.next();break;",
    "var %s=function(password){return hash(password,salt)};", "%s[\"x-api-key\"]=config.apiKey,delete e.password;",
    "document.cookie=\"%s=\"+e+\";path=/;max-age=\"+3600*24;", "m.exports={name:\"%s\",type:\"secret\",label:\"Password\",required:!1};",
    "for(var key in %s){if(%s.hasOwnProperty(key)){keys.push(key)}}",
]


def script():
    for _ in range(900):
        snippet = generator.choice(SNIPPETS)
        yield snippet.replace("%s", "".join(generator.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(2)))
    yield f"\n//# sourceMappingURL=app.{hexadecimal(8)}.js.map\n"


def style_sheet():
    for _ in range(500):
        yield (f".{slug(2)}{{color:#{hexadecimal(6)};margin:{generator.randrange(40)}px;background:url(/img/{slug(1)}.{hexadecimal(8)}.png)}}"
               f"input[type=password]{{width:{generator.randrange(100)}%}}")
    yield f".icon{{background-image:url(data:image/png;base64,{token64(900)})}}"


def source_map():
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return {
        "version": 3, "file": "app.js", "sources": [f"webpack:///./src/{slug(2)}.ts" for _ in range(60)],
        "names": ["token", "password", "apiKey", "secret", "key", *WORDS], "sourcesContent": ["".join(script())],
        "mappings": ";".join(",".join("".join(generator.choice(alphabet) for _ in range(4)) for _ in range(20)) for _ in range(300)),
    }


def lock_file():
    return {
        "name": "shop", "version": "1.0.0", "lockfileVersion": 3, "requires": True,
        "packages": {
            f"node_modules/{slug(2)}": {
                "version": f"{generator.randrange(9)}.{generator.randrange(20)}.0", "license": "MIT", "dev": True,
                "resolved": f"https://registry.example/{slug(2)}/-/{slug(2)}-1.0.0.tgz", "integrity": f"sha512-{token64(64)}"}
            for _ in range(300)
        },
    }


def git_tree():
    return {
        "sha": hexadecimal(40), "url": f"https://api.example/repos/a/b/git/trees/{hexadecimal(40)}", "truncated": False,
        "tree": [
            {"path": f"src/{slug(2)}.py", "mode": "100644", "type": "blob", "sha": hexadecimal(40), "size": generator.randrange(9999),
             "url": f"https://api.example/repos/a/b/git/blobs/{hexadecimal(40)}"} for _ in range(150)],
        "commits": [
            {"sha": hexadecimal(40), "node_id": token64(30), "parents": [{"sha": hexadecimal(40)}], "verification": {"verified": False, "reason": "unsigned",
             "signature": None, "payload": None}, "author": {"name": name(), "email": f"{slug(1)}@example.com", "date": moment()}} for _ in range(30)],
    }


def public_keys():
    def integer(size):
        return base64.urlsafe_b64encode(generator.randbytes(size)).decode().rstrip("=")

    return {"keys": [
        *({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": hexadecimal(40), "n": integer(256), "e": "AQAB",
           "x5c": [token64(700)], "x5t": integer(20), "x5t#S256": integer(32)} for _ in range(4)),
        *({"kty": "EC", "crv": "P-256", "use": "sig", "kid": integer(24), "x": integer(32), "y": integer(32)} for _ in range(4)),
    ]}


def sitemap():
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    for _ in range(400):
        yield f"  <url><loc>https://www.example.com/{slug(2)}/{slug(4)}</loc><lastmod>{moment()}</lastmod><priority>0.{generator.randrange(9)}</priority></url>\n"
    yield "</urlset>\n"


def feed():
    yield '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>News</title>'
    for _ in range(120):
        yield (f"<item><title>{words(6)}</title><link>https://www.example.com/{slug(4)}</link><guid isPermaLink=\"false\">{identifier()}</guid>"
               f"<dc:creator>{name()}</dc:creator><pubDate>{formatdate(1.6e9 + generator.randrange(10**8))}</pubDate>"
               f"<description>How to choose a password: {words(20)} &amp; keep your token safe.</description></item>")
    yield "</channel></rss>"


def keyboard():
    keys = ["Enter", "Tab", "Escape", "ArrowDown", "ArrowLeft", "Backspace", "Shift", "a", "F5", "PageDown", "MediaPlayPause"]
    return [
        {"type": "keydown", "key": key, "code": "Key" + key, "keyCode": generator.randrange(200), "timeStamp": generator.random() * 10**6,
         "target": "input#password", "session": "Opening session: " + words(3)} for key in generator.choices(keys, k=200)
    ]


def tables():
    return {
        "tables": [
            {"name": table, "primary_key": ["id"], "foreign_key": f"{table}_id", "foreignKeys": [{"column": "author_id", "references": "people.id"}],
             "sort_key": "created_at", "partition_key": f"tenant#{generator.randrange(99)}", "partitionKey": "region", "key": f"{table}:{identifier()}",
             "unique_keys": [["name", "region"]], "keyspace": "shop", "cache_key": f"v3:{table}:{hexadecimal(16)}", "index_key": "title",
             "candidate_key": "isbn", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
            for table in WORDS[:80]
        ],
    }


def objects():
    """Members of names that are also those of secrets, as other things."""
    return [
        {"id": identifier(), "etag": f'"{hexadecimal(32)}"', "hash": hexadecimal(64), "checksum": f"sha256:{hexadecimal(64)}", "digest": token64(32),
         "key": f"uploads/{moment()[:10]}/{slug(3)}.jpg", "author": name(), "authority": "City of " + name(), "authors": [name(), name()],
         "session": {"title": "Testing without a network: " + words(3), "room": "B12", "session_id": generator.randrange(300), "speaker": name()},
         "pin": {"lat": 52.5 + generator.random(), "lng": 13.4, "color": "red"}, "code": generator.choice(["DE", "FR", "PL", "JP"]),
         "country_code": "DE", "postal_code": str(10000 + generator.randrange(89999)), "status_code": 200, "zip_code": "10115", "color_code": "#a0b1c2",
         "state": generator.choice(["open", "closed", "California", "in_progress"]), "nonce": generator.randrange(10**6),
         "signature": generator.choice(["(a: int, b: str) -> bool", "Kind regards,\nAnna", "func area(of shape: Shape) -> Double", "public static void main(String[])"]),
         "method_signature": "load(path, *, token=None)", "keyword": slug(1), "keywords": [slug(1)], "monkey": "rhesus", "keynote": words(4),
         "token": {"type": "NAME", "text": slug(1), "line": 3}, "token_type": "identifier", "token_count": generator.randrange(900),
         "tokens": generator.randrange(900), "tokenizer": "cl100k_base", "max_tokens": 4096, "secretary": name(), "passage": words(12),
         "passenger": name(), "compass": "north", "bypass": False, "password_required": True, "password_changed_at": moment(), "password_policy": "strong",
         "has_password": False, "passwordless": True, "password_min_length": 12, "secret_count": 0, "is_secret": False, "secret": False, "token_expires_in": 3600,
         "password": None, "access_token": None, "api_key": "", "credential": None, "credentials": [], "credential_type": "public-key",
         "cookie_consent": True, "cookie_policy_url": "https://www.example.com/cookies", "auth_method": "password", "authenticated": True,
         "auth_type": "oauth2", "authorization_status": "approved", "next_page_token": cursor(), "nextPageToken": slug(3), "NextToken": cursor(),
         "continuationToken": token64(24), "pageToken": str(generator.randrange(999)), "cursor": cursor(), "sync_token": str(generator.randrange(10**9)),
         "certificate": f"-----BEGIN CERTIFICATE-----\n{token64(300)}\n-----END CERTIFICATE-----\n", "public_key": f"ssh-ed25519 {token64(51)} anna@desk",
         "fingerprint": "SHA256:" + token64(32).rstrip("="), "thumbnail": f"data:image/jpeg;base64,{token64(120)}", "image": token64(200),
         "barcode": str(generator.randrange(10**12)), "isbn": "978" + str(generator.randrange(10**10)), "phone": "+49 30 901820", "iban_country": "DE",
         "url": f"https://www.example.com/{slug(2)}?page=2&sort_key=name&key=title&lang=de#section-3", "trace_id": hexadecimal(32), "span_id": hexadecimal(16),
         "object_key": f"{hexadecimal(2)}/{hexadecimal(40)}", "idempotency_key": identifier(), "map_key": "legend", "cache_key": hexadecimal(40),
         "revision": hexadecimal(12), "duration": 12.5, "at": 1700000000000 + generator.randrange(10**9)}
        for _ in range(60)
    ]


def configuration():
    return (
        "# settings without secrets\nserver:\n  port: 8080\n  name: shop\nauth:\n  type: password\n  token_url: https://auth.example/token\n"
        "  password_file: /run/secrets/db\n  secretKeyRef:\n    name: database\n    key: password\n  tokenTTL: 3600\n  cookie_name: sid\n  password: \"\"\n"
        "  token: ${API_TOKEN}\n  secret: !vault database\n  api_key: null\ncache:\n  key: user-profile\n  key_prefix: shop-\n"
        + "".join(f"{slug(2)}: {words(4)}\n" for _ in range(200))
    )


def log_lines():
    for _ in range(600):
        yield (f"{moment()} INFO request_id={identifier()} method=GET path=/{slug(2)} status=200 bytes={generator.randrange(10**5)} "
               f"cache_key={hexadecimal(32)} user_agent=\"check/1.0\" msg=\"{words(4)}; password unchanged, token valid\"\n")


def log_objects():
    for _ in range(300):
        yield json.dumps({"ts": moment(), "level": "info", "logger": slug(2), "trace_id": hexadecimal(32), "msg": words(6) + ": token=missing",
                          "key": slug(2), "dur_ms": generator.randrange(999), "etag": hexadecimal(32)}) + "\n"


def text_page():
    for _ in range(150):
        yield f"<h2 id=\"{slug(2)}\">{words(4).title()}</h2>\n<p>{words(60)}. A password is a secret word; a token is a coin. "
        yield f"Set the key: <code>token</code> or <code>Authorization: Bearer &lt;token&gt;</code>. <a href=\"/{slug(3)}?ref={slug(1)}\">{words(2)}</a></p>\n"


def table_file():
    yield "id,name,email,key,state,code,token_count,created\n"
    for number in range(1500):
        yield f"{number},{name()},{slug(1)}@example.com,{slug(2)},open,DE,{generator.randrange(99)},{moment()}\n"


def documents():
    """(path, content type, bytes) without end."""
    def text(path, kind, pieces):
        return path, kind, (pieces if isinstance(pieces, str) else "".join(pieces)).encode()

    def value(path, kind, content, indent=None):
        return path, kind, json.dumps(content, indent=indent, ensure_ascii=bool(indent)).encode()

    number = 0
    while True:
        number += 1
        at = f"/documents/{number}"
        html, index = simple_index(slug(1))
        yield text(f"{at}/dists/stable/main/binary-amd64/Packages", "text/plain", packages_index())
        yield text(f"{at}/simple/one/", "text/html", html)
        yield value(f"{at}/simple/one/json", "application/vnd.pypi.simple.v1+json", index)
        yield value(f"{at}/graphql", "application/json", graphql_page())
        yield value(f"{at}/graphql-response", "application/graphql-response+json", graphql_page(), 1)
        yield value(f"{at}/v1/chat/completions", "application/json", chat_completion())
        yield text(f"{at}/v1/chat/stream", "text/event-stream", chat_stream())
        yield value(f"{at}/v1/chat/asked", "application/json", chat_request())
        yield value(f"{at}/_search", "application/json", search_answer())
        yield value(f"{at}/_analyze", "application/json", analyzed(), 2)
        for language, texts in TRANSLATIONS.items():
            yield value(f"{at}/locales/{language}.json", "application/json", {"common": dict(zip(LABELS, texts)), "errors": {"password": texts[2]}}, 2)
            yield text(f"{at}/locales/{language}.yml", "application/yaml", language + ":\n" + "".join(
                f"  {label}: {json.dumps(line, ensure_ascii=False)}\n" for label, line in zip(LABELS, texts)))
            yield text(f"{at}/locales/{language}.properties", "text/plain; charset=utf-8", (f"label.{label}={line}\n" for label, line in zip(LABELS, texts)))
        yield value(f"{at}/openapi.json", "application/json", openapi(), 2)
        yield value(f"{at}/.well-known/openid-configuration", "application/json", DISCOVERY)
        yield text(f"{at}/login", "text/html; charset=utf-8", LOGIN_PAGE % {"version": hexadecimal(8), "text": words(50)})
        yield text(f"{at}/app.js", "application/javascript", script())
        yield text(f"{at}/app.css", "text/css", style_sheet())
        yield value(f"{at}/app.js.map", "application/json", source_map())
        yield value(f"{at}/package-lock.json", "application/json", lock_file(), 2)
        yield value(f"{at}/git/trees", "application/json", git_tree())
        yield value(f"{at}/.well-known/jwks.json", "application/json", public_keys())
        yield text(f"{at}/sitemap.xml", "application/xml", sitemap())
        yield text(f"{at}/feed", "application/rss+xml", feed())
        yield value(f"{at}/events", "application/json", keyboard())
        yield value(f"{at}/tables", "application/json", tables())
        yield value(f"{at}/objects", "application/json", objects())
        yield value(f"{at}/objects.amz", "application/x-amz-json-1.1", objects()[:10])
        yield text(f"{at}/config.yaml", "text/yaml", configuration())
        yield text(f"{at}/log", "text/plain", log_lines())
        yield text(f"{at}/log.ndjson", "application/x-ndjson", log_objects())
        yield text(f"{at}/page", "text/html", text_page())
        yield text(f"{at}/table.csv", "text/csv", table_file())
        yield f"{at}/picture", "image/png", b"\x89PNG\r\n\x1a\n" + generator.randbytes(60_000)
        yield f"{at}/blob", "application/octet-stream", generator.randbytes(40_000)


QUERIES = [
    "page=2&per_page=50&sort=name&order=asc", "q=reset+password&lang=en", "key=title&value=The+key", "sort_key=created_at&partition_key=region",
    "pageToken=CAUQAA&pageSize=20", "next_token=b3BlbiBzZXNhbWU%3D", "cursor=eyJhZnRlciI6MTJ9", "state=open&code=DE", "author=anna&session=B12",
    "marker=photos%2F2024%2Fa.jpg&max-keys=100", "continuation-token=1ueGcxLPRx1Tr%2FXYExHnhbYLgveDs2J%2Fwm36Hy4vbOwM%3D", "ids=1,2,3&fields=id,name,token_count",
    "since=2024-01-01T00:00:00Z&until=2024-02-01", "hash=9b74c9897bac770ffc029102a200c5de", "id=4bb4ef7c-0f1c-4a6e-a5c2-8ccf9b3d1c52", "client_id=web&scope=openid%20email",
    "primary_key=id&foreign_key=author_id", "keyword=monkey&monkey=keyboard", "redirect=https%3A%2F%2Fwww.example.com%2Fa%3Fpage%3D2",
]
REQUEST_FIELDS = [
    ("X-Request-Id", "5d2c0a44-7ab1-4d39-9b54-06d2d81f6a11"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("Idempotency-Key", "8e03978e-40d5-43e8-bc93-6894a57f9324"), ("If-None-Match", '"33a64df551425fcc55e4d42a148795d9f25f89d4"'),
    ("X-Cache-Key", "articles:front:de"), ("Last-Event-ID", "1712345678-0"), ("User-Agent", "check/1.0 (keys; tokens)"), ("Accept-Language", "de-DE,de;q=0.9"),
    ("Referer", "https://www.example.com/articles?page=2&key=title"), ("X-Client-Version", "2024.05.1+b9f3c2d"),
]
RESPONSE_FIELDS = [
    ("ETag", 'W/"5e8c7f0a2b3d4e5f60718293a4b5c6d7"'), ("X-Request-Id", "f3b1c7de-6b1f-4c7a-9d6a-0d8f9c4c8e11"), ("Surrogate-Key", "article front-page author-12"),
    ("X-Cache-Key", "/documents/1?lang=de"), ("x-ratelimit-remaining-tokens", "149984"), ("x-ratelimit-reset-tokens", "6ms"), ("CF-RAY", "7a1b2c3d4e5f6071-FRA"),
    ("x-amz-request-id", "4442587FB7D0A2F9"), ("x-amz-id-2", "vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo="),
    ("Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="), ("X-Goog-Hash", "crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ=="), ("X-Next-Page", "3"),
    ("Link", '<https://api.example/items?page=3&per_page=50>; rel="next", <https://api.example/items?page=9>; rel="last"'),
    ("Server-Timing", 'db;dur=53, app;dur=47.2;desc="key lookup"'), ("X-Git-Commit", "b94a8fe5ccb19ba61c4c0873d391e987982fbbd3"),
    ("Digest", "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="), ("Content-Security-Policy", "default-src 'self'; script-src 'self' 'sha256-B2yPHKaXnvFWtRChIbabYmUBFZdVfKKXHbWtWidDVF8='"),
]


# MARK: Relay


class Relay(BaseHTTPRequestHandler):
    """Answers with documents, or with what the upstream of the first path segment answers; keeps both sides of every exchange."""

    protocol_version = "HTTP/1.1"
    upstreams = {}
    documents = {}
    log = []
    lock = threading.Lock()

    def answer(self):
        body = self.read_body()
        request = [(name, value) for name, value in self.headers.items()]
        path = self.path.split("?")[0]
        if path in Relay.documents:
            kind, content = Relay.documents[path]
            status, fields = 200, [("Content-Type", kind), *RESPONSE_FIELDS]
            if len(content) % 3 == 0:
                content = gzip.compress(content, mtime=0)
                fields.append(("Content-Encoding", "gzip"))
        else:
            status, fields, content = self.forward(body, request)
        with Relay.lock:
            number = len(Relay.log)
            fields.append(("X-Number", f"n{number}"))
            Relay.log.append({"method": self.command, "target": self.path, "request": request, "body": body, "response": fields, "content": content})
        self.send_response_only(status)
        for name, value in fields:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in fields):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = answer

    def read_body(self):
        if (self.headers.get("Transfer-Encoding") or "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def forward(self, body, fields):
        connection = http.client.HTTPConnection("127.0.0.1", Relay.upstreams[(self.headers.get("X-Upstream") or "moto")], timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in fields:
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "expect", "x-upstream"):
                connection.putheader(name, value)
        if body or self.command in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        response = connection.getresponse()
        content = response.read()
        hop_by_hop = ("connection", "keep-alive", "transfer-encoding") + (() if self.command == "HEAD" else ("content-length",))
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in hop_by_hop]
        connection.close()
        return response.status, kept, content

    def log_message(self, *_):
        pass


class Threaded(ThreadingHTTPServer):
    daemon_threads = True


# MARK: Client


def start_moto():
    process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in process.stderr:
        if match := re.search(rb"Running on http://127\.0\.0\.1:(\d+)", line):
            threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
            return process, int(match.group(1))
    raise RuntimeError("moto did not start")


def send(port, method, target, fields=(), body=b""):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *(f"{name}: {value}" for name, value in fields)]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
        answer = b""
        while data := connection.recv(1 << 16):
            answer += data
    assert answer.startswith(b"HTTP/1.1 "), (target, answer[:200])
    return answer


def generated(port, mib):
    sent = 0
    for number, (path, kind, content) in enumerate(documents()):
        if sent > mib << 20:
            return
        Relay.documents[path] = kind, content
        target = path + "?" + QUERIES[number % len(QUERIES)]
        # Every third goes both ways; not those in which words stand under names that tell: in a request such a word may be a password.
        body = content if number % 3 == 0 and not re.search("/(locales|_analyze|v1/chat/(completions|stream))", path) else b""
        send(port, "POST" if body else "GET", target, [*REQUEST_FIELDS, *([("Content-Type", kind)] if body else [])], body)
        sent += len(content) + len(body)


def from_httpbin(port):
    fields = [("X-Upstream", "httpbin"), ("Accept", "*/*")]
    for path in ("/json", "/html", "/xml", "/robots.txt", "/encoding/utf8", "/uuid", "/ip", "/user-agent", "/headers", "/get?page=2", "/anything/a/b?key=title",
                 "/gzip", "/deflate", "/brotli", "/stream/20", "/bytes/5000?seed=7", "/image/png", "/image/svg", "/links/20/0", "/forms/post", "/deny",
                 "/etag/33a64df551425fcc", "/cache", "/range/4000", "/status/404", "/redirect/2", "/base64/aGVsbG8gd29ybGQ=", "/response-headers?X-Key=title"):
        send(port, "GET", path, fields)
    for query in QUERIES:
        send(port, "GET", f"/anything/list?{query}", [*fields, *REQUEST_FIELDS])
    for body, kind in ((json.dumps(objects()[:5]), "application/json"), (json.dumps(chat_request()), "application/json"),
                       ("name=Anna+Berg&country_code=DE&comment=my+password+is+long&key=title&state=open", "application/x-www-form-urlencoded"),
                       ('--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nThe secret garden\r\n--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"'
                        "\r\nContent-Type: text/plain\r\n\r\ntoken of love\r\n--B--\r\n", "multipart/form-data; boundary=B")):
        send(port, "POST", "/anything/post", [*fields, ("Content-Type", kind)], body.encode())


COOKIES = "tz=Europe/Berlin; theme=darkmode; lang=en-GB; consent=2024-05-01T10:00:00Z; view=list; layout=two-columns; currency=EUR"


def harmless_cookies(port):
    """What a cookie holds may be as ordinary as a time zone: it is no reason to replace that elsewhere."""
    fields = [("X-Upstream", "httpbin"), ("Accept", "*/*")]
    send(port, "GET", "/cookies", [*fields, ("Cookie", COOKIES)])
    body = json.dumps({"zone": "Europe/Berlin", "theme": "darkmode", "at": "2024-05-01T10:00:00Z", "layout": "two-columns", "note": "a list of things in Europe/Berlin"})
    Relay.documents["/documents/settings"] = "application/json", body.encode()
    send(port, "GET", "/documents/settings")


def from_moto(port):
    import boto3
    from botocore.config import Config

    settings = dict(
        endpoint_url=f"http://127.0.0.1:{port}", region_name="eu-west-1", aws_access_key_id="AKIA" + "".join(generator.choice("ABCDEFGH234567") for _ in range(16)),
        aws_secret_access_key=token64(30), config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    s3 = boto3.client("s3", **settings)
    s3.create_bucket(Bucket="shelf", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for number in range(30):
        s3.put_object(Bucket="shelf", Key=f"photos/{moment()[:10]}/{slug(3)}-{hexadecimal(8)}.jpg", Body=generator.randbytes(500), Metadata={"title": words(3)})
    seen, marker = 0, {}
    while True:
        page = s3.list_objects_v2(Bucket="shelf", MaxKeys=7, **marker)
        seen += len(page["Contents"])
        if not page["IsTruncated"]:
            break
        marker = {"ContinuationToken": page["NextContinuationToken"]}
    assert seen == 30, seen
    s3.list_buckets()
    dynamo = boto3.client("dynamodb", **settings)
    dynamo.create_table(TableName="stars", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "sort_key", "KeyType": "HASH"}],
                        AttributeDefinitions=[{"AttributeName": "sort_key", "AttributeType": "S"}])
    for _ in range(20):
        dynamo.put_item(TableName="stars", Item={"sort_key": {"S": slug(2)}, "id": {"S": identifier()}, "hash": {"S": hexadecimal(64)}, "token": {"S": "noun"}})
    page, key = dynamo.scan(TableName="stars", Limit=6), {}
    while "LastEvaluatedKey" in page:
        page = dynamo.scan(TableName="stars", Limit=6, ExclusiveStartKey=page["LastEvaluatedKey"])
    dynamo.describe_table(TableName="stars")
    ec2 = boto3.client("ec2", **settings)
    ec2.describe_regions()
    ec2.describe_vpcs()
    ec2.describe_subnets()
    ec2.describe_security_groups()
    ec2.describe_instance_types()
    ec2.describe_images()


# MARK: Comparison


def recorded(cassette):
    database = sqlite3.connect(f"file:{cassette}?mode=ro", uri=True)

    def body(number):
        if number is None:
            return b""
        first = database.execute("SELECT bytes FROM body WHERE id = ?", (number,)).fetchone()[0]
        return first + b"".join(row[0] for row in database.execute("SELECT bytes FROM body_slice WHERE body_id = ? ORDER BY number", (number,)))

    for target, request, asked, response, answered in database.execute(
            "SELECT target, request_fields, request_body_id, response_fields, response_body_id FROM interaction ORDER BY id"):
        yield {"target": target, "request": json.loads(request), "body": body(asked), "response": json.loads(response), "content": body(answered)}
    database.close()


def decoded(content, fields):
    coding = next((value for name, value in fields if name.lower() == "content-encoding"), "")
    try:
        return gzip.decompress(content) if coding == "gzip" else content
    except OSError:
        return content


def changes(before, after):
    """Where two byte strings differ, with what is around, resynchronised after each difference."""
    left, right, found = 0, 0, []
    while before[left:] != after[right:]:
        step = 1 << 16
        while step:
            if before[left:left + step] == after[right:right + step] and left + step <= len(before) and right + step <= len(after):
                left, right = left + step, right + step
            else:
                step >>= 1
        start = left, right
        found.append((before[max(0, left - 40):left + 40], after[max(0, right - 40):right + 60]))
        for ahead in range(0, 4000):
            probe = after[right + ahead:right + ahead + 16]
            at = before.find(probe, left, left + 8000) if len(probe) == 16 else -1
            if at >= 0:
                left, right = at, right + ahead
                break
        if start == (left, right) or len(found) > 200:
            break
    return found


def compare(sent, kept):
    for place, part in (("target", "target"),):
        yield from ((place, *change) for change in changes(sent[part].encode("latin-1"), kept[part].encode("latin-1")))
    for place, part in (("request field", "request"), ("response field", "response")):
        ignored = ("host", "content-length", "connection", "date", "transfer-encoding", "via")
        ours = [(name, value) for name, value in sent[part] if name.lower() not in ignored]
        theirs = [(name, value) for name, value in kept[part] if name.lower() not in ignored]
        if [name.lower() for name, _ in ours] != [name.lower() for name, _ in theirs]:
            yield f"{place} names", repr([n for n, _ in ours]).encode(), repr([n for n, _ in theirs]).encode()
            continue
        for (name, value), (_, other) in zip(ours, theirs):
            if value != other:
                yield f"{place} {name}", value.encode("latin-1", "replace"), other.encode("latin-1", "replace")
    yield from (("request body", *change) for change in changes(decoded(sent["body"], sent["request"]), decoded(kept["body"], kept["request"])))
    yield from (("response body", *change) for change in changes(decoded(sent["content"], sent["response"]), decoded(kept["content"], kept["response"])))


def main():
    mib = float(sys.argv[1]) if len(sys.argv) > 1 else 6
    httpbin = Gunicorn()
    moto, moto_port = start_moto()
    Relay.upstreams = {"httpbin": httpbin.port, "moto": moto_port}
    relay = Threaded(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    begun = time.monotonic()
    with folder() as temporary:
        cassette = os.path.join(temporary, "ordinary.cassette")
        with Server("record", cassette, "--upstream", f"http://127.0.0.1:{relay.server_address[1]}", "--no-map", "--quiet") as server:
            generated(server.port, mib)
            from_httpbin(server.port)
            from_moto(server.port)
            harmless_cookies(server.port)
        httpbin.stop()
        moto.terminate()
        moto.wait(timeout=30)
        kept = list(recorded(cassette))
    took = time.monotonic() - begun
    log = {f"n{number}": entry for number, entry in enumerate(Relay.log)}
    assert len(kept) == len(log), f"{len(kept)} interactions of {len(log)}"
    size = sum(len(entry["body"]) + len(entry["content"]) for entry in kept)
    expected, unexpected = 0, []
    for entry in kept:
        number = next(value for name, value in entry["response"] if name == "X-Number")
        sent = log[number]
        for place, before, after in compare(sent, entry):
            around = before.decode("utf-8", "replace")
            if any(re.search(path, sent["target"]) and re.search(where, place) and re.search(text, around) for path, where, text, _ in EXPECTED):
                expected += 1
            else:
                unexpected.append((sent["target"], place, before, after))
    kinds = {}
    for target, place, before, after in unexpected:
        path = re.sub(r"^/documents/\d+", "", target.split("?")[0]) or target
        kinds.setdefault((path, place), []).append((before, after))
    for (path, place), found in sorted(kinds.items()):
        print(f"changed: {path} {place} ({len(found)} times)")
        shown = set()
        for before, after in found:
            mark = re.sub(rb"\d+", b"0", after[30:70])
            if mark not in shown and len(shown) < 12:
                shown.add(mark)
                print(f"    sent     {before!r}\n    recorded {after!r}")
    summary = f"{size / 1e6:.1f} MB of {len(kept)} exchanges without secrets in {took:.0f} s: {expected} expected changes, {len(unexpected)} others"
    if unexpected:
        raise SystemExit(f"FAILED: {summary}")
    passed(summary)


if __name__ == "__main__":
    main()

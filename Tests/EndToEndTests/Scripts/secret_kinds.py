"""Secrets of all kinds, and the ways to spell them: what secret_grid.py plants. Every value is made from the generator that is given."""

import base64
import html
import json
import string
import urllib.parse
import zlib

ALPHANUMERIC = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
URL_SAFE = ALPHANUMERIC + "-_"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
UNRESERVED = set(ALPHANUMERIC + "-._~")
WORDS = """granite walnut velvet harbor lantern copper meadow thistle pebble cinder maple orchid falcon ribbon saddle timber violet wicker zephyr
almond basil cobalt dapple ember fennel garnet hazel indigo jasper kelp lilac marble nutmeg opal quartz russet sienna topaz umber""".split()


def word(random, size, alphabet=ALPHANUMERIC):
    return "".join(random.choice(alphabet) for _ in range(size))


def b64(data):
    return base64.b64encode(data).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def checksum(text):
    """CRC-32 in base 62, six digits: how tokens of code hosts and package registries end."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits


class Secret:
    """A value, and the parts of it of which nothing may be found."""

    def __init__(self, value, *cores):
        self.value = value
        self.cores = cores or (value,)


class Kind:
    def __init__(self, name, make, words=(), literal=(), shape=False, learn=("json",), declare=False, only=None):
        self.name, self.make = name, make
        self.words, self.literal = words, literal  # Names that tell: as words, or spelt in one way only.
        self.shape = shape  # Whether it is known by its shape.
        self.learn = learn  # By what it is learned before it turns up elsewhere.
        self.declare = declare  # Whether it is declared too.
        self.only = only  # Families of places it makes sense in.


def jwt(random, algorithm, signature):
    subject, mailbox, person = word(random, 20), word(random, 16, string.ascii_lowercase), word(random, 14)
    header = b64url(json.dumps({"alg": algorithm, "typ": "JWT", "kid": "k1"}).encode())
    claims = b64url(json.dumps({"iss": "https://id.example", "aud": "shop", "iat": 1700000000, "exp": 1700003600, "sub": subject,
                                "email": f"{mailbox}@mail.example", "name": person, "scope": "read"}).encode())
    signed = b64url(random.randbytes(signature))
    return Secret(f"{header}.{claims}.{signed}", subject, mailbox, person, signed)


def lines(random, size):
    text = b64(random.randbytes(size))
    return [text[start:start + 64] for start in range(0, len(text), 64)]


def armour(random, label, size=180, head=""):
    body = lines(random, size)
    return Secret(f"-----BEGIN {label}-----\n{head}" + "\n".join(body) + f"\n-----END {label}-----\n", *body)


def url(random, scheme, rest, user="shopper"):
    password = word(random, 22)
    return Secret(f"{scheme}://{user}:{password}@{rest}", password)


def service_account(random):
    body = lines(random, 180)
    key = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(body) + "\n-----END PRIVATE KEY-----\n"
    # Which key it is is no secret: another one is another request.
    return Secret(json.dumps({"type": "service_account", "project_id": "shop-1", "private_key_id": "0123456789abcdef" * 2 + "01234567", "private_key": key,
                              "client_email": "robot@shop-1.iam.example", "token_uri": "https://oauth2.example/token"}), *body)


def saml(random):
    signature, person = b64(random.randbytes(60)), word(random, 18)
    document = (f'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1"><Assertion><NameID>{person}</NameID>'
                f"<SignatureValue>{signature}</SignatureValue></Assertion></samlp:Response>")
    return Secret(b64(document.encode()), signature, person)


def simple(text, *alphabet):
    """`text` with `{N}` for N random characters."""
    def make(random):
        parts = text.split("{")
        value = parts[0]
        for part in parts[1:]:
            size, rest = part.split("}", 1)
            value += word(random, int(size), *alphabet) + rest
        return Secret(value)
    return make


def with_checksum(prefix):
    def make(random):
        body = word(random, 30)
        return Secret(prefix + body + checksum(body))
    return make


def azure_connection(random):
    key = b64(random.randbytes(64))
    return Secret(f"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={key};EndpointSuffix=core.windows.example", key)


def netrc(random):
    password = word(random, 24)
    return Secret(f"machine api.shop.example\n  login anna\n  password {password}\n", password)


def otpauth(random):
    seed = word(random, 32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    return Secret(f"otpauth://totp/Shop:anna@mail.example?secret={seed}&issuer=Shop&digits=6", seed)


def basic(random):
    password = word(random, 24)
    return Secret(f"anna.berg:{password}", password)


def odd(*pieces):
    """A password: random words with what is odd between them."""
    def make(random):
        return Secret(word(random, 10) + "".join(piece + word(random, 9) for piece in pieces))
    return make


def number(random):
    return Secret(str(random.randrange(10**9, 10**10)))


H = "0123456789abcdef"
TOKEN = (("access", "token"), ("auth", "token"), ("session", "token"))
KEY = (("api", "key"), ("secret", "key"))
PASSWORD = (("password",), ("db", "password"), ("new", "password"))
SECRET = (("client", "secret"), ("secret",))
BY_PASSWORD = ("json", "form", "basic")

KINDS = [
    Kind("bearer", simple("{40}", URL_SAFE), TOKEN, learn=("authorization", "json"), declare=True),
    Kind("jwt hs256", lambda r: jwt(r, "HS256", 32), (("id", "token"), ("access", "token")), shape=True, learn=("authorization", "json")),
    Kind("jwt rs256", lambda r: jwt(r, "RS256", 256), (("id", "token"),), shape=True, learn=("authorization",)),
    Kind("basic", basic, learn=("basic",), only={"basic"}),
    Kind("session cookie", simple("{26}"), (("session", "id"), ("session", "token")), learn=("cookie", "set-cookie")),
    Kind("aws access key", simple("AKIA{16}", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), shape=True),
    Kind("aws secret key", lambda r: Secret(b64(r.randbytes(30))), (("secret", "access", "key"),), literal=("aws_secret_access_key",)),
    Kind("aws session token", lambda r: Secret(b64(r.randbytes(220))), (("session", "token"), ("security", "token"))),
    Kind("github token", with_checksum("ghp_"), TOKEN, shape=True, learn=("authorization", "json")),
    Kind("github fine token", simple("github_pat_{22}_{59}"), TOKEN, shape=True),
    Kind("gitlab token", simple("glpat-{20}"), TOKEN, shape=True),
    Kind("slack bot token", lambda r: Secret(f"xoxb-{word(r, 12, string.digits)}-{word(r, 12, string.digits)}-{word(r, 24)}"), TOKEN, shape=True),
    Kind("slack webhook", lambda r: (lambda p: Secret(f"https://hooks.slack.com/services/T{word(r, 9, UPPER)}/B{word(r, 9, UPPER)}/{p}", p))(word(r, 24)),
         shape=True, learn=()),
    Kind("stripe key", simple("sk_live_{24}"), KEY, shape=True),
    Kind("stripe webhook secret", simple("whsec_{32}"), (("webhook", "secret"),), shape=True),
    Kind("sendgrid key", simple("SG.{22}.{43}"), KEY, shape=True),
    Kind("google api key", simple("AIza{35}", URL_SAFE.replace("-", "")), KEY, shape=True),
    Kind("google access token", simple("ya29.{60}"), TOKEN, shape=True),
    Kind("google client secret", simple("GOCSPX-{28}"), SECRET, shape=True),
    Kind("npm token", with_checksum("npm_"), (("npm", "token"),), shape=True),
    Kind("hugging face token", simple("hf_{34}"), TOKEN, shape=True),
    Kind("anthropic key", simple("sk-ant-api03-{93}AA"), KEY, shape=True),
    Kind("openai key", simple("sk-proj-{74}T3BlbkFJ{74}"), KEY, shape=True),
    Kind("pypi token", simple("pypi-AgEIcHlwaS5vcmc{60}"), TOKEN, shape=True),
    Kind("shopify token", simple("shpat_{32}", H), TOKEN, shape=True),
    Kind("digitalocean token", simple("dop_v1_{64}", H), TOKEN, shape=True),
    Kind("uuid key", lambda r: Secret(f"{word(r, 8, H)}-{word(r, 4, H)}-4{word(r, 3, H)}-a{word(r, 3, H)}-{word(r, 12, H)}"), KEY, declare=True),
    Kind("hex 32", simple("{32}", H), KEY, declare=True),
    Kind("hex 40", simple("{40}", H), TOKEN),
    Kind("hex 64", simple("{64}", H), (("signing", "key"), ("encryption", "key"), ("secret", "key")), declare=True),
    Kind("base64 32 bytes", lambda r: Secret(b64(r.randbytes(32))), KEY, declare=True),
    Kind("pem key", lambda r: armour(r, "PRIVATE KEY"), (("private", "key"),), shape=True),
    Kind("rsa pem key", lambda r: armour(r, "RSA PRIVATE KEY"), (("private", "key"),), shape=True),
    Kind("encrypted pem key", lambda r: armour(r, "ENCRYPTED PRIVATE KEY"), (("private", "key"),), shape=True),
    Kind("old encrypted pem key", lambda r: armour(r, "RSA PRIVATE KEY", 180, "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n"),
         (("private", "key"),), shape=True),
    Kind("ssh key", lambda r: armour(r, "OPENSSH PRIVATE KEY", 200), (("ssh", "private", "key"),), shape=True),
    Kind("pgp key", lambda r: armour(r, "PGP PRIVATE KEY BLOCK", 200, "\n"), (("private", "key"),), shape=True),
    Kind("postgres url", lambda r: url(r, "postgres", "db.shop.example:5432/shop?sslmode=require"), shape=True, learn=()),
    Kind("mysql url", lambda r: url(r, "mysql", "db.shop.example/shop"), shape=True, learn=()),
    Kind("mongodb url", lambda r: url(r, "mongodb+srv", "cluster0.shop.example/?retryWrites=true"), shape=True, learn=()),
    Kind("redis url", lambda r: url(r, "redis", "cache.shop.example:6379/0", ""), shape=True, learn=()),
    Kind("amqp url", lambda r: url(r, "amqp", "mq.shop.example:5672/%2f"), shape=True, learn=()),
    Kind("password", simple("{20}"), PASSWORD, learn=BY_PASSWORD),
    Kind("password, special", odd("!", "$&", "=", "#@", "?/", "{}", "<", ">*"), PASSWORD, learn=BY_PASSWORD, declare=True),
    Kind("password, unicode", odd("ü", "ß€", "Ж", "🔑"), PASSWORD, learn=BY_PASSWORD, declare=True),
    Kind("password, quotes", odd('"', "'", "`", '""'), PASSWORD, learn=BY_PASSWORD, declare=True),
    Kind("password, spaces", odd(" ", "  ", " "), PASSWORD, learn=BY_PASSWORD, declare=True),
    Kind("password, backslashes", odd("\\", "\\n", "\\u"), PASSWORD, learn=BY_PASSWORD, declare=True),
    Kind("password, percent", odd("%", "%41", "100%"), PASSWORD, learn=BY_PASSWORD, declare=True),
    Kind("password, plus", odd("+", "++", "%2B"), PASSWORD, learn=BY_PASSWORD, declare=True),
    Kind("passphrase", lambda r: Secret(" ".join(r.choice(WORDS) + word(r, 3, string.ascii_lowercase) for _ in range(5))), (("passphrase",),), declare=True),
    Kind("otp seed", simple("{32}", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), (("otp", "secret"), ("totp", "secret"))),
    Kind("otpauth url", otpauth, shape=True, learn=()),
    Kind("saml assertion", saml, literal=("SAMLResponse",), learn=("saml",)),
    Kind("csrf token", lambda r: Secret(b64(r.randbytes(48))), (("csrf", "token"),), literal=("authenticity_token", "csrfmiddlewaretoken")),
    Kind("refresh token", simple("1//{60}", URL_SAFE), (("refresh", "token"),)),
    Kind("client secret", simple("{34}", URL_SAFE + ".~"), SECRET, declare=True),
    Kind("device code", simple("{36}", URL_SAFE), (("device", "code"),)),
    Kind("webhook secret", simple("{32}"), (("webhook", "secret"), ("signing", "secret"))),
    Kind("url signature", lambda r: Secret(b64(r.randbytes(32))), literal=("sig", "X-Amz-Signature", "Signature"), learn=("query",), only={"query"}),
    Kind("azure storage key", lambda r: Secret(b64(r.randbytes(64))), (("account", "key"), ("storage", "account", "key"))),
    Kind("azure connection string", azure_connection, shape=True, learn=()),
    Kind("service account", service_account, shape=True, learn=()),
    Kind("kubeconfig token", simple("{64}", URL_SAFE), (("token",),)),
    Kind("netrc", netrc, shape=True, learn=(), only={"text"}),
    Kind("number", number, (("passcode",), ("password",)), learn=()),
]


# MARK: Spellings


def percent(text, safe=UNRESERVED, digits="%%%02X"):
    return "".join(character if character in safe else "".join(digits % byte for byte in character.encode()) for character in text)


def json_needed(text):
    return json.dumps(text, ensure_ascii=False)[1:-1]


def json_all(text):
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[start]:02x}{units[start + 1]:02x}" for start in range(0, len(units), 2))


def quoted_printable(text):
    line, result = "", []
    for byte in text.encode():
        character = chr(byte) if 33 <= byte <= 126 and byte != 61 else f"={byte:02X}"
        if len(line) + len(character) > 37:  # Short lines, so that a soft line break falls into most values.
            result.append(line + "=\r\n")
            line = ""
        line += character
    return "".join(result) + line


ENCODINGS = {
    "plain": lambda text, random: text,
    "percent": lambda text, random: percent(text),
    "percent, lower case": lambda text, random: percent(text, digits="%%%02x"),
    "percent, all": lambda text, random: percent(text, safe=()),
    "percent twice": lambda text, random: percent(percent(text)),
    "form": lambda text, random: urllib.parse.quote_plus(text),
    "json": lambda text, random: json_needed(text),
    "json, all escaped": lambda text, random: json_all(text),
    "json in json": lambda text, random: json_needed(json_needed(text)),
    "html, named": lambda text, random: html.escape(text),
    "html, decimal": lambda text, random: "".join(f"&#{ord(character)};" for character in text),
    "html, hexadecimal": lambda text, random: "".join(f"&#x{ord(character):x};" for character in text),
    "base64": lambda text, random: b64(b"id:"[:random.randrange(4)] + text.encode()),
    "base64, url": lambda text, random: b64url(b"id:"[:random.randrange(4)] + text.encode()),
    "quoted-printable": lambda text, random: quoted_printable(text),
    # Of whole bodies: the value is spelt as the body needs it.
    "utf-16 le": lambda text, random: text,
    "utf-16 be": lambda text, random: text,
}
WHOLE = {"utf-16 le": ("utf-16-le", b"\xff\xfe"), "utf-16 be": ("utf-16-be", b"\xfe\xff")}

# Which spellings a syntax reads itself; what is spelt otherwise is escaped as the syntax needs it.
NATIVE = {
    "query": {"percent", "percent, lower case", "percent, all", "percent twice", "form"},
    "url": {"percent", "percent, lower case", "percent, all", "percent twice", "form"},
    "path": {"percent", "percent, lower case", "percent, all", "percent twice"},
    "form": {"percent", "percent, lower case", "percent, all", "percent twice", "form"},
    "json": {"json", "json, all escaped", "json in json"},
    "json string": {"json in json"},
    "xml": {"html, named", "html, decimal", "html, hexadecimal"},
    "html": {"html, named", "html, decimal", "html, hexadecimal"},
    "yaml": {"json", "json in json"}, "script": {"json", "json, all escaped"},
    "text": set(ENCODINGS), "part": {"plain", "quoted-printable", "base64"},
}


def escape(syntax, text):
    """`text` as a value of this syntax, or None if there is no way to have it there."""
    if syntax in ("field", "reason"):
        return text if all(" " <= character <= "~" for character in text) and text == text.strip() else None
    if syntax == "cookie":
        return text if all("!" <= character <= "~" and character not in '",;\\' for character in text) else None
    if syntax in ("query", "url", "path", "form"):
        return percent(text)
    if syntax in ("json", "yaml", "script"):
        return json_needed(text)
    if syntax == "json string":
        return json_needed(json_needed(text))
    if syntax in ("xml", "html"):
        return html.escape(text)
    if syntax == "env":
        if "\n" in text:
            return None
        return text if all(character in UNRESERVED or character in "+/=:@" for character in text) else f'"{json_needed(text)}"'
    return text

"""Certificates: which ones a server shows, whom it lets in by theirs, and which ones it shows to upstreams.

What a server makes for itself is looked at with OpenSSL, and tried with curl, Go and Java, under names that clients may use and under others.
Certificates of the user's own come in every form that there is, and with every mistake.

It needs curl, openssl, Go, a JDK, nginx and strace.

Usage: certificates.py [PART OF A NAME]
"""

import contextlib
import datetime
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

import support
from checks import Failures, Identity, Nginx, rsa_key, run_checks
from support import HERE, MOCKSERVE, Server, environment, exchange, free_port, resident_kib
from versions_service import Http2Client

TIMEOUT = 30
DAY = datetime.timedelta(days=1)
UPSTREAM = "api.upstream.test"
ALLOWED = "mock.test"
# Neither loopback, nor an upstream, nor allowed; some look like it.
OUTSIDE = ["evil.test", "test", "upstream.test", f"x{ALLOWED}", f"{ALLOWED}.evil.test", "xlocalhost", "localhost.evil.test"]


@contextlib.contextmanager
def variables(**more):
    """Further variables in the environment of mockserve."""
    original = support.environment
    support.environment = lambda: {**original(), **more}
    try:
        yield
    finally:
        support.environment = original


def cassette(place, name="one.cassette"):
    path = os.path.join(place, name)
    if not os.path.exists(path):
        arguments = ["cassette", "add", path, "--request", "GET /", "--text", "hello", "--upstream", f"https://{UPSTREAM}"]
        subprocess.run([MOCKSERVE, *arguments], check=True, capture_output=True, env=support.environment(), timeout=TIMEOUT)
    return path


class Serving(Server):
    """A replay that demands TLS, with what clients of it must trust in `ca`."""

    def __init__(self, place, *options, name="ca", own=False, **settings):
        self.ca = os.path.join(place, f"{name}.pem")
        written = [] if own else ["--ca-file", self.ca]
        super().__init__("replay", cassette(place), "--tls", *written, "--quiet", *options, **settings)


def curl(*arguments, **options):
    return subprocess.run(["curl", "-q", "-sS", "--max-time", "20", *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT, **options)


def s_client(port, *arguments, send=""):
    """What OpenSSL says of a connection, and what comes back in it."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments]
    if send:
        # Without a terminal it ends with its input, before the answer.
        command.append("-ign_eof")
    done = subprocess.run(command, input=send, capture_output=True, text=True, timeout=TIMEOUT)
    return done.returncode, done.stdout + done.stderr


# MARK: Versions and protocols


def versions_of_tls(place):
    """TLS 1.2 and 1.3 are spoken, older versions are refused"""
    with Serving(place) as server:
        for option, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            status, text = s_client(server.port, option, "-CAfile", server.ca, "-verify_return_error", "-servername", "localhost", "-verify_hostname", "localhost")
            assert status == 0 and "Verify return code: 0 (ok)" in text and name in text, f"{option}: {text[-1500:]}"
        for option in ("-tls1_1", "-tls1"):
            # OpenSSL would not even ask for them.
            status, text = s_client(server.port, option, "-cipher", "DEFAULT@SECLEVEL=0")
            assert status != 0 and "alert protocol version" in text, f"{option}: ended with {status}: {text[-600:]}"


def application_protocols(place):
    """By ALPN, h2 and http/1.1 are agreed on; a client that does not ask gets HTTP/1.1"""
    request = "GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n"
    with Serving(place) as server:
        for offered, agreed in (("h2", "h2"), ("http/1.1", "http/1.1"), ("h2,http/1.1", "h2"), ("http/1.1,h2", "h2"), ("x,http/1.1", "http/1.1")):
            for version in ("-tls1_2", "-tls1_3"):
                _, text = s_client(server.port, version, "-alpn", offered)
                assert f"ALPN protocol: {agreed}\n" in text, f"{offered}, {version}: {re.findall('.*ALPN.*', text)}"
        _, text = s_client(server.port, "-alpn", "http/1.1", "-crlf", send=request)
        assert "HTTP/1.1 200 OK" in text and "hello" in text, text[-800:]
        _, text = s_client(server.port, "-crlf", send=request)
        assert "No ALPN negotiated" in text and "HTTP/1.1 200 OK" in text, text[-800:]
        for option, version in (("--http2", "2"), ("--http1.1", "1.1"), ("--no-alpn", "1.1")):
            done = curl(option, "--cacert", server.ca, "-w", " %{http_version}", server.url + "/")
            assert done.stdout == f"hello {version}", f"{option}: {done}"


def plain_requests_are_told(place):
    """A server that demands TLS answers 400 to a plain request, and says why; one that does not takes both"""
    with Serving(place) as server:
        assert server.url.startswith("https://127.0.0.1:"), server.url
        for version, host in (("1.1", "Host: localhost\r\n"), ("1.0", "")):
            said = exchange(server.port, f"GET / HTTP/{version}\r\n{host}\r\n".encode()).decode()
            assert said.startswith("HTTP/1.1 400 ") and "https://" in said and "without TLS" in said and "hello" not in said, said
        client = Http2Client(server.port)
        [stream] = client.finish(client.ask("/"))
        client.close()
        assert stream.status == 400 and b"https://" in stream.body, stream
        # The same port goes on.
        assert curl("--cacert", server.ca, server.url + "/").stdout == "hello"
    ca = os.path.join(place, "both.pem")
    with Server("replay", cassette(place), "--ca-file", ca, "--quiet") as server:
        assert server.url.startswith("http://"), server.url
        for url in (f"http://127.0.0.1:{server.port}/", f"https://127.0.0.1:{server.port}/"):
            done = curl("--cacert", ca, url)
            assert done.stdout == "hello", done


# MARK: The end of connections


def sockets_of(pid):
    """How many a process has."""
    count = 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:")
    return count


def connection_to(server, version, protocol=None, is_secure=True):
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    if not is_secure:
        return plain
    context = ssl.create_default_context(cafile=server.ca)
    context.minimum_version = context.maximum_version = version
    if protocol:
        context.set_alpn_protocols([protocol])
    return context.wrap_socket(plain, server_hostname="localhost")


def connections_end(place):
    """A connection that is over leaves nothing behind, and idle ones hold up the end of the server no longer with TLS than without it"""
    failures, request = [], b"GET / HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for says_goodbye in (True, False):
            with Serving(place) as server:
                before = sockets_of(server.pid)
                for _ in range(10):
                    connection = connection_to(server, version)
                    connection.sendall(request % b"Connection: close\r\n")
                    while connection.recv(65536):
                        pass
                    with contextlib.suppress(OSError):
                        (connection.unwrap() if says_goodbye else connection).close()
                deadline = time.monotonic() + 1
                while (left := sockets_of(server.pid) - before) and time.monotonic() < deadline:
                    time.sleep(0.02)
                if left:
                    how = "with" if says_goodbye else "without"
                    failures.append(f"{version.name}: a second after 10 clients closed, {how} close_notify, {left} of their connections are still open")
                server.kill()
    # As in the pool of a client that does not look at it.
    times = {}
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
    for protocol, said in (("http/1.1", request % b""), ("h2", preface)):
        for is_secure in (False, True):
            server = Serving(place) if is_secure else Server("replay", cassette(place), "--quiet")
            with connection_to(server, ssl.TLSVersion.TLSv1_3, protocol, is_secure) as connection:
                connection.sendall(said)
                assert connection.recv(65536)
                start = time.monotonic()
                server.stop()
                times[protocol, is_secure] = time.monotonic() - start
        more = times[protocol, True] - times[protocol, False]
        if more > 1:
            failures.append(f"{protocol}: with an idle client, the server takes {times[protocol, True]:.1f} s to stop with TLS, {times[protocol, False]:.1f} s without")
    if failures:
        raise Failures(failures)


# MARK: Names


def built(place):
    """The clients in Go and Java."""
    go = os.path.join(place, "certificates_client_go")
    where = {"GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": os.path.join(place, "go-cache"), "GOPATH": os.path.join(place, "go")}
    command = ["go", "build", "-o", go, os.path.join(HERE, "certificates_client.go")]
    subprocess.run(command, check=True, env={**support.environment(), **where}, timeout=120)
    subprocess.run(["javac", "-d", place, os.path.join(HERE, "CertificatesClient.java")], check=True, timeout=60)
    return go


def by_curl(place, go, host, port, ca, names):
    for name in names:
        resolve = [] if name == host else ["--resolve", f"{name}:{port}:{host}"]
        shown = f"[{name}]" if ":" in name else name
        done = curl(*resolve, "--cacert", ca, "-o", os.path.join(place, "body"), "-w", "%{http_code}", f"https://{shown}:{port}/")
        yield name, f"accepted {done.stdout}" if done.returncode == 0 else f"refused {done.stderr.strip()}"


def by_openssl(place, go, host, port, ca, names):
    for name in names:
        is_address = ":" in name or name[0].isdigit()
        asked = ["-noservername", "-verify_ip", name] if is_address else ["-servername", name, "-verify_hostname", name]
        address = f"[{host}]" if ":" in host else host
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{address}:{port}", "-CAfile", ca, "-verify_return_error", *asked],
            input="", capture_output=True, text=True, timeout=TIMEOUT,
        )
        text = done.stdout + done.stderr
        yield name, "accepted 200" if done.returncode == 0 and "Verify return code: 0 (ok)" in text else f"refused {re.findall('verify error.*', text) or text[-300:]}"


def lines_of(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr[-500:]}"
    return (line.split(" ", 1) for line in done.stdout.splitlines())


def by_go(place, go, host, port, ca, names):
    return lines_of(go, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", ca, *names)


def by_java(place, go, host, port, ca, names):
    store = os.path.join(place, f"trust-{port}.p12")
    if not os.path.exists(store):
        command = ["keytool", "-importcert", "-noprompt", "-alias", "mockserve", "-file", ca, "-keystore", store, "-storetype", "PKCS12", "-storepass", "changeit"]
        subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT)
    settings = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]
    return lines_of("java", "-XX:TieredStopAtLevel=1", *settings, "-cp", place, "CertificatesClient", host, port, *names)


CLIENTS = {"openssl": by_openssl, "curl": by_curl, "Go": by_go, "Java": by_java}
# What they say of a name that the authority is not permitted to vouch for, or that is not in the certificate.
REASONS = re.compile("permitted subtree violation|not permitted by any constraint|name constraints|mismatch|does not match|not valid for|No subject alternative|no alternative certificate subject name|is valid for", re.I)


def judged(place, go, host, port, ca, names):
    """What every client says of every name."""
    return {client: dict(ask(place, go, host, port, ca, names)) for client, ask in CLIENTS.items()}


def names_of_a_server(place):
    """curl, OpenSSL, Go and Java accept the names that clients may use, and refuse all others"""
    go, failures = built(place), []

    def accepted(what, host, port, ca, *names):
        for client, said in judged(place, go, host, port, ca, names).items():
            for name in names:
                if said.get(name) != "accepted 200":
                    failures.append(f"{what}, {client}: {name} is {said.get(name)}")

    with Serving(place, "--allow-host", ALLOWED, name="names") as server:
        # By SNI, but for addresses.
        own = ["127.0.0.1", "localhost", "app.localhost", "deep.down.app.localhost", ALLOWED, UPSTREAM]
        accepted("replay", "127.0.0.1", server.port, server.ca, *own)
        for client, said in judged(place, go, "127.0.0.1", server.port, server.ca, OUTSIDE).items():
            for name in OUTSIDE:
                if not said.get(name, "").startswith("refused") or not REASONS.search(said[name]):
                    failures.append(f"{client}: {name}, which is outside the constraints, is {said.get(name)}")
    for host in ("::1", "127.0.0.2"):
        with Serving(place, "--host", host, name=f"host-{host}".replace(":", "_")) as server:
            expected = f"https://{f'[{host}]' if ':' in host else host}:{server.port}"
            if server.url != expected:
                failures.append(f"--host {host}: the URL is {server.url}")
            accepted(f"--host {host}", host, server.port, server.ca, host)
    ca = os.path.join(place, "recording.pem")
    with Server("record", os.path.join(place, "new.cassette"), "--upstream", f"https://{UPSTREAM}:1", "--tls", "--ca-file", ca, "--quiet") as server:
        for client, said in judged(place, go, "127.0.0.1", server.port, ca, [UPSTREAM, "evil.test"]).items():
            # There is no such upstream, which is said over TLS.
            if said[UPSTREAM] not in ("accepted 200", "accepted 502") or not said["evil.test"].startswith("refused"):
                failures.append(f"record, {client}: {said}")
        # It could not reach its upstream.
        server.stop(expected=69)
    if failures:
        raise Failures(failures)


# MARK: What is shown


def shown(port, name=None):
    """The certificates that a server shows, the first of them its own."""
    asked = ["-servername", name] if name else ["-noservername"]
    _, text = s_client(port, "-showcerts", *asked)
    blocks = re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S)
    # The first is there twice.
    certificates = [x509.load_pem_x509_certificate(block.encode()) for block in blocks]
    return list(dict.fromkeys(certificates))


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def contents(place):
    """Certificates are valid from 2 days ago to 90 days ahead, and say what they are for; the constraints are critical"""
    with Serving(place, "--allow-host", ALLOWED) as server:
        with open(server.ca, "rb") as file:
            text = file.read()
        authority = x509.load_pem_x509_certificate(text)
        assert text.count(b"-----BEGIN") == 1, text
        chain = shown(server.port, "app.localhost")
        assert len(chain) == 1 and chain[0].issuer == authority.subject, [one.subject.rfc4514_string() for one in chain]
        named, standard = chain[0], shown(server.port)[0]
    now = datetime.datetime.now(datetime.timezone.utc)
    for one in (authority, named, standard):
        before, after = now - one.not_valid_before_utc, one.not_valid_after_utc - now
        assert abs(before - 2 * DAY) < DAY / 24, f"valid since {before} ago: {one.subject.rfc4514_string()}"
        assert abs(after - 90 * DAY) < DAY / 24, f"valid for {after}: {one.subject.rfc4514_string()}"
        assert one.version == x509.Version.v3, one.version
        one.verify_directly_issued_by(authority)
    assert authority.not_valid_after_utc >= named.not_valid_after_utc and authority.not_valid_before_utc <= named.not_valid_before_utc
    assert len({one.serial_number for one in (authority, named, standard)}) == 3
    for kind in (x509.BasicConstraints, x509.KeyUsage, x509.NameConstraints):
        assert extension(authority, kind).critical, f"{kind.__name__} is not critical"
    basic, usage = (extension(authority, kind).value for kind in (x509.BasicConstraints, x509.KeyUsage))
    assert basic.ca and basic.path_length == 0 and usage.key_cert_sign and not usage.digital_signature, (basic, usage)
    permitted = {str(name.value) for name in extension(authority, x509.NameConstraints).value.permitted_subtrees}
    # Clients that are built on BoringSSL would accept no certificate for an address otherwise.
    assert permitted == {"localhost", ALLOWED, UPSTREAM}, permitted
    for one in (named, standard):
        assert not extension(one, x509.BasicConstraints).value.ca
        assert list(extension(one, x509.ExtendedKeyUsage).value) == [x509.ExtendedKeyUsageOID.SERVER_AUTH]
        names = extension(one, x509.SubjectAlternativeName).value
        assert {"localhost", ALLOWED, UPSTREAM} <= set(names.get_values_for_type(x509.DNSName)), names
        assert {"127.0.0.1", "::1"} <= {str(address) for address in names.get_values_for_type(x509.IPAddress)}, names
    assert "app.localhost" in extension(named, x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def serial_numbers(place):
    """Serial numbers have 20 octets at most, and are positive (RFC 5280 §4.1.2.2)"""
    with Serving(place) as server:
        certificates = [shown(server.port, f"name{number}.localhost")[0] for number in range(20)]
    numbers = [one.serial_number for one in certificates]
    # An octet more if the first bit is set, which would be the sign.
    long = [number for number in numbers if number.bit_length() > 159]
    assert len(set(numbers)) == 20 and min(numbers) > 0, numbers
    assert not long, f"{len(long)} of 20 serial numbers have more than 20 octets, such as {long[0]:x}"


def authorities_differ(place):
    """Two servers have two authorities, and so has one that is started again; who trusts one does not trust the other"""
    with Serving(place, name="first") as first, Serving(place, name="second") as second:
        for server, other in ((first, second), (second, first)):
            assert curl("--cacert", server.ca, server.url + "/").stdout == "hello"
            done = curl("--cacert", other.ca, server.url + "/")
            assert done.returncode == 60 and not done.stdout, f"the other authority is trusted: {done}"
    with Serving(place, name="third"):
        pass
    authorities = []
    for name in ("first", "second", "third"):
        with open(os.path.join(place, f"{name}.pem"), "rb") as file:
            authorities.append(x509.load_pem_x509_certificate(file.read()))
    for part in (
        lambda one: one.subject, lambda one: one.serial_number, lambda one: one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ):
        assert len({part(one) for one in authorities}) == 3, [part(one) for one in authorities]


def many_names(place):
    """A thousand names are asked for, and memory stays flat"""
    context = ssl.create_default_context()
    with Serving(place, "--allow-host", ALLOWED) as server:
        context.load_verify_locations(server.ca)

        def ask(name):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
                with context.wrap_socket(connection, server_hostname=name) as secure:
                    return secure.getpeercert()

        for number in range(50):
            ask(f"warm{number}.localhost")
        before = resident_kib(server.pid, "VmRSS")
        for number in range(1100):
            name = f"name{number}.{'localhost' if number % 2 else ALLOWED}"
            names = [value for _, value in ask(name)["subjectAltName"]]
            assert name in names and len(names) < 10, f"{name} is shown {names}"
        more = resident_kib(server.pid, "VmRSS") - before
        # Those that it has made are given again.
        again = {tuple(shown(server.port, "again.localhost")) for _ in range(3)}
        assert len(again) == 1, "a name gets a new certificate each time"
    assert more < 32 << 10, f"{more / 1024:.1f} MiB more after 1100 names"
    return f"{more / 1024:.1f} MiB for 1100 names"


# MARK: Certificates of the user's own


def own_certificates(place):
    """Certificates of one's own: EC and RSA keys in every form, with a passphrase, with a chain"""
    ec, failures = Identity(place, "ec", "localhost", "127.0.0.1"), []
    rsa = Identity(place, "rsa", "localhost", "127.0.0.1", key=rsa_key())
    root = Identity(place, "root", is_authority=True)
    middle = Identity(place, "middle", issuer=root, is_authority=True)
    leaf = Identity(place, "leaf", "localhost", "127.0.0.1", issuer=middle)
    three = leaf.write("three.pem", leaf.pem + middle.pem + root.pem)
    two = leaf.write("two.pem", leaf.pem + middle.pem)
    with open(ec.key_file, "rb") as file:
        both = ec.write("both.pem", ec.pem + file.read())
    # As `openssl ecparam -genkey` writes it.
    sec1 = ec.write_key("sec1", PrivateFormat.TraditionalOpenSSL)
    with open(sec1, "rb") as file:
        parameters = ec.write("parameters.key", b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + file.read())
    kinds = [
        ("PKCS#8 EC", ec, ec.file, ec.key_file, None, 1),
        ("SEC1 EC", ec, ec.file, sec1, None, 1),
        ("SEC1 EC after its parameters", ec, ec.file, parameters, None, 1),
        ("PKCS#8 RSA", rsa, rsa.file, rsa.key_file, None, 1),
        ("PKCS#1 RSA", rsa, rsa.file, rsa.write_key("pkcs1", PrivateFormat.TraditionalOpenSSL), None, 1),
        ("encrypted PKCS#8 EC", ec, ec.file, ec.write_key("locked", PrivateFormat.PKCS8, b"open sesame"), "open sesame", 1),
        ("encrypted PKCS#8 RSA", rsa, rsa.file, rsa.write_key("locked", PrivateFormat.PKCS8, b"open sesame"), "open sesame", 1),
        ("a long passphrase", rsa, rsa.file, rsa.write_key("long", PrivateFormat.PKCS8, b"x" * 1000), "x" * 1000, 1),
        ("encrypted SEC1 EC", ec, ec.file, ec.write_key("old-locked", PrivateFormat.TraditionalOpenSSL, b"open sesame"), "open sesame", 1),
        ("certificate and key in one file", ec, both, both, None, 1),
        ("a chain of two", leaf, two, leaf.key_file, None, 2),
        ("a chain of three", leaf, three, leaf.key_file, None, 3),
    ]
    for what, identity, file, key, passphrase, length in kinds:
        trusted = root.file if identity is leaf else identity.file
        try:
            with variables(**({"MOCKSERVE_TLS_PASSPHRASE": passphrase} if passphrase else {})):
                with Serving(place, "--tls-cert", file, "--tls-key", key, own=True) as server:
                    for version in ("1.2", "1.3"):
                        done = curl("--cacert", trusted, f"--tlsv{version}", "--tls-max", version, server.url + "/")
                        assert done.stdout == "hello", f"TLS {version}: {done}"
                    # What a client calls it makes no difference.
                    for name in (None, "localhost", "evil.test"):
                        chain = shown(server.port, name)
                        assert chain[0] == identity.certificate and len(chain) == length, f"{name} is shown {[one.subject.rfc4514_string() for one in chain]}"
        except (AssertionError, RuntimeError) as error:
            failures.append(f"{what}: {error}")
    if failures:
        raise Failures(failures)


def mistakes(place):
    """Every mistake with a certificate or a key ends with its message and status 64, before anything is served"""
    one, other = Identity(place, "one", "localhost"), Identity(place, "other", "localhost")
    rsa = Identity(place, "rsa", "localhost", key=rsa_key())
    locked = one.write_key("locked", PrivateFormat.PKCS8, b"open sesame")
    text, empty = one.write("text", b"this is neither\n"), one.write("empty", b"")
    missing, cut = os.path.join(place, "missing"), one.write("cut.pem", one.pem[:200])
    torn = one.write("torn.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    right = {"MOCKSERVE_TLS_PASSPHRASE": "open sesame", "MOCKSERVE_UPSTREAM_PASSPHRASE": "open sesame"}
    wrong = {"MOCKSERVE_TLS_PASSPHRASE": "wrong", "MOCKSERVE_UPSTREAM_PASSPHRASE": "wrong"}
    umlaut, long = ({"MOCKSERVE_TLS_PASSPHRASE": text, "MOCKSERVE_UPSTREAM_PASSPHRASE": text} for text in ("wörd", "x" * 100_000))
    pairs = [
        ("no key", one.file, None, {}, "needs its key"),
        ("no certificate", None, one.key_file, {}, "the other way round"),
        ("the key of another", one.file, other.key_file, {}, "is not the key of"),
        ("a key of another kind", one.file, rsa.key_file, {}, "is not the key of"),
        ("a missing certificate", missing, one.key_file, {}, f"{missing} cannot be read"),
        ("a missing key", one.file, missing, {}, f"{missing} cannot be read"),
        ("a folder as the certificate", place, one.key_file, {}, f"{place} cannot be read"),
        ("a folder as the key", one.file, place, {}, f"{place} cannot be read"),
        ("text as the certificate", text, one.key_file, {}, f"{text} cannot be read"),
        ("text as the key", one.file, text, {}, f"{text} cannot be read"),
        ("an empty certificate", empty, one.key_file, {}, f"{empty} cannot be read"),
        ("an empty key", one.file, empty, {}, f"{empty} cannot be read"),
        ("half a certificate", cut, one.key_file, {}, f"{cut} cannot be read"),
        ("a certificate that is none", torn, one.key_file, {}, f"{torn} cannot be read"),
        ("the two the other way round", one.key_file, one.file, {}, f"{one.key_file} cannot be read"),
        ("an encrypted key without a passphrase", one.file, locked, {}, "is encrypted"),
        ("an encrypted key with the wrong passphrase", one.file, locked, wrong, "passphrase"),
        ("an encrypted key with a wrong passphrase that is not ASCII", one.file, locked, umlaut, "passphrase"),
        ("an encrypted key with a wrong passphrase of 100 KB", one.file, locked, long, "passphrase"),
        ("an encrypted key of another", other.file, locked, right, "is not the key of"),
    ]
    failures = []

    def refused(what, arguments, said, more=None):
        made = set(os.listdir(place))
        done = subprocess.run([MOCKSERVE, *arguments], capture_output=True, text=True, env={**support.environment(), **(more or {})}, timeout=TIMEOUT)
        message = done.stderr.strip()
        if done.returncode != 64:
            failures.append(f"{what}: ended with {done.returncode}, not 64: {message[:500]}")
        elif said not in message or not message.startswith("mockserve: ") or "\n" in message:
            failures.append(f"{what}: says {message[:600]!r}, not one line with {said!r}")
        elif done.stdout or set(os.listdir(place)) != made:
            failures.append(f"{what}: printed {done.stdout!r}, made {set(os.listdir(place)) - made}")

    recording = os.path.join(place, "refused.cassette")
    for command, names in (
        (["replay", cassette(place), "--tls"], ("--tls-cert", "--tls-key")),
        (["record", recording, "--upstream", "https://localhost:1"], ("--upstream-cert", "--upstream-key")),
    ):
        for what, certificate, key, more, said in pairs:
            options = [part for name, file in zip(names, (certificate, key)) if file for part in (name, file)]
            refused(f"{what}, {names[0]}", [*command, "--quiet", *options], said, more)
    for option, command in (("--client-ca", ["replay", cassette(place), "--tls"]), ("--upstream-ca", ["record", recording, "--upstream", "https://localhost:1"])):
        for file in (missing, place, text, empty, torn, one.key_file):
            refused(f"{option} {os.path.basename(file)}", [*command, "--quiet", option, file], f"{file} cannot be read")
    own = ["--tls-cert", one.file, "--tls-key", one.key_file]
    replaying = ["replay", cassette(place), "--quiet", "--tls"]
    refused("--ca-file with a certificate of one's own", [*replaying, *own, "--ca-file", os.path.join(place, "none.pem")], "--ca-file")
    refused("--ca-file in a folder that is not there", [*replaying, "--ca-file", os.path.join(place, "no", "ca.pem")], "cannot be written")
    refused("--ca that is not there", [*replaying, "--ca", missing], f"{missing} cannot be read")
    refused("--ca that is no authority", [*replaying, "--ca", one.file], f"{one.file} is not an authority")
    refused("--ca with a certificate of one's own", [*replaying, "--ca", one.file, *own], "either")
    if failures:
        raise Failures(failures)


# MARK: Clients with certificates


def client_certificates(place):
    """Only clients with a certificate of the right authority are let in; the others are told in TLS"""
    authority, stranger = (Identity(place, name, is_authority=True) for name in ("clients", "strangers"))
    middle = Identity(place, "middle", issuer=authority, is_authority=True)
    good = Identity(place, "good", issuer=authority)
    below = Identity(place, "below", issuer=middle)
    chained = below.write("chained.pem", below.pem + middle.pem)
    second = Identity(place, "second", is_authority=True)
    of_second = Identity(place, "of second", issuer=second)
    authorities = authority.write("authorities.pem", authority.pem + second.pem)
    refused = {
        "none": None,
        "one of another authority": Identity(place, "other", issuer=stranger).files,
        "one that signs itself": Identity(place, "self").files,
        "one with the name of the authority": Identity(place, "fake", issuer=Identity(place, "clients", is_authority=True)).files,
        "an expired one": Identity(place, "expired", issuer=authority, days=(-3, -1)).files,
        "one of tomorrow": Identity(place, "early", issuer=authority, days=(1, 3)).files,
    }
    # The second authority of that name has taken the file of the first.
    authority.write("authorities.pem", authority.pem + second.pem)
    accepted = {"a good one": good.files, "one with its chain": (chained, below.key_file), "one of the second authority": of_second.files}
    failures = []

    def asked(server, files, *options):
        shown_by_client = ["--cert", files[0], "--key", files[1]] if files else []
        return curl("--cacert", server.ca, *shown_by_client, *options, f"https://127.0.0.1:{server.port}/")

    with Serving(place, "--client-ca", authorities) as server:
        for version in ("1.2", "1.3"):
            for protocol in ("--http1.1", "--http2"):
                options = [f"--tlsv{version}", "--tls-max", version, protocol]
                for what, files in accepted.items():
                    done = asked(server, files, *options)
                    if done.stdout != "hello":
                        failures.append(f"TLS {version}, {protocol}: {what} is not accepted: {done.stderr.strip()} {done.stdout}")
                for what, files in refused.items():
                    done = asked(server, files, *options)
                    if done.returncode == 0 or done.stdout:
                        failures.append(f"TLS {version}, {protocol}: {what} is accepted: {done.stdout}")
            # What OpenSSL is told. An alert says why, a connection that ends does not.
            for what, files in refused.items():
                shown_by_client = ["-cert", files[0], "-key", files[1]] if files else []
                _, text = s_client(server.port, f"-tls{version.replace('.', '_')}", *shown_by_client, "-crlf", send="GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n")
                if "alert" not in text:
                    failures.append(f"TLS {version}: {what} ends without an alert: {text[-200:]!r}")
                if "hello" in text:
                    failures.append(f"TLS {version}: {what} is served: {text[-200:]!r}")
        # It goes on after all of that.
        if asked(server, good.files).stdout != "hello":
            failures.append("a good one is not accepted any more")
    # Without --tls, too, only those are let in.
    with Server("replay", cassette(place), "--client-ca", authorities, "--ca-file", os.path.join(place, "ca.pem"), "--quiet") as server:
        server.ca = os.path.join(place, "ca.pem")
        if asked(server, good.files).stdout != "hello":
            failures.append("without --tls: a good one is not accepted")
        done = curl(f"http://127.0.0.1:{server.port}/")
        if done.stdout == "hello":
            failures.append("without --tls: a client that does not speak TLS, and shows no certificate, is let in, though --client-ca lets in only clients with one")
    if failures:
        raise Failures(failures)


# MARK: Upstreams


def upstreams_with_demands(place):
    """An upstream that demands a certificate gets it, if there is one; without it, what it says is passed on"""
    authority, service = Identity(place, "clients", is_authority=True), Identity(place, "service", "localhost", "127.0.0.1", is_authority=True)
    middle = Identity(place, "middle", issuer=authority, is_authority=True)
    client, below = Identity(place, "the recorder", issuer=authority), Identity(place, "the other recorder", issuer=middle)
    chained = below.write("chained.pem", below.pem + middle.pem)
    locked = client.write_key("locked", PrivateFormat.PKCS8, b"open sesame")
    stranger = Identity(place, "stranger")
    speaking = f"ssl_certificate {service.file}; ssl_certificate_key {service.key_file}; ssl_client_certificate {authority.file}; ssl_verify_client on; ssl_verify_depth 3;"
    ports = {"HTTP/1.1": free_port(), "HTTP/2": free_port()}
    servers = "".join(
        f'server {{ listen 127.0.0.1:{port} ssl{" http2" if name == "HTTP/2" else ""}; {speaking} location / {{ return 200 "$ssl_client_s_dn over $server_protocol"; }} }}\n'
        for name, port in ports.items()
    )
    nginx, failures = Nginx(place, servers, *ports.values()), []
    kinds = [
        ("its certificate", client.file, client.key_file, {}, "CN=the recorder"),
        ("an encrypted key", client.file, locked, {"MOCKSERVE_UPSTREAM_PASSPHRASE": "open sesame"}, "CN=the recorder"),
        ("a chain", chained, below.key_file, {}, "CN=the other recorder"),
        ("no certificate", None, None, {}, None),
        ("one of another authority", stranger.file, stranger.key_file, {}, None),
    ]
    for version, port in ports.items():
        for number, (what, file, key, more, subject) in enumerate(kinds):
            options = ["--upstream-ca", service.file, *(["--upstream-cert", file, "--upstream-key", key] if file else [])]
            name = os.path.join(place, f"{number}-{port}.cassette")
            with variables(**more), Server("record", name, "--upstream", f"https://localhost:{port}", *options, "--quiet") as server:
                done = curl("-w", " %{http_code}", server.url + "/")
            wanted = f"{subject} over {version}" if subject else "400"
            if subject and version == "HTTP/2":
                wanted = f"{subject} over HTTP/2.0"
            if done.returncode or wanted not in done.stdout or not done.stdout.endswith(" 200" if subject else " 400"):
                failures.append(f"{version}, {what}: {done.stdout} {done.stderr}")
    nginx.stop()
    # One that says so in TLS, and not in HTTP.
    strict = Strict(service, authority)
    for what, options, status in (
        ("its certificate", ["--upstream-cert", client.file, "--upstream-key", client.key_file], "200"),
        ("no certificate", [], "502"),
        ("one of another authority", ["--upstream-cert", stranger.file, "--upstream-key", stranger.key_file], "502"),
    ):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            strict.context.maximum_version = version
            name = os.path.join(place, f"{what}-{version}.cassette")
            server = Server("record", name, "--upstream", f"https://localhost:{strict.port}", "--upstream-ca", service.file, *options, "--quiet", stderr=subprocess.DEVNULL)
            done = curl("-o", os.path.join(place, "body"), "-w", "%{http_code}", server.url + "/")
            server.stop(expected=None)
            if done.stdout != status:
                failures.append(f"{version.name}, strict, {what}: {done.stdout}, not {status}")
            if status == "502" and os.path.exists(name):
                failures.append(f"{version.name}, strict, {what}: something was recorded")
    strict.listener.close()
    if failures:
        raise Failures(failures)


class Strict:
    """An upstream that ends the handshake with clients whose certificate it does not like."""

    def __init__(self, service, authority):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*service.files)
        self.context.load_verify_locations(authority.file)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        connection.settimeout(10)
        try:
            with self.context.wrap_socket(connection, server_side=True) as secure:
                while b"\r\n\r\n" not in secure.recv(65536):
                    pass
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        except OSError:
            connection.close()


def insecure_upstreams(place):
    """An upstream that nobody vouches for is refused, or taken with a warning with --upstream-insecure"""
    failures = []
    unknown = Identity(place, "unknown", "localhost", "127.0.0.1")
    misnamed = Identity(place, "misnamed", "other.test", is_authority=True)
    expired = Identity(place, "expired", "localhost", "127.0.0.1", is_authority=True, days=(-3, -1))
    for identity in (unknown, misnamed, expired):
        port = free_port()
        nginx = Nginx(place, f"server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {identity.file}; ssl_certificate_key {identity.key_file}; return 200 taken; }}", port)
        trusted = [] if identity is unknown else ["--upstream-ca", identity.file]
        for options, status, ending in (([*trusted], "502", 69), (["--upstream-insecure"], "200", 0), (["--upstream-insecure", "--no-upstream-http2"], "200", 0)):
            said = os.path.join(place, "stderr")
            name = os.path.join(place, "insecure.cassette")
            with open(said, "wb") as stderr:
                server = Server("record", name, "--upstream", f"https://localhost:{port}", "--quiet", *options, stderr=stderr)
                done = curl("-w", " %{http_code}", server.url + "/")
                ended = server.stop(expected=None)
            with open(said) as file:
                text = file.read()
            what = f"{identity.base}, {options}"
            if not done.stdout.endswith(f" {status}") or ended != ending:
                failures.append(f"{what}: answered {done.stdout!r}, ended with {ended}: {text}")
            is_warned = any("warning" in line and "--upstream-insecure" in line for line in text.splitlines())
            if is_warned != ("--upstream-insecure" in options):
                failures.append(f"{what}: {'a warning' if is_warned else 'no warning'}: {text!r}")
            if os.path.exists(name) != (status == "200"):
                failures.append(f"{what}: something was recorded, or not")
            with contextlib.suppress(FileNotFoundError):
                os.remove(name)
        nginx.stop()
    if failures:
        raise Failures(failures)


# MARK: Keys


def keys_stay_in_memory(place):
    """No private key is written, neither to a file of the server's nor anywhere else"""
    work, temporary, state, home = (os.path.join(place, name) for name in ("work", "tmp", "state", "home"))
    for path in (work, temporary, state, home):
        os.makedirs(path)
    service = Identity(place, "service", "localhost", "127.0.0.1", is_authority=True)
    port = free_port()
    nginx = Nginx(place, f"server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {service.file}; ssl_certificate_key {service.key_file}; return 200 secret; }}", port)
    failures, opened, renamed = [], set(), set()
    settings = {"TMPDIR": temporary, "XDG_STATE_HOME": state, "HOME": home}
    journal, ca, name = (os.path.join(work, file) for file in ("journal", "ca.pem", "one.cassette"))
    for command in (
        ["record", name, "--upstream", f"https://localhost:{port}", "--upstream-ca", service.file], ["replay", name]
    ):
        trace = os.path.join(place, "trace")
        wrapper = ["strace", "-f", "-s", "256", "-o", trace, "-e", "trace=openat,open,creat,rename,renameat,renameat2,memfd_create,write,pwrite64,writev,pwritev"]
        with variables(**settings):
            server = Server(*command, "--tls", "--ca-file", ca, "--journal", journal, "--quiet", wrapper=wrapper)
        for host in ("127.0.0.1", "localhost", "app.localhost"):
            done = curl("--cacert", ca, "--resolve", f"{host}:{server.port}:127.0.0.1", f"https://{host}:{server.port}/")
            assert done.stdout == "secret", done
        # strace passes no signal on to what it traces.
        for child in subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, timeout=TIMEOUT).stdout.split():
            os.kill(int(child), 2)
        assert server.process.wait(timeout=TIMEOUT) == 0
        server.process.stdout.close()
        with open(trace, errors="replace") as file:
            calls = file.readlines()
        assert any("write(" in call or "pwrite64(" in call for call in calls), "the trace shows nothing"
        failures += [f"{command[0]} writes {call.strip()[:200]}" for call in calls if "PRIVATE KEY" in call]
        for call in calls:
            if match := re.search(r'\b(?:openat|open|creat)\((?:AT_FDCWD, )?"([^"]*)", ([A-Z_|]*)', call):
                if "creat(" in call or re.search("O_WRONLY|O_RDWR|O_CREAT", match.group(2)):
                    opened.add(match.group(1))
            elif "memfd_create" in call:
                opened.add(call)
            elif "rename" in call:
                before, after = re.findall('"([^"]*)"', call)
                opened.add(after)
                renamed.add(before)
    nginx.stop()
    # A cassette is made under another name, and every file may be, if it gets its own at last.
    draft = re.escape(os.path.join(work, ".one.cassette.mockserve-draft"))
    expected = re.compile(rf"({re.escape(name)}|{draft})(-wal|-shm|-journal)?|{re.escape(ca)}|{re.escape(journal)}|/dev/(null|tty)|/proc/self/.*")
    failures += [f"{path} is opened for writing" for path in sorted(opened - renamed) if not expected.fullmatch(path)]
    assert {name, ca, journal} <= opened, f"the trace does not show what is written: {opened}"
    for top in (work, temporary, state, home):
        for folder, _, files in os.walk(top):
            for file in files:
                with open(os.path.join(folder, file), "rb") as content:
                    if b"PRIVATE KEY" in content.read():
                        failures.append(f"{os.path.join(folder, file)} has a private key")
    if failures:
        raise Failures(failures)
    return f"{len(opened)} files opened for writing"


def odd_places(place):
    """`run` keeps what its command is to trust in a folder with any name; without --tls, a folder that is missing is only warned of"""
    cassette = shutil.copy(os.path.join(HERE, "..", "..", "..", "cassettes", "harbour.cassette"), place)
    odd = os.path.join(place, "a folder's name")
    os.mkdir(odd)
    bundle = os.path.join(place, "latin.pem")
    other = Identity(place, "another authority", is_authority=True)
    with open(bundle, "wb") as file:
        file.write("# Zürich\n".encode("latin-1") + other.pem)

    def run(folder, *arguments):
        added = {"TMPDIR": folder, "SSL_CERT_FILE": bundle}
        return subprocess.run([MOCKSERVE, "run", cassette, *arguments], capture_output=True, text=True, env={**environment(), **added}, timeout=60)

    java = run(odd, "--", "java", "-version")
    assert java.returncode == 0 and "trusted.jks" in java.stderr, java
    trusted = run(odd, "--", "sh", "-c", 'grep -ac "BEGIN CERTIFICATE" "$SSL_CERT_FILE"')
    assert trusted.stdout.strip() == "2", trusted
    assert os.listdir(odd) == [], os.listdir(odd)
    missing = os.path.join(place, "missing")
    plain = run(missing, "--", "true")
    assert plain.returncode == 0 and "warning: the command does not trust https://" in plain.stderr, plain
    secure = run(missing, "--tls", "--", "true")
    assert secure.returncode == 64 and missing in secure.stderr, secure
    quiet = run(missing, "--tls", "--no-trust", "--", "true")
    assert quiet.returncode == 0 and "warning" not in quiet.stderr, quiet


CHECKS = [
    versions_of_tls, application_protocols, plain_requests_are_told, connections_end, names_of_a_server, contents, serial_numbers,
    authorities_differ, many_names, own_certificates, mistakes, client_certificates, upstreams_with_demands, insecure_upstreams,
    keys_stay_in_memory, odd_places,
]

NEEDED = {
    "curl": "curl", "openssl": "openssl", "go": "golang-go", "java": "default-jdk-headless", "javac": "default-jdk-headless",
    "keytool": "default-jdk-headless", "nginx": "nginx-light", "strace": "strace", "pgrep": "procps",
}

run_checks(CHECKS, "certificates", NEEDED)

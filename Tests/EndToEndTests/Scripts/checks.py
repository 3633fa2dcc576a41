"""What versions.py and certificates.py share: running one check after another, programs that they need, nginx, and certificates."""

import datetime
import ipaddress
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from support import folder, passed, wait_for_port

# Seconds for all checks of a script.
LIMIT = 175


class Failures(Exception):
    """Several at once."""


class TooLong(Exception):
    """All of it together."""


def too_long(*_):
    raise TooLong(f"all of it took longer than {LIMIT} s")


def run_checks(checks, subject, needed):
    """Runs them, or those whose name has a part of the command line, each in a folder of its own. Ends the program if one fails.

    `needed` are programs, or paths, each with the package of Debian that has it.
    """
    missing = [f"{name} is not installed: Debian has it in {package}" for name, package in needed.items() if not (os.path.exists(name) if name.startswith("/") else shutil.which(name))]
    if missing:
        sys.exit("\n".join(missing))
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [check for check in checks if part in check.__name__]
    # What reads from a process that says nothing is interrupted by it.
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT)
    failures, done = [], 0
    for check in chosen:
        start = time.monotonic()
        with folder() as place:
            try:
                note = check(place)
                done += 1
                print(f"  {check.__doc__}, {time.monotonic() - start:.1f} s{f': {note}' if note else ''}", flush=True)
            except Failures as error:
                failures += [f"{check.__name__}: {one}" for one in error.args[0]]
            except Exception as error:
                failures.append(f"{check.__name__}: {error if isinstance(error, AssertionError) else repr(error)}")
                if isinstance(error, TooLong):
                    break
    for failure in failures:
        print("FAILED " + " ".join(str(failure).split())[:2000])
    if failures:
        sys.exit(f"{len(failures)} failures in {len(chosen) - done} of {len(chosen)} checks")
    passed(f"{done} checks of {subject}")


class Nginx:
    """nginx with these servers, in a folder of its own."""

    def __init__(self, place, servers, *ports):
        own = os.path.join(place, f"nginx-{random.randrange(10**9)}")
        os.makedirs(own)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        with open(os.path.join(own, "nginx.conf"), "w") as file:
            file.write(
                f"daemon off; pid {own}/pid; worker_processes 1; events {{ worker_connections 512; }}\n"
                f"http {{ access_log off; default_type application/octet-stream;\n"
                f"{' '.join(f'{kind}_temp_path {own}/{kind};' for kind in kinds)}\n{servers} }}\n"
            )
        command = ["nginx", "-p", own, "-c", os.path.join(own, "nginx.conf"), "-e", os.path.join(own, "error.log")]
        if os.geteuid() == 0:
            # Its worker must be able to read what root has made.
            command += ["-g", "user root;"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            for port in ports:
                wait_for_port(port, 10)
        except OSError:
            self.stop()
            raise AssertionError(f"nginx does not start: {self.process.stderr.read().decode()[:500]}") from None

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


class Identity:
    """A certificate and its key, in files. It signs itself, or is issued by another one."""

    def __init__(self, place, name, *alternatives, issuer=None, is_authority=False, key=None, days=(-1, 2)):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder().subject_name(self.name).issuer_name((issuer or self).name).public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=days[0])).not_valid_after(now + datetime.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer or self).key.public_key()), critical=False)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName([general_name(text) for text in alternatives]), critical=False)
        self.certificate = builder.sign((issuer or self).key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self.place, self.base = place, name.replace(" ", "-")
        self.file = self.write(f"{self.base}.pem", self.pem)
        self.key_file = self.write_key("key", serialization.PrivateFormat.PKCS8)

    def write(self, name, data):
        path = os.path.join(self.place, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def write_key(self, ending, form, passphrase=None):
        encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        return self.write(f"{self.base}.{ending}", self.key.private_bytes(serialization.Encoding.PEM, form, encryption))

    @property
    def files(self):
        return self.file, self.key_file


def general_name(text):
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)

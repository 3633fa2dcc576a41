#!/usr/bin/env python3
"""Takes screenshots of a site directly, while recording it, and from the replay, and compares them.

Usage: screenshots.py [FOLDER]     keeps the pictures and the cassette in FOLDER
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MOCKSERVE = os.environ.get("MOCKSERVE") or os.path.join(HERE, "../../.build/debug/mockserve")
PAGES = ["", "tides.html", "ships.html", "gallery.html"]
CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
    uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
    types {{ text/html html; text/css css; text/javascript js; application/json json; image/svg+xml svg; }}
    gzip on; gzip_min_length 1; gzip_types *;
    server {{ listen 127.0.0.1:{port}; root {folder}/site; }}
}}
"""


def free_port():
    """Below the ports that Linux hands out, so that nobody gets it before nginx does."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(20000, 32000)))
            except OSError:
                continue
            return probe.getsockname()[1]


def start_nginx(folder):
    """Serves a copy of the site in which the placeholder is its address."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    for directory, _, files in os.walk(os.path.join(HERE, "site")):
        copy = os.path.join(folder, os.path.relpath(directory, HERE))
        os.makedirs(copy)
        for name in files:
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                text = file.read().replace("@ORIGIN@", origin)
            with open(os.path.join(copy, name), "w", encoding="utf-8") as file:
                file.write(text)
    # Workers of a privileged nginx run as another user, who must be able to look into the folder.
    os.chmod(folder, 0o755)
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w") as file:
        file.write(CONFIGURATION.format(folder=folder, port=port))
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([nginx, "-p", folder, "-c", path], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process, origin
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit("nginx did not start")


class Mockserve:
    def __init__(self, *arguments):
        environment = {name: value for name, value in os.environ.items() if name != "CI"}
        self.process = subprocess.Popen([MOCKSERVE, *arguments], stdout=subprocess.PIPE, env=environment)
        self.url = self.process.stdout.readline().decode().strip()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=60) == 0


def take(origin, folder, name):
    """A picture of every page, each by a browser that has seen nothing before."""
    pictures = []
    for page in PAGES:
        picture = os.path.join(folder, f"{name}-{page or 'index.html'}.png")
        with tempfile.TemporaryDirectory() as profile:
            subprocess.run(
                [
                    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                    "--disable-background-networking", "--disable-component-update", "--no-first-run",
                    "--force-device-scale-factor=1", "--virtual-time-budget=4000", "--window-size=800,600",
                    f"--user-data-dir={profile}", f"--screenshot={picture}", f"{origin}/{page}",
                ],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
            )
        with open(picture, "rb") as file:
            pictures.append(file.read())
    return pictures


def run(folder):
    nginx, origin = start_nginx(folder)
    try:
        direct = take(origin, folder, "direct")
        cassette = os.path.join(folder, "site.cassette")
        recorder = Mockserve("record", cassette, "--upstream", origin)
        recorded = take(recorder.url, folder, "recorded")
        recorder.stop()
    finally:
        nginx.terminate()
        nginx.wait()
    player = Mockserve("replay", cassette)
    replayed = take(player.url, folder, "replayed")
    player.stop()

    # The same picture encoded by the same program is the same file.
    assert len(set(direct)) == len(PAGES), "two pages look the same: something was not drawn"
    for page, one, two, three in zip(PAGES, direct, recorded, replayed):
        assert one == two, f"/{page} looks different while recording"
        assert one == three, f"/{page} looks different from the replay"
    print(f"ok: {len(PAGES)} pages look the same directly, recorded and replayed, pixel for pixel")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.makedirs(sys.argv[1], exist_ok=True)
        run(os.path.abspath(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory(prefix="mockserve-screenshots-") as temporary:
            run(temporary)

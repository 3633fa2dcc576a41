"""What people install: the program by `make install`, as a Debian package, and as a wheel.

Usage: packages.py
"""

import glob
import os
import shutil
import subprocess

from support import MOCKSERVE, PYTHON, environment, folder, passed

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, env=environment(), **options)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def serves(program, place):
    """Whether the program does its work without anything of the checkout."""
    cassette = os.path.join(place, "a.cassette")
    if os.path.exists(cassette):
        os.remove(cassette)
    run(program, "cassette", "add", cassette, "--request", "GET /here", "--text", "it is here")
    return "it is here" in run(program, "run", cassette, "sh", "-c", "curl -s $MOCKSERVE_URL/here")


def check_tree(root):
    """The program, its completions, and a manual page for each command."""
    assert run("bash", "-n", f"{root}/share/bash-completion/completions/mockserve") == ""
    with open(f"{root}/share/bash-completion/completions/mockserve") as file:
        text = file.read()
    assert "--fault" in text and "_guard" not in text
    for name in ("zsh/site-functions/_mockserve", "fish/vendor_completions.d/mockserve.fish"):
        assert os.path.getsize(f"{root}/share/{name}") > 1000
    pages = glob.glob(f"{root}/share/man/man1/mockserve*.1*")
    assert len(pages) >= 19 and not any("guard" in page for page in pages), pages


def main():
    with folder() as place:
        run("make", "-s", "install", f"PROGRAM={MOCKSERVE}", "PREFIX=/usr", f"DESTDIR={place}/installed", cwd=ROOT)
        check_tree(f"{place}/installed/usr")
        with open(f"{place}/installed/usr/share/man/man1/mockserve-run.1") as file:
            page = file.read()
        assert "\\-\\-require\\-all\\-used" in page and ".SH OPTIONS" in page
        assert serves(f"{place}/installed/usr/bin/mockserve", place)

        package = run("scripts/debian-package", MOCKSERVE, f"{place}/dist", cwd=ROOT).strip()
        run("dpkg-deb", "-x", package, f"{place}/unpacked")
        check_tree(f"{place}/unpacked/usr")
        assert "libc6 (>= 2.35)" in run("dpkg-deb", "-f", package, "Depends")
        assert serves(f"{place}/unpacked/usr/bin/mockserve", place)

        flags = {"WHEEL_FLAGS": "--no-build-isolation --no-index"}
        done = subprocess.run(
            ["scripts/wheel", MOCKSERVE, f"{place}/dist", PYTHON], cwd=ROOT, env={**environment(), **flags}, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        wheel = done.stdout.strip()
        assert "-py3-none-manylinux_2_35_" in wheel, wheel
        run(PYTHON, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", f"{place}/site", wheel)
        assert serves(f"{place}/site/mockserve/bin/mockserve", place)
        # The plugin finds it without being told.
        shutil.copytree(os.path.join(ROOT, "Examples", "pytest"), f"{place}/tests", ignore=shutil.ignore_patterns("__pycache__"))
        bare = {key: value for key, value in environment().items() if key != "MOCKSERVE"}
        done = subprocess.run(
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "events or logged"],
            cwd=f"{place}/tests", env={**bare, "PYTHONPATH": f"{place}/site"}, capture_output=True, text=True, timeout=120,
        )
        assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout + done.stderr

        if os.sep + "debug" + os.sep in MOCKSERVE:
            release = "not checked for what it needs: this is a debug build"
        else:
            release = run("scripts/check-release", MOCKSERVE, cwd=ROOT).strip().split(": ", 1)[1]
    passed(f"installed by make, as a Debian package and as a wheel it works; {release}")


if __name__ == "__main__":
    main()

"""Runs the commands that the README and the guides in docs/ show, and compares what they print with what is shown.

A `console` block is one shell session. A line that begins with `$ ` is a command; the lines after it are its output, in which
`…` stands for anything. A command that shows no output must succeed. The blocks of a document run in their order, in one
folder that begins with the cassettes of this repository; every document has a folder of its own. What the test puts in place
of a reader's surroundings: the port 8080 is a free one, and https://httpbin.org is httpbin under gunicorn on this machine.

Every command that is shown is run, unless `SKIPPED` says why not. A block or a line that would escape this is an error.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import textwrap

from support import MOCKSERVE, Gunicorn, environment, free_port, passed

ROOT = pathlib.Path(__file__).resolve().parents[3]

# What commands begin with that are not run, and why.
SKIPPED = {"make ": "it is what runs this test"}

FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*(\S*)")
PROMPT = re.compile(r"[\s>*+-]*\$ ")
# What is in a shell language is to be a `console` block, so that it is run.
SHELLS = {"bash", "sh", "shell", "shell-session", "shellsession", "terminal", "zsh"}


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text, name):
    """The console blocks of a document: for each, the place of its first line and its commands with their output."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        match = FENCE.match(line)
        if fence is None:
            assert not PROMPT.match(line), f"{name}:{number}: a command outside of a console block"
            if match:
                fence, language, start, lines = match[1], match[2].lower(), number, []
                assert language not in SHELLS, f"{name}:{number}: {language} is not run; make it a console block"
        elif match and match[1].startswith(fence) and not match[2]:
            if language == "console":
                yield f"{name}:{start}", commands(textwrap.dedent("\n".join(lines)), f"{name}:{start}")
            else:
                prompt = next((line for line in lines if PROMPT.match(line)), None)
                assert prompt is None, f"{name}:{start}: a command outside of a console block: {prompt}"
            fence = None
        else:
            lines.append(line)
    assert fence is None, f"{name}:{start}: the block has no end"


def commands(text, place):
    """The commands of a block, each with the lines that it prints."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            assert found and not PROMPT.match(line), f"{place}: neither a command nor what one prints: {line}"
            found[-1][1].append(line)
    assert found, f"{place}: there is no command in this block"
    return found


def is_skipped(command):
    return any(command.startswith(start) for start in SKIPPED)


def pattern(lines, substitute):
    parts = [re.escape(part) for part in substitute("\n".join(lines)).split("…")]
    return re.compile(r"\s*" + ".*".join(parts) + r"\s*", re.DOTALL)


class Shell:
    """A session in a folder."""

    def __init__(self, folder):
        path = os.path.dirname(os.path.abspath(MOCKSERVE)) + os.pathsep + os.environ["PATH"]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["bash", "-m"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            cwd=folder, env={**environment(), "PATH": path},
        )

    def run(self, command):
        """Runs a command; of one in the background, waits for its first line.

        Returns its output and its status.
        """
        if command.endswith("&"):
            command = (
                f"rm -f background.out; {command[:-1]} > background.out & "
                "while [ ! -s background.out ] && kill -0 $!; do sleep 0.01; done; cat background.out; [ -s background.out ]"
            )
        elif command.startswith("kill %"):
            command += " && wait"
        self.process.stdin.write(f"{command}\nprintf '\\n== end %s\\n' $?\n")
        self.process.stdin.flush()
        output = []
        for line in self.process.stdout:
            if line.startswith("== end "):
                return "".join(output).replace("\r\n", "\n"), int(line.split()[2])
            output.append(line)
        raise AssertionError(f"the shell ended in {command}: {''.join(output)}\n{self.said()}")

    def said(self):
        """What commands have said on standard error."""
        self.errors.seek(0)
        return "standard error of the block:\n" + self.errors.read()

    def end(self):
        """Ends the session and what still runs in the background of it.

        Returns whether anything did.
        """
        with self.process.stdin as stdin:
            stdin.write("jobs -rp; kill $(jobs -rp) 2> /dev/null; wait\n")
        left = self.process.stdout.read().strip()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        return left != ""


def run_block(folder, place, session, upstream):
    port = str(free_port())

    def substitute(text):
        return text.replace("8080", port).replace("https://httpbin.org", upstream.url)

    shell = Shell(folder)
    try:
        for command, expected in session:
            output, status = shell.run(substitute(command))
            problem = f"{place}\n$ {command}\n{output}\n"
            if expected:
                found = pattern(expected, substitute).fullmatch(output)
                assert found, problem + "expected:\n" + "\n".join(expected) + "\n" + shell.said()
            else:
                assert status == 0, problem + f"status {status}\n" + shell.said()
    except BaseException:
        shell.end()
        raise
    assert not shell.end(), f"{place}: something still runs when the block has ended"


def main():
    upstream = Gunicorn()
    counts, skipped = {}, []
    try:
        for document in documents():
            name = str(document.relative_to(ROOT))
            counts[name] = 0
            with tempfile.TemporaryDirectory(prefix="mockserve-readme-") as folder:
                shutil.copytree(ROOT / "cassettes", os.path.join(folder, "cassettes"))
                for place, session in blocks(document.read_text(encoding="utf-8"), name):
                    skipped += [(place, command) for command, _ in session if is_skipped(command)]
                    session = [(command, output) for command, output in session if not is_skipped(command)]
                    if session:
                        run_block(folder, place, session, upstream)
                    counts[name] += len(session)
    finally:
        upstream.stop()
    for start, reason in SKIPPED.items():
        places = [f"{place} ({command})" for place, command in skipped if command.startswith(start)]
        assert places, f"no command begins with `{start}`; it need not be skipped"
        print(f"skipped, as {reason}: {', '.join(places)}")
    assert counts["README.md"] > 5 and sum(counts.values()) > 40, counts
    listed = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    passed(f"{sum(counts.values())} commands of the README and the guides do what they show: {listed}")


main()

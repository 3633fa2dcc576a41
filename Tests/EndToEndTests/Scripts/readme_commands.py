"""Runs the commands that the README shows, and compares what they print with what it shows.

A `console` block is one shell session. A line that begins with `$ ` is a command; the lines after it are its output, in which
`…` stands for anything. What the test puts in place of a reader's surroundings: the port 8080 is a free one, and
https://httpbin.org is httpbin under gunicorn on this machine. `make` is left out: it is what runs this test.
"""

import os
import re
import shutil
import subprocess
import tempfile

from support import MOCKSERVE, Gunicorn, environment, free_port, passed

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))


def blocks():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        commands = []
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
        yield [command for command in commands if not command[0].startswith("make ")]


def pattern(lines, substitute):
    parts = [re.escape(part) for part in substitute("\n".join(lines)).split("…")]
    return re.compile(r"\s*" + ".*".join(parts) + r"\s*", re.DOTALL)


def run(shell, command):
    """Runs a command in the session; of one in the background, waits for its first line."""
    if command.endswith("&"):
        shell.stdin.write(f"rm -f background.out; {command[:-1]} > background.out & while [ ! -s background.out ]; do :; done; cat background.out\n")
    elif command.startswith("kill "):
        shell.stdin.write(f"{command}; wait\n")
    else:
        shell.stdin.write(command + "\n")
    shell.stdin.write("echo; echo '== end'\n")
    shell.stdin.flush()
    output = []
    for line in shell.stdout:
        if line == "== end\n":
            return "".join(output)
        output.append(line)
    raise AssertionError(f"the shell ended in {command}: {''.join(output)}")


def main():
    upstream = Gunicorn()
    count = 0
    with tempfile.TemporaryDirectory(prefix="mockserve-readme-") as folder:
        shutil.copytree(os.path.join(ROOT, "cassettes"), os.path.join(folder, "cassettes"))
        path = os.path.dirname(os.path.abspath(MOCKSERVE)) + os.pathsep + os.environ["PATH"]
        for commands in blocks():
            port = str(free_port())

            def substitute(text):
                return text.replace("8080", port).replace("https://httpbin.org", upstream.url)

            shell = subprocess.Popen(
                ["bash", "-m"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                cwd=folder, env={**environment(), "PATH": path},
            )
            for command, expected in commands:
                output = run(shell, substitute(command)).replace("\r\n", "\n")
                if expected:
                    assert pattern(expected, substitute).fullmatch(output), f"$ {command}\n{output}\nexpected:\n{expected}"
                count += 1
            shell.stdin.close()
            shell.wait(timeout=30)
    upstream.stop()
    assert count > 15, count
    passed(f"{count} commands of the README do what it shows")


main()

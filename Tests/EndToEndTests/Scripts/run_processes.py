"""The command of `mockserve run` as a process: signals, the terminal, its end and ours, and what is said of it.

Usage: run_processes.py
"""

import os
import pty
import signal
import subprocess
import time

from support import MOCKSERVE, Server, environment, folder, passed


def run(*arguments):
    return subprocess.run([MOCKSERVE, *map(str, arguments)], env=environment(), capture_output=True, timeout=60, start_new_session=True)


def wait_until(holds, what):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def is_running(pid):
    """Whether a process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def numbers(path, count):
    wait_until(lambda: os.path.exists(path) and len(open(path).read().split()) >= count, f"{path} is not written")
    return [int(word) for word in open(path).read().split()]


def commands_end_with_mockserve(temporary, cassette):
    """Also what the command has started itself, whether mockserve is told to end or is killed."""
    for name, send, script in (
        ("killed", signal.SIGKILL, "sleep 300 & echo $$ $! > $FILE; wait"),
        ("killed, ignoring SIGTERM", signal.SIGKILL, "trap '' TERM; sleep 300 & echo $$ $! > $FILE; wait"),
        ("terminated", signal.SIGTERM, "sleep 300 & echo $$ $! > $FILE; wait"),
        ("interrupted", signal.SIGINT, "echo $$ $$ > $FILE; exec sleep 300"),
    ):
        file = os.path.join(temporary, "numbers")
        if os.path.exists(file):
            os.remove(file)
        process = subprocess.Popen(
            [MOCKSERVE, "run", cassette, "-q", "--", "sh", "-c", script], env={**environment(), "FILE": file}, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        started = numbers(file, 2)
        process.send_signal(send)
        status = process.wait(timeout=20)
        assert status == (-9 if send == signal.SIGKILL else 128 + send), (name, status)
        wait_until(lambda: not any(is_running(pid) for pid in started if pid != process.pid), f"{name}: {started} go on")
    passed("the command of `run`, and what that has started, ends with mockserve, however that ends")


def keys_reach_the_command_once(temporary, cassette):
    """At a terminal, Ctrl-C goes to the command once, and mockserve waits for it."""
    log = os.path.join(temporary, "keys")
    script = f"trap 'echo INT >> {log}' INT; echo ready > {log}; sleep 2 & wait; wait; exit 7"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(MOCKSERVE, [MOCKSERVE, "run", cassette, "-q", "--", "sh", "-c", script], environment())
    wait_until(lambda: os.path.exists(log) and open(log).read() == "ready\n", "the command has not begun")
    os.write(terminal, b"\x03")
    wait_until(lambda: "INT" in open(log).read(), "Ctrl-C has not arrived")
    try:
        while os.read(terminal, 1024):
            pass
    except OSError:
        pass
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert open(log).read() == "ready\nINT\n" and os.waitstatus_to_exitcode(status) == 7, (open(log).read(), status)
    passed("a key at the terminal interrupts the command once")


def commands_without_a_terminator(temporary, cassette):
    for words in (["sh", "-c", "exit 5"], ["--", "sh", "-c", "exit 5"]):
        assert run("run", cassette, *words).returncode == 5, words
    done = run("run", "--speed=1", cassette, "--env=A={port}", "sh", "-c", 'test "$A" -gt 0 && exit 6')
    assert done.returncode == 6, done
    assert run("run", cassette, "echo", "--", "-n").stdout == b"-- -n\n"
    done = run("run", cassette, "--live", "sh", "-c", "exit 5")
    assert done.returncode == 64 and b"after `--`" in done.stderr, done
    for command, reason in (("./none", b"no such program"), (cassette, b"not executable")):
        done = run("run", cassette, command)
        assert done.returncode == 64 and reason in done.stderr, done
    passed("`--` may be left out where only a command can follow")


def what_was_dropped_is_said(temporary, cassette):
    with Server("replay", cassette, "-q") as upstream:
        done = run("run", os.path.join(temporary, "dropped.cassette"), f"--upstream={upstream.url}", "sh", "-c", "curl -s $MOCKSERVE_URL/here; exit 3")
    assert done.returncode == 3 and b"1 recorded and dropped, because the command failed" in done.stderr, done
    assert not os.path.exists(os.path.join(temporary, "dropped.cassette"))
    passed("a recording that is dropped is not called recorded")


def main():
    with folder() as temporary:
        cassette = os.path.join(temporary, "a.cassette")
        assert run("cassette", "add", cassette, "--request", "GET /here", "--text", "here").returncode == 0
        for test in (commands_end_with_mockserve, keys_reach_the_command_once, commands_without_a_terminator, what_was_dropped_is_said):
            test(temporary, cassette)


if __name__ == "__main__":
    main()

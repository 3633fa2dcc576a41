"""Callers of the program that do odd things: closed descriptors, devices for files, signals, torn journals, names that mean something else
to SQLite."""

import json
import os
import signal
import socket
import subprocess

from support import MOCKSERVE, Server, environment, exchange, folder, free_port, passed


def run(*arguments, **options):
    return subprocess.run([MOCKSERVE, *map(str, arguments)], env=environment(), capture_output=True, timeout=60, **options)


def get(port, path):
    return exchange(port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())


def prepare(temporary):
    cassette = os.path.join(temporary, "a.cassette")
    # As mktemp leaves it.
    open(cassette, "w").close()
    run("cassette", "add", cassette, "--request", "GET /here", "--text", "here", check=True)
    return cassette


def descriptors_that_are_no_sockets(temporary, cassette):
    reading, writing = os.pipe()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    unbound = socket.socket()
    for descriptor, reason in ((99, b"not open"), (writing, b"not a socket"), (unbound.fileno(), b"not a bound TCP socket"), (udp.fileno(), b"")):
        done = run("replay", cassette, "--listen-fd", descriptor, pass_fds=[writing, udp.fileno(), unbound.fileno()])
        assert done.returncode == 71 and reason in done.stderr, (descriptor, done)
    passed("a descriptor that is no bound TCP socket is refused by name")


def closed_standard_descriptors(temporary, cassette):
    url = os.path.join(temporary, "url")
    shell = f'"$MOCKSERVE" replay {cassette} --url-file {url} -q >&- 2>&- <&- & p=$!; while [ ! -s {url} ]; do sleep 0.05; done; curl -s "$(cat {url})/here"; kill $p; wait $p; echo " $?"'
    done = subprocess.run(["sh", "-c", shell], env={**environment(), "MOCKSERVE": MOCKSERVE}, capture_output=True, timeout=60, text=True)
    assert done.stdout == "here 0\n", done
    done = subprocess.run(["sh", "-c", f'"$MOCKSERVE" run {cassette} -q -- sh -c "cat; echo out" <&-'], env={**environment(), "MOCKSERVE": MOCKSERVE}, capture_output=True, timeout=60, text=True)
    assert done.returncode == 0 and done.stdout == "out\n", done
    passed("closed standard descriptors are as if they led nowhere")


def devices_for_files(temporary, cassette):
    with Server("replay", cassette, "--url-file", "/dev/null", "-q"):
        pass
    assert not os.path.isfile("/dev/null") and os.path.exists("/dev/null")
    target, link = os.path.join(temporary, "target"), os.path.join(temporary, "link")
    open(target, "w").close()
    os.symlink(target, link)
    with Server("replay", cassette, "--url-file", link, "-q") as server, open(target) as file:
        assert file.read() == server.url + "\n"
    assert os.path.islink(link) and os.path.isfile(target)
    done = run("record", cassette + "2", "--upstream", "http://127.0.0.1:9", "--allow-origin", "https://*.example.com")
    assert done.returncode == 64 and b"is no origin" in done.stderr, done
    pipe = os.path.join(temporary, "pipe")
    os.mkfifo(pipe)
    done = run("replay", cassette, "--journal", pipe)
    assert done.returncode == 64 or b"nobody reads it" in done.stderr, done
    assert b"nobody reads it" in done.stderr, done
    # One that is open and not read holds nobody up.
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with Server("replay", cassette, "--journal", pipe, "-q") as server:
        for _ in range(2000):
            assert get(server.port, "/here").endswith(b"here")
    os.close(reader)
    passed("devices and pipes for files: not replaced, not removed, not waited for")


def names_that_mean_something_to_sqlite(temporary, cassette):
    with Server("replay", cassette, "-q") as upstream:
        for name in (":memory:", "file:b?mode=memory", "b%41.cassette"):
            before = os.getcwd()
            os.chdir(temporary)
            try:
                with Server("record", name, "--upstream", upstream.url, "-q") as server:
                    assert get(server.port, "/here").endswith(b"here")
                assert os.path.isfile(name), name
                assert json.loads(run("cassette", "list", name, "--json").stdout)["target"] == "/here"
            finally:
                os.chdir(before)
    passed("a cassette may be called anything")


def hang_up(temporary, cassette):
    with Server("replay", cassette, "-q") as upstream:
        other = os.path.join(temporary, "hang.cassette")
        server = Server("record", other, "--upstream", upstream.url, "-q")
        assert get(server.port, "/here").endswith(b"here")
        server.process.send_signal(signal.SIGHUP)
        assert server.process.wait(30) == 0
        server.process.stdout.close()
        assert not os.path.exists(other + "-wal")
        # In mode `once` it is replayed now, and rewound.
        with Server("record", other, "--upstream", upstream.url, "-q") as server:
            server.process.send_signal(signal.SIGHUP)
            assert get(server.port, "/here").endswith(b"here")
    done = subprocess.run(["nohup", MOCKSERVE, "run", cassette, "-q", "--", "sh", "-c", "kill -HUP $PPID; kill -HUP $$; sleep 0.3; echo lives"], env=environment(), capture_output=True, timeout=60, text=True)
    assert done.returncode == 0 and "lives" in done.stdout, done
    for wrapper in ([], ["nohup"]):
        done = subprocess.run([*wrapper, MOCKSERVE, "run", cassette, "-q", "--", "no-such-program"], env=environment(), capture_output=True, timeout=60, text=True)
        assert done.returncode == 64 and "no-such-program" in done.stderr, done
    passed("a hang-up ends a recording well, rewinds a replay, and is nothing under nohup")


def a_signal_to_process_and_group(temporary, cassette):
    with Server("replay", cassette, "-q") as upstream:
        for _ in range(5):
            server = Server("record", os.path.join(temporary, "twice.cassette"), "--mode", "rewrite", "--upstream", upstream.url, "-q")
            assert get(server.port, "/here").endswith(b"here")
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(30) == 0
            server.process.stdout.close()
    passed("one wish to stop that comes as two signals is one")


def answers_by_hand_are_redacted(temporary, cassette):
    own = os.path.join(temporary, "hand.cassette")
    login = ["--request", "POST /login", "--request-json", '{"password": "hunter2"}', "--json", '{"token": "t0ps3cret"}']
    done = run("cassette", "add", own, *login)
    assert done.returncode == 0 and b"redacted: 1 password, 1 token" in done.stderr, done
    with open(own, "rb") as file:
        content = file.read()
    assert b"hunter2" not in content and b"t0ps3cret" not in content
    with Server("replay", own, "-q") as server:
        body = b'{"password": "another"}'
        answer = exchange(server.port, b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert b"redacted.token." in answer, answer
    done = run("cassette", "add", own, "--request", "GET /x", "--text", "x", "--no-default-redaction")
    assert done.returncode == 64 and b"cassette rule remove" in done.stderr, done
    plain = os.path.join(temporary, "plain.cassette")
    run("cassette", "add", plain, *login, "--no-default-redaction", check=True)
    with Server("replay", plain, "-q") as server:
        body = b'{"password": "hunter2"}'
        answer = exchange(server.port, b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert b"t0ps3cret" in answer, answer
    passed("answers written by hand are redacted as recordings are, unless that is turned off")


def torn_journals(temporary, cassette):
    journal = os.path.join(temporary, "journal")
    for rest in ('{"number":2,"at":17', '{"nu'):
        with Server("replay", cassette, "--journal", journal, "-q") as server:
            assert b"404" in get(server.port, "/there")
        with open(journal, "a") as file:
            file.write(rest)
    done = run("explain", "--journal", journal, "--all")
    assert done.returncode == 0 and b"2 misses" in done.stdout and b"is not complete" in done.stderr, done
    with open(journal, "w") as file:
        file.write("something else\n")
    assert run("explain", "--journal", journal).returncode == 66
    passed("what a kill left of a journal's line does not keep the others from being read")


def names_without_a_host(temporary, cassette):
    """The same bytes to two addresses of one server: each is told its own."""
    other = os.path.join(temporary, "location.cassette")
    port = free_port()
    run("cassette", "add", other, "--request", "GET /to", "--status", "302", "-H", "Location: http://api.example/x", "--upstream", "http://api.example", check=True)
    with Server("replay", other, "--host", "0.0.0.0", "--port", port, "--threads", "1", "-q"):
        for _ in range(4):
            for host in ("127.0.0.1", "127.0.0.2"):
                with socket.create_connection((host, port)) as connection:
                    connection.sendall(b"GET /to HTTP/1.0\r\n\r\n")
                    answer = b""
                    while data := connection.recv(65536):
                        answer += data
                assert f"Location: http://{host}:{port}/x".encode() in answer, (host, answer)
    passed("a client that names no host is told of the address that it reached")


def main():
    with folder() as temporary:
        cassette = prepare(temporary)
        for test in (
            descriptors_that_are_no_sockets, closed_standard_descriptors, devices_for_files, names_that_mean_something_to_sqlite,
            hang_up, a_signal_to_process_and_group, answers_by_hand_are_redacted, torn_journals, names_without_a_host,
        ):
            test(temporary, cassette)


main()

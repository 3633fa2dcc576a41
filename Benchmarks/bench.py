#!/usr/bin/env python3
"""Measures mockserve beside its peers in one run and prints a table: `make bench`. Speed is reported, never asserted.

The server that is measured has one core, the load (wrk) another. Every round measures every row once, so that all of them see
the same machine; ratios are those of one round to the floor of that round, and what is printed is the median of all rounds."""

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import time
import urllib.request

from protocols import measure_protocols
from servers import BINARIES, CORES, DATA, MITMDUMP, NGINX, ROOT, Row, Server
from servers import bench, cassette, free_port, load, nginx_proxy, nginx_static, pinned, replay, say, warm


def mitmproxy(upstream, count=100):
    """Server replay of flows that it recorded itself, each answer as often as asked."""
    flows = DATA / f"flows-{count}"
    if not flows.exists():
        say(f"recording {count} flows with mitmproxy")
        port = free_port()
        recorder = Server(
            [MITMDUMP, "-q", "--mode", f"reverse:{upstream.url}", "-p", str(port), "-w", flows],
            url=f"http://127.0.0.1:{port}",
        )
        for number in range(count):
            urllib.request.urlopen(f"{recorder.url}/items/{number}").read()
        recorder.stop()
    port = free_port()
    settings = ["server_replay_reuse=true", "server_replay_extra=404", "connection_strategy=lazy"]
    # The flows may be those of an earlier run, when the upstream had another port.
    settings += ["server_replay_ignore_host=true", "server_replay_ignore_port=true"]
    options = [word for setting in settings for word in ("--set", setting)]
    return Server(
        [MITMDUMP, "-q", "--mode", f"reverse:{upstream.url}", "-p", str(port), "--server-replay", flows, *options],
        url=f"http://127.0.0.1:{port}",
    )


def wiremock(jar, count):
    folder = DATA / f"wiremock-{count}"
    (folder / "mappings").mkdir(parents=True, exist_ok=True)
    stubs = [
        {
            "request": {"method": "GET", "url": f"/items/{number}"},
            "response": {"status": 200, "body": ('{"id":%d,"text":"' % number).ljust(1022, "x") + '"}'},
        }
        for number in range(count)
    ]
    (folder / "mappings" / "all.json").write_text(json.dumps({"mappings": stubs}))
    port = free_port()
    command = ["java", "-jar", jar, "--port", port, "--root-dir", folder, "--no-request-journal", "--disable-banner"]
    return Server(command, url=f"http://127.0.0.1:{port}")


def hoverfly(binary, count):
    pairs = [
        {
            "request": {"path": [{"matcher": "exact", "value": f"/items/{number}"}]},
            "response": {"status": 200, "body": ('{"id":%d,"text":"' % number).ljust(1022, "x") + '"}', "headers": {}},
        }
        for number in range(count)
    ]
    file = DATA / f"hoverfly-{count}.json"
    file.write_text(json.dumps({"data": {"pairs": pairs, "globalActions": {"delays": []}}, "meta": {"schemaVersion": "v5"}}))
    port = free_port()
    command = [binary, "-webserver", "-pp", port, "-ap", free_port(), "-import", file]
    return Server(command, url=f"http://127.0.0.1:{port}")


# What is measured once


def ready(path, times=11):
    """Milliseconds from exec to the first line, medians of some runs; the port accepts then."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        server = replay(path)
        found.append((time.perf_counter() - start) * 1000)
        server.stop()
    return statistics.median(found)


def scope(path, *options):
    command = pinned(0, [str(part) for part in bench("scope", path, *options)])
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    return statistics.median(float(line) / 1000 for line in output.stdout.split())


def trait_cost():
    """Medians over 1,000 scopes in milliseconds, of the trait for tests and of `withMockServer`: they take turns."""
    command = ["swift", "test", "-Xswiftc", "-warnings-as-errors", "--filter", "TraitCostTests"]
    environment = {**os.environ, "TRAIT_COST": "1000"}
    output = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    return tuple(float(value) for value in re.search(r"trait ([\d.]+) ms, withMockServer ([\d.]+) ms", output).groups())


def resident(path, count, requests):
    warm(path)
    server = replay(path)
    done, seed = 0, 100
    while done < requests:
        done += load(server.url, 1, count=count, seed=seed)["requests"]
        seed += 1
    megabytes = server.resident
    server.stop()
    return megabytes, done


def record(upstream, rounds, seconds):
    """Recording beside nginx as a proxy: rows at 32 connections, and the latency of one connection."""
    proxy = nginx_proxy(upstream)
    file = DATA / "recorded.cassette"
    for old in DATA.glob("recorded.cassette*"):
        old.unlink()
    recorder = Server(
        [BINARIES / "mockserve", "record", file, "--mode", "all", "--upstream", upstream.url, "--threads", "1", "-q"]
    )
    rows = [
        Row("upstream alone (its core is the load's)", upstream, count=100),
        Row("nginx proxy_pass", proxy, count=100),
        Row("mockserve record", recorder, count=100),
    ]
    single = [Row(row.name, row.server, count=100, connections=1) for row in rows]
    for number in range(rounds):
        say(f"record, round {number + 1} of {rounds}")
        for row in rows + single:
            row.measure(seconds, number)
    recorder.stop()
    proxy.stop()
    for old in DATA.glob("recorded.cassette*"):
        old.unlink()
    return rows, single


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) >> 20
    versions = [
        subprocess.run([NGINX, "-v"], capture_output=True, text=True).stderr.strip(),
        (subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout.split("\n")[0]).split(" Copyright")[0],
    ]
    if MITMDUMP.exists():
        versions.append(subprocess.run([MITMDUMP, "--version"], capture_output=True, text=True).stdout.split("\n")[0])
    cpu = model[1] if model else platform.processor()
    return f"{len(CORES)} cores of {cpu}, {memory} GiB, Linux {platform.release()}; " + ", ".join(versions)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="measurements of every row (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="length of one measurement (default 2)")
    parser.add_argument("--largest", type=int, default=1_000_000, help="interactions of the largest cassette (default 1000000)")
    parser.add_argument("--json", help="write all results to this file too")
    parser.add_argument("--wiremock", default=os.environ.get("WIREMOCK"), help="a WireMock standalone jar to measure beside")
    parser.add_argument("--hoverfly", default=os.environ.get("HOVERFLY"), help="a hoverfly binary to measure beside")
    options = parser.parse_args()
    for needed in ("wrk", "h2load", "mockserve", "mockserve-bench"):
        if not (shutil.which(needed) or (BINARIES / needed).exists()):
            raise SystemExit(f"bench: {needed} is missing; `make bench` installs and builds what is needed")
    if NGINX is None:
        raise SystemExit("bench: nginx is missing; `make bench` installs it")
    largest = options.largest
    counts = [count for count in (1, 100, 10_000, 100_000) if count < largest] + [largest]
    paths = {count: cassette(f"n{count}", "--interactions", count) for count in counts}
    post = cassette("post", "--interactions", 10_000, "--post")
    middle = cassette("middle", "--interactions", 1, "--body", 100 << 10, "--binary")
    large = cassette("large", "--interactions", 1, "--body", 10 << 20, "--binary")
    kept = paths[10_000] if 10_000 in paths else paths[largest]
    kept_count = 10_000 if 10_000 in paths else largest

    say("starting servers")
    static = nginx_static()
    replays = {count: replay(path) for count, path in paths.items()}
    journal = DATA / "journal.jsonl"
    floor = Row("bare SwiftNIO server, constant answer (the floor)", Server(bench("floor")))
    rows = [floor]
    rows += [
        Row(f"replay, {count:,} interactions, random", replays[count], file=paths[count], count=count) for count in counts
    ]
    same = [kept_count, largest] if largest != kept_count else [largest]
    rows += [Row(f"replay, {count:,} interactions, the same", replays[count], pattern="/items/0") for count in same]
    extra = {
        "bare": Row("replay, no request remembered", Server(bench("replay", kept, "--journal-entries", "0")), count=kept_count),
        "full": Row("replay, 10,000 requests remembered", Server(bench("replay", kept)), count=kept_count),
        "file": Row("replay, with --journal FILE", replay(kept, "--journal", str(journal)), count=kept_count),
        "post": Row("replay, POST with 1 KB of JSON", replay(post), pattern="/items", count=10_000, post=True),
        "miss": Row("replay, misses", replays[kept_count], misses=True, pattern="/none/%d", count=10_000),
        "middle": Row("replay, 100 KB", replay(middle), pattern="/items/0"),
        "large": Row("replay, 10 MB", replay(large), pattern="/items/0"),
        "nginx": Row("nginx, files of 1 KB", static, count=100),
        "nginx-middle": Row("nginx, 100 KB", static, pattern="/middle"),
        "nginx-large": Row("nginx, 10 MB", static, pattern="/large"),
    }
    stubs = [
        Row(f"stubs, {count:,}, random", Server(bench("stubs", "--count", str(count))), count=count) for count in (1, 10_000)
    ]
    threaded = [
        Row(f"replay, {kept_count:,} interactions, --threads {threads} on one core", replay(kept, threads=threads), count=kept_count)
        for threads in (1, 2, 4, 8)
    ]
    # What changing between threads costs anybody.
    bare = [floor] + [
        Row(f"bare SwiftNIO server, {threads} threads on one core", Server(bench("floor", "--threads", str(threads))))
        for threads in (2, 4, 8)
    ]
    rows += [*extra.values(), *stubs, *threaded, *bare[1:]]
    upstream = nginx_static(place=1)
    if MITMDUMP.exists():
        rows.append(Row("mitmproxy server replay, 100 flows, random", mitmproxy(upstream), count=100))
    if options.wiremock:
        rows += [Row(f"WireMock, {count:,} stubs, random", wiremock(options.wiremock, count), count=count) for count in (1, 10_000)]
    if options.hoverfly:
        rows += [Row(f"Hoverfly, {count:,} pairs, random", hoverfly(options.hoverfly, count), count=count) for count in (1, 10_000)]

    say("warming up")
    for row in rows:
        row.measure(options.seconds, 1000)
        row.results.clear()
    for number in range(options.rounds):
        for row in rows:
            say(f"round {number + 1} of {options.rounds}: {row.name}")
            row.measure(options.seconds, number)
    for server in list(Server.running):
        if server is not upstream:
            server.stop()
    journal.unlink(missing_ok=True)
    recorded, single = record(upstream, options.rounds, options.seconds)

    protocols, protocol_bars = measure_protocols(kept, options.rounds, options.seconds)

    say("threads and processes")
    spread = []
    for name, arguments, threads in (("--threads 1", [], 1), ("--threads 2", [], 2)):
        server = replay(kept, *arguments, threads=threads, place=None)
        row = Row(f"replay {name}, with the load on the same {len(CORES)} cores", server, count=kept_count, place=None)
        spread.append(row)
    port = free_port()
    first = replay(kept, "--port", str(port), "--reuse-port", place=None)
    second = replay(kept, "--port", str(port), "--reuse-port", place=None)
    spread.append(Row("two processes on one port (--reuse-port), as above", first, count=kept_count, place=None))
    for number in range(options.rounds):
        for row in spread:
            row.measure(options.seconds, number)
    for server in (first, second, *(row.server for row in spread)):
        server.stop()

    say("times and memory")
    once = {
        "ready, 1 interaction (ms from exec)": ready(paths[counts[0]]),
        f"ready, {largest:,} interactions (ms from exec)": ready(paths[largest]),
        "start + stop of a scope (ms)": scope(kept),
        "start + stop of a scope with TLS, certificates made (ms)": scope(kept, "--tls"),
    }
    trait, bare_scope = trait_cost()
    once["start + stop of a scope with the trait (ms, debug build)"] = trait
    once["the same of withMockServer beside it (ms, debug build)"] = bare_scope
    megabytes, asked = resident(paths[largest], largest, 100_000)
    once[f"resident after {asked:,} random requests of {largest:,} (MiB)"] = megabytes
    for server in list(Server.running):
        server.stop()

    def line(row):
        ratio = f"{row.ratio(floor):.2f}" if len(row.results) == len(floor.results) and row in rows else ""
        mib = row.median("bytes") / (1 << 20)
        return f"| {row.name} | {row.median('rate'):,.0f} | {ratio} | {row.median('p50'):.2f} | {row.median('p99'):.2f} | {mib:,.0f} |"

    print(f"{machine()}")
    print(f"Medians of {options.rounds} rounds of {options.seconds} s, 32 connections, answers of 1 KB unless said otherwise.\n")
    print("| | requests/s | × floor | p50 ms | p99 ms | MiB/s |\n|---|---|---|---|---|---|")
    for row in rows + recorded:
        print(line(row))
    for row in single:
        row.name += ", 1 connection"
        print(line(row))
    for row in spread:
        print(line(row))
    print("\n| TLS, HTTP/2 and gRPC | a second | × nginx |\n|---|---|---|")
    for text in protocols:
        print(text)
    print("\n| measured once | |\n|---|---|")
    for name, value in once.items():
        print(f"| {name} | {value:.2f} |")

    by_name = {row.name: row for row in rows}
    ratios = {
        "1. replay of 10,000, × floor": (by_name[f"replay, {kept_count:,} interactions, random"].ratio(floor), ">=", 1.2),
        "1. the slowest of 2, 4 and 8 threads, × 1 thread": (min(row.ratio(threaded[0]) for row in threaded[1:]), ">=", 0.95),
        "1. the same of the bare server": (min(row.ratio(floor) for row in bare[1:]), ">=", 0.95),
        "2. replay of the largest, × replay of 100": (
            by_name[f"replay, {largest:,} interactions, random"].ratio(by_name[f"replay, {counts[1]:,} interactions, random"]),
            ">=",
            0.6,
        ),
        "2. its p99, ms": (by_name[f"replay, {largest:,} interactions, random"].median("p99"), "<=", 2),
        "3. ready on the largest, ms": (once[f"ready, {largest:,} interactions (ms from exec)"], "<=", 50),
        "3. resident on the largest, MiB": (megabytes, "<=", 120),
        "4. POST with JSON, × floor": (extra["post"].ratio(floor), ">=", 0.6),
        "5. record, × nginx proxy_pass": (recorded[2].ratio(recorded[1]), ">=", 0.5),
        "5. added p50 of one connection, ms": (single[2].median("p50") - single[0].median("p50"), "<=", 0.3),
        "6. ready, ms": (once["ready, 1 interaction (ms from exec)"], "<=", 40),
        "6. start + stop of a scope, ms": (once["start + stop of a scope (ms)"], "<=", 2),
        "7. 10 MB, × nginx in bytes/s": (extra["large"].ratio(extra["nginx-large"], "bytes"), ">=", 0.7),
        "stubs: 10,000, × one": (stubs[1].ratio(stubs[0]), ">=", 0.9),
        "journal: with it, × without": (extra["full"].ratio(extra["bare"]), ">=", 0.9),
        "start + stop of a scope with TLS, ms": (once["start + stop of a scope with TLS, certificates made (ms)"], "<=", 5),
        **protocol_bars,
    }
    print("\n| bar | measured | wanted | |\n|---|---|---|---|")
    for name, (value, sign, wanted) in ratios.items():
        met = value >= wanted if sign == ">=" else value <= wanted
        print(f"| {name} | {value:.2f} | {sign} {wanted} | {'met' if met else 'missed'} |")
    if options.json:
        results = {row.name: row.results for row in rows + recorded + single + spread}
        pathlib.Path(options.json).write_text(json.dumps({"rows": results, "once": once}, indent=1))


if __name__ == "__main__":
    try:
        main()
    finally:
        for server in list(Server.running):
            server.stop()

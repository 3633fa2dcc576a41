# Everything from a bare Debian machine with the Swift toolchain. `make demo` shows what it does, `make test` checks it.

SWIFT ?= swift
# The same flags for every build, so that none throws another's work away.
SWIFT_FLAGS = -Xswiftc -warnings-as-errors
BUILD_PACKAGES = libsqlite3-dev zlib1g-dev libbrotli-dev libzstd-dev libre2-dev pkg-config
TEST_PACKAGES = $(BUILD_PACKAGES) curl openssl strace procps nginx-light chromium fonts-dejavu-core python3 python3-venv sqlite3 nodejs golang-go \
	$(VERSION_PACKAGES) $(PEER_PACKAGES)
# Clients and loads for TLS, HTTP/2 and gRPC: versions.py, certificates.py, grpc_calls.py.
VERSION_PACKAGES = nghttp2-client golang-golang-x-net-dev golang-google-grpc-dev default-jdk-headless
# Tools whose recordings are imported and exported: formats.py. More of them are in .venv and .venv-peers.
PEER_PACKAGES = ruby ruby-vcr ruby-webmock ruby-multi-json golang-github-dnaeon-go-vcr-dev node-nock default-jre-headless
SOURCES = Package.swift Sources Schema Tests Fuzz Benchmarks Examples/swift

BENCH_PACKAGES = $(BUILD_PACKAGES) nginx-light wrk nghttp2-client curl openssl valgrind python3 python3-venv util-linux
# One program that needs nothing but the C library on the machine it runs on.
RELEASE_FLAGS = -c release --scratch-path .build-release --static-swift-stdlib $(SWIFT_FLAGS) -Xlinker -s
BUILD_RELEASE = scripts/static-libraries $(CURDIR)/.build-release/static && \
	PKG_CONFIG_PATH=$(CURDIR)/.build-release/static $(SWIFT) build $(RELEASE_FLAGS)
PROGRAM = .build-release/release/mockserve
# Where `make install` puts it, and where packages go.
PREFIX = /usr/local
DIST = .build-release/dist

.PHONY: help demo build release install deb wheel test test-package docs lint format test-tools bench bench-tools guard fuzz kill-test clean

help:
	@echo 'make demo       build, then record an embedded upstream, stop it, and replay it'
	@echo 'make test       check the format, build without warnings, run every test, count instructions'
	@echo 'make build      build the debug binary: .build/debug/mockserve'
	@echo 'make release    build the release binary, which needs only the C library: .build-release/release/mockserve'
	@echo 'make install    install it with its completions and manual pages; PREFIX=/usr/local DESTDIR='
	@echo 'make deb        make a Debian package of it, in .build-release/dist'
	@echo 'make wheel      make a wheel of the plugin for pytest with it inside, in .build-release/dist'
	@echo 'make test-package  build and test Examples/swift as a package that depends on this one by its URL'
	@echo 'make docs       make the documentation of the library: .build/docs'
	@echo 'make bench      measure it together with its peers and print a table; about 15 minutes'
	@echo 'make guard      count the instructions of a replayed request and compare them with what is written down'
	@echo 'make format     format the sources'
	@echo 'make kill-test  kill a recording 200 times'
	@echo 'make fuzz       fuzz parsers, match key, redaction, cassettes and listener, 10 minutes each'

demo: build
	@.build/debug/mockserve demo

build:
	@scripts/install-packages $(BUILD_PACKAGES)
	$(SWIFT) build --product mockserve $(SWIFT_FLAGS)

release:
	@scripts/install-packages $(BUILD_PACKAGES)
	$(BUILD_RELEASE) --product mockserve
	@scripts/check-release $(PROGRAM)

# Without building: it may be root who installs.
install:
	@test -x $(PROGRAM) || { echo 'There is no $(PROGRAM) yet: run `make release` first.' >&2; exit 1; }
	scripts/install $(PROGRAM) $(PREFIX) $(DESTDIR)

deb: release
	@scripts/install-packages python3
	@scripts/debian-package $(PROGRAM) $(DIST)
	@scripts/checksums $(DIST)

wheel: release
	@scripts/install-packages python3 python3-pip
	@scripts/wheel $(PROGRAM) $(DIST)
	@scripts/checksums $(DIST)

lint:
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

format:
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

test-tools: .venv/installed .venv-peers/installed
	@scripts/install-packages $(TEST_PACKAGES)

.venv/installed: Tests/EndToEndTests/requirements.txt
	@scripts/install-packages $(TEST_PACKAGES)
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# On their own: they need other versions of what the other tests need.
.venv-peers/installed: Tests/EndToEndTests/Scripts/requirements-peers.txt
	@scripts/install-packages $(TEST_PACKAGES)
	python3 -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

test: test-tools lint
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	$(BUILD_RELEASE) --product mockserve
	@SWIFT=$(SWIFT) MOCKSERVE=$(CURDIR)/.build-release/release/mockserve scripts/run-tests --skip-build $(SWIFT_FLAGS)
	@$(MAKE) --no-print-directory guard

docs:
	@scripts/install-packages $(BUILD_PACKAGES)
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	SWIFT=$(SWIFT) scripts/docs

test-package:
	@scripts/install-packages $(BUILD_PACKAGES)
	SWIFT=$(SWIFT) scripts/test-package

bench-tools: .venv-bench/installed
	@scripts/install-packages $(BENCH_PACKAGES)
	$(BUILD_RELEASE) --product mockserve
	$(BUILD_RELEASE) --product mockserve-bench

.venv-bench/installed: Benchmarks/requirements.txt
	@scripts/install-packages $(BENCH_PACKAGES)
	python3 -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bench: bench-tools
	python3 Benchmarks/bench.py $(BENCH)

guard:
	@scripts/install-packages $(BUILD_PACKAGES) valgrind python3
	$(BUILD_RELEASE) --product mockserve-bench
	python3 Benchmarks/guard.py $(GUARD)

kill-test: test-tools build
	MOCKSERVE=.build/debug/mockserve .venv/bin/python Tests/EndToEndTests/Scripts/kill_recording.py 200

fuzz: test-tools build
	for name in Requests Responses Keys Redaction Literals Names Cassettes Formats Messages; do Fuzz/run.sh $$name 600 || exit 1; done
	MOCKSERVE=.build/debug/mockserve .venv/bin/python Tests/EndToEndTests/Scripts/mutated_requests.py 600

clean:
	rm -rf .build .build-release .build-fuzz .venv .venv-peers .venv-bench

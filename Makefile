# Everything from a bare Debian machine with the Swift toolchain. `make demo` shows what it does, `make test` checks it.

SWIFT ?= swift
# The same flags for every build, so that none throws another's work away.
SWIFT_FLAGS = -Xswiftc -warnings-as-errors
BUILD_PACKAGES = libsqlite3-dev zlib1g-dev libbrotli-dev libzstd-dev libre2-dev pkg-config
TEST_PACKAGES = $(BUILD_PACKAGES) curl openssl strace procps nginx-light chromium fonts-dejavu-core python3 python3-venv sqlite3
SOURCES = Package.swift Sources Schema Tests Fuzz

.PHONY: help demo build release test lint format test-tools fuzz kill-test clean

help:
	@echo 'make demo       build, then record an embedded upstream, stop it, and replay it'
	@echo 'make test       check the format, build without warnings, run every test'
	@echo 'make build      build the debug binary: .build/debug/mockserve'
	@echo 'make release    build the release binary: .build-release/release/mockserve'
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
	$(SWIFT) build -c release --scratch-path .build-release --product mockserve $(SWIFT_FLAGS)

lint:
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

format:
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

test-tools: .venv/installed
	@scripts/install-packages $(TEST_PACKAGES)

.venv/installed: Tests/EndToEndTests/requirements.txt
	@scripts/install-packages $(TEST_PACKAGES)
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

test: test-tools lint
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	$(SWIFT) test --skip-build $(SWIFT_FLAGS)

kill-test: test-tools build
	MOCKSERVE=.build/debug/mockserve .venv/bin/python Tests/EndToEndTests/Scripts/kill_recording.py 200

fuzz: test-tools build
	for name in Requests Responses Keys Redaction Cassettes; do Fuzz/run.sh $$name 600 || exit 1; done
	MOCKSERVE=.build/debug/mockserve .venv/bin/python Tests/EndToEndTests/Scripts/mutated_requests.py 600

clean:
	rm -rf .build .build-release .build-fuzz .venv

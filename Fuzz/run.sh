#!/usr/bin/env bash
# Fuzzes one target with libFuzzer.  Usage: Fuzz/run.sh Requests|Responses|Keys|Redaction|Literals|Names|Cassettes|Formats|Messages [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:?which target? Requests, Responses, Keys, Redaction, Literals, Names, Cassettes, Formats or Messages}
seconds=${2:-600}
scratch=.build-fuzz
export MOCKSERVE_FUZZ=1
swift build -c release --scratch-path "$scratch" --product "Fuzz$name" -Xswiftc -sanitize=fuzzer -Xswiftc -enable-testing
library=$(find "$scratch/release/" -maxdepth 1 -name "libFuzz$name.a")
swiftc -sanitize=fuzzer -o "$scratch/fuzz-$name" -Xlinker --whole-archive "$library" -Xlinker --no-whole-archive -lre2 -lstdc++
# A cassette has some pages at least.
maximum=8192
[ "$name" != Cassettes ] || maximum=262144
seeds="Fuzz/Seeds/$(echo "$name" | tr '[:upper:]' '[:lower:]')"
# Files as tools write them are there already.
[ "$name" != Formats ] || seeds=Tests/CassetteFormatsTests/Fixtures
work="$scratch/corpus-$name"
mkdir -p "$work"
SWIFT_BACKTRACE=enable=no "$scratch/fuzz-$name" "$work" "$seeds" \
    -max_total_time="$seconds" -max_len="$maximum" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$scratch/"

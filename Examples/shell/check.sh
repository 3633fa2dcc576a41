#!/bin/sh
# A test in shell, with curl. Usage: mockserve run visits.cassette -- ./check.sh
set -eu
first=$(curl -sf "$MOCKSERVE_URL/visits")
second=$(curl -sf "$MOCKSERVE_URL/visits")
[ "$first" != "$second" ] || { echo "The counter stands still: $first" >&2; exit 1; }
echo "ok: $first, then $second"

#!/usr/bin/env bash
# The web page in a real Chromium: journeys, accessibility, weight and speed.
# Needs Debian's chromium and the npm peers. Pictures land in .ci/out/screens.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf .ci/out/screens
mkdir -p .ci/out/screens
CI_REQUIRE=browser timeout 400 go test -count=1 -v -run TestBrowser ./cmd/mcpproxy
echo "pictures: $(find .ci/out/screens -name '*.png' | wc -l) in .ci/out/screens"

#!/usr/bin/env bash
# The tray icon in a real panel: needs Xvfb, xfce4-panel, dbus-daemon, gcc and
# the GTK and appindicator headers.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .ci/out
CI_ARTEFACTS=$PWD/.ci/out CI_REQUIRE=tray CGO_ENABLED=0 go test -count=1 -run Panel ./cmd/mcpproxy-tray

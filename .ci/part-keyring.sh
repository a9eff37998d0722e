#!/usr/bin/env bash
# Secrets in a real gnome-keyring-daemon: round trip, an independent reader,
# locked, absent, a wrong password, a question that nobody answers, large values,
# the commands, and the search for secrets in all that the program shows or keeps.
# Each test begins a D-Bus session of its own in a temporary home.
# Needs gnome-keyring, dbus-daemon and libsecret-tools.
set -euo pipefail
cd "$(dirname "$0")/.."
export CI_REQUIRE=keyring
go test -count=1 -run 'TestKeyring' ./internal/secret
go test -count=1 -run 'TestKeyring|TestScripts/secrets' ./cmd/mcpproxy

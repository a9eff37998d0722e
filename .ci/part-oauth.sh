#!/usr/bin/env bash
# OAuth logins against real authorization servers, the conformance suite and a
# real keyring: needs the npm peers, dbus-run-session and gnome-keyring-daemon.
set -euo pipefail
cd "$(dirname "$0")/.."
go test -count=1 ./upstream/oauth

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go test -c -o "$bin/journeys" ./cmd/mcpproxy
mkdir -m 700 "$bin/run"
cat >"$bin/session" <<'SESSION'
printf 'pw\n' | gnome-keyring-daemon --unlock --components=secrets --foreground >"$HOME/keyring.log" 2>&1 &
keyring=$!
owned() { gdbus call --session -d org.freedesktop.DBus -o /org/freedesktop/DBus -m org.freedesktop.DBus.NameHasOwner org.freedesktop.secrets | grep -q true; }
for _ in $(seq 1 100); do owned && break; sleep 0.1; done
owned || { echo 'no keyring came up:'; cat "$HOME/keyring.log"; exit 1; }
rc=0
(cd cmd/mcpproxy && CI_REQUIRE=oauth,npm,keyring "$JOURNEYS" -test.run TestOAuth -test.timeout 120s -test.v | grep -E '^ *(---|===) (FAIL|SKIP|PASS)|✓|✗|_test.go|^(PASS|FAIL)') || rc=$?
kill "$keyring"
exit "$rc"
SESSION
cache=$(go env GOCACHE)
env HOME="$bin" XDG_DATA_HOME="$bin/share" XDG_RUNTIME_DIR="$bin/run" GOCACHE="$cache" JOURNEYS="$bin/journeys" \
  dbus-run-session -- bash -o pipefail "$bin/session"

#!/usr/bin/env bash
# Faults on real processes and files, more of each than `make test` does and less
# than `make soak-quarantine`: kills, full and damaged disks, rug pulls.
set -euo pipefail
cd "$(dirname "$0")/.."
export MCPPROXY_SOAK_KILLS=30 MCPPROXY_SOAK_FULL=60 MCPPROXY_SOAK_DAMAGE=60
export MCPPROXY_SOAK_RUGPULLS=4 MCPPROXY_SOAK_TOCTOU=600 MCPPROXY_SOAK_CALLS=300

shown() { grep -E '^ *--- (FAIL|SKIP|PASS)|_test.go|^(PASS|FAIL|ok)' | grep -v 'helper of'; }
go test -count=1 -timeout 90s -v -run 'Gate_Kill|FullDisk|SurvivesKills' ./quarantine ./internal/audit | shown
go test -count=1 -timeout 90s -v -run 'Damage|RugPull|NotWhatWasShown|Record|Canary|OnlyAPerson' ./cmd/mcpproxy/internal/app | shown

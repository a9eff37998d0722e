# Two targets are all a newcomer needs: `make run` and `make test`.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
BIN     := bin/mcpproxy
LINT    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

export CGO_ENABLED ?= 0

.PHONY: run build tray test check lint cross race bench bench-retrieval bench-security soak-quarantine soak-upstream soak-docker fuzz clean

run: build ## build and start the demonstration
	$(BIN) demo

build: ## one static binary in bin/
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/mcpproxy

tray: ## the tray program, which needs cgo, GTK 3 and ayatana-appindicator on Linux
	CGO_ENABLED=1 $(GO) build -tags tray -trimpath -ldflags '$(LDFLAGS)' -o bin/mcpproxy-tray ./cmd/mcpproxy-tray

test: ## every test that needs nothing else installed
	$(GO) test ./...

race: ## the tests under the race detector, without the long evaluations
	CGO_ENABLED=1 $(GO) test -race -short ./...

check: ## what every commit must pass
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w .'; exit 1; }
	$(GO) vet ./...
	$(MAKE) lint race

lint:
	$(GO) run $(LINT) run

PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

cross: ## every platform of PLATFORMS compiles without cgo, and its tests do
	@set -e; for platform in $(PLATFORMS); do export GOOS=$${platform%/*} GOARCH=$${platform#*/}; echo "$$platform"; \
	  $(GO) build -o /dev/null ./cmd/mcpproxy; \
	  if [ $$GOOS = windows ]; then echo "tray $$platform"; $(GO) build -tags tray -o /dev/null ./cmd/mcpproxy-tray; fi; \
	  if [ $$GOOS != linux ]; then echo "vet $$platform"; $(GO) vet ./...; fi; done

bench: build ## 572 tools over 77 stdio servers: start, search, calls, memory
	$(GO) build -o bin/mcpproxy-bench ./cmd/mcpproxy-bench
	bin/mcpproxy-bench -mcpproxy $(BIN) -check

bench-retrieval: ## how well and how fast search finds, on ../shared/data, against its bars
	@mkdir -p bin
	MCPPROXY_PROOF=$(CURDIR)/bin/retrieval.md $(GO) test -count=1 -timeout 20m -v -run 'TestProof|TestFit' ./index

bench-security: ## what the scanner finds and the gate costs, on ../shared/data/poison
	$(GO) test -count=1 -v -run 'Corpus|CrossValidate|Unseen|Languages|Huge' ./quarantine/... | grep -v '^==='
	$(GO) test -run '^$$' -bench 'Check|Tool' ./quarantine/...

soak-quarantine: ## kills during approvals, the gate against its model, rug pulls, canary, who may approve
	MCPPROXY_SOAK_KILLS=200 MCPPROXY_SOAK_FULL=500 $(GO) test -count=1 -v -timeout 20m -run 'Kill|Flipped|FullDisk' ./quarantine
	MCPPROXY_SOAK_DAMAGE=1000 $(GO) test -count=1 -v -timeout 20m -run Damage ./cmd/mcpproxy/internal/app
	$(GO) test -count=1 -timeout 20m ./quarantine -run Model -rapid.checks=1000
	MCPPROXY_SOAK_RUGPULLS=25 $(GO) test -count=1 -timeout 20m -run 'RugPull' ./cmd/mcpproxy/internal/app
	MCPPROXY_SOAK_CALLS=2000 MCPPROXY_SOAK_KILLS=100 $(GO) test -count=1 -v -timeout 20m -run 'Record|SurvivesKills' ./cmd/mcpproxy/internal/app ./internal/audit
	MCPPROXY_SOAK_TOCTOU=10000 $(GO) test -count=1 -v -timeout 30m -run 'NotWhatWasShown|Canary|OnlyAPerson' ./cmd/mcpproxy/internal/app

soak-upstream: ## 1,000 kills of an upstream under 20 calls a second
	MCPPROXY_SOAK_KILLS=1000 $(GO) test -count=1 -v -timeout 40m -run Soak ./upstream

soak-docker: ## 100 kills of a proxy with isolated servers, on a dockerd of its own
	MCPPROXY_SOAK_KILLS=100 .ci/part-docker.sh -v -timeout 30m -run 'TestDocker$$/Kill$$' ./cmd/mcpproxy

fuzz: ## FUZZTIME (3s, or a number of inputs such as 2000x) for each parser of foreign text below FUZZ (.)
	@for file in $$(grep -rl --include='*_test.go' '^func Fuzz' $${FUZZ:-.}); do for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
	  echo "$$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $${FUZZTIME:-3s} ./$$(dirname $$file) || exit 1; done; done

clean:
	rm -rf bin dist

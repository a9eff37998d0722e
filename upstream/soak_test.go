package upstream_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// soakKills is how often TestPool_Soak kills a server: MCPPROXY_SOAK_KILLS,
// 1,000 for the full run.
func soakKills(t *testing.T) int {
	t.Helper()
	text, ok := os.LookupEnv("MCPPROXY_SOAK_KILLS")
	if !ok {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("MCPPROXY_SOAK_KILLS=%s: %v", text, err)
	}
	return n
}

const (
	soakServers = 5
	soakRate    = 20                     // calls a second, over all servers
	soakPause   = 237 * time.Millisecond // out of step with the calls
)

// soakCall is one line of the client's history.
type soakCall struct {
	id         string
	server     string
	began, end time.Time
	err        error
}

// soakKill is one kill. Until noticed, when the connection broke off, nobody
// could know and calls were sent to the dying process.
type soakKill struct {
	server      string
	at, noticed time.Time
	away        time.Duration
}

// TestPool_Soak_KillsLoseOnlyCallsInFlight kills servers under load and
// compares the history of the client with those of the servers.
func TestPool_Soak_KillsLoseOnlyCallsInFlight(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 s; run without -short")
	}
	dir := t.TempDir()
	p := upstream.NewPool(upstream.Options{})
	defer p.Close()
	var specs []upstream.Spec
	for i := range soakServers {
		spec, err := upstreamtest.Command(upstream.Spec{Name: fmt.Sprintf("s%d", i)}, upstreamtest.Script{
			Tools: upstreamtest.Tools("t", 7), Delay: 30 * time.Millisecond, History: filepath.Join(dir, fmt.Sprintf("s%d", i)),
		})
		if err != nil {
			t.Fatal(err)
		}
		specs = append(specs, spec)
	}
	apply(t, p, specs...)
	for _, s := range specs {
		awaitState(t, p, s.Name, upstream.Ready)
	}
	began := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	load := make(chan []soakCall)
	go func() { load <- soakLoad(ctx, p) }()
	kills := soakKillAll(t, p, soakKills(t))
	cancel()
	calls := <-load
	t.Logf("%d kills and %d calls in %s", len(kills), len(calls), time.Since(began).Round(time.Millisecond))
	checkErrors(t, calls, kills)
	checkHistories(t, dir, calls)
	checkAway(t, kills)
}

// soakLoad calls the servers in turn until ctx ends and returns the history.
func soakLoad(ctx context.Context, p *upstream.Pool) []soakCall {
	tick := time.NewTicker(time.Second / soakRate)
	defer tick.Stop()
	var mu sync.Mutex
	var out []soakCall
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			wg.Wait()
			return out
		case <-tick.C:
		}
		wg.Go(func() {
			c := soakCall{id: strconv.Itoa(n), server: fmt.Sprintf("s%d", n%soakServers), began: time.Now()}
			_, c.err = p.Call(context.WithoutCancel(ctx), upstream.Call{
				ID: tool.ID{Server: c.server, Name: "t0"}, Arguments: json.RawMessage(`{"id":` + c.id + `}`),
			})
			c.end = time.Now()
			mu.Lock()
			defer mu.Unlock()
			out = append(out, c)
		})
	}
}

// soakKillAll kills the servers in turn, each once it is ready again.
func soakKillAll(t *testing.T, p *upstream.Pool, n int) []soakKill {
	t.Helper()
	var out []soakKill
	var mu sync.Mutex
	var wg sync.WaitGroup
	defer wg.Wait()
	tick := time.NewTicker(soakPause)
	defer tick.Stop()
	for i := range n {
		<-tick.C
		name := fmt.Sprintf("s%d", i%soakServers)
		pid := awaitState(t, p, name, upstream.Ready).PID
		proc, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		k := soakKill{server: name, at: time.Now()}
		if err := proc.Kill(); err != nil {
			t.Fatalf("kill %d: %v", pid, err)
		}
		wg.Go(func() {
			await(t, p, name, func(s upstream.Status) bool { return s.PID != pid })
			k.noticed = time.Now()
			await(t, p, name, func(s upstream.Status) bool { return s.State == upstream.Ready && s.PID != pid })
			k.away = time.Since(k.at)
			mu.Lock()
			defer mu.Unlock()
			out = append(out, k)
		})
	}
	wg.Wait()
	return out
}

// checkErrors wants every failed call to have been in flight on a killed
// server, and to have failed within 2 s of the kill.
func checkErrors(t *testing.T, calls []soakCall, kills []soakKill) {
	t.Helper()
	var lost, blind int
	var slowest time.Duration
	for _, c := range calls {
		if c.err == nil {
			continue
		}
		i := slices.IndexFunc(kills, func(k soakKill) bool {
			return k.server == c.server && c.began.Before(k.noticed) && c.end.After(k.at)
		})
		if i < 0 || !errors.Is(c.err, upstream.ErrLost) {
			t.Errorf("call %s to %s from %s took %s and failed without a kill: %v", c.id, c.server, c.began, c.end.Sub(c.began), c.err)
			continue
		}
		lost++
		since := kills[i].at
		if c.began.After(since) {
			blind++
			since = c.began
		}
		slowest = max(slowest, c.end.Sub(since))
	}
	t.Logf("%d calls lost, %d of them sent to the dying process; the slowest error came after %s", lost, blind, slowest)
	if slowest > 2*time.Second {
		t.Errorf("an error took %s, want at most 2s", slowest)
	}
}

// checkHistories wants each answered call exactly once in the history of its
// server and each failed one at most once.
func checkHistories(t *testing.T, dir string, calls []soakCall) {
	t.Helper()
	seen := map[string]int{}
	for i := range soakServers {
		f, err := os.Open(filepath.Join(dir, fmt.Sprintf("s%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			args, err := strconv.Unquote(lines.Text())
			if err != nil {
				t.Errorf("history of s%d: %q: %v", i, lines.Text(), err)
			}
			seen[args]++
		}
		f.Close()
	}
	for _, c := range calls {
		n := seen[`{"id":`+c.id+`}`]
		if n > 1 || n == 0 && c.err == nil {
			t.Errorf("call %s ran %d times, its error is %v", c.id, n, c.err)
		}
	}
}

// checkAway wants the servers back soon.
func checkAway(t *testing.T, kills []soakKill) {
	t.Helper()
	if len(kills) == 0 {
		return
	}
	slices.SortFunc(kills, func(a, b soakKill) int { return int(a.away - b.away) })
	var blind time.Duration
	for _, k := range kills {
		blind = max(blind, k.noticed.Sub(k.at))
	}
	p50, p99 := kills[len(kills)/2].away, kills[len(kills)*99/100].away
	t.Logf("noticed after %s at most, back after %s p50, %s p99", blind, p50.Round(time.Millisecond), p99.Round(time.Millisecond))
	if blind > 2*time.Second {
		t.Errorf("a kill went unnoticed for %s, want at most 2s", blind)
	}
	if p99 > 5*time.Second {
		t.Errorf("p99 = %s, want at most 5s", p99)
	}
}

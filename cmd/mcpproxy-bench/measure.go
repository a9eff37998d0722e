package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"

	"mcpproxy/internal/mcpclient"
)

type options struct {
	binary, model  string
	servers, tools int
	clients        int
	span           time.Duration
}

// share is how many of the tools server i has.
func (o options) share(i int) int {
	n := o.tools / o.servers
	if i < o.tools%o.servers {
		n++
	}
	return n
}

// measure runs every part in order on one instance, then starts it a second
// time for the warm start.
func measure(ctx context.Context, opt options) (*report, error) {
	dir, err := os.MkdirTemp("", "mcpproxy-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &report{Servers: opt.servers, Tools: opt.tools, Model: opt.model}
	if err := r.measureRunning(ctx, opt, dir); err != nil {
		return nil, err
	}
	r.WarmMS, err = startUp(ctx, opt, dir, nil)
	return r, err
}

func (r *report) measureRunning(ctx context.Context, opt options, dir string) error {
	var failed error
	cold, err := startUp(ctx, opt, dir, func(in *instance, s *mcpclient.Session) {
		failed = r.measureTraffic(ctx, opt, in, s)
	})
	r.ColdMS = cold
	if err != nil {
		return err
	}
	return failed
}

// startUp returns the milliseconds from exec to every tool being searchable,
// then runs while and stops the program.
func startUp(ctx context.Context, opt options, dir string, while func(*instance, *mcpclient.Session)) (float64, error) {
	begin := time.Now()
	in, err := start(opt, dir)
	if err != nil {
		return 0, err
	}
	waitCtx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s, err := in.connect(waitCtx)
	if err == nil {
		err = allSearchable(waitCtx, opt, s)
	}
	if err != nil {
		_ = in.stop()
		log, _ := os.ReadFile(in.dir + "/stderr.log")
		return 0, fmt.Errorf("%w\n%.4000s", err, log)
	}
	took := msec(time.Since(begin))
	if while != nil {
		while(in, s)
	}
	return took, in.stop()
}

// allSearchable returns once the last tool of every server is found and callable.
func allSearchable(ctx context.Context, opt options, s *mcpclient.Session) error {
	for i := range opt.servers {
		last := inventTool(i*16 + opt.share(i) - 1).Name
		args := map[string]any{"query": last, "server": stubName(i), "detail": "names", "limit": 1}
		for {
			raw, err := s.Call(ctx, "retrieve_tools", args)
			if err == nil && found(raw, stubName(i)+":"+last) {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("tool %s never became searchable: %.300s: %w", last, raw, ctx.Err())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

func found(raw json.RawMessage, id string) bool {
	var result struct {
		Structured struct {
			Tools []struct {
				ID string `json:"id"`
			} `json:"tools"`
		} `json:"structuredContent"`
	}
	return json.Unmarshal(raw, &result) == nil && len(result.Structured.Tools) > 0 && result.Structured.Tools[0].ID == id
}

func (r *report) measureTraffic(ctx context.Context, opt options, in *instance, s *mcpclient.Session) error {
	menu, err := s.Request(ctx, "tools/list", map[string]any{})
	if err != nil {
		return err
	}
	r.MenuTokens = float64(len(menu)) / 4
	if r.DirectMS, err = direct(ctx); err != nil {
		return err
	}
	settle(in)
	before, recorded := in.written(), in.recorded()
	retrieve := func(s *mcpclient.Session, n int) error {
		_, err := s.Call(ctx, "retrieve_tools", map[string]any{"query": query(n % opt.tools)})
		return err
	}
	if r.RetrieveMS, err = latency(s, opt.span, retrieve); err != nil {
		return err
	}
	if r.CallMS, err = latency(s, opt.span, callOne(ctx, opt)); err != nil {
		return err
	}
	r.AddedMS = r.CallMS.P50 - r.DirectMS.P50
	if r.CallsPerSecond, err = throughput(ctx, opt, in.url); err != nil {
		return err
	}
	settle(in)
	r.Recorded = in.recorded() - recorded
	if before >= 0 {
		r.Written = max(0, in.written()-before-r.Recorded)
	}
	r.RSSMB = float64(in.rss()) / (1 << 20)
	return nil
}

// settle waits until the program has written nothing for a second, so that
// start-up's last records are not charged to the traffic.
func settle(in *instance) {
	for last, quiet := in.written(), 0; quiet < 10; quiet++ {
		time.Sleep(100 * time.Millisecond)
		if now := in.written(); now != last {
			last, quiet = now, 0
		}
	}
}

func callOne(ctx context.Context, opt options) func(*mcpclient.Session, int) error {
	return func(s *mcpclient.Session, n int) error {
		i := n % opt.servers
		id := stubName(i) + ":" + inventTool(i*16).Name
		_, err := s.Call(ctx, "call_tool_read", map[string]any{"id": id, "arguments": map[string]any{"owner": "maria", "days": n}})
		return err
	}
}

// latency repeats one request after another for span.
func latency(s *mcpclient.Session, span time.Duration, one func(*mcpclient.Session, int) error) (quantiles, error) {
	var took []float64
	for n, begin := 0, time.Now(); time.Since(begin) < span; n++ {
		t := time.Now()
		if err := one(s, n); err != nil {
			return quantiles{}, err
		}
		took = append(took, msec(time.Since(t)))
	}
	return quantilesOf(took), nil
}

// throughput returns the calls per second of opt.clients sessions together.
func throughput(ctx context.Context, opt options, url string) (float64, error) {
	sessions := make([]*mcpclient.Session, opt.clients)
	for i := range sessions {
		s, err := mcpclient.Open(ctx, url)
		if err != nil {
			return 0, err
		}
		sessions[i] = s
	}
	var wg sync.WaitGroup
	counts, errs := make([]int, opt.clients), make([]error, opt.clients)
	begin := time.Now()
	for i, s := range sessions {
		wg.Go(func() {
			for n := i; time.Since(begin) < opt.span && errs[i] == nil; n += 7 {
				errs[i] = callOne(ctx, opt)(s, n)
				counts[i]++
			}
		})
	}
	wg.Wait()
	took := time.Since(begin).Seconds()
	total := 0
	for i, n := range counts {
		if errs[i] != nil {
			return 0, errs[i]
		}
		total += n
	}
	return float64(total) / took, nil
}

// direct measures the upstream's own time: one stub, its pipes, no proxy.
func direct(ctx context.Context) (quantiles, error) {
	self, err := os.Executable()
	if err != nil {
		return quantiles{}, err
	}
	cmd := exec.CommandContext(ctx, self, "stub", "-tools", "8")
	in, err := cmd.StdinPipe()
	if err != nil {
		return quantiles{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return quantiles{}, err
	}
	if err := cmd.Start(); err != nil {
		return quantiles{}, err
	}
	lines := bufio.NewReader(out)
	var took []float64
	for n := range 2000 {
		t := time.Now()
		request := `{"jsonrpc":"2.0","id":` + strconv.Itoa(n) + `,"method":"tools/call","params":{"name":"x","arguments":{"owner":"maria","days":3}}}` + "\n"
		if _, err := in.Write([]byte(request)); err != nil {
			return quantiles{}, err
		}
		if _, err := lines.ReadBytes('\n'); err != nil {
			return quantiles{}, err
		}
		took = append(took, msec(time.Since(t)))
	}
	_ = in.Close()
	return quantilesOf(took), cmd.Wait()
}

func msec(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func quantilesOf(took []float64) quantiles {
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))] }
	return quantiles{N: len(took), P50: at(.50), P95: at(.95), P99: at(.99)}
}

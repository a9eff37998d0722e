// Command mcpproxy-bench measures a built mcpproxy from outside: many light
// stdio servers behind it, real HTTP in front of it.
//
//	mcpproxy-bench -mcpproxy bin/mcpproxy            prints a table
//	mcpproxy-bench -mcpproxy bin/mcpproxy -o json    prints one object
//	mcpproxy-bench -mcpproxy bin/mcpproxy -check     exits 1 if a bar is missed
//	mcpproxy-bench stub -index 3 -tools 8            is one of the light servers
//
// It depends on little but the standard library, so that the stub starts fast.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "stub" {
		runStub(os.Args[2:])
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var opt options
	flags := flag.NewFlagSet("mcpproxy-bench", flag.ExitOnError)
	flags.StringVar(&opt.binary, "mcpproxy", "bin/mcpproxy", "the built program to measure")
	flags.IntVar(&opt.servers, "servers", 77, "light stdio servers behind it")
	flags.IntVar(&opt.tools, "tools", 572, "tools in all")
	flags.IntVar(&opt.clients, "clients", 8, "concurrent clients of the throughput part")
	flags.DurationVar(&opt.span, "span", 5*time.Second, "length of each measured part")
	flags.StringVar(&opt.model, "model", "", "sentence model of the search; none keeps it out")
	output := flags.String("o", "table", "table or json")
	check := flags.Bool("check", false, "exit 1 if a bar is missed")
	slack := flags.Float64("slack", 1, "multiply every time, rate and size bar by this, for busy machines")
	if err := flags.Parse(args); err != nil {
		return err
	}
	report, err := measure(ctx, opt)
	if err != nil {
		return err
	}
	report.slack = *slack
	if *output == "json" {
		if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
			return err
		}
	} else {
		report.print(os.Stdout)
	}
	if missed := report.missed(); *check && missed > 0 {
		return fmt.Errorf("%d bars missed", missed)
	}
	return nil
}

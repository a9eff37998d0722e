package main

import (
	"fmt"
	"io"
)

type quantiles struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

type report struct {
	Servers        int       `json:"servers"`
	Tools          int       `json:"tools"`
	Model          string    `json:"model"`
	ColdMS         float64   `json:"cold_ms"`
	WarmMS         float64   `json:"warm_ms"`
	RetrieveMS     quantiles `json:"retrieve_tools_ms"`
	DirectMS       quantiles `json:"direct_call_ms"`
	CallMS         quantiles `json:"call_tool_read_ms"`
	AddedMS        float64   `json:"added_p50_ms"`
	CallsPerSecond float64   `json:"calls_per_second"`
	Written        int64     `json:"bytes_written_beside_the_record"`
	Recorded       int64     `json:"bytes_of_the_record"`
	RSSMB          float64   `json:"rss_mb"`
	MenuTokens     float64   `json:"menu_tokens"`

	slack float64 // of the bars; 1 is the promise itself
}

// bar is one promise with its limit; atLeast turns the comparison round.
type bar struct {
	name       string
	got, limit float64
	unit       string
	atLeast    bool
}

func (b bar) met() bool {
	if b.atLeast {
		return b.got >= b.limit
	}
	return b.got <= b.limit
}

func (r *report) bars() []bar {
	return []bar{
		{name: "all tools searchable, cold", got: r.ColdMS, limit: 3000 * r.slack, unit: "ms"},
		{name: "retrieve_tools over HTTP, p50", got: r.RetrieveMS.P50, limit: 2 * r.slack, unit: "ms"},
		{name: "call_tool_read adds, p50", got: r.AddedMS, limit: .5 * r.slack, unit: "ms"},
		{name: "calls in total", got: r.CallsPerSecond, limit: 800 / r.slack, unit: "/s", atLeast: true},
		{name: "written beside the record", got: float64(r.Written), limit: beside, unit: "bytes"},
		{name: "resident memory", got: r.RSSMB, limit: r.memory(), unit: "MB"},
		{name: "menu of tools/list", got: r.MenuTokens, limit: 1000, unit: "tokens"},
	}
}

// beside is what may be written under traffic beside the record of calls, in
// bytes: the ends of its pages, and the counts of the day, once a minute.
const beside = 64 << 10

// memory is the bar of resident megabytes, with the sentence model or without.
func (r *report) memory() float64 {
	if r.Model == "none" {
		return 80
	}
	return 150
}

func (r *report) missed() int {
	n := 0
	for _, b := range r.bars() {
		if !b.met() {
			n++
		}
	}
	return n
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%d tools over %d stdio servers\n\n%-32s %12s %12s\n", r.Tools, r.Servers, "measure", "got", "bar")
	for _, b := range r.bars() {
		sign, verdict := "<=", ""
		if b.atLeast {
			sign = ">="
		}
		if !b.met() {
			verdict = "  MISSED"
		}
		fmt.Fprintf(w, "%-32s %12.2f %2s %9.6g %s%s\n", b.name, b.got, sign, b.limit, b.unit, verdict)
	}
	fmt.Fprintf(w, "\nall tools searchable, warm %.0f ms\nthe record of calls grew by %d KB\n", r.WarmMS, r.Recorded>>10)
	for _, q := range []struct {
		name string
		q    quantiles
	}{{"retrieve_tools", r.RetrieveMS}, {"call_tool_read", r.CallMS}, {"upstream's own time", r.DirectMS}} {
		fmt.Fprintf(w, "%-20s p50 %.2f  p95 %.2f  p99 %.2f ms  (n=%d)\n", q.name, q.q.P50, q.q.P95, q.q.P99, q.q.N)
	}
}

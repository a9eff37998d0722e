package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

func printAudit(w io.Writer, entries []client.AuditEntry) {
	if len(entries) == 0 {
		fmt.Fprintln(w, "Nothing on record.")
		return
	}
	cells := make([][]string, 0, len(entries))
	for _, e := range entries {
		cells = append(cells, auditCells(e))
	}
	rows(w, []string{"TIME", "WHAT", "THROUGH", "SERVER OR TOOL", "OUTCOME", "TOOK", "DETAIL"}, cells)
}

// auditCells is one entry in a line for people.
func auditCells(e client.AuditEntry) []string {
	target := e.Server
	if e.Tool != "" {
		target += ":" + e.Tool
	}
	var took string
	if e.Micros > 0 {
		took = fmt.Sprintf("%.1f ms", float64(e.Micros)/1000)
	}
	detail := e.Detail
	if e.What == "call" {
		detail = fmt.Sprintf("%d bytes out, %d in", e.Sent, e.Received)
	} else if e.Hash != "" {
		detail = strings.TrimSpace(fmt.Sprintf("%.12s %s", e.Hash, detail))
	}
	cells := []string{e.Time.Local().Format(time.DateTime), e.What, e.Actor, target, e.Outcome, took, detail}
	for i := range cells {
		cells[i] = escape.Line(cells[i])
	}
	return cells
}

// plainCell keeps foreign text from being a formula in a spreadsheet or a
// command of a terminal.
func plainCell(text string) string {
	text = escape.Line(text)
	if first := strings.TrimLeft(text, " "); first != "" && strings.ContainsRune("=+-@", rune(first[0])) && !isNumber(text) {
		return "'" + text
	}
	return text
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

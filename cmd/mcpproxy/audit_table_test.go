package main

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"mcpproxy/internal/client"
)

// A server names its tools: no cell of the table may be read as a formula.
func TestWriteAuditTable_NoCellIsAFormula(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "a\x1b[2J", `"=1`} {
		var out bytes.Buffer
		if err := writeAuditTable(&out, []client.AuditEntry{{Server: name, Tool: name, Detail: name}}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 2 {
			t.Fatalf("%q: %d rows, %v", name, len(rows), err)
		}
		for _, cell := range rows[1] {
			if strings.ContainsAny(cell, "\x1b\r\t\n") || strings.HasPrefix(strings.TrimLeft(cell, " "), "=") || cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%q becomes the cell %q", name, cell)
			}
		}
	}
}

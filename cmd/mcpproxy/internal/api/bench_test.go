package api

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkGuard is what a call costs before the endpoint sees it.
func BenchmarkGuard(b *testing.B) {
	h := New(Options{Service: &fake{}, MCP: echoMCP}).Handler(TCP)
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}`
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest("POST", "http://127.0.0.1:8080/mcp", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Mcp-Session-Id", "s")
		h.ServeHTTP(httptest.NewRecorder(), req)
	}
}

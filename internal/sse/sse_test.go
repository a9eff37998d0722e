package sse_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"mcpproxy/internal/sse"
)

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, stream string
		want         []string // id=data
	}{
		{"nothing", "", nil},
		{"one", "data: a\n\n", []string{"=a"}},
		{"no space, CRLF", "data:a\r\n\r\n", []string{"=a"}},
		{"several lines", "data: a\ndata:  b\n\n", []string{"=a\n b"}},
		{"an ID stays", "id: 7\ndata: a\n\ndata: b\n\n", []string{"7=a", "7=b"}},
		{"other fields and comments", ": ping\n\nevent: message\nretry: 1\ndata: a\nnull\n\n", []string{"=a"}},
		{"without its end", "data: a\n\ndata: b\n", []string{"=a"}},
		{"a line longer than a buffer", "data: " + strings.Repeat("x", 10_000) + "\n\n", []string{"=" + strings.Repeat("x", 10_000)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			err := sse.Read(strings.NewReader(tt.stream), func(id string, data []byte) error {
				got = append(got, fmt.Sprintf("%s=%s", id, data))
				return nil
			})
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("Read = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestRead_Ends(t *testing.T) {
	t.Parallel()
	fault := errors.New("fault")
	for said, want := range map[error]error{io.EOF: nil, fault: fault} {
		calls := 0
		err := sse.Read(strings.NewReader("data: a\n\ndata: b\n\n"), func(string, []byte) error { calls++; return said })
		if !errors.Is(err, want) || calls != 1 {
			t.Errorf("after %v Read = %v with %d calls, want %v with 1", said, err, calls, want)
		}
	}
}

func TestRead_TooLarge(t *testing.T) {
	t.Parallel()
	const half = 17 << 20
	for name, stream := range map[string]string{
		"line":  "data: " + strings.Repeat("x", 2*half),
		"event": strings.Repeat("data: "+strings.Repeat("x", half)+"\n", 2),
	} {
		err := sse.Read(strings.NewReader(stream), func(string, []byte) error { return errors.New("called") })
		if !errors.Is(err, sse.ErrTooLarge) {
			t.Errorf("%s: Read = %v, want %v", name, err, sse.ErrTooLarge)
		}
	}
}

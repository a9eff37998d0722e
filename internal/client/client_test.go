package client

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func handler(f http.HandlerFunc) *Client { return InProcess(f) }

func TestInProcess_StreamsBeforeTheHandlerEnds(t *testing.T) {
	t.Parallel()
	seen := make(chan struct{})
	c := handler(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"done":1,"total":2}`+"\n")
		<-seen // the first line must have arrived by now
		_, _ = io.WriteString(w, `{"end":true,"index":{"tools":5}}`+"\n")
	})
	ix, err := c.Rebuild(t.Context(), func(done, total int) {
		if done == 1 && total == 2 {
			close(seen)
		}
	})
	if err != nil || ix.Tools != 5 {
		t.Errorf("Rebuild = %+v, %v", ix, err)
	}
}

func TestInProcess_EndsTheHandlerWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ended := false
	c := handler(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		ended = true
	})
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Status = %v, want cancelled", err)
	}
	if !ended {
		t.Error("the client returned before the handler")
	}
}

func TestInProcess_SurvivesAPanic(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]http.HandlerFunc{
		"before the header": func(http.ResponseWriter, *http.Request) { panic("boom") },
		"after it":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); panic("boom") },
	} {
		if _, err := handler(f).Status(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestClient_BrokenAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"cut stream":    {`{"done":1,"total":9}` + "\n", "broke off"},
		"no end":        {``, "broke off"},
		"no JSON":       {`<html>`, "broke off"},
		"end, no index": {`{"end":true}`, "no index"},
		"error line":    {`{"error":{"code":"config","message":"bad file"}}`, "bad file"},
	} {
		_, err := handler(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.body) }).Rebuild(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
	_, err := handler(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "nope", http.StatusBadGateway) }).Status(t.Context())
	var e *Error
	if !errors.As(err, &e) || e.Code != "internal" || !strings.Contains(e.Message, "502") {
		t.Errorf("plain text error = %v", err)
	}
}

func TestDial_NobodyThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Dial(dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("empty directory: %v", err)
	}
	for text, running := range map[string]bool{"tcp 127.0.0.1:1": false, "unix " + filepath.Join(dir, "gone"): false, "junk": true, "http x": true} {
		if err := os.WriteFile(filepath.Join(dir, AddressFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, KeyFile), []byte("k"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Dial(dir)
		if err == nil || errors.Is(err, ErrNotRunning) == running {
			t.Errorf("record %q: %v", text, err)
		}
	}
}

func TestLocalAddress_OfADirectoryThatServedNobody(t *testing.T) {
	t.Parallel()
	if _, err := LocalAddress(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LocalAddress = %v, want ErrNotExist", err)
	}
}

func TestProof_DependsOnKeyAndChallenge(t *testing.T) {
	t.Parallel()
	if Proof("k", "a") == Proof("k", "b") || Proof("k", "a") == Proof("l", "a") || strings.Contains(Proof("k", "a"), "k") {
		t.Error("proof is not a proof")
	}
}

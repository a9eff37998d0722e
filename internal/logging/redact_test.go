package logging_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/zap"

	"mcpproxy/internal/logging"
)

// awkward needs an escape in every form, and holds the word CANARY where none does.
const awkward = "pa\"ss<w&ö\\rd/+CANARY?=\t%"

func redactor(values ...string) *logging.Redactor {
	r := &logging.Redactor{}
	for _, v := range values {
		r.Add(v)
	}
	return r
}

func TestRedactor_Text(t *testing.T) {
	t.Parallel()
	asJSON, _ := json.Marshal(map[string]string{"k": awkward})
	twice, _ := json.Marshal(string(asJSON))
	pem := "-----BEGIN KEY-----\nCANARYCANARYCANARY01\nCANARYCANARYCANARY02\n-----END KEY-----\n"
	r := redactor("CANARY-TOKEN", "CANARY-TOKEN-longer", awkward, pem, "short", "")
	tests := []struct{ name, in, want string }{
		{"none", "nothing to hide, short as it is", "nothing to hide, short as it is"},
		{"empty", "", ""},
		{"whole", "CANARY-TOKEN", "**redacted**"},
		{"inside", "xCANARY-TOKENx", "x**redacted**x"},
		{"twice", "CANARY-TOKEN CANARY-TOKEN", "**redacted** **redacted**"},
		{"longest wins", "CANARY-TOKEN-longer", "**redacted**"},
		{"beginning only", "CANARY-TOKE", "CANARY-TOKE"},
		{"after a false start", "CANARY-CANARY-TOKEN", "CANARY-**redacted**"},
		{"JSON", string(asJSON), `{"k":"**redacted**"}`},
		{"JSON in JSON", string(twice), `"{\"k\":\"**redacted**\"}"`},
		{"query", "?a=" + url.QueryEscape(awkward) + "&b", "?a=**redacted**&b"},
		{"path", "/" + url.PathEscape(awkward), "/**redacted**"},
		{"path, lower case", "/pa%22ss%3cw&%c3%b6%5crd%2f+CANARY%3f=%09%25", "/**redacted**"},
		{"quoted by Go", fmt.Sprintf("%q", awkward), `"**redacted**"`},
		{"lines of a file", "key:\nCANARYCANARYCANARY02\n", "key:\n**redacted**\n"},
	}
	for _, tt := range tests {
		if got := r.Text(tt.in); got != tt.want {
			t.Errorf("%s: Text(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
	var none *logging.Redactor
	if got := none.Text("a"); got != "a" {
		t.Errorf("nil: Text = %q", got)
	}
}

func TestRedactor_Base64(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"secret", "CANARY-TOKEN", awkward} {
		r := redactor(value)
		for before := range 5 {
			for after := range 4 {
				text := strings.Repeat("u", before) + value + strings.Repeat("v", after)
				for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
					got := r.Text("Basic " + enc.EncodeToString([]byte(text)))
					if !strings.Contains(got, "**redacted**") {
						t.Errorf("%q in base64 is still there: %s", text, got)
					}
				}
			}
		}
	}
}

func TestRedactor_Reader(t *testing.T) {
	t.Parallel()
	const text = "first CANARY-TOKEN-longer\nCANARY-CANARY-TOKEN, CANARY-TOKEN CANARY-TOKE\nCANARY-TO"
	const want = "first **redacted**\nCANARY-**redacted**, **redacted** CANARY-TOKE\nCANARY-TO"
	r := redactor("CANARY-TOKEN", "CANARY-TOKEN-longer")
	for name, src := range map[string]io.Reader{
		"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)),
		"halves": iotest.HalfReader(strings.NewReader(text)), "data with the end": iotest.DataErrReader(strings.NewReader(text)),
	} {
		if got, err := io.ReadAll(r.Reader(src)); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	broken := io.MultiReader(strings.NewReader("a CANARY"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if got, err := io.ReadAll(r.Reader(broken)); string(got) != "a CANARY" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("broken: %q, %v", got, err)
	}
}

func TestRedactor_Reader_HandsOutWhatIsHarmless(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	go func() { _, _ = io.WriteString(out, "password: CANARY-") }()
	buf := make([]byte, 64)
	n, err := redactor("CANARY-TOKEN").Reader(in).Read(buf)
	if got := string(buf[:n]); got != "password: " || err != nil {
		t.Errorf("Read = %q, %v, want the line before its end, without what may be a secret", got, err)
	}
	_ = in.Close()
}

func TestLogs_Redact(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := redactor(awkward, "CANARY-TOKEN")
	var stderr strings.Builder
	l := open(t, logging.Options{Dir: dir, File: true, Stderr: &stderr, Level: "debug", Redact: r})
	log := l.Logger().Named("CANARY-TOKEN").With(zap.String("with", awkward))
	log.Info("message "+awkward, zap.String("f", awkward), zap.Error(fmt.Errorf("bad %s", awkward)),
		zap.Any("any", map[string]string{awkward: "CANARY-TOKEN"}), zap.ByteString("b", []byte(awkward)))
	w := l.Server("s")
	for _, piece := range []string{"token CAN", "ARY-TO", "KEN " + awkward, "\n", strings.Repeat("x", 20000) + "CANARY-TOKEN\n"} {
		_, _ = io.WriteString(w, piece)
	}
	_ = w.Close()
	_ = l.Close()
	all := stderr.String() + read(t, filepath.Join(dir, "main.log")) + read(t, filepath.Join(dir, "server-s.log"))
	if strings.Contains(all, "CANARY") || strings.Count(all, "**redacted**") < 15 {
		t.Errorf("logged:\n%s", all)
	}
}

func FuzzRedactor(f *testing.F) {
	f.Add("CANARY-TOKEN", "a CANARY-TOKEN b", 5)
	f.Add("aaaaaaa", "aaaaaaaaaaaaaaaaa", 1)
	f.Add("ababab", "abababababababab", 3)
	f.Add(awkward, awkward+awkward, 7)
	f.Fuzz(func(t *testing.T, value, text string, cut int) {
		r := redactor(value)
		got := r.Text(text)
		if len(value) >= logging.MinSecret && !strings.Contains("**redacted**", value) && strings.Contains(got, value) && !strings.Contains(value, "*") {
			t.Fatalf("Text(%q) = %q holds %q", text, got, value)
		}
		cut = min(max(cut, 0), len(text))
		streamed, err := io.ReadAll(r.Reader(io.MultiReader(strings.NewReader(text[:cut]), strings.NewReader(text[cut:]))))
		if err != nil || string(streamed) != got {
			t.Fatalf("Reader = %q, %v, want %q", streamed, err, got)
		}
	})
}

func BenchmarkRedactor_Text(b *testing.B) {
	line := strings.Repeat("2026-01-01 INFO upstream state changed {\"server\": \"github\"} ", 4)[:200]
	for _, n := range []int{0, 1, 100} {
		r := &logging.Redactor{}
		for i := range n {
			r.Add(fmt.Sprintf("secret-value-%d-%032x", i, i))
		}
		b.Run(fmt.Sprintf("%d_secrets", n), func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				_ = r.Text(line)
			}
		})
	}
}

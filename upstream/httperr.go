package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"

	"github.com/mark3labs/mcp-go/client/transport"
)

// failure carries the cause of a failed request past mcp-go, which would hide
// it or quote the server. Nil is valid and forgets.
type failure struct {
	mu  sync.Mutex
	err error
}

type failureKey struct{}

func withFailure(ctx context.Context) (context.Context, *failure) {
	f := &failure{}
	return context.WithValue(ctx, failureKey{}, f), f
}

func failureOf(ctx context.Context) *failure {
	f, _ := ctx.Value(failureKey{}).(*failure)
	return f
}

func (f *failure) set(err error) {
	if f == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *failure) get() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// explain puts err of a request into plain words. f is what RoundTrip saw; life
// is the connection's.
func (r *remote) explain(ctx, life context.Context, f *failure, err error) error {
	var u *url.Error
	switch cause := f.get(); {
	case ctx.Err() != nil:
		return ctx.Err()
	case life.Err() != nil:
		return context.Cause(life)
	case cause != nil:
		return cause
	case errors.Is(err, transport.ErrSessionTerminated):
		return fmt.Errorf("%s: %w", r.origin, ErrSessionLost)
	case errors.As(err, &u):
		return r.plain(u.Err)
	default: // the text may quote the server
		return fmt.Errorf("%s gave no valid JSON-RPC answer", r.origin)
	}
}

// plainError is an error in plain words that still is what it was.
type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.err }

// plain says in plain words why the network failed.
func (r *remote) plain(err error) error {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var timeout net.Error
	var op *net.OpError
	var text string
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, ErrTooLarge), errors.Is(err, errConnClosed):
		return err
	case errors.As(err, &op) && op.Op == "proxyconnect":
		text = fmt.Sprintf("the proxy on the way to %s could not be reached: check HTTP_PROXY, HTTPS_PROXY and NO_PROXY", r.origin)
	case errors.Is(err, connRefused):
		text = fmt.Sprintf("nothing listens at %s: start the server or correct its url", r.origin)
	case errors.As(err, &dns) && dns.IsNotFound:
		text = fmt.Sprintf("the host of %s is not known: correct its url or check the network", r.origin)
	case errors.As(err, &dns):
		text = fmt.Sprintf("the host of %s could not be looked up: check the network", r.origin)
	case errors.As(err, &cert):
		text = fmt.Sprintf("the certificate of %s is not trusted: %s", r.origin, certFault(cert.Err))
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		text = fmt.Sprintf("%s does not speak https: try http", r.origin)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, connReset):
		text = fmt.Sprintf("%s closed the connection before its answer was complete", r.origin)
	case errors.As(err, &timeout) && timeout.Timeout():
		text = fmt.Sprintf("%s did not answer in time", r.origin)
	default: // the text may quote the server
		text = fmt.Sprintf("%s could not be reached or does not speak HTTP", r.origin)
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			text = fmt.Sprintf("%s could not be reached: %v", r.origin, errno)
		}
	}
	return &plainError{text: text, err: err}
}

// certFault says what is wrong with a certificate without quoting it.
func certFault(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return "its issuer is unknown; SSL_CERT_FILE can name another one"
	case errors.As(err, &name):
		return "it was issued for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it is expired or not yet valid"
	default:
		return "it is not valid"
	}
}

// statusError says what an answer of 400 and above means; text is the beginning
// of its body, which is not quoted.
func (r *remote) statusError(req *http.Request, code int, text []byte) error {
	post := req.Method == http.MethodPost
	absent := code == http.StatusNotFound || code == http.StatusMethodNotAllowed
	status := strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
	switch {
	case post && absent && r.fallback && !r.answered.Load():
		return fmt.Errorf("%s answered %s: %w", r.origin, status, ErrNotStreamable)
	case post && req.Header.Get(sessionIDHeader) != "" && endsSession(code, text):
		return fmt.Errorf("%s answered %s: %w", r.origin, status, ErrSessionLost)
	case absent:
		return fmt.Errorf("%s answered %s: check the path of its url", r.origin, status)
	case code == http.StatusForbidden:
		return fmt.Errorf("%s answered %s: check the credentials in its headers", r.origin, status)
	default:
		return fmt.Errorf("%s answered %s", r.origin, status)
	}
}

// endsSession reports whether an answer to a request with a session id says that
// the session is unknown: 404, or 400 as the reference servers of the TypeScript
// SDK have it ("No valid session ID provided").
func endsSession(code int, text []byte) bool {
	return code == http.StatusNotFound || code == http.StatusBadRequest && bytes.Contains(bytes.ToLower(text), []byte("session"))
}

// contentError says that the answer was no MCP.
func (r *remote) contentError(media string) error {
	if len(media) > 60 {
		media = media[:60]
	}
	return fmt.Errorf("%s answered %q, which is no MCP: check its url", r.origin, media)
}

package upstream

import (
	"io"
	"os"
	"regexp"
	"slices"

	"go.uber.org/zap"
)

// Redactor takes secrets out of what servers say to people: their stderr, the
// texts of their errors and the frames of a trace. Results are not touched.
type Redactor interface {
	Text(s string) string
	Reader(src io.Reader) io.Reader
}

// text is s without secrets.
func (e *DialEnv) text(s string) string {
	if e.Redact == nil {
		return s
	}
	return e.Redact.Text(s)
}

// reader is src without secrets.
func (e *DialEnv) reader(src io.Reader) io.Reader {
	if e.Redact == nil {
		return src
	}
	return e.Redact.Reader(src)
}

// clean returns err with a text without secrets. errors.Is and As work on it as
// on err.
func (e *DialEnv) clean(err error) error {
	if err == nil || e.Redact == nil {
		return err
	}
	text := err.Error()
	if safe := e.text(text); safe != text {
		return &plainError{text: safe, err: err}
	}
	return err
}

var placeholder = regexp.MustCompile(`\$\{(keyring|env):([^}]*)\}`)

// holdsSecret reports whether text has a placeholder for what may be a secret.
func holdsSecret(text string) bool {
	return slices.ContainsFunc(placeholder.FindAllStringSubmatch(text, -1), func(m []string) bool {
		return m[1] == "keyring" || SecretVar(m[2], os.Getenv(m[2]))
	})
}

// warnOfArgs says, once per start, that the arguments of s will show a secret.
func (e *DialEnv) warnOfArgs(s Spec) {
	if e.Log != nil && slices.ContainsFunc(s.Args, holdsSecret) {
		e.Log.Warn("args hold a secret, which every program of this machine can read in the list of processes; hand it over in env if the server allows that",
			zap.String("server", s.Name))
	}
}

// Package doctor looks at everything that an installation stands on and says,
// for each thing that is not as it should be, why and what helps.
package doctor

import (
	"context"
	"strings"
	"time"

	"mcpproxy/internal/client"
)

// Level of a [Finding].
type Level string

// The levels.
const (
	OK        Level = "ok"
	Attention Level = "attention" // works, but a person should know
	Error     Level = "error"     // something does not work
)

// Finding is one thing that was looked at. Code is stable: scripts and the
// documentation name it.
type Finding struct {
	Code    string `json:"code"`
	Level   Level  `json:"level"`
	Subject string `json:"subject"`
	Cause   string `json:"cause"`
	Fix     string `json:"fix,omitempty"`
}

// Server is what of a configured upstream is looked at.
type Server struct {
	Name, Command, WorkingDir, URL string
	Isolated                       bool
	Texts                          []string // values of env, args and headers, which may hold placeholders; never shown
}

// Options says where to look. Functions may be nil, which leaves their part out.
type Options struct {
	Version    string
	DataDir    string
	ConfigPath string
	// ConfigError is why the file cannot be used; ConfigWarnings are what in it
	// has no effect.
	ConfigError    error
	ConfigWarnings []string
	Addrs          []string // listen addresses
	Loopback       bool
	Servers        []Server

	Instance func() (*client.Client, error)            // the running one
	Expand   func(text string) (string, error)         // resolves placeholders
	Secrets  func() ([]string, error)                  // lists names
	Model    func() error                              // verifies the model's digests
	Strays   func() ([]string, error)                  // processes of an earlier run
	Docker   func(ctx context.Context) (string, error) // version of the daemon
}

// patience is how long one part may take.
const patience = 10 * time.Second

// Examine looks at everything, in the order in which one thing stands on
// another. It changes nothing.
func Examine(ctx context.Context, opt Options) []Finding {
	var list []Finding
	for _, part := range []func(context.Context, Options) []Finding{
		configuration, files, space, instance, secrets, commands, containers, model, strays,
	} {
		if ctx.Err() != nil {
			break
		}
		within, cancel := context.WithTimeout(ctx, patience)
		list = append(list, part(within, opt)...)
		cancel()
	}
	return list
}

func ok(code, subject, cause string) Finding {
	return Finding{Code: code, Level: OK, Subject: subject, Cause: cause}
}

// because is a finding about err, whose own hint is a better fix than ours.
func because(code string, level Level, subject string, err error, fix string) Finding {
	cause, hint, found := strings.Cut(err.Error(), "\nhint: ")
	if found {
		fix = hint
	}
	return Finding{Code: code, Level: level, Subject: subject, Cause: cause, Fix: fix}
}

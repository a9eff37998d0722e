package oauth

import "errors"

// Errors, grouped by moment.
var (
	// ErrUnsafeURL is wrapped when a URL out of metadata must not be used.
	ErrUnsafeURL = errors.New("unsafe URL")
	// ErrMetadata is wrapped when metadata are missing, wrong or insufficient.
	ErrMetadata = errors.New("authorization metadata")
	// ErrNoLogin is wrapped when the server does not ask for a login.
	ErrNoLogin = errors.New("asks for no login")

	// ErrRegistration is wrapped when no client could be registered.
	ErrRegistration = errors.New("client registration")
	// ErrDenied is wrapped when the authorization server answered the browser
	// with an error or with something that is not its answer.
	ErrDenied = errors.New("login refused")
	// ErrTimeout is wrapped when nobody finished the login in time.
	ErrTimeout = errors.New("login not finished in time")
	// ErrIssuer is wrapped when the server names another authorization server
	// than the one that it was logged in at.
	ErrIssuer = errors.New("authorization server changed")

	// ErrTokens is wrapped when the token endpoint cannot be reached or answers
	// with something else than tokens. A later try may help.
	ErrTokens = errors.New("token endpoint")

	// ErrUnknown is wrapped when no remote server has the name.
	ErrUnknown = errors.New("no such remote server")
	// ErrClosed is returned by everything after Close.
	ErrClosed = errors.New("closed")
)

// answerError is an error code of RFC 6749 that the token endpoint or the
// browser brought.
type answerError struct{ code string }

func (e *answerError) Error() string { return "it answered " + e.code }

// says reports whether err carries the error code.
func says(err error, code string) bool {
	var a *answerError
	return errors.As(err, &a) && a.code == code
}

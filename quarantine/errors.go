package quarantine

import "errors"

// Errors of asking and of approving.
var (
	// ErrHeld is wrapped by every refusal: no person approved this.
	ErrHeld = errors.New("held")
	// ErrMoved means that what is there is not what the reviewer was shown.
	ErrMoved = errors.New("changed since it was shown")
	// ErrNotInspected means that there is no listing to approve yet.
	ErrNotInspected = errors.New("not inspected")
)

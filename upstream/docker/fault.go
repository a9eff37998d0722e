package docker

import (
	"fmt"

	"mcpproxy/upstream"
)

// fault is a setting that cannot work. It is an [upstream.ErrConfig] without
// saying so.
type fault string

func faultf(format string, args ...any) error { return fault(fmt.Sprintf(format, args...)) }

func (f fault) Error() string { return string(f) }

// Is reports whether target is upstream.ErrConfig.
func (f fault) Is(target error) bool { return target == upstream.ErrConfig }

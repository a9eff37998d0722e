package app

import (
	"fmt"
	"os"
	"strings"

	"mcpproxy/internal/config"
)

// folderFault says, before a server is started, that the folder it is to run in
// is not there. One with placeholders is known only at the start.
func folderFault(s config.Server) string {
	if s.WorkingDir == "" || strings.Contains(s.WorkingDir, "${") {
		return ""
	}
	info, err := os.Stat(s.WorkingDir)
	switch {
	case os.IsNotExist(err):
		return fmt.Sprintf("working_dir %q does not exist: create it or correct the path", s.WorkingDir)
	case err == nil && !info.IsDir():
		return fmt.Sprintf("working_dir %q is not a directory", s.WorkingDir)
	}
	return ""
}

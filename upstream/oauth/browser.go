package oauth

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// errNoBrowser says that no browser can be opened here.
var errNoBrowser = errors.New("no display or no program that opens a browser")

// openBrowser opens a URL that passed guard. It is one argument of one program:
// no shell sees it. The browser may outlive this program, so nobody waits for it
// to end.
func openBrowser(url string) error {
	name, args := opener(url)
	if name == "" {
		return errNoBrowser
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return errNoBrowser
	}
	cmd := exec.Command(path, args...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", errNoBrowser, err)
	}
	go func() { _ = cmd.Wait() }() // reaps it
	return nil
}

func opener(url string) (name string, args []string) {
	switch runtime.GOOS {
	case "darwin":
		return "open", []string{url}
	case "windows":
		return "rundll32.exe", []string{"url.dll,FileProtocolHandler", url}
	default:
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return "", nil
		}
		return "xdg-open", []string{url}
	}
}

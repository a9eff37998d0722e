// Package desktop asks the person's desktop for what only it can do.
package desktop

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// ErrNone is wrapped by [Open] where there is no display, or no program that
// opens things.
var ErrNone = errors.New("no display, or no program that opens it")

// Open opens a URL, file or folder with the program that the person uses for
// it. The target is one argument of one program: no shell sees it. That program
// may outlive this one, so nobody waits for it to end. The caller checks what it
// opens.
func Open(target string) error {
	name, args := opener(target)
	if !HasDisplay() {
		return ErrNone
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ErrNone
	}
	cmd := exec.Command(path, args...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", ErrNone, err)
	}
	go func() { _ = cmd.Wait() }() // reaps it
	return nil
}

// HasDisplay reports whether somebody can see what is opened.
func HasDisplay() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

func opener(target string) (name string, args []string) {
	switch runtime.GOOS {
	case "darwin":
		return "open", []string{target}
	case "windows":
		return "rundll32.exe", []string{"url.dll,FileProtocolHandler", target}
	}
	return "xdg-open", []string{target}
}

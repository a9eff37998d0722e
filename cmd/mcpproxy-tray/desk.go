package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/atotto/clipboard"

	"mcpproxy/internal/desktop"
)

// realDesk is the desktop of this machine.
type realDesk struct {
	proxy string   // path of mcpproxy
	flags []string // that choose the same data directory
	quit  func()
}

// newDesk finds mcpproxy beside this program, else on PATH.
func newDesk(flags []string, quit func()) (*realDesk, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	name := "mcpproxy" + filepath.Ext(self)
	proxy := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(proxy); err != nil {
		if proxy, err = exec.LookPath(name); err != nil {
			proxy = "" // the menu can still show and stop a running one
		}
	}
	return &realDesk{proxy: proxy, flags: flags, quit: quit}, nil
}

func (d *realDesk) Open(target string) error { return desktop.Open(target) }

func (d *realDesk) Copy(text string) error {
	if clipboard.Unsupported {
		return errors.New("no clipboard program: install wl-clipboard or xclip")
	}
	return clipboard.WriteAll(text)
}

// StartProxy starts mcpproxy in a session of its own, so that it outlives this
// program.
func (d *realDesk) StartProxy() error {
	if d.proxy == "" {
		return errors.New("mcpproxy is neither beside this program nor on PATH")
	}
	cmd := exec.Command(d.proxy, append([]string{"serve", "--tray=false"}, d.flags...)...)
	desktop.Detach(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start mcpproxy: %w", err)
	}
	go func() { _ = cmd.Wait() }() // reaps it, should it end first
	return nil
}

func (d *realDesk) AtLogin() bool { return atLogin() }

func (d *realDesk) SetAtLogin(on bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return setAtLogin(on, append([]string{self}, d.flags...))
}

func (d *realDesk) Quit() { d.quit() }

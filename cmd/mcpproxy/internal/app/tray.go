package app

import (
	"os"
	"os/exec"
	"path/filepath"

	"go.uber.org/zap"

	"mcpproxy/internal/desktop"
)

// trayProgram is beside mcpproxy, or on PATH.
const trayProgram = "mcpproxy-tray"

// startTray shows the icon if the configuration wants it, the program is there
// and there is a display; else it says why not, once. The icon is a program of
// its own in a session of its own: whatever happens to it, the proxy goes on,
// and it ends some time after the proxy has.
func (a *App) startTray() {
	if !flagOr(a.opt.Tray, a.inForce.Load().EnableTray) {
		return
	}
	log := a.log.Named("tray")
	path := findTray(a.opt.Executable)
	switch {
	case !desktop.HasDisplay():
		log.Info("no tray icon: there is no display")
		return
	case path == "":
		log.Info("no tray icon: " + trayProgram + " is neither beside mcpproxy nor on PATH")
		return
	}
	cmd := exec.Command(path, "--follow", "--data-dir="+a.dir, "--config="+a.configPath)
	desktop.Detach(cmd)
	if err := cmd.Start(); err != nil {
		log.Info("no tray icon", zap.Error(err))
		return
	}
	go func() { _ = cmd.Wait() }() // reaps it; it outlives the proxy
}

func findTray(self string) string {
	name := trayProgram + filepath.Ext(self)
	if beside := filepath.Join(filepath.Dir(self), name); self != "" {
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"mcpproxy/internal/client"
	"mcpproxy/internal/realtest"
)

// needDesktop skips where no panel can be shown, and fails there if CI_REQUIRE
// names tray.
func needDesktop(t *testing.T) {
	t.Helper()
	var missing []string
	for _, program := range []string{"Xvfb", "xfce4-panel", "dbus-daemon", "gcc", "pkg-config"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, program)
		}
	}
	if exec.Command("pkg-config", "--exists", "gtk+-3.0", "ayatana-appindicator3-0.1").Run() != nil {
		missing = append(missing, "libgtk-3-dev", "libayatana-appindicator3-dev")
	}
	required := realtest.Required("tray")
	switch {
	case required && len(missing) > 0:
		t.Fatalf("CI_REQUIRE names tray, but these are missing: %v", missing)
	case !required:
		t.Skip("a real panel under Xvfb: CI_REQUIRE=tray go test -run Panel ./cmd/mcpproxy-tray")
	}
}

// testDesk is a whole desktop: a display, a session bus, a panel with a tray.
type testDesk struct {
	t   *testing.T
	dir string
	env []string
	bus *dbus.Conn

	first *exec.Cmd // the panel
}

// spawn starts a program of the desktop, which ends with the test.
func (d *testDesk) spawn(log string, extra *os.File, name string, args ...string) *exec.Cmd {
	d.t.Helper()
	out, err := os.Create(filepath.Join(d.dir, log))
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = d.env, d.dir, out, out
	if extra != nil {
		cmd.ExtraFiles = []*os.File{extra}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
		_ = out.Close()
		if d.t.Failed() {
			text, _ := os.ReadFile(out.Name())
			d.t.Logf("%s:\n%.4000s", log, text)
		}
	})
	return cmd
}

// newTestDesk starts the display, the bus and the panel.
func newTestDesk(t *testing.T) *testDesk {
	t.Helper()
	d := &testDesk{t: t, dir: t.TempDir()}
	run := filepath.Join(d.dir, "run")
	panel := filepath.Join(d.dir, ".config", "xfce4", "xfconf", "xfce-perchannel-xml")
	for _, dir := range []string{run, panel} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("testdata/panel.xml")
	if err == nil {
		err = os.WriteFile(filepath.Join(panel, "xfce4-panel.xml"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.env = append(os.Environ(), "HOME="+d.dir, "XDG_RUNTIME_DIR="+run, "XDG_CONFIG_HOME="+filepath.Join(d.dir, ".config"),
		"XDG_STATE_HOME="+filepath.Join(d.dir, "state"), "NO_AT_BRIDGE=1", "WAYLAND_DISPLAY=")
	d.env = append(d.env, "DISPLAY=:"+d.tells("Xvfb", "-displayfd", "3", "-screen", "0", "640x480x24", "-nolisten", "tcp"))
	d.env = append(d.env, "DBUS_SESSION_BUS_ADDRESS="+d.tells("dbus-daemon", "--session", "--nofork", "--print-address=3"))
	d.connect()
	d.first = d.panel()
	return d
}

// tells starts a program that writes one line to file descriptor 3.
func (d *testDesk) tells(name string, args ...string) string {
	d.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	defer r.Close()
	d.spawn(filepath.Base(name)+".log", w, name, args...)
	_ = w.Close()
	_ = r.SetReadDeadline(time.Now().Add(30 * time.Second))
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	return strings.TrimSpace(line)
}

func (d *testDesk) connect() {
	d.t.Helper()
	_, address, _ := strings.Cut(d.env[len(d.env)-1], "=")
	bus, err := dbus.Connect(address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.bus = bus
	d.t.Cleanup(func() { _ = bus.Close() })
}

const watcher = "org.kde.StatusNotifierWatcher"

func (d *testDesk) panel() *exec.Cmd {
	d.t.Helper()
	cmd := d.spawn("panel.log", nil, "xfce4-panel", "--disable-wm-check")
	d.owned(true, watcher)
	return cmd
}

// owned waits until somebody has a name of the bus, or nobody.
func (d *testDesk) owned(want bool, name string) {
	d.t.Helper()
	realtest.Until(d.t, "the owner of "+name, func() error {
		var owned bool
		err := d.bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned)
		if err == nil && owned != want {
			err = fmt.Errorf("owned is %v", owned)
		}
		return err
	})
}

// entry is one item of the menu as the panel reads it.
type entry struct {
	id       int32
	label    string
	enabled  bool
	children []entry
}

// menu reads the tray's menu over D-Bus (com.canonical.dbusmenu).
func (d *testDesk) menu() ([]entry, dbus.BusObject, error) {
	items, err := d.bus.Object(watcher, "/StatusNotifierWatcher").GetProperty(watcher + ".RegisteredStatusNotifierItems")
	if err != nil {
		return nil, nil, err
	}
	names, _ := items.Value().([]string)
	if len(names) != 1 {
		return nil, nil, fmt.Errorf("%d icons: %q", len(names), names)
	}
	service, path, found := strings.Cut(names[0], "/")
	if !found {
		return nil, nil, fmt.Errorf("item %q has no path", names[0])
	}
	prop, err := d.bus.Object(service, dbus.ObjectPath("/"+path)).GetProperty("org.kde.StatusNotifierItem.Menu")
	if err != nil {
		return nil, nil, err
	}
	where, _ := prop.Value().(dbus.ObjectPath)
	object := d.bus.Object(service, where)
	var revision uint32
	var layout []any
	if err := object.Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &layout); err != nil {
		return nil, nil, err
	}
	return parse(layout).children, object, nil
}

func parse(layout []any) entry {
	e := entry{enabled: true}
	e.id, _ = layout[0].(int32)
	props, _ := layout[1].(map[string]dbus.Variant)
	if v, ok := props["label"]; ok {
		e.label, _ = v.Value().(string)
		e.label = strings.ReplaceAll(e.label, "__", "_") // GTK's mnemonics
	}
	if v, ok := props["enabled"]; ok {
		e.enabled, _ = v.Value().(bool)
	}
	children, _ := layout[2].([]dbus.Variant)
	for _, c := range children {
		inner, _ := c.Value().([]any)
		child := parse(inner)
		if v, ok := inner[1].(map[string]dbus.Variant)["visible"]; ok && v.Value() == false {
			continue
		}
		e.children = append(e.children, child)
	}
	return e
}

// find follows labels down; the last of each may be a prefix.
func find(list []entry, labels ...string) (entry, error) {
	for _, e := range list {
		if !strings.HasPrefix(e.label, labels[0]) {
			continue
		}
		if len(labels) == 1 {
			return e, nil
		}
		return find(e.children, labels[1:]...)
	}
	var have []string
	for _, e := range list {
		have = append(have, e.label)
	}
	return entry{}, fmt.Errorf("no %q among %q", labels[0], have)
}

// shows waits for an entry that is enabled or not.
func (d *testDesk) shows(enabled bool, labels ...string) entry {
	d.t.Helper()
	var e entry
	realtest.Until(d.t, strings.Join(labels, " > "), func() error {
		list, _, err := d.menu()
		if err != nil {
			return err
		}
		if e, err = find(list, labels...); err == nil && e.enabled != enabled {
			err = fmt.Errorf("%q: enabled is %v", e.label, e.enabled)
		}
		return err
	})
	return e
}

// click clicks an entry as the panel does.
func (d *testDesk) click(labels ...string) {
	d.t.Helper()
	e := d.shows(true, labels...)
	_, object, err := d.menu()
	if err == nil {
		err = object.Call("com.canonical.dbusmenu.Event", 0, e.id, "clicked", dbus.MakeVariant(""), uint32(0)).Err
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// A real panel shows the icon that serve starts; a click reaches the proxy; the
// icon outlives a restart of the panel and of the proxy.
func TestPanel(t *testing.T) {
	needDesktop(t)
	d := newTestDesk(t)
	bin := filepath.Join(d.dir, "bin")
	build(t, nil, "-o", filepath.Join(bin, "mcpproxy"), "../mcpproxy")
	build(t, []string{"CGO_ENABLED=1"}, "-tags", "tray", "-o", filepath.Join(bin, "mcpproxy-tray"), ".")
	data := filepath.Join(d.dir, ".mcpproxy")
	config := fmt.Sprintf(`{"listen": "127.0.0.1:0", "mcpServers": {
		"notes": {"command": %q, "args": ["example", "notes"], "quarantined": false},
		"time": {"command": %[1]q, "args": ["example", "time"]}}}`, filepath.Join(bin, "mcpproxy"))
	if err := errors.Join(os.MkdirAll(data, 0o700), os.WriteFile(filepath.Join(data, "mcp_config.json"), []byte(config), 0o600)); err != nil {
		t.Fatal(err)
	}
	d.spawn("serve.log", nil, filepath.Join(bin, "mcpproxy"), "serve")
	t.Cleanup(func() { // the icon is in a session of its own
		_ = exec.Command("pkill", "-f", filepath.Join(bin, "mcpproxy-tray")).Run()
		_ = exec.Command("pkill", "-f", filepath.Join(bin, "mcpproxy")).Run()
	})

	d.shows(false, "1 of 2 servers ready, 6 tools")
	d.shows(true, "Security Quarantine (1)", "time: new or changed server", "Review")
	d.shows(false, "Security Quarantine (1)", "time: new or changed server", "Approve")
	d.click("Upstream Servers", "notes: 6 tools", "Disable")
	realtest.Until(t, "notes to be disabled", func() error { return d.state(data, "notes", "disabled") })
	d.click("Upstream Servers", "notes: disabled", "Enable")
	realtest.Until(t, "notes to be ready", func() error { return d.state(data, "notes", "ready") })
	d.screenshot("tray.png")

	d.click("Stop")
	d.shows(false, "mcpproxy is not running")
	d.click("Start")
	d.shows(false, "1 of 2 servers ready, 6 tools")

	if err := d.first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = d.first.Wait()
	d.owned(false, "org.xfce.Panel") // a second panel beside the first would leave at once
	d.owned(false, watcher)
	d.panel()
	d.shows(false, "1 of 2 servers ready, 6 tools")

	d.click("Quit")
	realtest.Until(t, "the proxy to end", func() error {
		c, err := client.Dial(data)
		if err == nil {
			c.Close()
			return errors.New("it still runs")
		}
		return nil
	})
}

func (d *testDesk) state(data, server, want string) error {
	c, err := client.Dial(data)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.Server(d.t.Context(), server)
	if err == nil && s.State != want {
		err = fmt.Errorf("%s is %s", server, s.State)
	}
	return err
}

// screenshot keeps a picture where CI collects them.
func (d *testDesk) screenshot(name string) {
	dir := os.Getenv("CI_ARTEFACTS")
	if dir == "" {
		return
	}
	cmd := exec.Command("import", "-window", "root", filepath.Join(dir, name))
	cmd.Env = d.env
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Logf("screenshot: %v %s", err, out)
	}
}

func build(t *testing.T, env []string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

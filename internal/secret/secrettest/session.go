package secrettest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"mcpproxy/internal/realtest"
)

// Session is a D-Bus session of its own in which a real gnome-keyring-daemon, or
// none, is the Secret Service. Nothing of it touches the user's.
type Session struct {
	Home string   // of the session, kept when another one is begun on it
	Env  []string // for programs that are to run in it
	// Asked gets a value when a password is asked for that nobody will type; see
	// [Session.Hang].
	Asked <-chan struct{}

	address string
}

// TB is what a [Session] needs of a test or of the script that it runs for.
type TB interface {
	Helper()
	Cleanup(f func())
	Fatal(args ...any)
}

// NeedKeyring skips a test where the programs of a keyring are missing, and fails
// it there if CI_REQUIRE names keyring.
func NeedKeyring(t testing.TB) {
	t.Helper()
	if err := Missing(); err != nil {
		realtest.Missing(t, "keyring", err, "needs a keyring: apt-get install gnome-keyring dbus-daemon libsecret-tools")
	}
}

// Missing says which program of a keyring is not there.
func Missing() error {
	for _, program := range []string{"dbus-daemon", "gnome-keyring-daemon", "secret-tool"} {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	return nil
}

// Begin starts a session on home without a Secret Service. It ends with the test.
func Begin(t TB, home string) *Session {
	t.Helper()
	run := filepath.Join(home, "run")
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	// No service files: what is not started here is absent, and never activated.
	config := filepath.Join(home, "session.conf")
	text := `<busconfig><type>session</type><listen>unix:dir=` + run + `</listen><policy context="default">` +
		`<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--print-address=1")
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, daemon)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{Home: home, address: strings.TrimSpace(address)}
	s.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+filepath.Join(home, "share"), "XDG_STATE_HOME="+filepath.Join(home, "state"),
		"XDG_RUNTIME_DIR="+run, "DISPLAY=", "WAYLAND_DISPLAY=", "DBUS_SESSION_BUS_ADDRESS="+s.address)
	return s
}

// Unlock starts gnome-keyring-daemon with the password of the login keyring, which
// it makes where there is none. A wrong password leaves it locked.
func (s *Session) Unlock(t TB, password string) *Session {
	t.Helper()
	return s.keyring(t, strings.NewReader(password+"\n"), "--unlock")
}

// Lock starts gnome-keyring-daemon as D-Bus would, locked.
func (s *Session) Lock(t TB) *Session {
	t.Helper()
	return s.keyring(t, nil)
}

func (s *Session) keyring(t TB, password io.Reader, args ...string) *Session {
	t.Helper()
	daemon := exec.Command("gnome-keyring-daemon", append(args, "--components=secrets", "--foreground")...)
	daemon.Env, daemon.Stdin = s.Env, password
	start(t, daemon)
	s.await(t)
	return s
}

// await waits until somebody owns the name of the Secret Service.
func (s *Session) await(t TB) {
	t.Helper()
	conn := s.Connect(t)
	for deadline := time.Now().Add(10 * time.Second); ; {
		var owned bool
		if err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.secrets").Store(&owned); err != nil {
			t.Fatal(err)
		}
		if owned {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no Secret Service came up")
		}
		<-time.After(10 * time.Millisecond)
	}
}

// Connect returns a connection to the session's bus.
func (s *Session) Connect(t TB) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Hang makes a Secret Service that is locked and whose question for the password
// nobody ever answers.
func (s *Session) Hang(t TB) *Session {
	t.Helper()
	const root, login = dbus.ObjectPath("/org/freedesktop/secrets"), dbus.ObjectPath("/org/freedesktop/secrets/collection/login")
	conn := s.Connect(t)
	export := func(methods map[string]any, path dbus.ObjectPath, iface string) {
		if err := conn.ExportMethodTable(methods, path, iface); err != nil {
			t.Fatal(err)
		}
	}
	property := func(_, name string) (dbus.Variant, *dbus.Error) {
		if name == "Locked" {
			return dbus.MakeVariant(true), nil
		}
		return dbus.MakeVariant([]dbus.ObjectPath{login}), nil
	}
	export(map[string]any{"Get": property}, root, "org.freedesktop.DBus.Properties")
	export(map[string]any{"Get": property}, login, "org.freedesktop.DBus.Properties")
	export(map[string]any{
		"Unlock": func([]dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
			return nil, root + "/prompt/1", nil
		},
		"OpenSession": func(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
			return dbus.MakeVariant(""), root + "/session/1", nil
		},
	}, root, "org.freedesktop.Secret.Service")
	asked := make(chan struct{}, 64)
	s.Asked = asked
	prompt := func(string) *dbus.Error {
		select {
		case asked <- struct{}{}:
		default:
		}
		return nil
	}
	export(map[string]any{"Prompt": prompt}, root+"/prompt/1", "org.freedesktop.Secret.Prompt")
	if reply, err := conn.RequestName("org.freedesktop.secrets", 0); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(fmt.Errorf("own the name: %v, %w", reply, err))
	}
	return s
}

// start runs cmd until the test ends.
func start(t TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

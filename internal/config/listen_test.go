package config

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestConfig_Addrs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		listen   string
		want     []string
		loopback bool
	}{
		{":8080", []string{"127.0.0.1:8080", "[::1]:8080"}, true},
		{":0", []string{"127.0.0.1:0", "[::1]:0"}, true},
		{"127.0.0.1:9", []string{"127.0.0.1:9"}, true},
		{"127.8.0.1:9", []string{"127.8.0.1:9"}, true},
		{"[::1]:9", []string{"[::1]:9"}, true},
		{"[::ffff:127.0.0.1]:9", []string{"[::ffff:127.0.0.1]:9"}, true},
		{"localhost:9", []string{"localhost:9"}, true},
		{"0.0.0.0:9", []string{"0.0.0.0:9"}, false},
		{"[::]:9", []string{"[::]:9"}, false},
		{"box.lan:9", []string{"box.lan:9"}, false},
		{"192.168.1.2:9", []string{"192.168.1.2:9"}, false},
	}
	for _, tt := range tests {
		if err := CheckListen(tt.listen); err != nil {
			t.Errorf("CheckListen(%q) = %v", tt.listen, err)
		}
		if got, loopback := ListenAddrs(tt.listen), IsLoopback(tt.listen); !slices.Equal(got, tt.want) || loopback != tt.loopback {
			t.Errorf("%q: Addrs %q, IsLoopback %v, want %q, %v", tt.listen, got, loopback, tt.want, tt.loopback)
		}
	}
	for _, bad := range []string{"", "8080", ":", "host", ":70000", ":-1", ":08", "a:b:c", "::1:80"} {
		if CheckListen(bad) == nil {
			t.Errorf("CheckListen(%q) accepted it", bad)
		}
	}
}

func TestLogDir(t *testing.T) {
	t.Parallel()
	home := filepath.FromSlash("/home/u")
	abs, err := filepath.Abs("state")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, goos, key, value, want string }{
		{"macOS", "darwin", "", "", "/home/u/Library/Logs/mcpproxy"},
		{"windows", "windows", "LOCALAPPDATA", abs, abs + "/mcpproxy/logs"},
		{"windows bare", "windows", "", "", "/home/u/AppData/Local/mcpproxy/logs"},
		{"linux", "linux", "", "", "/home/u/.local/state/mcpproxy/logs"},
		{"linux xdg", "linux", "XDG_STATE_HOME", abs, abs + "/mcpproxy/logs"},
		{"linux relative xdg", "linux", "XDG_STATE_HOME", "state", "/home/u/.local/state/mcpproxy/logs"},
	}
	for _, tt := range tests {
		env := func(key string) string {
			if key == tt.key {
				return tt.value
			}
			return ""
		}
		if got := logDir(tt.goos, home, env); got != filepath.FromSlash(tt.want) {
			t.Errorf("%s: logDir = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestExpandHome(t *testing.T) {
	t.Setenv("HOME", filepath.FromSlash("/h/u"))
	t.Setenv("USERPROFILE", filepath.FromSlash("/h/u"))
	for in, want := range map[string]string{"~": "/h/u", "~/a": "/h/u/a", "~bob/a": "~bob/a", "/x/~": "/x/~", "": "", "~/${env:X}": "/h/u/${env:X}"} {
		if got := ExpandHome(in); got != filepath.FromSlash(want) && got != want {
			t.Errorf("ExpandHome(%q) = %q, want %q", in, got, want)
		}
	}
}

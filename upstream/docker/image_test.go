package docker

import (
	"slices"
	"testing"
)

var defaultImages = map[string]string{
	"python": "python:3.11", "python3": "python:3.11", "uvx": "python:3.11", "pip": "python:3.11",
	"node": "node:20", "npx": "node:20", "go": "golang:1.21-alpine", "cargo": "rust:1.75-slim", "rustc": "rust:1.75-slim",
}

func TestImage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		command string
		args    []string
		image   string
		line    []string // in the container
	}{
		{"uvx", []string{"pkg"}, "python:3.11", []string{"uvx", "pkg"}},
		{"uv", []string{"run", "x"}, "python:3.11", []string{"uv", "run", "x"}},
		{"pip", nil, "python:3.11", []string{"pip"}},
		{"pip3", nil, "python:3.11", []string{"pip3"}},
		{"python", []string{"-m", "m"}, "python:3.11", []string{"python", "-m", "m"}},
		{"python3", nil, "python:3.11", []string{"python3"}},
		{"/usr/bin/python3", nil, "python:3.11", []string{"python3"}},
		{`C:\Python\python.exe`, nil, "python:3.11", []string{"python"}},
		{"npx", []string{"-y", "p"}, "node:20", []string{"npx", "-y", "p"}},
		{"npx.cmd", []string{"-y", "p"}, "node:20", []string{"npx", "-y", "p"}},
		{"cmd", []string{"/c", "npx", "-y", "p"}, "node:20", []string{"npx", "-y", "p"}},
		{"npm", []string{"exec", "p"}, "node:20", []string{"npm", "exec", "p"}},
		{"node", []string{"s.js"}, "node:20", []string{"node", "s.js"}},
		{"go", []string{"run", "x"}, "golang:1.21-alpine", []string{"go", "run", "x"}},
		{"cargo", nil, "rust:1.75-slim", []string{"cargo"}},
		{"rustc", nil, "rust:1.75-slim", []string{"rustc"}},
		{"/opt/acme/server", []string{"-x"}, "", []string{"/opt/acme/server", "-x"}},
		{"python3.12", nil, "", []string{"python3.12"}},
		{"sh", []string{"-c", "npx p"}, "", []string{"sh", "-c", "npx p"}},
		{"cmd", []string{"/c"}, "", []string{"cmd", "/c"}},
	}
	for _, tt := range tests {
		t.Run(tt.command, func(t *testing.T) {
			t.Parallel()
			if got := Image(tt.command, tt.args, defaultImages); got != tt.image {
				t.Errorf("Image(%q, %q) = %q, want %q", tt.command, tt.args, got, tt.image)
			}
			if got := inside(tt.command, tt.args); !slices.Equal(got, tt.line) {
				t.Errorf("inside(%q, %q) = %q, want %q", tt.command, tt.args, got, tt.line)
			}
		})
	}
	if got := Image("deno", nil, map[string]string{"deno": "deno:2"}); got != "deno:2" {
		t.Errorf("Image of a name that the file adds = %q, want deno:2", got)
	}
}

func TestEngine(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{
		"docker": true, "/usr/bin/docker": true, `C:\bin\docker.exe`: true, "podman": true, "npx": false, "dockerize": false,
	} {
		if Engine(command) != want {
			t.Errorf("Engine(%q) = %v, want %v", command, !want, want)
		}
	}
}

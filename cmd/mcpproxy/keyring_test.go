package main

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"mcpproxy/internal/secret/secrettest"
)

// scriptTB lets a script begin a session.
type scriptTB struct{ *testscript.TestScript }

func (scriptTB) Helper()             {}
func (s scriptTB) Cleanup(f func())  { s.Defer(f) }
func (s scriptTB) Fatal(args ...any) { s.Fatalf("%v", args) }

// beginKeyring is the command "keyring PASSWORD" of the scripts.
func beginKeyring(ts *testscript.TestScript, _ bool, args []string) {
	s := secrettest.Begin(scriptTB{ts}, ts.Getenv("HOME")).Unlock(scriptTB{ts}, args[0])
	for _, kv := range s.Env {
		if name, value, _ := strings.Cut(kv, "="); name == "DBUS_SESSION_BUS_ADDRESS" {
			ts.Setenv(name, value)
		}
	}
}

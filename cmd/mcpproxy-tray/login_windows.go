package main

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/windows/registry"
)

const (
	runKey  = `Software\Microsoft\Windows\CurrentVersion\Run`
	runName = "mcpproxy"
)

func atLogin() bool {
	key, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	_, _, err = key.GetStringValue(runName)
	return err == nil
}

func setAtLogin(on bool, command []string) error {
	key, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer key.Close()
	if !on {
		if err := key.DeleteValue(runName); !errors.Is(err, registry.ErrNotExist) {
			return err
		}
		return nil
	}
	words := make([]string, len(command))
	for i, word := range command {
		words[i] = syscall.EscapeArg(word)
	}
	return key.SetStringValue(runName, strings.Join(words, " "))
}

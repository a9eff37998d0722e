//go:build !tray

package main

import "context"

// show needs the tag tray.
func show(context.Context, context.CancelFunc, func(View) *program) error { return errNoTray }

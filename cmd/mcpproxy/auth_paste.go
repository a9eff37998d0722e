package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

// takePaste helps where the browser runs on another machine: there it ends at an
// address of that machine, where nothing listens. Pasted here, the address is
// asked on this one. It does nothing without a terminal.
func takePaste(cmd *cobra.Command, p client.LoginPrompt) {
	if p.Opened || !isTerminal(cmd.InOrStdin()) {
		return
	}
	out := cmd.ErrOrStderr()
	fmt.Fprintf(out, "Is that browser on another machine? Then paste here the address where it ends,\nwhich begins with %s:\n", escape.Line(p.Redirect))
	go func() { // ends with the command
		for {
			line, err := readLine(cmd)
			if err != nil || line == "" {
				return
			}
			if err := bring(cmd.Context(), p.Redirect, strings.TrimSpace(line)); err != nil {
				fmt.Fprintln(out, "That did not work: "+escape.Line(err.Error()))
				continue
			}
			return
		}
	}()
}

// bring asks the address where a browser ended. Only the redirect URI of this
// login is asked.
func bring(ctx context.Context, redirect, address string) error {
	if !strings.HasPrefix(redirect, "http://127.0.0.1:") || !strings.HasPrefix(address, redirect+"?") {
		return fmt.Errorf("an address that begins with %s? is wanted", redirect)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("this is no address")
	}
	c := &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	if err != nil {
		return fmt.Errorf("the login is over")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it is not the answer to this login")
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"strings"

	"mcpproxy/internal/client"
)

// Desk is the desktop around the icon.
type Desk interface {
	Open(target string) error // a URL, file or folder
	Copy(text string) error   // to the clipboard
	AtLogin() bool
	SetAtLogin(on bool) error
	StartProxy() error
	Quit()
}

// perform does what a click asks for.
func (p *program) perform(ctx context.Context, a Action) error {
	switch a.Verb {
	case "":
		return nil
	case AtLogin:
		return p.toggleLogin()
	case Start:
		return p.desk.StartProxy()
	}
	c, err := p.dial()
	if a.Verb == Quit {
		if err == nil {
			defer c.Close()
			_ = c.Shutdown(ctx) // the icon goes anyway
		}
		p.desk.Quit()
		return nil
	}
	if err != nil {
		return err
	}
	defer c.Close()
	return p.ask(ctx, c, a)
}

// ask does what needs the instance.
func (p *program) ask(ctx context.Context, c *client.Client, a Action) error {
	p.mu.Lock()
	st := p.state.Status
	p.mu.Unlock()
	on, off := true, false
	var err error
	switch a.Verb {
	case Stop:
		p.set(func(*State) { p.stopped = true })
		err = c.Shutdown(ctx)
	case Enable:
		_, err = c.UpdateServer(ctx, a.Server, client.ServerChange{Enabled: &on})
	case Disable:
		_, err = c.UpdateServer(ctx, a.Server, client.ServerChange{Enabled: &off})
	case Restart:
		err = c.RestartServer(ctx, a.Server)
	case LogIn:
		_, err = c.LogIn(ctx, a.Server, false, func(client.LoginPrompt) {})
	case Logs:
		err = p.openPage(ctx, c, "servers", a.Server)
	case Review:
		err = p.review(ctx, c, a.Server)
	case Approve:
		_, err = c.Approve(ctx, a.Server, a.Hash)
	case OpenUI:
		err = p.openPage(ctx, c, "", "")
	case CopyURL:
		err = p.desk.Copy(st.Endpoint)
	case OpenConfig:
		err = p.desk.Open(st.ConfigPath)
	case OpenLogs:
		err = p.desk.Open(filepath.Clean(st.LogDir))
	}
	p.lookAgain()
	return err
}

// openPage opens one page of the web interface, logged in.
func (p *program) openPage(ctx context.Context, c *client.Client, page, server string) error {
	link, err := c.Link(ctx)
	if err != nil {
		return err
	}
	u, err := url.Parse(link.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("the instance gave no usable link")
	}
	if page != "" {
		u.Path = strings.TrimSuffix(u.Path, "/") + "/" + page
	}
	if server != "" {
		u.RawQuery = url.Values{"server": {server}}.Encode()
	}
	return p.desk.Open(u.String())
}

// review opens the review of a server and remembers which page that was: the
// very same may be approved from the menu afterwards.
func (p *program) review(ctx context.Context, c *client.Client, server string) error {
	if err := p.openPage(ctx, c, "review", server); err != nil {
		return err
	}
	p.set(func(s *State) {
		s.Opened = maps.Clone(s.Opened)
		for _, w := range s.Waiting {
			if w.Server == server {
				s.Opened[server] = w.Hash
			}
		}
	})
	return nil
}

func (p *program) toggleLogin() error {
	on := !p.desk.AtLogin()
	if err := p.desk.SetAtLogin(on); err != nil {
		return fmt.Errorf("start at login: %w", err)
	}
	p.set(func(s *State) { s.AtLogin = p.desk.AtLogin() })
	return nil
}

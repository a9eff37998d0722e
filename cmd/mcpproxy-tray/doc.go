// Command mcpproxy-tray shows the proxy in the desktop's tray: what runs, what
// waits for a person, and the few things that one does from there.
//
// It is a client of the REST API like the command line and the page, keeps no
// state of its own, and can end or start without the proxy noticing. The icon
// itself (getlantern/systray) needs cgo and GTK on Linux, so it is built with
// the tag tray; everything else here is plain Go and tested without a desktop.
package main

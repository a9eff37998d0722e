// Package client talks to the REST API of an instance: over its local socket
// ([Dial]), or to a handler in the same process ([InProcess]) where no instance
// runs. Commands and the tray program use nothing else.
//
// Answers that are not 2xx become [*Error]. Texts of upstreams arrive as they
// were sent; whoever prints them escapes them.
package client

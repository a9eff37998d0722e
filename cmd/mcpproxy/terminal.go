package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// isTerminal reports whether stream is a file that a person looks at.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// forPrograms tells a person at the terminal that the command waits for a program,
// and what they want instead.
func forPrograms(cmd *cobra.Command, instead string) {
	if isTerminal(cmd.InOrStdin()) {
		fmt.Fprintf(cmd.ErrOrStderr(), "This speaks MCP on stdin and stdout, with a program; Ctrl-C ends it. %s\n", instead)
	}
}

// question asks on the terminal for a line. Without a terminal asked is false.
func question(cmd *cobra.Command, text string) (answer string, asked bool, err error) {
	if !isTerminal(cmd.InOrStdin()) {
		return "", false, nil
	}
	fmt.Fprint(cmd.ErrOrStderr(), text)
	line, err := readLine(cmd)
	return strings.TrimSpace(line), true, err
}

// readLine reads a line from stdin, or ends with the command's context, which
// Ctrl-C ends.
func readLine(cmd *cobra.Command) (string, error) {
	return interruptible(cmd.Context(), func() (string, error) {
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if err == io.EOF {
			err = nil
		}
		return line, err
	})
}

var errNoTerminal = errors.New("no terminal")

// hiddenLine asks on the terminal for a line that is not shown. Ctrl-C leaves the
// terminal as it was. Without a terminal it returns errNoTerminal.
func hiddenLine(cmd *cobra.Command, text string) (string, error) {
	if !isTerminal(cmd.InOrStdin()) {
		return "", errNoTerminal
	}
	fd := int(cmd.InOrStdin().(*os.File).Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(cmd.ErrOrStderr(), text)
	line, err := interruptible(cmd.Context(), func() ([]byte, error) { return term.ReadPassword(fd) })
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", errors.Join(err, term.Restore(fd, before))
	}
	return string(line), nil
}

// interruptible runs f, which cannot be cancelled, such as a blocked read or a
// keyring that waits for its password, and ends at once with ctx.
func interruptible[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() { // ends with the process
		value, err := f()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

package main

import (
	"bufio"
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
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() { // ends with the process: a blocked read has no other end
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if err == io.EOF {
			err = nil
		}
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		return a.line, a.err
	case <-cmd.Context().Done():
		return "", cmd.Context().Err()
	}
}

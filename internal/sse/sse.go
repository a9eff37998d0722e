// Package sse reads server-sent event streams (HTML standard, section 9.2).
package sse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxEvent bounds one event, in bytes.
const maxEvent = 32 << 20

// ErrTooLarge is returned by [Read] for an event over 32 MB.
var ErrTooLarge = errors.New("event over 32 MB")

// Read calls each with the data of every event, and the ID of it or of the last
// one before that had any, until the stream ends, which is no error, or each
// returns one: [io.EOF] ends it in peace. The slice is reused.
func Read(body io.Reader, each func(id string, data []byte) error) error {
	err := read(bufio.NewReader(body), each)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func read(lines *bufio.Reader, each func(id string, data []byte) error) error {
	var id string
	var data bytes.Buffer
	for {
		line, err := readLine(lines)
		if err != nil && len(line) == 0 {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0 && data.Len() > 0:
			if err := each(id, data.Bytes()); err != nil {
				return err
			}
			data.Reset()
		case string(field) == "id":
			id = string(value)
		case string(field) == "data":
			if data.Len() > 0 {
				data.WriteByte('\n')
			}
			if data.Write(value); data.Len() > maxEvent {
				return ErrTooLarge
			}
		}
	}
}

// readLine returns a line with its end, or [ErrTooLarge].
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxEvent {
			return nil, ErrTooLarge
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

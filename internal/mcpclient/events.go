package mcpclient

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxEvent bounds one event, in bytes.
const maxEvent = 32 << 20

// ErrTooLarge is returned by [Events] for an event over 32 MB.
var ErrTooLarge = errors.New("event over 32 MB")

// Events calls each with the data of every event of a server-sent event stream
// (HTML standard, section 9.2) until the stream ends, which is no error, or each
// returns one: [io.EOF] ends it in peace. The slice is reused.
func Events(body io.Reader, each func(data []byte) error) error {
	lines := bufio.NewReader(body)
	var data bytes.Buffer
	for {
		line, err := readLine(lines)
		if err != nil && len(line) == 0 {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if rest, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			if data.Len() > 0 {
				data.WriteByte('\n')
			}
			data.Write(bytes.TrimPrefix(rest, []byte(" ")))
			if data.Len() > maxEvent {
				return ErrTooLarge
			}
			continue
		}
		if len(line) > 0 || data.Len() == 0 {
			continue
		}
		if err := each(data.Bytes()); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		data.Reset()
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

package logging

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// unsafe reports whether r could move a cursor, end a line or deceive a reader.
func unsafe(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) }

// escape writes each unsafe character of s as \n, \t, \x1b, \u202e or \U000e0041,
// and each byte that is not UTF-8 as \xff.
func escape(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || unsafe(r) }) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n <= 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
			n = 1
		case !unsafe(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[n:]
	}
	return b.String()
}

const colourEnd = "\x1b[0m"

// encoder is zap's console encoder, which writes messages and names raw and
// leaves invisible characters in fields, made safe.
type encoder struct {
	zapcore.Encoder
	redact *Redactor
}

func newEncoder(color bool, redact *Redactor) zapcore.Encoder {
	level := zapcore.CapitalLevelEncoder
	if color {
		level = zapcore.CapitalColorLevelEncoder
	}
	return encoder{redact: redact, Encoder: zapcore.NewConsoleEncoder(zapcore.EncoderConfig{
		MessageKey: "msg", LevelKey: "level", TimeKey: "time", NameKey: "logger",
		EncodeLevel: level, EncodeTime: zapcore.TimeEncoderOfLayout("2006-01-02T15:04:05.000Z07:00"),
		EncodeDuration: zapcore.StringDurationEncoder, EncodeName: zapcore.FullNameEncoder,
		ConsoleSeparator: " ",
	})}
}

// Clone keeps a logger with fields of its own safe too.
func (e encoder) Clone() zapcore.Encoder { return encoder{e.Encoder.Clone(), e.redact} }

// EncodeEntry escapes message and name before, and the fields' text after zap
// has set them, and masks secrets. The line's own end and the colours of its level stay.
func (e encoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	entry.Message, entry.LoggerName = escape(entry.Message), escape(entry.LoggerName)
	line, err := e.Encoder.EncodeEntry(entry, fields)
	if err != nil {
		return nil, err
	}
	text := line.String()
	body := strings.TrimSuffix(text, "\n")
	start := 0
	if i := strings.Index(body, colourEnd); i >= 0 { // only the level's: all else is escaped or JSON by now
		start = i + len(colourEnd)
	}
	safe := body[:start] + e.redact.Text(escape(body[start:]))
	if safe == body {
		return line, nil
	}
	line.Reset()
	line.AppendString(safe + "\n")
	return line, nil
}

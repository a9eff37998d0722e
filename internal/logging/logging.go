// Package logging writes the program's own log, to stderr and to main.log, and
// keeps one log per upstream server.
//
// Foreign text cannot forge lines or steer a terminal: control, bidirectional
// and invisible characters are written as escapes. Files are 0600 in a 0700
// folder and rotated at 10 MB, five old ones kept.
package logging

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"gopkg.in/natefinch/lumberjack.v2"
)

// ErrLevel is wrapped by the errors of [New] and [CheckLevel].
var ErrLevel = errors.New("unknown log level")

const (
	mainName   = "main.log"
	maxSize    = 10 // MB
	maxBackups = 5
)

// Options of [New]. The zero value logs nothing at level info.
type Options struct {
	Level  string    // trace, debug, info, warn or error; empty means info
	Dir    string    // of the log files; empty means none are written
	Stderr io.Writer // for people; nil writes nothing there
	File   bool      // also write main.log in Dir
	Color  bool      // colour the levels on Stderr
	Redact *Redactor // of secrets, in every log; nil knows none
}

// Logs is what a running program logs to. Safe for concurrent use.
type Logs struct {
	log   *zap.Logger
	level zap.AtomicLevel
	dir   string
	mask  *Redactor
	main  io.Closer                    // flushes and closes main.log; nil without
	flush *zapcore.BufferedWriteSyncer // of main.log; nil without

	mu      sync.Mutex
	closed  bool
	servers map[string]*serverFile // by file name
}

// New makes the folder and starts logging. The error wraps [ErrLevel] if the
// level is unknown. Close the Logs after their last use.
func New(opt Options) (*Logs, error) {
	if err := CheckLevel(opt.Level); err != nil {
		return nil, err
	}
	level := zap.NewAtomicLevelAt(zapLevels[opt.Level])
	l := &Logs{level: level, dir: opt.Dir, mask: opt.Redact, servers: map[string]*serverFile{}}
	if opt.Dir != "" {
		if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("log folder: %w\nhint: make it writable, or name another place with --data-dir", err)
		}
	}
	var cores []zapcore.Core
	if opt.Stderr != nil {
		cores = append(cores, zapcore.NewCore(newEncoder(opt.Color, opt.Redact), zapcore.Lock(zapcore.AddSync(opt.Stderr)), level))
	}
	if opt.File && opt.Dir != "" {
		// Buffered, so that a slow disk slows nobody down who logs.
		file := rotated(filepath.Join(opt.Dir, mainName))
		l.main, l.flush = file, &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(file), FlushInterval: time.Second}
		cores = append(cores, zapcore.NewCore(newEncoder(false, opt.Redact), l.flush, level))
	}
	l.log = zap.New(zapcore.NewTee(cores...), zap.ErrorOutput(zapcore.AddSync(io.Discard)))
	return l, nil
}

func rotated(path string) *lumberjack.Logger {
	return &lumberjack.Logger{Filename: path, MaxSize: maxSize, MaxBackups: maxBackups}
}

// Logger returns the program's logger. What it is given as message, name or
// field is escaped.
func (l *Logs) Logger() *zap.Logger { return l.log }

// SetLevel changes what is logged from now on. An unknown level changes nothing.
func (l *Logs) SetLevel(level string) {
	if z, known := zapLevels[level]; known {
		l.level.SetLevel(z)
	}
}

var zapLevels = map[string]zapcore.Level{
	"": zapcore.InfoLevel, "trace": zapcore.DebugLevel, "debug": zapcore.DebugLevel, "info": zapcore.InfoLevel,
	"warn": zapcore.WarnLevel, "error": zapcore.ErrorLevel,
}

// CheckLevel returns an error wrapping [ErrLevel] if level is unknown.
func CheckLevel(level string) error {
	if _, ok := zapLevels[level]; !ok {
		return fmt.Errorf("%w %q: use trace, debug, info, warn or error", ErrLevel, level)
	}
	return nil
}

// Flush writes out what is buffered for main.log.
func (l *Logs) Flush() error {
	if l.flush == nil {
		return nil
	}
	return l.flush.Sync()
}

// Close flushes and closes every file. What is logged afterwards goes to stderr
// only.
func (l *Logs) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	servers := l.servers
	l.servers = nil
	l.mu.Unlock()

	var errs []error
	for _, s := range servers {
		errs = append(errs, s.close())
	}
	if l.main != nil {
		errs = append(errs, l.flush.Stop(), l.main.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close logs: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

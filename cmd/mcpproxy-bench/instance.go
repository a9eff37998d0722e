package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mcpproxy/internal/mcpclient"
)

// instance is one running mcpproxy with a data directory of its own.
type instance struct {
	cmd *exec.Cmd
	dir string
	url string
}

// start writes a configuration of opt's servers, all approved at first sight,
// and starts the program. It returns at once.
func start(opt options, dir string) (*instance, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	servers := make([]map[string]any, opt.servers)
	for i := range servers {
		servers[i] = map[string]any{
			"name": stubName(i), "command": self, "quarantined": false,
			"args": []string{"stub", "-index", strconv.Itoa(i), "-tools", strconv.Itoa(opt.share(i))},
		}
	}
	config, err := json.MarshalIndent(map[string]any{"listen": addr, "model": opt.model, "mcpServers": servers}, "", "  ")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "mcp_config.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "stderr.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(opt.binary, "serve", "--tray=false", "-c", path, "-d", dir, "-l", addr)
	cmd.Stderr = log
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"))
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &instance{cmd: cmd, dir: dir, url: "http://" + addr + "/mcp"}, nil
}

func stubName(i int) string { return fmt.Sprintf("stub-%02d", i) }

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// connect opens a session as soon as the program answers.
func (in *instance) connect(ctx context.Context) (*mcpclient.Session, error) {
	for {
		s, err := mcpclient.Open(ctx, in.url)
		if err == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("mcpproxy does not answer: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// stop ends the program with the signal that Ctrl-C sends.
func (in *instance) stop() error {
	_ = in.cmd.Process.Signal(syscall.SIGINT)
	done := make(chan error, 1)
	go func() { done <- in.cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(15 * time.Second):
		return fmt.Errorf("mcpproxy ignored the interrupt: %w", in.cmd.Process.Kill())
	}
}

// written returns the bytes that the program sent to the disk so far, or -1
// where the system does not say.
func (in *instance) written() int64 {
	return in.field(fmt.Sprintf("/proc/%d/io", in.cmd.Process.Pid), "write_bytes:", 1)
}

// recorded returns the bytes that the record of calls takes so far: one line a
// call, which is what it is for.
func (in *instance) recorded() int64 {
	var sum int64
	files, _ := filepath.Glob(filepath.Join(in.dir, "audit", "*")) // the pattern is sound
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// rss returns the resident memory in bytes, or -1.
func (in *instance) rss() int64 {
	return in.field(fmt.Sprintf("/proc/%d/status", in.cmd.Process.Pid), "VmRSS:", 1024)
}

func (in *instance) field(path, name string, unit int64) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err == nil {
				return n * unit
			}
		}
	}
	return -1
}

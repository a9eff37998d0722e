package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestHelperRecord is the process that is killed: it says how much it recorded.
func TestHelperRecord(t *testing.T) {
	if os.Getenv("MCPPROXY_RECORD_HERE") == "" {
		t.Skip("helper of TestLog_SurvivesKills")
	}
	l, err := Open(".", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for {
		for range 50 {
			l.Record(Entry{What: Call, Server: "s", Tool: "t", Outcome: OK, Detail: "some words so that a line is long"})
		}
		l.Flush()
		fmt.Printf("written %d\n", l.Last())
	}
}

// TestLog_SurvivesKills kills the process that writes, again and again: what was
// written before is there, in order, every line whole, and the count goes on.
func TestLog_SurvivesKills(t *testing.T) {
	t.Parallel()
	dir, kills := t.TempDir(), 6
	if n, err := strconv.Atoi(os.Getenv("MCPPROXY_SOAK_KILLS")); err == nil {
		kills = n
	}
	acked := uint64(0)
	for i := range kills {
		acked = recordAndKill(t, dir, time.Duration(i%7)*3*time.Millisecond)
		l := open(t, dir, Options{})
		l.Record(Entry{What: "after", Tool: strconv.Itoa(i)})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, fileName))
		if err != nil {
			t.Fatal(err)
		}
		last, torn := uint64(0), 0
		for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
			var e Entry
			if json.Unmarshal(lines.Bytes(), &e) != nil {
				torn++
				continue
			}
			if e.Seq <= last {
				t.Fatalf("kill %d: entry %d after %d", i, e.Seq, last)
			}
			last = e.Seq
		}
		if last <= acked || torn > i+1 || data[len(data)-1] != '\n' {
			t.Fatalf("kill %d: %d entries were written, the last on record is %d, %d lines are torn", i, acked, last, torn)
		}
	}
}

func recordAndKill(t *testing.T, dir string, after time.Duration) (acked uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperRecord$", "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "MCPPROXY_RECORD_HERE=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var kill *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, err := fmt.Sscanf(lines.Text(), "written %d", &acked); n == 1 && err == nil && kill == nil {
			kill = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
		}
	}
	_ = cmd.Wait()
	return acked
}

package quarantine_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// kills is how often approvals are interrupted; make soak-quarantine does it 200
// times.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("MCPPROXY_SOAK_KILLS")); err == nil {
		return n
	}
	if testing.Short() {
		return 2
	}
	return 8
}

func tl(i int) string { return fmt.Sprintf("tool%d", i) }

// TestHelperApprove is the process that is killed: it approves one tool after
// the other and says so.
func TestHelperApprove(t *testing.T) {
	dir := os.Getenv("MCPPROXY_APPROVE_IN")
	if dir == "" {
		t.Skip("helper of TestGate_Kill")
	}
	db, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	g, err := quarantine.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	copies := store.NewKeeper(db, store.KeeperOptions{Prefix: quarantine.Prefix, Quiet: time.Millisecond})
	g.Follow(func(quarantine.Event) { copies.Changed() })
	_ = g.Launch(server, cmdA, true)
	if _, _, err := g.Admit(context.Background(), server, nil); err != nil {
		t.Fatal(err)
	}
	from, _ := strconv.Atoi(os.Getenv("MCPPROXY_APPROVE_FROM"))
	for i := from; i < from+500; i++ {
		one := mk(tl(i), "x")
		if _, _, err := g.Admit(context.Background(), server, append(upTo(i), one)); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("try %d\n", i)
		if err := g.Approve(one.ID, one.Hash()); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("ack %d\n", i)
	}
}

// TestGate_Kill kills the process at random points of approving: every approval
// that was acknowledged is there afterwards, and none that was not asked for.
func TestGate_Kill(t *testing.T) {
	t.Parallel()
	dir, acked, from, copied := t.TempDir(), map[int]bool{}, 0, 0
	random := rand.New(rand.NewPCG(1, uint64(kills())))
	for range kills() {
		tried := runAndKill(t, dir, from, acked, time.Duration(random.IntN(40))*time.Millisecond)
		copied = max(copied, checkCopies(t, dir, tried))
		db, err := store.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		g, err := quarantine.Open(db)
		if err != nil {
			t.Fatal(err)
		}
		_ = g.Launch(server, cmdA, false)
		for i := range tried + 3 {
			one := mk(tl(i), "x")
			err := g.Check(one.ID, one.Hash())
			switch {
			case acked[i] && err != nil:
				t.Fatalf("approval %d was acknowledged and is lost: %v", i, err)
			case i > tried && err == nil:
				t.Fatalf("%d is approved and nobody asked for it", i)
			case i == tried && err == nil:
				acked[i] = true // written, the acknowledgement was cut off
			}
		}
		if _, err := db.Backup(quarantine.Prefix, 0); err != nil { // drops what kills kept from being dropped
			t.Fatal(err)
		}
		if list, _ := store.Backups(dir); len(list) > 3 {
			t.Fatalf("%d copies are kept", len(list))
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		from = tried + 1
	}
	if len(acked) == 0 || copied == 0 {
		t.Errorf("%d approvals were ever acknowledged, at most %d were in a copy", len(acked), copied)
	}
}

// checkCopies looks at the copies that a kill left: each is whole, and none
// approves what nobody asked for. It returns how much the newest approves.
func checkCopies(t *testing.T, dir string, tried int) (approved int) {
	t.Helper()
	list, err := store.Backups(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range list {
		records, err := b.Load()
		if err != nil {
			t.Fatal(err)
		}
		n, err := quarantine.Approvals(records)
		if err != nil || n > tried+2 { // the server, and tools 0 to tried
			t.Fatalf("copy %d approves %d after %d tries: %v", b.Seq, n, tried, err)
		}
		if i == 0 {
			approved = n
		}
	}
	return approved
}

// runAndKill adds to acked and returns the last approval that was tried.
func runAndKill(t *testing.T, dir string, from int, acked map[int]bool, after time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperApprove$", "-test.v")
	cmd.Env = append(os.Environ(), "MCPPROXY_APPROVE_IN="+dir, "MCPPROXY_APPROVE_FROM="+strconv.Itoa(from))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tried := from - 1
	var kill *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, number, _ := strings.Cut(lines.Text(), " ")
		i, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		if kill == nil {
			kill = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
		}
		switch word {
		case "try":
			tried = i
		case "ack":
			acked[i] = true
		}
	}
	_ = cmd.Wait()
	return tried
}

// TestGate_FlippedBytes damages the database at many places: the gate never
// panics and never serves a definition that nobody approved.
func TestGate_FlippedBytes(t *testing.T) {
	t.Parallel()
	good, evil := mk("t", "good"), mk("t", "evil")
	b := served(t, good, mk("u", "other"))
	b.admit(evil, mk("new", "waits"))
	_, others := everyKind("good")
	b.admitOthers(others...)
	_, others = everyKind("evil")
	b.admitOthers(append(others, other(tool.Prompt, "new", "waits"))...)
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(b.dir, "*.db"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database: %v %v", files, err)
	}
	sound, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 7))
	flips := 1000
	if testing.Short() {
		flips = 100
	}
	for range flips {
		damaged := bytes.Clone(sound)
		damaged[random.IntN(len(damaged))] ^= byte(1 << random.IntN(8))
		openDamaged(t, filepath.Base(files[0]), damaged)
	}
}

func openDamaged(t *testing.T, name string, content []byte) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(dir)
	if err != nil {
		return // refused: nothing is served
	}
	defer func() { _ = db.Close(); _ = os.RemoveAll(dir) }()
	g, err := quarantine.Open(db)
	if err != nil {
		return
	}
	_ = g.Launch(server, cmdA, false)
	for _, text := range []string{"evil", "never seen"} {
		one := mk("t", text)
		if g.Check(one.ID, one.Hash()) == nil {
			t.Fatalf("%q serves from a damaged database", text)
		}
	}
	_, others := everyKind("evil")
	for _, one := range append(others, mk("new", "waits"), other(tool.Prompt, "new", "waits")) {
		if g.Check(one.ID, one.Hash()) == nil {
			t.Fatalf("%s, which waited, serves from a damaged database", one.ID)
		}
	}
	if list, err := g.Remembered(server); err == nil {
		for _, one := range list {
			if strings.Contains(string(one.Raw), "evil") || strings.Contains(string(one.Raw), "waits") {
				t.Fatalf("%s is remembered as %s from a damaged database", one.ID, one.Raw)
			}
		}
	}
}

func upTo(n int) (tools []tool.Tool) {
	for i := range n {
		tools = append(tools, mk(tl(i), "x"))
	}
	return tools
}

//go:build unix

package quarantine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// fullRounds is at how many places writing stops; make soak-quarantine tries 500.
func fullRounds() int {
	if n, err := strconv.Atoi(os.Getenv("MCPPROXY_SOAK_FULL")); err == nil {
		return n
	}
	return 15
}

// TestGate_FullDisk runs the gate in a process whose files may not grow beyond
// page n, for every n: nothing is approved then, what was approved serves, and
// everything goes on when there is space again.
func TestGate_FullDisk(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperFullDisk$", "-test.v")
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "MCPPROXY_FULL_ROUNDS="+strconv.Itoa(fullRounds()))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "rounds done") {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// limitFiles is a disk with room for n bytes of each file; 0 ends that.
func limitFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	if n > 0 {
		limit.Cur = n
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
}

// TestHelperFullDisk is the process of TestGate_FullDisk.
func TestHelperFullDisk(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("MCPPROXY_FULL_ROUNDS"))
	if err != nil {
		t.Skip("helper of TestGate_FullDisk")
	}
	signal.Ignore(syscall.SIGXFSZ)
	d := &fullDisk{t: t}
	d.open()
	_ = d.gate.Launch(server, cmdA, true)
	d.list = []tool.Tool{mk("first", strings.Repeat("approved ", 300))}
	if _, _, err := d.gate.Admit(t.Context(), server, d.list); err != nil {
		t.Fatal(err)
	}
	if _, err := d.db.Backup(quarantine.Prefix, 0); err != nil {
		t.Fatal(err)
	}
	for n := range rounds {
		d.round(n)
	}
	if err := d.db.Close(); err != nil {
		t.Fatal(err)
	}
	d.open() // sound, and everything that was approved is there
	_ = d.gate.Launch(server, cmdA, false)
	d.serves("after all rounds")
	fmt.Printf("%d rounds done: %d approvals and %d copies failed for want of space\n", rounds, d.failed, d.noCopy)
	if d.failed == 0 || d.noCopy == 0 {
		t.Error("the disk was never full")
	}
}

type fullDisk struct {
	t              *testing.T
	db             *store.DB
	gate           *quarantine.Gate
	list           []tool.Tool
	failed, noCopy int
}

func (d *fullDisk) open() {
	d.t.Helper()
	var err error
	if d.db, err = store.Open("."); err == nil {
		d.gate, err = quarantine.Open(d.db)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// serves checks that what was approved may be called.
func (d *fullDisk) serves(when string) {
	d.t.Helper()
	for _, a := range d.list {
		if err := d.gate.Check(a.ID, a.Hash()); err != nil {
			d.t.Fatalf("%s: %s: %v", when, a.ID, err)
		}
	}
}

// round lists and approves one more tool while no file may have more than n+1
// pages, and again with space.
func (d *fullDisk) round(n int) {
	d.t.Helper()
	info, err := os.Stat("mcpproxy.db")
	if err != nil {
		d.t.Fatal(err)
	}
	next := mk(tl(n), strings.Repeat("text ", 1000+n%3*4000))
	limitFiles(d.t, uint64(n%int(info.Size()/4096+2)+1)*4096)
	_, _, listErr := d.gate.Admit(context.Background(), server, append(d.list, next))
	if listErr != nil && !errors.Is(listErr, store.ErrFull) {
		d.t.Fatalf("round %d: Admit = %v, want ErrFull", n, listErr)
	}
	approveErr := d.gate.Approve(next.ID, next.Hash())
	switch held := d.gate.Check(next.ID, next.Hash()); {
	case approveErr != nil && held == nil:
		d.t.Fatalf("round %d: it serves, though Approve = %v", n, approveErr)
	case approveErr == nil && held != nil:
		d.t.Fatalf("round %d: approved, and held: %v", n, held)
	case approveErr != nil && listErr == nil && !errors.Is(approveErr, store.ErrFull):
		d.t.Fatalf("round %d: Approve = %v, want ErrFull", n, approveErr)
	case approveErr != nil:
		d.failed++
	}
	d.serves("without space")
	if _, err := d.db.Backup(quarantine.Prefix, 0); errors.Is(err, store.ErrFull) {
		d.noCopy++
	} else if err != nil {
		d.t.Fatalf("round %d: Backup = %v, want ErrFull", n, err)
	}
	d.copies()
	limitFiles(d.t, 0)
	if _, _, err := d.gate.Admit(context.Background(), server, append(d.list, next)); err != nil {
		d.t.Fatalf("round %d, with space again: Admit = %v", n, err)
	}
	if err := d.gate.Approve(next.ID, next.Hash()); err != nil {
		d.t.Fatalf("round %d, with space again: Approve = %v", n, err)
	}
	d.list = append(d.list, next)
	d.serves("with space again")
}

// copies checks that a failed copy leaves the earlier ones and nothing else.
func (d *fullDisk) copies() {
	d.t.Helper()
	list, err := store.Backups(".")
	if err != nil || len(list) == 0 {
		d.t.Fatalf("%d copies, %v", len(list), err)
	}
	for _, b := range list {
		if b.Err != nil {
			d.t.Fatal(b.Err)
		}
	}
	if left, _ := filepath.Glob("backups/new-*"); left != nil {
		d.t.Fatalf("left behind: %v", left)
	}
}

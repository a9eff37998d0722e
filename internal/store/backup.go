package store

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	backupDir    = "backups"
	backupFormat = 1
	generations  = 3 // sound copies that are kept
)

// ErrBackup is wrapped where a backup is not whole or not what was written.
var ErrBackup = errors.New("backup is damaged")

// Backup is one copy of the records of some buckets: a text file whose lines are
// a header, one record each, and a SHA-256 over the records.
type Backup struct {
	Path    string
	Seq     uint64 // counts up; 0 is none
	Time    time.Time
	Records int
	Sum     string // SHA-256 over the records, as hex; equal records have equal sums
	Err     error  // why it cannot be used; wraps ErrBackup
}

// Record is one value as it is stored.
type Record struct {
	Bucket string          `json:"bucket"`
	Key    []byte          `json:"key"`
	Value  json.RawMessage `json:"value"`
}

type backupHead struct {
	Format int       `json:"mcpproxy_backup"`
	Time   time.Time `json:"time"`
}

type backupEnd struct {
	Records int    `json:"records"`
	Sum     string `json:"sha256"`
}

// Backups returns the copies in the data directory dir, newest first, each read
// and verified.
func Backups(dir string) ([]Backup, error) {
	paths, err := beginning(filepath.Join(dir, backupDir), "approvals-")
	if err != nil {
		return nil, fmt.Errorf("backups: %w", err)
	}
	var list []Backup
	for _, path := range paths {
		digits := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "approvals-"), ".jsonl")
		seq, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || filepath.Base(path) != backupName(seq) {
			continue // not one of ours
		}
		b, _, err := readBackup(path)
		b.Path, b.Seq, b.Err = path, seq, err
		list = append(list, b)
	}
	slices.SortFunc(list, func(x, y Backup) int { return cmp.Compare(y.Seq, x.Seq) })
	return list, nil
}

// beginning returns the paths in dir whose names begin with prefix; a missing dir
// has none. It is no filepath.Glob, to which a folder called [x] is a pattern.
func beginning(dir, prefix string) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, nil
}

func backupName(seq uint64) string { return fmt.Sprintf("approvals-%012d.jsonl", seq) }

// Load reads and verifies the copy anew and returns its records.
func (b Backup) Load() ([]Record, error) {
	again, records, err := readBackup(b.Path)
	if err == nil && again.Sum != b.Sum {
		err = fmt.Errorf("%w: it is another one by now", ErrBackup)
	}
	return records, err
}

// readBackup reads a whole file and checks it. It waits for no pipe and follows
// no link.
func readBackup(path string) (Backup, []Record, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return Backup{}, nil, fmt.Errorf("%w: %s is no file", ErrBackup, filepath.Base(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return Backup{}, nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	defer func() { _ = f.Close() }()
	b, records, err := decodeBackup(f)
	if err != nil {
		return b, nil, fmt.Errorf("%w: %s: %w", ErrBackup, filepath.Base(path), err)
	}
	return b, records, nil
}

func decodeBackup(r io.Reader) (b Backup, records []Record, err error) {
	lines := bufio.NewReader(r)
	var head backupHead
	line, err := lines.ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &head) != nil || head.Format != backupFormat {
		return b, nil, errors.New("no header of a known format")
	}
	b.Time = head.Time
	sum := sha256.New()
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return b, nil, errors.New("cut off")
		}
		if bytes.HasPrefix(line, []byte(`{"records":`)) {
			return b.sealed(line, sum.Sum(nil), records, lines)
		}
		var rec Record
		if err := json.Unmarshal(line, &rec); err != nil {
			return b, nil, fmt.Errorf("record %d: %w", len(records)+1, err)
		}
		sum.Write(line)
		records = append(records, rec)
	}
}

// sealed checks the last line and that nothing follows.
func (b Backup) sealed(line, sum []byte, records []Record, rest *bufio.Reader) (Backup, []Record, error) {
	var end backupEnd
	if err := json.Unmarshal(line, &end); err != nil {
		return b, nil, err
	}
	b.Records, b.Sum = end.Records, hex.EncodeToString(sum)
	if end.Records != len(records) || end.Sum != b.Sum {
		return b, nil, errors.New("the checksum differs")
	}
	if _, err := rest.ReadByte(); err != io.EOF {
		return b, nil, errors.New("something follows its end")
	}
	return b, records, nil
}

// Backup copies the records of every bucket whose name begins with prefix to a
// new generation, reads the copy back, and only then drops generations beyond
// the third. A copy equal to the newest is not kept twice. Generations up to
// floor are a set of their own, so that what follows a loss does not push out
// what was before it. A record that does not decode is an error: damage never
// replaces a sound copy. Calls must not overlap.
func (db *DB) Backup(prefix string, floor uint64) (b Backup, err error) {
	dir := filepath.Join(db.dir, backupDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return b, fmt.Errorf("backup: %w", named(err))
	}
	path, err := db.copyTo(dir, prefix)
	if err != nil {
		return b, fmt.Errorf("backup: %w", named(err))
	}
	defer func() { _ = os.Remove(path) }() // gone already when it became a generation
	if b, _, err = readBackup(path); err != nil {
		return b, err
	}
	list, err := Backups(db.dir)
	if err != nil {
		return b, err
	}
	if len(list) > 0 {
		b.Seq = list[0].Seq
		if list[0].Err == nil && list[0].Sum == b.Sum && b.Seq > floor {
			return list[0], prune(list, floor)
		}
	}
	b.Seq = max(b.Seq, floor) + 1
	b.Path = filepath.Join(dir, backupName(b.Seq))
	if err := os.Rename(path, b.Path); err != nil {
		return b, fmt.Errorf("backup: %w", named(err))
	}
	if err := syncDir(dir); err != nil {
		return b, fmt.Errorf("backup: %w", named(err))
	}
	return b, prune(append([]Backup{b}, list...), floor)
}

// copyTo writes the copy to a file of its own and returns its path.
func (db *DB) copyTo(dir, prefix string) (path string, err error) {
	stale, _ := beginning(dir, "new-") // of a process that was killed
	for _, s := range stale {
		_ = os.Remove(s)
	}
	f, err := os.CreateTemp(dir, "new-*") // 0600
	if err != nil {
		return "", err
	}
	out := bufio.NewWriter(f)
	err = errors.Join(db.encode(out, prefix), out.Flush(), f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return f.Name(), err
}

func (db *DB) encode(out io.Writer, prefix string) error {
	enc := json.NewEncoder(out)
	if err := enc.Encode(backupHead{Format: backupFormat, Time: time.Now().UTC()}); err != nil {
		return err
	}
	sum, n := sha256.New(), 0
	records := json.NewEncoder(io.MultiWriter(out, sum))
	err := db.view(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
			if !strings.HasPrefix(string(name), prefix) {
				return nil
			}
			return bucket.ForEach(func(key, value []byte) error {
				n++
				if !json.Valid(value) {
					return fmt.Errorf("%s %q: %w", name, key, ErrDamaged)
				}
				return records.Encode(Record{Bucket: string(name), Key: key, Value: value})
			})
		})
	})
	if err != nil {
		return err
	}
	return enc.Encode(backupEnd{Records: n, Sum: hex.EncodeToString(sum.Sum(nil))})
}

// prune removes what lies beyond the kept generations of both sets.
func prune(newestFirst []Backup, floor uint64) error {
	kept := map[bool]int{}
	for _, b := range newestFirst {
		before := b.Seq <= floor
		switch {
		case kept[before] >= generations:
			if err := os.Remove(b.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("backup: %w", err)
			}
		case b.Err == nil:
			kept[before]++
		}
	}
	return nil
}

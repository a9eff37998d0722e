package upstream

import "testing"

const canReadMarks = true

func isZombie(pid int) bool {
	s, err := readStat(pid)
	return err == nil && !s.runs()
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " S 1 42 42 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0"
	for _, name := range []string{"sh", "a b", "a) S 9 9 (b"} {
		got, err := parseStat("7 (" + name + ")" + rest)
		if err != nil || got != (procStat{state: 'S', pgrp: 42, start: "777"}) {
			t.Errorf("parseStat(%q) = %+v, %v", name, got, err)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("7 (sh) S 1 42 42 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0")
	f.Add(")")
	f.Fuzz(func(_ *testing.T, line string) { _, _ = parseStat(line) })
}

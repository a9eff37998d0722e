package docker

// maxOutput bounds what is kept of one stream of a docker command: a container
// that it is attached to may write without end.
const maxOutput = 1 << 20

// tail keeps the last maxOutput bytes that were written to it.
type tail struct {
	kept []byte
	lost bool // something was written before them
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if over := len(p) - maxOutput; over > 0 {
		p, t.lost = p[over:], true
	}
	if over := len(t.kept) + len(p) - maxOutput; over > 0 {
		t.kept, t.lost = append(t.kept[:0], t.kept[over:]...), true
	}
	t.kept = append(t.kept, p...)
	return n, nil
}

func (t *tail) String() string { return string(t.kept) }

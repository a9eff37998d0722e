package realtest

import (
	"errors"
	"testing"
	"time"
)

// Until calls ok until it returns nil. It fails with the last error after a
// minute: a slow machine is no fault. t is a Go test or a script's.
func Until(t interface{ Fatalf(string, ...any) }, what string, ok func() error) {
	if test, is := t.(testing.TB); is {
		test.Helper()
	}
	if err := poll(time.Minute, ok); err != nil {
		t.Fatalf("waited in vain for %s: %v", what, err)
	}
}

// Within fails unless ok holds within d.
func Within(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	not := errors.New("it is not so")
	err := poll(d, func() error {
		if ok() {
			return nil
		}
		return not
	})
	if err != nil {
		t.Fatalf("not within %v: %s", d, what)
	}
}

// poll calls ok until it returns nil, or returns its last error after d. It looks
// often at first: most things happen at once.
func poll(d time.Duration, ok func() error) error {
	deadline := time.After(d)
	for pause := 2 * time.Millisecond; ; pause = min(pause*5/4, 50*time.Millisecond) {
		err := ok()
		if err == nil {
			return nil
		}
		select {
		case <-deadline:
			return err
		case <-time.After(pause):
		}
	}
}

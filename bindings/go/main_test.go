package polyproc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

// limit ends a test that hangs.
const limit = 20 * time.Second

// childVariable names what a copy of the test program is to do as a child process.
const childVariable = "POLYPROC_TEST_CHILD"

// children has the functions that copies of the test program run. The tests' files add theirs.
var children = map[string]func() error{}

func TestMain(m *testing.M) {
	polyproc.Main()
	if name := os.Getenv(childVariable); name != "" {
		if err := children[name](); err != nil {
			fmt.Fprintln(os.Stderr, name+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if left, _ := filepath.Glob("/dev/shm/polyproc." + namePrefix() + "*"); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "tests left names behind:", left)
		code = 1
	}
	if left := childProcesses(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "tests left processes behind:", left)
		code = 1
	}
	os.Exit(code)
}

// childProcesses are the children of this process, ended or not.
func childProcesses() []string {
	var pids []string
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		pids = append(pids, strings.Fields(string(text))...)
	}
	return pids
}

func namePrefix() string { return fmt.Sprintf("go-test-%d-", os.Getpid()) }

var names atomic.Int64

// uniqueName returns a name that is unlinked when the test ends.
func uniqueName(t testing.TB) string {
	name := fmt.Sprintf("%s%d", namePrefix(), names.Add(1))
	t.Cleanup(func() {
		if err := polyproc.Unlink(name); err != nil && !errors.Is(err, polyproc.ErrNotFound) {
			t.Errorf("unlink %s: %v", name, err)
		}
	})
	return name
}

// within returns a context that ends a test that hangs.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// must ends the test at an unexpected error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// one is must for a call with a result.
func one[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// wants checks that err is the wanted error.
func wants(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// equal checks a result.
func equal[T comparable](t testing.TB, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func newQueue(t testing.TB, options polyproc.QueueOptions) *polyproc.Queue {
	t.Helper()
	q, err := polyproc.NewQueue(options)
	must(t, err)
	t.Cleanup(func() { q.Close() })
	return q
}

func newLock(t testing.TB) *polyproc.Lock {
	t.Helper()
	lock, err := polyproc.NewLock()
	must(t, err)
	t.Cleanup(func() { lock.Close() })
	return lock
}

// startChild runs a function of children in a copy of the test program.
func startChild(t testing.TB, name string, options polyproc.ProcessOptions) *polyproc.Process {
	t.Helper()
	options.Args = append([]string{"/proc/self/exe"}, options.Args...)
	options.Env = append(options.Env, childVariable+"="+name)
	p, err := polyproc.Spawn(options)
	must(t, err)
	t.Cleanup(func() {
		p.Kill()
		if err := p.Join(within(t)); err != nil {
			t.Errorf("child %s: %v", name, err)
		}
		p.Close()
	})
	return p
}

// exited waits for a child and checks how it ended.
func exited(t testing.TB, p *polyproc.Process, want int) {
	t.Helper()
	must(t, p.Join(within(t)))
	equal(t, one(p.ExitCode())(t), want)
}

// eventually waits for a condition that another process or thread brings about.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

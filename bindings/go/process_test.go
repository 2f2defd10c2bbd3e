package polyproc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func init() {
	children["exit 7"] = func() error { os.Exit(7); return nil }
	children["sleep"] = func() error { time.Sleep(limit); return nil }
	children["tell"] = func() error {
		info, err := polyproc.Current()
		if err != nil {
			return err
		}
		dir, err := os.Getwd()
		fmt.Println(info.Name, info.PID == os.Getpid(), info.ParentPID == os.Getppid(), info.Daemon, dir, os.Args[1:])
		return err
	}
	children["tell environment"] = func() error {
		fmt.Println(strings.Join(os.Environ(), "\n"))
		return nil
	}
	children["use what it inherits"] = func() error {
		q, err := polyproc.InheritedQueue("queue")
		if err != nil {
			return err
		}
		lock, err := polyproc.InheritedLock("lock")
		if err != nil {
			return err
		}
		semaphore, err := polyproc.InheritedSemaphore("semaphore")
		if err != nil {
			return err
		}
		event, err := polyproc.InheritedEvent("event")
		if err != nil {
			return err
		}
		if _, err := polyproc.InheritedLock("queue"); !errors.Is(err, polyproc.ErrMismatch) {
			return fmt.Errorf("a queue as a lock: %v", err)
		}
		if _, err := polyproc.InheritedLock("nothing"); !errors.Is(err, polyproc.ErrNotFound) {
			return fmt.Errorf("nothing as a lock: %v", err)
		}
		if err := q.Put(context.Background(), []byte("from the child")); err != nil {
			return err
		}
		if err := lock.Release(); err != nil {
			return err
		}
		if err := semaphore.Acquire(context.Background()); err != nil {
			return err
		}
		return event.Wait(context.Background())
	}
	children["spawn as a daemon"] = func() error {
		_, err := polyproc.Spawn(polyproc.ProcessOptions{Args: []string{"true"}})
		if !errors.Is(err, polyproc.ErrDaemonic) {
			return fmt.Errorf("a daemon spawned a child: %v", err)
		}
		return nil
	}
	children["parent of a daemon"] = func() error {
		alive, err := polyproc.InheritedLock("alive")
		if err != nil {
			return err
		}
		_, err = polyproc.Spawn(polyproc.ProcessOptions{
			Args: []string{"/proc/self/exe"}, Env: []string{childVariable + "=hold"}, Daemon: true,
			Handles: map[string]polyproc.Handle{"alive": alive},
		})
		if err != nil {
			return err
		}
		for {
			if held, err := alive.IsLocked(); err != nil || held {
				break
			}
			time.Sleep(time.Millisecond)
		}
		return die()
	}
	children["hold"] = func() error {
		alive, err := polyproc.InheritedLock("alive")
		if err != nil {
			return err
		}
		if _, err := alive.Acquire(context.Background()); err != nil {
			return err
		}
		time.Sleep(limit)
		return alive.Release() // and it is not garbage before
	}
}

func TestExitCodes(t *testing.T) {
	exited(t, startChild(t, "exit 7", polyproc.ProcessOptions{}), 7)

	p := startChild(t, "sleep", polyproc.ProcessOptions{Name: "sleeper"})
	equal(t, p.Name(), "sleeper")
	equal(t, p.IsDaemon(), false)
	equal(t, one(p.IsAlive())(t), true)
	wants(t, second(p.ExitCode()), polyproc.ErrTimeout)
	if pids := one(polyproc.ActiveChildren())(t); !slices.Contains(pids, p.PID()) {
		t.Errorf("%d is not among the children %v", p.PID(), pids)
	}
	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, p.Join(ctx), context.DeadlineExceeded)
	must(t, p.Terminate())
	exited(t, p, -int(syscall.SIGTERM))
	equal(t, one(p.IsAlive())(t), false)
	must(t, p.Join(within(t)))
	must(t, p.Kill()) // also when it has ended

	p = startChild(t, "sleep", polyproc.ProcessOptions{})
	wants(t, p.Signal(0), polyproc.ErrInvalid)
	must(t, p.Signal(syscall.SIGKILL))
	exited(t, p, -int(syscall.SIGKILL))
}

func TestCloseEndsJoins(t *testing.T) {
	p := startChild(t, "sleep", polyproc.ProcessOptions{})
	twin := one(polyproc.Adopt(p.PID()))(t)
	joined := make(chan error, 2)
	for range 2 {
		go func() { joined <- twin.Join(within(t)) }()
	}
	inside(t, twin, 2)
	must(t, twin.Close())
	wants(t, <-joined, polyproc.ErrClosed)
	wants(t, <-joined, polyproc.ErrClosed)
	wants(t, second(twin.IsAlive()), polyproc.ErrClosed)
	equal(t, one(p.IsAlive())(t), true)
}

func TestAdopt(t *testing.T) {
	command := exec.Command("sh", "-c", "exit 3")
	must(t, command.Start())
	p := one(polyproc.Adopt(command.Process.Pid))(t)
	defer p.Close()
	exited(t, p, 3)
	command.Process.Release()
	if _, err := polyproc.Adopt(os.Getpid()); err == nil {
		t.Error("adopted itself")
	}
}

// output runs a child and returns what it printed.
func output(t *testing.T, name string, options polyproc.ProcessOptions) string {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	options.Stdout = polyproc.ToFile(w)
	p := startChild(t, name, options)
	must(t, w.Close())
	text := one(io.ReadAll(r))(t)
	exited(t, p, 0)
	return string(text)
}

func TestChildIsAsTheOptionsSay(t *testing.T) {
	dir := t.TempDir()
	got := output(t, "tell", polyproc.ProcessOptions{
		Name: "teller", Dir: dir, Args: []string{"a", "b c"}, Stdin: polyproc.Null, Daemon: true,
	})
	equal(t, got, fmt.Sprintf("teller true true true %s [a b c]\n", dir))
}

func TestEnvironment(t *testing.T) {
	t.Setenv("POLYPROC_TEST_OUTER", "outer")
	added := output(t, "tell environment", polyproc.ProcessOptions{Env: []string{"POLYPROC_TEST_ADDED=1"}})
	for _, want := range []string{"POLYPROC_TEST_OUTER=outer\n", "POLYPROC_TEST_ADDED=1\n"} {
		if !strings.Contains(added, want) {
			t.Errorf("%q is not in the environment", want)
		}
	}
	// A dynamically linked child does not start without this variable.
	libraries := "LD_LIBRARY_PATH=" + os.Getenv("LD_LIBRARY_PATH")
	cleared := output(t, "tell environment", polyproc.ProcessOptions{ClearEnv: true, Env: []string{libraries}})
	if strings.Contains(cleared, "POLYPROC_TEST_OUTER") {
		t.Error("a cleared environment has the parent's variable")
	}
}

func TestInheritance(t *testing.T) {
	q, lock := newQueue(t, polyproc.QueueOptions{}), newLock(t)
	one(lock.TryAcquire())(t)
	semaphore := one(polyproc.NewSemaphore(polyproc.SemaphoreOptions{Initial: 1}))(t)
	defer semaphore.Close()
	event := one(polyproc.NewEvent())(t)
	defer event.Close()
	p := startChild(t, "use what it inherits", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{
		"queue": q, "lock": lock, "semaphore": semaphore, "event": event,
	}})
	equal(t, string(one(q.Get(within(t)))(t)), "from the child")
	equal(t, one(lock.Acquire(within(t)))(t), false)
	must(t, event.Set())
	exited(t, p, 0)
	equal(t, one(semaphore.Value())(t), 0)
}

func TestBadProcessOptionsAreRefused(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	for want, options := range map[error]polyproc.ProcessOptions{
		polyproc.ErrNotFound:   {Args: []string{"/no/such/program"}},
		polyproc.ErrPermission: {Args: []string{"/etc/passwd"}},
	} {
		wants(t, second(polyproc.Spawn(options)), want)
	}
	for _, options := range []polyproc.ProcessOptions{
		{},
		{Args: []string{"a\x00b"}},
		{Args: []string{"true"}, Env: []string{"A=\x00"}},
		{Args: []string{"true"}, Name: strings.Repeat("n", 64)},
		{Args: []string{"true"}, Handles: map[string]polyproc.Handle{"bad\x00name": q}},
		{Args: []string{"true"}, Handles: map[string]polyproc.Handle{"nothing": nil}},
	} {
		wants(t, second(polyproc.Spawn(options)), polyproc.ErrInvalid)
	}
	must(t, q.Close())
	closed := polyproc.ProcessOptions{Args: []string{"true"}, Handles: map[string]polyproc.Handle{"closed": q}}
	wants(t, second(polyproc.Spawn(closed)), polyproc.ErrClosed)
}

func TestProcessGroup(t *testing.T) {
	p := one(polyproc.Spawn(polyproc.ProcessOptions{Args: []string{"sleep", "100"}, Group: true, Daemon: true}))(t)
	defer p.Close()
	equal(t, one(syscall.Getpgid(p.PID()))(t), p.PID())
	must(t, p.Terminate())
	exited(t, p, -int(syscall.SIGTERM))

	pool := newPool(t, polyproc.PoolOptions{Group: true})
	for _, pid := range one(pool.WorkerPIDs())(t) {
		equal(t, one(syscall.Getpgid(pid))(t), pid)
	}
}

func TestDaemons(t *testing.T) {
	p := startChild(t, "spawn as a daemon", polyproc.ProcessOptions{Daemon: true})
	equal(t, p.IsDaemon(), true)
	exited(t, p, 0)

	alive := newLock(t)
	parent := startChild(t, "parent of a daemon", polyproc.ProcessOptions{
		Handles: map[string]polyproc.Handle{"alive": alive},
	})
	exited(t, parent, -int(syscall.SIGKILL))
	// The daemon holds the lock as long as it lives, and it lives no longer than its parent.
	equal(t, one(alive.Acquire(within(t)))(t), true)
}

func init() {
	children["ends its children"] = func() error {
		daemon, err := polyproc.Spawn(polyproc.ProcessOptions{Args: []string{"sleep", "100"}, Daemon: true})
		if err != nil {
			return err
		}
		other, err := polyproc.Spawn(polyproc.ProcessOptions{Args: []string{"sleep", "0.1"}})
		if err != nil {
			return err
		}
		if err := polyproc.ExitChildren(); err != nil {
			return err
		}
		for child, want := range map[*polyproc.Process]int{daemon: -int(syscall.SIGTERM), other: 0} {
			if code, err := child.ExitCode(); err != nil || code != want {
				return fmt.Errorf("%s ended with %d, %v", child.Name(), code, err)
			}
		}
		return nil
	}
}

func TestExitChildren(t *testing.T) {
	exited(t, startChild(t, "ends its children", polyproc.ProcessOptions{}), 0)
}

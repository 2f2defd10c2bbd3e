package polyproc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

// The functions of the tests' workers.
var (
	square = polyproc.Define("square", func(n int) (int, error) { return n * n, nil })
	sleep  = polyproc.Define("sleep", func(d time.Duration) (int, error) { time.Sleep(d); return os.Getpid(), nil })
	fails  = polyproc.Define("fails", func(text string) (any, error) { return nil, errors.New(text) })
	panics = polyproc.Define("panics", func(text string) (any, error) { panic(text) })
	killMe = polyproc.Define("die", func(any) (any, error) {
		return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	})
	leave = polyproc.Define("leave", func(any) (any, error) { runtime.Goexit(); return nil, nil })
	odd   = polyproc.Define("odd", func(n int) (int, error) {
		if n%2 == 0 {
			return 0, fmt.Errorf("%d is even", n)
		}
		return n, nil
	})
	initialised string
	whatIsHere  = polyproc.Define("what is here", func(any) (string, error) { return initialised, nil })
	toQueue     = polyproc.Define("to a queue", func(text string) (any, error) {
		q, err := polyproc.InheritedQueue("queue")
		if err != nil {
			return nil, err
		}
		defer q.Close()
		return nil, q.TryPut([]byte(text))
	})
)

func init() {
	polyproc.Register("twice", func(data []byte) ([]byte, error) { return append(data, data...), nil })
	polyproc.Register("zeros", func(data []byte) ([]byte, error) { return make([]byte, 3<<20), nil })
	polyproc.Register("initialise", func(data []byte) ([]byte, error) {
		if string(data) == "bad" {
			return nil, errors.New("no flour in the house")
		}
		initialised = string(data)
		return nil, nil
	})
}

func newPool(t testing.TB, options polyproc.PoolOptions) *polyproc.Pool {
	t.Helper()
	if options.Workers == 0 {
		options.Workers = 2
	}
	pool, err := polyproc.NewPool(options)
	must(t, err)
	t.Cleanup(func() {
		must(t, pool.Terminate())
		if err := pool.Join(within(t)); err != nil {
			t.Errorf("join: %v", err)
		}
		equal(t, polyproc.Freed(pool), true)
	})
	return pool
}

func TestPoolApplyAndSubmit(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	equal(t, one(square.Apply(within(t), pool, 3))(t), 9)
	equal(t, string(one(pool.Apply(within(t), "twice", []byte("bao")))(t)), "baobao")
	equal(t, len(one(pool.Apply(within(t), "zeros", nil))(t)), 3<<20) // larger than any ring
	var tasks []*polyproc.ValueTask[int]
	for i := range 100 {
		tasks = append(tasks, one(square.Submit(pool, i))(t))
	}
	for i, task := range tasks {
		equal(t, one(task.Value(within(t)))(t), i*i)
		<-task.Done()
		equal(t, task.Cancel(), false)
	}
	info := one(pool.Info())(t)
	equal(t, info.Workers, 2)
	equal(t, info.Succeeded, 103)
	equal(t, len(one(pool.WorkerPIDs())(t)), 2)
}

func TestPoolFailures(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	var failure *polyproc.TaskError

	_, err := fails.Apply(within(t), pool, "no flour")
	wants(t, err, polyproc.ErrTaskFailed)
	equal(t, errors.As(err, &failure), true)
	equal(t, failure.Message, "no flour")
	equal(t, failure.Stack, "")

	_, err = panics.Apply(within(t), pool, "burnt")
	wants(t, err, polyproc.ErrTaskFailed)
	equal(t, errors.As(err, &failure), true)
	equal(t, failure.Message, "panic: burnt")
	if !strings.Contains(failure.Stack, "pool_test.go") {
		t.Errorf("the stack does not show where: %s", failure.Stack)
	}

	_, err = pool.Apply(within(t), "knead", nil)
	wants(t, err, polyproc.ErrNotFound)
	equal(t, errors.As(err, &failure), true)
	equal(t, strings.Contains(failure.Message, "knead"), true)

	_, err = killMe.Apply(within(t), pool, nil)
	wants(t, err, polyproc.ErrWorkerDied)
	equal(t, one(square.Apply(within(t), pool, 4))(t), 16) // the others never notice

	task := one(sleep.SubmitWith(pool, limit, polyproc.TaskOptions{Timeout: 30 * time.Millisecond}))(t)
	wants(t, second(task.Value(within(t))), polyproc.ErrTimeout)
	wants(t, second(pool.SubmitWith("square", nil, polyproc.TaskOptions{Timeout: -1})), polyproc.ErrInvalid)
	wants(t, second(pool.Submit("", nil)), polyproc.ErrInvalid)
	wants(t, second(pool.Submit("a\x00b", nil)), polyproc.ErrInvalid)
	wants(t, second(pool.Submit(strings.Repeat("x", 201), nil)), polyproc.ErrInvalid)
}

// Many outcomes at once, from empty ones to some that are longer than the buffer for a batch.
func TestPoolEachTaskGetsItsOwnOutcome(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	const rounds = 600
	tasks := make([]*polyproc.Task, fewer(rounds))
	data := func(i int) []byte { return bytes.Repeat([]byte{byte(i), byte(i >> 8)}, i*7919%9000) }
	for i := range tasks {
		function := "twice"
		if i%10 == 9 {
			function = fmt.Sprint("missing ", i)
		}
		tasks[i] = one(pool.Submit(function, data(i)))(t)
	}
	early := tasks[0].Done()
	for i, task := range tasks {
		result, err := task.Result(within(t))
		if i%10 == 9 {
			if !errors.Is(err, polyproc.ErrNotFound) || !strings.Contains(err.Error(), fmt.Sprint("missing ", i)) {
				t.Fatalf("task %d failed with %v", i, err)
			}
			continue
		}
		must(t, err)
		if !bytes.Equal(result, bytes.Repeat(data(i), 2)) {
			t.Fatalf("task %d has the outcome of another: %d bytes", i, len(result))
		}
	}
	<-early
	<-tasks[0].Done() // also if nobody asked for it before the task was over
	<-tasks[1].Done()
	must(t, tasks[1].Wait(within(t)))
}

func TestPoolContextAndCancel(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{Workers: 1})
	begun := one(sleep.Submit(pool, limit))(t)
	eventually(t, "it is begun", func() bool { return one(pool.Info())(t).Queued == 0 })
	waits := one(square.Submit(pool, 5))(t)
	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, waits.Wait(ctx), context.DeadlineExceeded)
	wants(t, second(square.Apply(ctx, pool, 5)), context.DeadlineExceeded)
	equal(t, waits.Cancel(), true)
	wants(t, second(waits.Value(within(t))), polyproc.ErrCanceled)
	equal(t, begun.Cancel(), false)
}

// testing.T.FailNow, and mocks built on it, end the goroutine of a function.
func TestPoolGoexitFailsTheTaskAndNotTheWorker(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{Workers: 1})
	before := one(pool.WorkerPIDs())(t)
	for range 3 {
		_, err := leave.Apply(within(t), pool, nil)
		wants(t, err, polyproc.ErrTaskFailed)
		equal(t, strings.Contains(err.Error(), "runtime.Goexit"), true)
		equal(t, one(square.Apply(within(t), pool, 4))(t), 16)
	}
	equal(t, slices.Equal(one(pool.WorkerPIDs())(t), before), true)
	must(t, pool.Close())
	must(t, pool.Join(within(t)))
}

func TestPoolAnErrorNamesTheFunction(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{Workers: 1})
	_, died := killMe.Apply(within(t), pool, nil)
	_, late := one(sleep.SubmitWith(pool, limit, polyproc.TaskOptions{Timeout: 30 * time.Millisecond}))(t).Value(within(t))
	terminated := one(sleep.Submit(pool, limit))(t)
	eventually(t, "it is begun", func() bool { return one(pool.Info())(t).Queued == 0 })
	must(t, pool.Terminate())
	_, ended := terminated.Value(within(t))
	for status, err := range map[polyproc.Status]error{
		polyproc.ErrWorkerDied: died, polyproc.ErrTimeout: late, polyproc.ErrShutdown: ended,
	} {
		var failure *polyproc.TaskError
		wants(t, err, status)
		equal(t, errors.As(err, &failure), true)
		equal(t, strings.HasPrefix(err.Error(), status.Error()), true)
		equal(t, strings.Contains(err.Error(), fmt.Sprintf("%q", failure.Function)), true)
	}
}

func TestPoolCloseDoesWhatIsThere(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	wants(t, pool.Join(within(t)), polyproc.ErrInvalid)
	var tasks []*polyproc.ValueTask[int]
	for i := range 50 {
		tasks = append(tasks, one(square.Submit(pool, i))(t))
	}
	must(t, pool.Close())
	wants(t, second(square.Submit(pool, 1)), polyproc.ErrShutdown)
	must(t, pool.Join(within(t)))
	for i, task := range tasks {
		equal(t, one(task.Value(within(t)))(t), i*i)
	}
	must(t, pool.Close())
	wants(t, second(square.Submit(pool, 1)), polyproc.ErrShutdown)
	wants(t, second(pool.Info()), polyproc.ErrClosed)
}

func TestPoolTerminateEndsEveryTask(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	var tasks []*polyproc.ValueTask[int]
	for range 10 {
		tasks = append(tasks, one(sleep.Submit(pool, limit))(t))
	}
	must(t, pool.Terminate())
	for _, task := range tasks {
		wants(t, second(task.Value(within(t))), polyproc.ErrShutdown)
	}
	must(t, pool.Join(within(t)))
}

func TestPoolInitialiserHandlesAndWorkersThatRetire(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	pool := newPool(t, polyproc.PoolOptions{
		Workers: 1, MaxTasksPerWorker: 2, Initialiser: "initialise", InitialiserData: []byte("flour"),
		Handles: map[string]polyproc.Handle{"queue": q}})
	equal(t, one(whatIsHere.Apply(within(t), pool, nil))(t), "flour")
	one(toQueue.Apply(within(t), pool, "steam"))(t)
	equal(t, string(one(q.TryGet())(t)), "steam")
	pids := map[int]bool{}
	for range 6 {
		pids[one(sleep.Apply(within(t), pool, 0))(t)] = true
	}
	equal(t, len(pids), 3)

	bad := newPool(t, polyproc.PoolOptions{Workers: 1, Initialiser: "initialise", InitialiserData: []byte("bad")})
	_, err := square.Apply(within(t), bad, 1)
	wants(t, err, polyproc.ErrWorkerDied)
	equal(t, strings.Contains(err.Error(), "no flour in the house"), true)
}

func TestPoolBadOptions(t *testing.T) {
	wants(t, second(polyproc.NewPool(polyproc.PoolOptions{Workers: -1})), polyproc.ErrInvalid)
	wants(t, second(polyproc.NewPool(polyproc.PoolOptions{Args: []string{"/no/such/program"}})), polyproc.ErrNotFound)
	wants(t, second(polyproc.NewPool(polyproc.PoolOptions{Handles: map[string]polyproc.Handle{"q": nil}})), polyproc.ErrInvalid)
}

// Workers are killed at random while they work: every task has its result.
func TestPoolSurvivesKilledWorkers(t *testing.T) {
	tasks, kills := fewer(4000), fewer(20)
	pool := newPool(t, polyproc.PoolOptions{MaxAttempts: 100})
	stop := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for range kills {
			pids, err := pool.WorkerPIDs()
			if err != nil {
				t.Error(err)
				return
			}
			if len(pids) > 0 {
				syscall.Kill(pids[rand.IntN(len(pids))], syscall.SIGKILL)
			}
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	numbers := make([]int, tasks)
	for i := range numbers {
		numbers[i] = i
	}
	squares := one(square.Map(within(t), pool, numbers, polyproc.MapOptions{Chunk: 1}))(t)
	close(stop)
	killer.Wait()
	for i, n := range squares {
		equal(t, n, i*i)
	}
}

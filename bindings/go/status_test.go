package polyproc_test

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"sync"
	"testing"

	"polyproc.dev/polyproc"
)

// says fails the test unless err has the status and the text; the text's %q stands for name.
func says(t *testing.T, err error, status polyproc.Status, text string) {
	t.Helper()
	if !errors.Is(err, status) {
		t.Errorf("%v is not %v", err, status)
	}
	if fmt.Sprint(err) != text {
		t.Errorf("got  %v\nwant %s", err, text)
	}
}

func TestErrorsNameOperationAndObject(t *testing.T) {
	name := uniqueName(t)
	_, err := polyproc.OpenQueue(name)
	says(t, err, polyproc.ErrNotFound, fmt.Sprintf("polyproc: open queue %q: not found", name))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("not fs.ErrNotExist")
	}
	var failure *polyproc.Error
	if !errors.As(err, &failure) || failure.Op != "open queue" || failure.Name != name {
		t.Errorf("%+v", failure)
	}
	says(t, polyproc.Unlink(name), polyproc.ErrNotFound, fmt.Sprintf("polyproc: unlink %q: not found", name))

	q, err := polyproc.CreateQueue(name, polyproc.QueueOptions{MaxItems: 3, Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close(); polyproc.Unlink(name) })
	_, err = polyproc.CreateQueue(name, polyproc.QueueOptions{})
	says(t, err, polyproc.ErrExists, fmt.Sprintf("polyproc: create queue %q: the name exists", name))
	_, err = polyproc.OpenLock(name)
	says(t, err, polyproc.ErrMismatch, fmt.Sprintf(
		"polyproc: open lock %q: an object of another kind or shape: the object is a queue, asked for as a lock", name))
	shared := polyproc.Options{OpenOrCreate: true}
	_, err = polyproc.CreateQueue(name, polyproc.QueueOptions{Options: shared, MaxItems: 4, Format: "json"})
	says(t, err, polyproc.ErrMismatch, fmt.Sprintf("polyproc: create queue %q: an object of another kind or shape: "+
		"max_items of the queue is 3, asked for as 4", name))
	_, err = polyproc.CreateQueue(name, polyproc.QueueOptions{Options: shared, MaxItems: 3})
	says(t, err, polyproc.ErrMismatch, fmt.Sprintf("polyproc: create queue %q: an object of another kind or shape: "+
		`format of the queue is "json", asked for as ""`, name))
	_, err = polyproc.OpenValueQueue[int](name)
	if !errors.Is(err, polyproc.ErrMismatch) || !strings.Contains(err.Error(), `the format "json"`) {
		t.Error(err)
	}
}

func TestEachWrongOptionHasItsSentence(t *testing.T) {
	queue := func(options polyproc.QueueOptions) error {
		_, err := polyproc.NewQueue(options)
		return err
	}
	semaphore := func(options polyproc.SemaphoreOptions) error {
		_, err := polyproc.NewSemaphore(options)
		return err
	}
	_, parties := polyproc.NewBarrier(0)
	_, address := polyproc.Listen("udp://x", polyproc.SocketOptions{})
	_, name := polyproc.CreateLock("a/b", polyproc.Options{})
	_, program := polyproc.Spawn(polyproc.ProcessOptions{Args: []string{"true"}, Env: []string{"KEY"}})
	for _, wrong := range []struct {
		err  error
		text string
	}{
		{queue(polyproc.QueueOptions{MaxBytes: 8}), "create queue: invalid argument: max_bytes is 8, less than the 16 that a message of no bytes takes"},
		{queue(polyproc.QueueOptions{MaxDeliveries: 70000}), "create queue: invalid argument: max_deliveries is 70000, over 65534"},
		{queue(polyproc.QueueOptions{MaxItems: -1}), "create queue: invalid argument: a number of the options is below 0 or too large"},
		{queue(polyproc.QueueOptions{Options: polyproc.Options{Mode: 0o400}}), "create queue: invalid argument: mode is 0o400: it has 0600, and nothing over 0666"},
		{semaphore(polyproc.SemaphoreOptions{Initial: 3, Maximum: 2}), "create semaphore: invalid argument: initial is 3, over maximum, 2"},
		{parties, "create barrier: invalid argument: parties is 0, not from 1 to 1024"},
		{address, `listen "udp://x": invalid argument: address is "udp://x": it begins with tcp:// or unix:`},
		{name, `create lock "a/b": invalid argument: name is "a/b": it has 1 to 200 bytes of A-Z a-z 0-9 . _ - and no dot first`},
		{program, `spawn "true": invalid argument: env has an entry that is not KEY=value, or POLYPROC_PROCESS, which is the library's`},
	} {
		says(t, wrong.err, polyproc.ErrInvalid, "polyproc: "+wrong.text)
	}
}

// They returned a bare ErrInvalid, and one call has several arguments.
func TestEachWrongArgumentHasItsSentence(t *testing.T) {
	ctx := within(t)
	q := newQueue(t, polyproc.QueueOptions{})
	lock := one(polyproc.NewRLock())(t)
	defer lock.Close()
	condition := one(polyproc.NewCondition())(t)
	defer condition.Close()
	pool := newPool(t, polyproc.PoolOptions{Workers: 1})

	must(t, q.TryPut([]byte("one")))
	message := one(q.TryTake())(t)
	must(t, message.Done())
	slot := one(q.Reserve(ctx, 8))(t)
	tooLong := slot.Commit(9)
	must(t, slot.Abort())
	_, err := polyproc.Spawn(polyproc.ProcessOptions{Args: []string{"true"}, Handles: map[string]polyproc.Handle{"jobs": nil}})
	for _, wrong := range []struct {
		err  error
		text string
	}{
		{err, `Handles has no object of the name "jobs"`},
		{second(lock.TryAcquire(polyproc.Owner{})), "the zero Owner owns nothing: NewOwner makes one"},
		{lock.Release(polyproc.Owner{}), "the zero Owner owns nothing: NewOwner makes one"},
		{condition.Notify(-1), "n is below 0 or too large"},
		{second(q.Reserve(ctx, -1)), "n is below 0"},
		{second(q.TakeMany(ctx, 0)), "limit is below 1"},
		{tooLong, "n is below 0 or more than the room"},
		{slot.Commit(9), "the slot is settled already"},
		{message.Done(), "the message is settled already"},
		{polyproc.DoneMany([]*polyproc.Message{message}), "the message is settled already"},
		{second(polyproc.WaitAny(ctx)), "there is nothing to wait for"},
		{second(pool.SubmitWith("square", nil, polyproc.TaskOptions{Timeout: -1})), "Timeout is below 0"},
		{second(pool.Map(ctx, "square", nil, polyproc.MapOptions{Chunk: -1})), "a number of the options is below 0"},
		{pool.Join(ctx), "the pool is neither closed nor terminated"},
	} {
		says(t, wrong.err, polyproc.ErrInvalid, "polyproc: invalid argument: "+wrong.text)
	}
}

// A goroutine may be on another thread after a call. Each must still get its own sentence.
func TestGoroutinesDoNotMixUpTheirErrors(t *testing.T) {
	var group sync.WaitGroup
	for g := range 64 {
		group.Go(func() {
			for i := range 50 {
				bytes := int64(1 + (g*50+i)%15)
				_, err := polyproc.NewQueue(polyproc.QueueOptions{MaxBytes: bytes})
				runtime.Gosched()
				var failure *polyproc.Error
				if !errors.As(err, &failure) {
					t.Error(err)
					return
				}
				// Detail is empty when more calls failed at the same moment than sentences can be
				// kept.
				if failure.Detail != "" && !strings.HasPrefix(failure.Detail, fmt.Sprintf("max_bytes is %d,", bytes)) {
					t.Errorf("max_bytes %d: %s", bytes, failure.Detail)
				}
			}
		})
	}
	group.Wait()
}

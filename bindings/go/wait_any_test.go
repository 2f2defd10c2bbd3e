package polyproc_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func TestWaitAny(t *testing.T) {
	q, full := newQueue(t, polyproc.QueueOptions{}), newQueue(t, polyproc.QueueOptions{MaxItems: 1})
	must(t, full.TryPut(nil))
	e := one(polyproc.NewEvent())(t)
	defer e.Close()
	hold := one(polyproc.NewEvent())(t)
	defer hold.Close()
	child := startChild(t, "waits for an event", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"event": hold}})
	end, peer := newPipe(t)
	l := listen(t, "unix:@"+namePrefix()+"any", polyproc.SocketOptions{})
	things := []polyproc.Waitable{q, full.PutSide(), e, end, l, child}

	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, second(polyproc.WaitAny(ctx, things...)), context.DeadlineExceeded)
	for i, step := range []struct {
		object    interface{ Close() error }
		makeReady func() error
	}{
		{q, func() error { return q.TryPut(nil) }},
		{full, func() error { return second(full.TryGet()) }},
		{e, e.Set},
		{end, func() error { return peer.TrySend(nil) }},
		{l, func() error { return closed(polyproc.Connect(within(t), l.Address(), polyproc.SocketOptions{})) }},
		{child, hold.Set},
	} {
		ready := make(chan []polyproc.Waitable, 1)
		go func() { ready <- one(polyproc.WaitAny(within(t), things[i:]...))(t) }()
		eventually(t, "it waits", func() bool { return polyproc.Waits(step.object) == 1 })
		must(t, step.makeReady())
		equal(t, slices.Equal(<-ready, things[i:i+1]), true)
	}
	must(t, child.Join(within(t)))
	equal(t, slices.Equal(one(polyproc.WaitAny(within(t), things...))(t), things), true)
	equal(t, full.PutSide(), full.PutSide())
	wants(t, second(polyproc.WaitAny(within(t))), polyproc.ErrInvalid)
}

// An event that is set and cleared at once is ready for a WaitAny that had begun.
func TestWaitAnySeesASetThatAClearFollows(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	e := one(polyproc.NewEvent())(t)
	defer e.Close()
	for range fewer(40) {
		ready := make(chan []polyproc.Waitable, 1)
		go func() { ready <- one(polyproc.WaitAny(within(t), q, e))(t) }()
		eventually(t, "it waits", func() bool { return polyproc.Waits(e) == 1 })
		must(t, e.Set())
		must(t, e.Clear())
		equal(t, slices.Equal(<-ready, []polyproc.Waitable{e}), true)
	}
}

func TestCloseEndsWaitAny(t *testing.T) {
	q, other := newQueue(t, polyproc.QueueOptions{}), newQueue(t, polyproc.QueueOptions{})
	for _, ends := range []func(context.CancelFunc) error{
		func(cancel context.CancelFunc) error { cancel(); return nil },
		func(context.CancelFunc) error { return other.Close() },
	} {
		ctx, cancel := context.WithCancel(context.Background())
		returned := make(chan error, 1)
		go func() { returned <- second(polyproc.WaitAny(ctx, q, other)) }()
		eventually(t, "it waits", func() bool { return polyproc.Waits(q) == 1 })
		must(t, ends(cancel))
		if err := <-returned; err != context.Canceled && err != polyproc.ErrClosed {
			t.Fatal(err)
		}
		cancel()
	}
	wants(t, second(polyproc.WaitAny(within(t), q, other)), polyproc.ErrClosed)
	equal(t, polyproc.Waits(q), 0)
}

// More waits without a descriptor than there are threads for them: each must still end.
func TestMoreWaitsThanThreads(t *testing.T) {
	const locks, most = 200, 100
	var all []*polyproc.Lock
	acquired := make(chan error, locks)
	for range locks {
		lock := newLock(t)
		one(lock.TryAcquire())(t)
		all = append(all, lock)
		go func() { acquired <- second(lock.Acquire(within(t))) }()
	}
	for _, lock := range all {
		inside(t, lock, 1)
	}
	eventually(t, "all threads are taken", func() bool {
		return polyproc.BlockingThreadsTaken() == polyproc.BlockingThreads
	})
	if n := threads(t); n >= most {
		t.Errorf("%d locks are waited for on %d threads", locks, n)
	}
	// The last ones have no thread: wake those first.
	for _, lock := range slices.Backward(all) {
		must(t, lock.Release())
		must(t, <-acquired)
	}
}

func init() {
	children["waits for an event"] = func() error {
		e, err := polyproc.InheritedEvent("event")
		if err != nil {
			return err
		}
		return e.Wait(context.Background())
	}
}

// closed closes what a call has opened.
func closed(c interface{ Close() error }, err error) error {
	if err != nil {
		return err
	}
	return c.Close()
}

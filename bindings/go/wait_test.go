package polyproc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

// waiting is a call that has to wait, and a function that ends its wait.
type waiting struct {
	object  polyproc.Handle
	call    func(context.Context) error
	release func() error
}

// waits returns the calls that wait, each on an object of its own.
func waits(t *testing.T) map[string]waiting {
	empty, full := polyproc.QueueOptions{Joinable: true}, polyproc.QueueOptions{Joinable: true, MaxItems: 1}
	queue := func(options polyproc.QueueOptions) *polyproc.Queue {
		q := newQueue(t, options)
		if options.MaxItems > 0 {
			must(t, q.TryPut([]byte("full")))
		}
		return q
	}
	get, into, take, takeMany := queue(empty), queue(empty), queue(empty), queue(empty)
	put, putMany, reserve, join := queue(full), queue(full), queue(full), queue(full)
	item := []byte("item")
	makeRoom := func(q *polyproc.Queue) func() error {
		return func() error { return second(q.TryGet()) }
	}
	lock := newLock(t)
	one(lock.TryAcquire())(t)
	semaphore := one(polyproc.NewSemaphore(polyproc.SemaphoreOptions{}))(t)
	event := one(polyproc.NewEvent())(t)
	rlock, holder, waiter := newRLock(t), polyproc.NewOwner(), polyproc.NewOwner()
	one(rlock.TryAcquire(holder))(t)
	poll, pollPeer := newPipe(t)
	recv, recvPeer := newPipe(t)
	send, sendPeer := newPipe(t)
	for send.TrySend(make([]byte, 64<<10)) == nil {
	}
	t.Cleanup(func() { semaphore.Close(); event.Close() })
	return map[string]waiting{
		"Get":      {get, func(ctx context.Context) error { return second(get.Get(ctx)) }, func() error { return get.TryPut(item) }},
		"GetInto":  {into, func(ctx context.Context) error { return second(into.GetInto(ctx, make([]byte, 9))) }, func() error { return into.TryPut(item) }},
		"Take":     {take, func(ctx context.Context) error { return settled(take.Take(ctx)) }, func() error { return take.TryPut(item) }},
		"TakeMany": {takeMany, func(ctx context.Context) error { return settled(takeMany.TakeMany(ctx, 3)) }, func() error { return takeMany.TryPut(item) }},
		"Put":      {put, func(ctx context.Context) error { return put.Put(ctx, item) }, makeRoom(put)},
		"PutMany":  {putMany, func(ctx context.Context) error { return second(putMany.PutMany(ctx, [][]byte{item})) }, makeRoom(putMany)},
		"Reserve":  {reserve, func(ctx context.Context) error { return settled(reserve.Reserve(ctx, 3)) }, makeRoom(reserve)},
		"Join": {join, join.Join, func() error {
			return errors.Join(second(join.TryGet()), join.TaskDone())
		}},
		"Lock":      {lock, func(ctx context.Context) error { return second(lock.Acquire(ctx)) }, lock.Release},
		"Semaphore": {semaphore, semaphore.Acquire, func() error { return semaphore.Release(1) }},
		"Event":     {event, event.Wait, event.Set},
		"RLock": {rlock, func(ctx context.Context) error { return second(rlock.Acquire(ctx, waiter)) }, func() error {
			return rlock.Release(holder)
		}},
		"Poll": {poll, poll.Poll, func() error { return pollPeer.TrySend(item) }},
		"Recv": {recv, func(ctx context.Context) error { return second(recv.Recv(ctx)) }, func() error { return recvPeer.TrySend(item) }},
		"Send": {send, func(ctx context.Context) error { return send.Send(ctx, make([]byte, 64<<10)) }, func() error {
			return second(sendPeer.TryRecv())
		}},
	}
}

// settled settles what a call borrowed.
func settled(loan any, err error) error {
	if err != nil {
		return err
	}
	switch loan := loan.(type) {
	case *polyproc.Message:
		return loan.Done()
	case []*polyproc.Message:
		for _, msg := range loan {
			err = errors.Join(err, msg.Done())
		}
	case *polyproc.Slot:
		return loan.Commit(0)
	}
	return err
}

func TestContextThatHasEndedEndsTheCallAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, wait := range waits(t) {
		if err := wait.call(ctx); err != context.Canceled {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestContextEndsAWait(t *testing.T) {
	for name, wait := range waits(t) {
		t.Run(name, func(t *testing.T) {
			for range 3 { // the token must be whole again each time
				soon, cancel := testContext(5 * time.Millisecond)
				defer cancel()
				equal(t, wait.call(soon), error(context.DeadlineExceeded))

				later, cancel := context.WithCancel(context.Background())
				returned := make(chan error, 1)
				go func() { returned <- wait.call(later) }()
				inside(t, wait.object, 1)
				cancel()
				equal(t, <-returned, error(context.Canceled))
			}
			returned := make(chan error, 1)
			go func() { returned <- wait.call(within(t)) }()
			inside(t, wait.object, 1)
			must(t, wait.release())
			must(t, <-returned)
		})
	}
}

// inside waits until n calls are inside the object.
func inside(t *testing.T, object interface{ Close() error }, n int64) {
	t.Helper()
	eventually(t, fmt.Sprint(n, " calls inside"), func() bool { return polyproc.Users(object) >= n })
}

func TestCloseEndsWaits(t *testing.T) {
	for name, wait := range waits(t) {
		t.Run(name, func(t *testing.T) {
			const waiters = 20
			returned := make(chan error, waiters)
			for i := range waiters {
				ctx := context.Background()
				if i%2 == 0 {
					ctx = within(t)
				}
				go func() { returned <- wait.call(ctx) }()
			}
			inside(t, wait.object, waiters)
			eventually(t, "one waits for good", func() bool { return polyproc.Waits(wait.object) > 0 })
			must(t, wait.object.Close())
			for range waiters {
				wants(t, <-returned, polyproc.ErrClosed)
			}
			eventually(t, "the handle is freed", func() bool { return polyproc.Freed(wait.object) })
			wants(t, wait.call(within(t)), polyproc.ErrClosed)
			must(t, wait.object.Close())
		})
	}
}

// A cancel that comes while the call returns must neither lose the message nor end the next call.
func TestLateCancelHitsNobody(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	rounds := fewer(2000)
	got := 0
	for i := range rounds {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			if i%2 == 0 {
				cancel()
			}
			if err := q.TryPut([]byte{1}); err != nil {
				t.Error(err)
			}
			cancel()
		}()
		_, err := q.Get(ctx)
		if err == nil {
			got++
		} else {
			wants(t, err, context.Canceled)
		}
		cancel()
	}
	for got < rounds {
		if _, err := q.Get(within(t)); err != nil {
			t.Fatalf("message %d of %d: %v", got, rounds, err)
		}
		got++
	}
	wants(t, second(q.TryGet()), polyproc.ErrEmpty)
}

func TestTenThousandGoroutinesWaitOnFewThreads(t *testing.T) {
	const queues, each, most = 100, 100, 100
	var all []*polyproc.Queue
	var done sync.WaitGroup
	ctx, cancel := context.WithTimeout(context.Background(), 10*limit)
	defer cancel()
	for range queues {
		q := newQueue(t, polyproc.QueueOptions{})
		all = append(all, q)
		for range each {
			done.Go(func() {
				if _, err := q.Get(ctx); err != nil {
					t.Error(err)
				}
			})
		}
	}
	for _, q := range all {
		inside(t, q, each)
		eventually(t, "somebody waits for good", func() bool { return polyproc.Waits(q) == 1 })
	}
	n := threads(t)
	if n >= most {
		t.Errorf("%d goroutines wait on %d threads", queues*each, n)
	}
	fmt.Printf("%d goroutines wait on %d queues with %d threads\n", queues*each, queues, n)
	for _, q := range all {
		for range each {
			must(t, q.TryPut([]byte("go")))
		}
	}
	done.Wait()
}

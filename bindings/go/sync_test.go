package polyproc_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func TestLock(t *testing.T) {
	lock := newLock(t)
	wants(t, lock.Release(), polyproc.ErrOverRelease)
	equal(t, one(lock.TryAcquire())(t), false)
	equal(t, one(lock.IsLocked())(t), true)
	wants(t, second(lock.TryAcquire()), polyproc.ErrTimeout)
	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, second(lock.Acquire(ctx)), context.DeadlineExceeded)
	must(t, lock.Release())
	equal(t, one(lock.IsLocked())(t), false)
	equal(t, one(lock.Acquire(within(t)))(t), false)
	must(t, lock.Release())
}

func TestLockExcludes(t *testing.T) {
	lock := newLock(t)
	goroutines, rounds := 20, fewer(500)
	count := 0 // what the lock guards: the race detector watches it too
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			for range rounds {
				if _, err := lock.Acquire(within(t)); err != nil {
					t.Error(err)
					return
				}
				count++
				if err := lock.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	equal(t, count, goroutines*rounds)
}

func TestNamedSyncObjects(t *testing.T) {
	name := uniqueName(t)
	lock := one(polyproc.CreateLock(name, polyproc.Options{}))(t)
	defer lock.Close()
	twin := one(polyproc.OpenLock(name))(t)
	defer twin.Close()
	one(lock.TryAcquire())(t)
	must(t, twin.Release()) // any process may release it

	name = uniqueName(t)
	semaphore := one(polyproc.CreateSemaphore(name, polyproc.SemaphoreOptions{Initial: 1}))(t)
	defer semaphore.Close()
	semaphores := one(polyproc.OpenSemaphore(name))(t)
	defer semaphores.Close()
	must(t, semaphores.TryAcquire())
	wants(t, semaphore.TryAcquire(), polyproc.ErrTimeout)

	name = uniqueName(t)
	event := one(polyproc.CreateEvent(name, polyproc.Options{}))(t)
	defer event.Close()
	events := one(polyproc.OpenEvent(name))(t)
	defer events.Close()
	must(t, event.Set())
	equal(t, one(events.IsSet())(t), true)
}

func TestSemaphore(t *testing.T) {
	s := one(polyproc.NewSemaphore(polyproc.SemaphoreOptions{Initial: 2, Maximum: 3}))(t)
	defer s.Close()
	must(t, s.TryAcquire())
	must(t, s.Acquire(within(t)))
	wants(t, s.TryAcquire(), polyproc.ErrTimeout)
	equal(t, one(s.Value())(t), 0)
	acquired := make(chan error, 1)
	go func() { acquired <- s.Acquire(within(t)) }()
	must(t, s.Release(1))
	must(t, <-acquired)
	wants(t, s.Release(4), polyproc.ErrOverRelease)
	equal(t, one(s.Value())(t), 0)
	must(t, s.Release(3))
	equal(t, one(s.Value())(t), 3)
	wants(t, s.Release(-1), polyproc.ErrInvalid)
	wants(t, second(polyproc.NewSemaphore(polyproc.SemaphoreOptions{Initial: -1})), polyproc.ErrInvalid)
	wants(t, second(polyproc.NewSemaphore(polyproc.SemaphoreOptions{Initial: 2, Maximum: 1})), polyproc.ErrInvalid)
}

func TestEvent(t *testing.T) {
	e := one(polyproc.NewEvent())(t)
	defer e.Close()
	equal(t, one(e.IsSet())(t), false)
	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, e.Wait(ctx), context.DeadlineExceeded)
	must(t, e.Set())
	must(t, e.Wait(within(t)))
	must(t, e.Clear())
	equal(t, one(e.IsSet())(t), false)

	twin := one(polyproc.EventFromFile(one(e.File())(t)))(t)
	defer twin.Close()
	waited := make(chan error, 1)
	go func() { waited <- twin.Wait(within(t)) }()
	must(t, e.Set())
	must(t, <-waited)
}

// If the waiters took turns at a gate, all but one would not be in a wait when the event is set.
func TestSetThenClearWakesEveryWaiter(t *testing.T) {
	e := one(polyproc.NewEvent())(t)
	defer e.Close()
	for range fewer(40) {
		const waiters = 40
		woken := make(chan error, waiters)
		for range waiters {
			go func() { woken <- e.Wait(within(t)) }()
		}
		eventually(t, "all wait", func() bool { return polyproc.Users(e) >= waiters })
		must(t, e.Set())
		must(t, e.Clear())
		for range waiters {
			must(t, <-woken)
		}
	}
}

func TestEventWaiterThatGivesUpLeavesTheOthers(t *testing.T) {
	e := one(polyproc.NewEvent())(t)
	defer e.Close()
	ctx, cancel := context.WithCancel(context.Background())
	gaveUp, woken := make(chan error, 1), make(chan error, 1)
	go func() { gaveUp <- e.Wait(ctx) }()
	eventually(t, "the first waits", func() bool { return polyproc.Users(e) == 1 })
	go func() { woken <- e.Wait(within(t)) }()
	eventually(t, "both wait", func() bool { return polyproc.Users(e) == 2 })
	cancel()
	wants(t, <-gaveUp, context.Canceled)
	must(t, e.Set())
	must(t, <-woken)
	eventually(t, "nobody waits", func() bool { return polyproc.Users(e) == 0 })
}

package polyproc_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func newRLock(t testing.TB) *polyproc.RLock {
	t.Helper()
	l, err := polyproc.NewRLock()
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestRLock(t *testing.T) {
	l := newRLock(t)
	a, b := polyproc.NewOwner(), polyproc.NewOwner()
	wants(t, l.Release(a), polyproc.ErrNotOwner)
	equal(t, one(l.Acquire(within(t), a))(t), false)
	equal(t, one(l.TryAcquire(a))(t), false)
	equal(t, one(l.Depth())(t), 2)
	wants(t, second(l.TryAcquire(b)), polyproc.ErrTimeout)
	wants(t, l.Release(b), polyproc.ErrNotOwner)
	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, second(l.Acquire(ctx, b)), context.DeadlineExceeded)
	must(t, l.Release(a))
	wants(t, second(l.TryAcquire(b)), polyproc.ErrTimeout)
	acquired := make(chan error, 1)
	go func() { acquired <- second(l.Acquire(within(t), b)) }()
	inside(t, l, 1)
	must(t, l.Release(a))
	must(t, <-acquired)
	wants(t, l.Release(a), polyproc.ErrNotOwner)
	must(t, l.Release(b))
	equal(t, one(l.Depth())(t), 0)

	var nobody polyproc.Owner
	wants(t, second(l.Acquire(within(t), nobody)), polyproc.ErrInvalid)
	wants(t, second(l.TryAcquire(nobody)), polyproc.ErrInvalid)
	wants(t, l.Release(nobody), polyproc.ErrInvalid)
}

// Goroutines move between threads, so the thread cannot be the owner.
func TestRLockExcludesGoroutines(t *testing.T) {
	l := newRLock(t)
	goroutines, rounds := 20, fewer(300)
	count := 0 // what the lock guards: the race detector watches it too
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			me := polyproc.NewOwner()
			for range rounds {
				for range 2 {
					if _, err := l.Acquire(within(t), me); err != nil {
						t.Error(err)
						return
					}
				}
				count++
				for range 2 {
					if err := l.Release(me); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wait.Wait()
	equal(t, count, goroutines*rounds)
}

func TestNamedAndHandedOnRLock(t *testing.T) {
	name := uniqueName(t)
	l := one(polyproc.CreateRLock(name, polyproc.Options{}))(t)
	defer l.Close()
	me := polyproc.NewOwner()
	one(l.TryAcquire(me))(t)
	twin := one(polyproc.OpenRLock(name))(t)
	defer twin.Close()
	equal(t, one(twin.Depth())(t), 1)
	file := one(l.File())(t)
	defer file.Close()
	third := one(polyproc.RLockFromFile(file))(t)
	defer third.Close()
	must(t, third.Release(me)) // an owner is of the process, not of the handle
	wants(t, second(polyproc.OpenLock(name)), polyproc.ErrMismatch)
}

func init() {
	children["holds an rlock"] = func() error {
		l, err := polyproc.InheritedRLock("rlock")
		if err != nil {
			return err
		}
		defer l.Close() // or l is garbage before the kill, and its cleanup gives the lock back
		held, err := polyproc.InheritedEvent("held")
		if err != nil {
			return err
		}
		if _, err := l.Acquire(context.Background(), polyproc.NewOwner()); err != nil {
			return err
		}
		if err := held.Set(); err != nil {
			return err
		}
		select {}
	}
	children["holds a permit"] = func() error {
		s, err := polyproc.InheritedSemaphore("semaphore")
		if err != nil {
			return err
		}
		defer s.Close() // see above
		if err := s.Acquire(context.Background()); err != nil {
			return err
		}
		select {}
	}
}

func TestRLockOfAKilledProcessPassesOn(t *testing.T) {
	l := newRLock(t)
	held := one(polyproc.NewEvent())(t)
	defer held.Close()
	child := startChild(t, "holds an rlock", polyproc.ProcessOptions{
		Handles: map[string]polyproc.Handle{"rlock": l, "held": held}})
	must(t, held.Wait(within(t)))
	me := polyproc.NewOwner() // the same number as the child's owner
	wants(t, second(l.TryAcquire(me)), polyproc.ErrTimeout)
	must(t, child.Kill())
	equal(t, one(l.Acquire(within(t), me))(t), true)
	must(t, l.Release(me))
}

func TestOwnedPermitsOfTheKilledComeBack(t *testing.T) {
	const permits = 4
	s := one(polyproc.NewSemaphore(polyproc.SemaphoreOptions{Initial: permits, Maximum: permits, Owned: true}))(t)
	defer s.Close()
	var holders []*polyproc.Process
	for range permits {
		holders = append(holders, startChild(t, "holds a permit", polyproc.ProcessOptions{
			Handles: map[string]polyproc.Handle{"semaphore": s}}))
	}
	eventually(t, "all permits are taken", func() bool { return one(s.Value())(t) == 0 })
	wants(t, s.Release(1), polyproc.ErrNotOwner)
	acquired := make(chan error, permits)
	for range permits {
		go func() { acquired <- s.Acquire(within(t)) }()
	}
	inside(t, s, permits)
	for _, holder := range holders {
		must(t, holder.Kill())
	}
	for range permits {
		must(t, <-acquired)
	}
	must(t, s.Release(permits))
}

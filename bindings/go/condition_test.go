package polyproc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func newCondition(t testing.TB) *polyproc.Condition {
	t.Helper()
	c, err := polyproc.NewCondition()
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// startWaiters starts goroutines that wait at a condition, and returns once all of them do.
func startWaiters(t *testing.T, c *polyproc.Condition, lock *polyproc.Lock, n int) <-chan error {
	t.Helper()
	woken := make(chan error, n)
	for range n {
		go func() {
			if _, err := lock.Acquire(within(t)); err != nil {
				woken <- err
				return
			}
			_, err := c.Wait(within(t), lock)
			if err == nil {
				err = lock.Release()
			}
			woken <- err
		}()
	}
	// A waiter that has entered and released the lock has begun to wait.
	inside(t, c, int64(n))
	one(lock.Acquire(within(t)))(t)
	eventually(t, "all wait in C", func() bool { return polyproc.Waits(c) == n && sleepers(t) >= n })
	must(t, lock.Release())
	return woken
}

func TestCondition(t *testing.T) {
	c, lock := newCondition(t), newLock(t)
	wants(t, second(c.Wait(within(t), lock)), polyproc.ErrNotOwner)
	must(t, c.Notify(1)) // nobody waits: it is discarded
	woken := startWaiters(t, c, lock, 3)
	must(t, c.Notify(0))
	must(t, c.Notify(2))
	must(t, <-woken)
	must(t, <-woken)
	equal(t, polyproc.Users(c), int64(1))
	must(t, c.NotifyAll())
	must(t, <-woken)
	wants(t, c.Notify(-1), polyproc.ErrInvalid)
}

func TestConditionWaitThatEndsEarlyHoldsTheLock(t *testing.T) {
	c, lock := newCondition(t), newLock(t)
	one(lock.TryAcquire())(t)
	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, second(c.Wait(ctx, lock)), context.DeadlineExceeded)
	equal(t, one(lock.IsLocked())(t), true)

	returned := make(chan error, 1)
	go func() { returned <- second(c.Wait(within(t), lock)) }()
	eventually(t, "it waits", func() bool { return !one(lock.IsLocked())(t) })
	must(t, c.Close())
	wants(t, <-returned, polyproc.ErrClosed)
	equal(t, one(lock.IsLocked())(t), true)
	must(t, lock.Release())
	wants(t, c.Notify(1), polyproc.ErrClosed)
	wants(t, second(c.Wait(within(t), lock)), polyproc.ErrClosed)
}

// Each waiter takes a thread of the operating system, and Go ends a program with 10,000 of them.
func TestWaitsThatAreCountedHaveABound(t *testing.T) {
	lock, condition, barrier := newLock(t), newCondition(t), newBarrier(t, 2)
	undo := polyproc.TakeCountedThreads(1)
	defer undo()
	first := startParties(1, func() (int, error) { return barrier.Wait(within(t)) })
	eventually(t, "one waits", func() bool { return one(barrier.Waiting())(t) == 1 })
	one(lock.Acquire(within(t)))(t)
	wants(t, second(condition.Wait(within(t), lock)), polyproc.ErrLimit)
	equal(t, one(lock.IsLocked())(t), true)
	wants(t, second(barrier.Wait(within(t))), polyproc.ErrLimit)
	equal(t, one(barrier.IsBroken())(t), false)
	must(t, barrier.Abort())
	wants(t, (<-first).err, polyproc.ErrBrokenBarrier)
}

func TestCloseOfTheLockEndsAConditionWait(t *testing.T) {
	c, lock := newCondition(t), one(polyproc.NewLock())(t)
	one(lock.TryAcquire())(t)
	returned := make(chan error, 1)
	go func() { returned <- second(c.Wait(within(t), lock)) }()
	eventually(t, "it waits", func() bool { return !one(lock.IsLocked())(t) })
	must(t, lock.Close())
	wants(t, <-returned, polyproc.ErrClosed)
}

func TestConditionRestoresTheDepthOfAnRLock(t *testing.T) {
	c, lock := newCondition(t), newRLock(t)
	me, other := polyproc.NewOwner(), polyproc.NewOwner()
	wants(t, second(c.WaitRLock(within(t), lock, polyproc.Owner{})), polyproc.ErrInvalid)
	wants(t, second(c.WaitRLock(within(t), lock, me)), polyproc.ErrNotOwner)
	for range 3 {
		one(lock.TryAcquire(me))(t)
	}
	wants(t, second(c.WaitRLock(within(t), lock, other)), polyproc.ErrNotOwner)
	returned := make(chan error, 1)
	go func() { returned <- second(c.WaitRLock(within(t), lock, me)) }()
	one(lock.Acquire(within(t), other))(t) // it is released altogether
	must(t, c.NotifyAll())
	must(t, lock.Release(other))
	must(t, <-returned)
	equal(t, one(lock.Depth())(t), 3)
	for range 3 {
		must(t, lock.Release(me))
	}
}

func TestWaitForChecksUnderTheLock(t *testing.T) {
	c, lock := newCondition(t), newLock(t)
	stock := 0 // what the lock guards
	one(lock.TryAcquire())(t)
	go func() {
		for range 3 {
			if _, err := lock.Acquire(within(t)); err != nil {
				t.Error(err)
				return
			}
			stock++
			if err := c.Notify(1); err != nil {
				t.Error(err)
			}
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
		}
	}()
	equal(t, one(c.WaitFor(within(t), lock, func() bool { return stock == 3 }))(t), false)
	must(t, lock.Release())
}

func init() {
	children["waits at a condition"] = func() error {
		c, err := polyproc.InheritedCondition("condition")
		if err != nil {
			return err
		}
		lock, err := polyproc.InheritedLock("lock")
		if err != nil {
			return err
		}
		if _, err := lock.Acquire(context.Background()); err != nil {
			return err
		}
		_, err = c.Wait(context.Background(), lock)
		if err == nil {
			err = lock.Release()
		}
		return err
	}
}

// Python's notify waits for the answer of the woken.
func TestNotifyPassesByAKilledWaiter(t *testing.T) {
	c, lock := newCondition(t), newLock(t)
	one(lock.TryAcquire())(t)
	child := startChild(t, "waits at a condition", polyproc.ProcessOptions{
		Handles: map[string]polyproc.Handle{"condition": c, "lock": lock}})
	woken := make(chan error, 1)
	go func() {
		// The child takes the lock while this process waits, and releases it when it waits too.
		_, err := c.WaitFor(within(t), lock, func() bool { return one(child.IsAlive())(t) == false })
		woken <- err
	}()
	eventually(t, "both wait", func() bool {
		died, err := lock.TryAcquire()
		return err == nil && !died && func() bool { must(t, lock.Release()); return true }() && polyproc.Users(c) == 1
	})
	must(t, child.Kill())
	must(t, child.Join(within(t)))
	must(t, c.NotifyAll())
	must(t, <-woken)
}

func TestWaitForRLockChecksUnderTheLock(t *testing.T) {
	c, lock := newCondition(t), newRLock(t)
	me, other := polyproc.NewOwner(), polyproc.NewOwner()
	ready := false // what the lock guards
	one(lock.TryAcquire(me))(t)
	go func() {
		if _, err := lock.Acquire(within(t), other); err != nil {
			t.Error(err)
			return
		}
		ready = true
		if err := errors.Join(c.NotifyAll(), lock.Release(other)); err != nil {
			t.Error(err)
		}
	}()
	equal(t, one(c.WaitForRLock(within(t), lock, me, func() bool { return ready }))(t), false)
	must(t, lock.Release(me))
}

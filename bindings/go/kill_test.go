package polyproc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func init() {
	children["take and die"] = func() error {
		q, err := polyproc.InheritedQueue("jobs")
		if err != nil {
			return err
		}
		if _, err := q.Take(context.Background()); err != nil {
			return err
		}
		return die()
	}
	children["get and die"] = func() error {
		q, err := polyproc.InheritedQueue("jobs")
		if err != nil {
			return err
		}
		if _, err := q.Get(context.Background()); err != nil {
			return err
		}
		return die()
	}
	children["reserve and die"] = func() error {
		q, err := polyproc.InheritedQueue("jobs")
		if err != nil {
			return err
		}
		if _, err := q.Reserve(context.Background(), 100); err != nil {
			return err
		}
		return die()
	}
	children["lock and die"] = func() error {
		lock, err := polyproc.InheritedLock("lock")
		if err != nil {
			return err
		}
		if _, err := lock.Acquire(context.Background()); err != nil {
			return err
		}
		return die()
	}
	children["lock and stay"] = func() error {
		lock, err := polyproc.InheritedLock("lock")
		if err != nil {
			return err
		}
		if _, err := lock.Acquire(context.Background()); err != nil {
			return err
		}
		event, err := polyproc.InheritedEvent("locked")
		if err != nil {
			return err
		}
		if err := event.Set(); err != nil {
			return err
		}
		time.Sleep(limit)
		runtime.KeepAlive(lock)
		return errors.New("nobody killed it")
	}
}

// die kills this process with SIGKILL.
func die() error {
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGKILL); err != nil {
		return err
	}
	for {
		runtime.Gosched()
	}
}

func TestTaskOfAKilledConsumerIsDeliveredAgain(t *testing.T) {
	for _, how := range []string{"take and die", "get and die"} {
		q := newQueue(t, polyproc.QueueOptions{Joinable: true})
		must(t, q.TryPut([]byte("job")))
		child := startChild(t, how, polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"jobs": q}})
		exited(t, child, -int(syscall.SIGKILL))
		msg := one(q.Take(within(t)))(t)
		equal(t, string(msg.Data()), "job")
		equal(t, msg.Deliveries(), 2)
		must(t, msg.Done())
		must(t, q.Join(within(t)))
	}
}

func TestMessageTakenByAKilledConsumerIsDeliveredAgain(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	must(t, q.TryPut([]byte("message")))
	child := startChild(t, "take and die", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"jobs": q}})
	exited(t, child, -int(syscall.SIGKILL))
	again := one(q.Take(within(t)))(t)
	equal(t, again.Deliveries(), 2)
	must(t, again.Done())
}

func TestSlotOfAKilledProducerHoldsNobodyUp(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	child := startChild(t, "reserve and die", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"jobs": q}})
	exited(t, child, -int(syscall.SIGKILL))
	must(t, q.Put(within(t), []byte("behind it")))
	equal(t, string(one(q.Get(within(t)))(t)), "behind it")
	equal(t, one(q.Info())(t).Discarded, 1)
}

func TestLockOfAKilledHolderPassesOn(t *testing.T) {
	lock := newLock(t)
	child := startChild(t, "lock and die", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"lock": lock}})
	exited(t, child, -int(syscall.SIGKILL))
	equal(t, one(lock.Acquire(within(t)))(t), true)
	must(t, lock.Release())
	equal(t, one(lock.TryAcquire())(t), false)
}

func TestWaiterGetsTheLockOfAHolderThatIsKilled(t *testing.T) {
	lock := newLock(t)
	event := one(polyproc.NewEvent())(t)
	defer event.Close()
	child := startChild(t, "lock and stay", polyproc.ProcessOptions{
		Handles: map[string]polyproc.Handle{"lock": lock, "locked": event},
	})
	must(t, event.Wait(within(t)))
	died := make(chan bool, 1)
	go func() {
		ownerDied, err := lock.Acquire(within(t))
		if err != nil {
			t.Error(err)
		}
		died <- ownerDied
	}()
	eventually(t, "the waiter sleeps", func() bool { return sleepers(t) > 0 })
	start := time.Now()
	must(t, child.Kill())
	equal(t, <-died, true)
	if took := time.Since(start); took > 2*time.Second { // far more than a busy machine takes
		t.Errorf("the waiter went on %v after the kill", took)
	}
}

func init() {
	children["echo"] = func() error {
		in, err := polyproc.InheritedQueue("in")
		if err != nil {
			return err
		}
		out, err := polyproc.InheritedQueue("out")
		if err != nil {
			return err
		}
		for msg, err := range in.All(context.Background()) {
			if err != nil {
				return err
			}
			if err := out.Put(context.Background(), msg.Data()); err != nil {
				return err
			}
		}
		return nil
	}
}

// Workers are killed while they work; every task is done all the same.
func TestNoTaskIsLostWhenWorkersAreKilled(t *testing.T) {
	tasks := fewer(3000)
	in := newQueue(t, polyproc.QueueOptions{Joinable: true, MaxItems: 64})
	out := newQueue(t, polyproc.QueueOptions{})
	worker := func() *polyproc.Process {
		return startChild(t, "echo", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"in": in, "out": out}})
	}
	workers := []*polyproc.Process{worker(), worker()}
	for i := range tasks {
		if i > 0 && i%(tasks/6) == 0 {
			must(t, workers[0].Kill())
			workers = append(workers[1:], worker())
		}
		must(t, in.Put(within(t), fmt.Append(nil, i)))
	}
	must(t, in.Join(within(t)))
	must(t, in.Shutdown())
	for _, worker := range workers {
		exited(t, worker, 0)
	}
	done := map[string]bool{} // a task may be done twice: its worker died between put and done
	for one(out.Len())(t) > 0 {
		done[string(bytes.Clone(one(out.TryGet())(t)))] = true
	}
	equal(t, len(done), tasks)
}

package polyproc_test

// The examples of the book's page about Go: docs/book/reference/go.md includes them.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func TestBookNames(t *testing.T) {
	name := uniqueName(t)
	names := func() error {
		// ANCHOR: names
		options := polyproc.QueueOptions{Options: polyproc.Options{OpenOrCreate: true}}
		jobs, err := polyproc.CreateQueue(name, options)
		if err != nil {
			return err
		}
		defer jobs.Close()
		again, err := polyproc.OpenQueue(name) // in this process or in another one
		if err != nil {
			return err
		}
		defer again.Close()
		err = polyproc.Unlink(name) // open handles go on
		// ANCHOR_END: names
		must(t, jobs.TryPut([]byte("still here")))
		equal(t, string(one(again.TryGet())(t)), "still here")
		return err
	}
	must(t, names())
	_, err := polyproc.OpenQueue(name)
	wants(t, err, polyproc.ErrNotFound)
}

func TestBookQueue(t *testing.T) {
	ctx, seen := within(t), ""
	work := func(job []byte) { seen += string(job) }
	queue := func() error {
		// ANCHOR: queue
		jobs, err := polyproc.NewQueue(polyproc.QueueOptions{Joinable: true, MaxItems: 1000})
		if err != nil {
			return err
		}
		defer jobs.Close()
		if err := jobs.Put(ctx, []byte("cat.png")); err != nil {
			return err
		}
		jobs.Shutdown()                       // no more messages come
		for job, err := range jobs.All(ctx) { // the next round finishes the job
			if err != nil {
				return err
			}
			work(job.Data()) // killed here: another worker gets the job
		}
		return jobs.Join(ctx)
		// ANCHOR_END: queue
	}
	must(t, queue())
	equal(t, seen, "cat.png")
}

func TestBookSlot(t *testing.T) {
	ctx, jobs := within(t), newQueue(t, polyproc.QueueOptions{})
	slot := func() error {
		// ANCHOR: slot
		room, err := jobs.Reserve(ctx, 100) // written in place: no copy
		if err != nil {
			return err
		}
		if err := room.Commit(copy(room.Data(), "cat.png")); err != nil {
			return err
		}
		job, err := jobs.Take(ctx) // read in place
		if err != nil {
			return err
		}
		if job.Deliveries() > 3 {
			return job.Return()
		}
		return job.Done()
		// ANCHOR_END: slot
	}
	must(t, slot())
	equal(t, one(jobs.Len())(t), 0)
}

func TestBookValues(t *testing.T) {
	ctx := within(t)
	values := func() error {
		// ANCHOR: values
		type point struct{ X, Y float64 }
		points, err := polyproc.NewValueQueue[point](polyproc.QueueOptions{})
		if err != nil {
			return err
		}
		defer points.Close()
		if err := points.PutValue(ctx, point{1, 2}); err != nil {
			return err
		}
		got, err := points.GetValue(ctx)
		// ANCHOR_END: values
		equal(t, got, point{1, 2})
		return err
	}
	must(t, values())
}

func TestBookLocks(t *testing.T) {
	ctx, lock, repaired := within(t), newLock(t), false
	repair := func() { repaired = true }
	locks := func() error {
		// ANCHOR: lock
		ownerDied, err := lock.Acquire(ctx)
		if err != nil {
			return err
		}
		defer lock.Release()
		if ownerDied {
			repair() // a process was killed while it held the lock
		}
		// ANCHOR_END: lock
		rlock, err := polyproc.NewRLock()
		if err != nil {
			return err
		}
		defer rlock.Close()
		// ANCHOR: rlock
		me := polyproc.NewOwner() // of this task: a goroutine has no identity
		if _, err := rlock.Acquire(ctx, me); err != nil {
			return err
		}
		defer rlock.Release(me)
		_, err = rlock.TryAcquire(me) // again
		// ANCHOR_END: rlock
		equal(t, one(rlock.Depth())(t), 2)
		must(t, rlock.Release(me))
		return err
	}
	must(t, locks())
	equal(t, repaired, false)
}

func TestBookSemaphore(t *testing.T) {
	ctx := within(t)
	permits := func() error {
		// ANCHOR: semaphore
		options := polyproc.SemaphoreOptions{Initial: 4, Maximum: 4, Owned: true}
		licences, err := polyproc.NewSemaphore(options)
		if err != nil {
			return err
		}
		defer licences.Close()
		if err := licences.Acquire(ctx); err != nil {
			return err
		}
		defer licences.Release(1) // killed before: the permit comes back
		// ANCHOR_END: semaphore
		equal(t, one(licences.Value())(t), 3)
		return nil
	}
	must(t, permits())
}

func TestBookEventAndCondition(t *testing.T) {
	ctx, lock := within(t), newLock(t)
	flag := func() error {
		// ANCHOR: event
		ready, err := polyproc.NewEvent()
		if err != nil {
			return err
		}
		defer ready.Close()
		go ready.Set() // or in another process
		err = ready.Wait(ctx)
		// ANCHOR_END: event
		return err
	}
	must(t, flag())

	condition := func() error {
		changed, err := polyproc.NewCondition()
		if err != nil {
			return err
		}
		defer changed.Close()
		count := 1
		// ANCHOR: condition
		if _, err := lock.Acquire(ctx); err != nil {
			return err
		}
		defer lock.Release()
		_, err = changed.WaitFor(ctx, lock, func() bool { return count > 0 })
		// another process: takes the lock, changes the count, and calls changed.NotifyAll()
		// ANCHOR_END: condition
		return err
	}
	must(t, condition())
}

func TestBookBarrier(t *testing.T) {
	ctx := within(t)
	round := func() error {
		// ANCHOR: barrier
		barrier, err := polyproc.NewBarrier(2)
		if err != nil {
			return err
		}
		defer barrier.Close()
		go barrier.Wait(ctx) // or in another process
		index, err := barrier.Wait(ctx)
		// ANCHOR_END: barrier
		equal(t, index == 0 || index == 1, true)
		return err
	}
	must(t, round())
}

func TestBookPipe(t *testing.T) {
	ctx := within(t)
	ends := func() error {
		// ANCHOR: pipe
		here, there, err := polyproc.NewPipe()
		if err != nil {
			return err
		}
		defer here.Close()
		if err := there.Send(ctx, []byte("hello")); err != nil {
			return err
		}
		there.Close()
		for message, err := range here.All(ctx) { // until the end of file
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%s\n", message)
		}
		// ANCHOR_END: pipe
		return nil
	}
	must(t, ends())

	sockets := func() error {
		// ANCHOR: listener
		options := polyproc.SocketOptions{AuthKey: []byte("secret")}
		listener, err := polyproc.Listen("tcp://127.0.0.1:0", options)
		if err != nil {
			return err
		}
		defer listener.Close()
		go func() { // or in another process, also a Client of Python
			if client, err := polyproc.Connect(ctx, listener.Address(), options); err == nil {
				client.Send(ctx, []byte("hello"))
				client.Close()
			}
		}()
		server, err := listener.Accept(ctx)
		if err != nil {
			return err
		}
		defer server.Close()
		greeting, err := server.Recv(ctx)
		// ANCHOR_END: listener
		equal(t, string(greeting), "hello")
		return err
	}
	must(t, sockets())
}

func TestBookProcess(t *testing.T) {
	ctx, jobs := within(t), newQueue(t, polyproc.QueueOptions{})
	children := func() error {
		// ANCHOR: process
		child, err := polyproc.Spawn(polyproc.ProcessOptions{
			Args:    []string{"sh", "-c", "exit 3"},
			Handles: map[string]polyproc.Handle{"jobs": jobs}, // InheritedQueue("jobs") in the child
		})
		if err != nil {
			return err
		}
		defer child.Close()
		if err := child.Join(ctx); err != nil {
			return err
		}
		code, err := child.ExitCode() // -9: killed
		// ANCHOR_END: process
		equal(t, code, 3)
		return err
	}
	must(t, children())
}

func TestBookPool(t *testing.T) {
	ctx := within(t)
	tasks := func() error {
		// ANCHOR: pool
		// At the top level: var square = polyproc.Define("square",
		//     func(n int) (int, error) { return n * n, nil })
		pool, err := polyproc.NewPool(polyproc.PoolOptions{Workers: 2, MaxAttempts: 3})
		if err != nil {
			return err
		}
		defer pool.Terminate()
		squares, err := square.Map(ctx, pool, []int{1, 2, 3}, polyproc.MapOptions{})
		if err != nil {
			return err
		}
		pool.Close()
		err = pool.Join(ctx)
		// ANCHOR_END: pool
		equal(t, fmt.Sprint(squares), "[1 4 9]")
		return err
	}
	must(t, tasks())
}

func TestBookWaiting(t *testing.T) {
	jobs := newQueue(t, polyproc.QueueOptions{MaxItems: 1})
	wait := func() error {
		// ANCHOR: waiting
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ready, err := polyproc.WaitAny(ctx, jobs, jobs.PutSide())
		if err != nil {
			return err
		}
		for _, thing := range ready {
			switch thing {
			case jobs: // a get would not wait
			case jobs.PutSide(): // a put would not wait
			}
		}
		// ANCHOR_END: waiting
		equal(t, len(ready), 1)
		return nil
	}
	must(t, wait())
}

func TestBookErrors(t *testing.T) {
	said := ""
	report := func(text string) { said = text }
	// ANCHOR: errors
	_, err := polyproc.OpenQueue("no-such-queue")
	if failure := new(polyproc.Error); errors.As(err, &failure) {
		report(failure.Error()) // polyproc: open queue "no-such-queue": not found
	}
	isMissing := errors.Is(err, polyproc.ErrNotFound) // and errors.Is(err, fs.ErrNotExist)
	// ANCHOR_END: errors
	equal(t, isMissing, true)
	equal(t, said, `polyproc: open queue "no-such-queue": not found`)
}

package polyproc_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"time"

	"polyproc.dev/polyproc"
)

// A producer and its consumers, which may be other processes: they open the queue by its name.
func Example() {
	ctx := context.Background()
	q, err := polyproc.CreateQueue("go-example-buns", polyproc.QueueOptions{MaxItems: 10})
	if err != nil {
		log.Fatal(err)
	}
	defer polyproc.Unlink("go-example-buns")
	defer q.Close()

	go func() {
		for i := range 3 {
			if err := q.Put(ctx, fmt.Appendf(nil, "bun %d", i)); err != nil {
				log.Fatal(err)
			}
		}
		q.Shutdown() // the end of the stream, for any number of consumers
	}()

	for msg, err := range q.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", msg.Data())
	}
	// Output:
	// bun 0
	// bun 1
	// bun 2
}

func ExampleQueue_Get() {
	q, err := polyproc.NewQueue(polyproc.QueueOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()

	_, err = q.TryGet()
	fmt.Println(errors.Is(err, polyproc.ErrEmpty))

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = q.Get(ctx)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	q.TryPut([]byte("hello"))
	data, err := q.Get(context.Background())
	fmt.Println(string(data), err)
	// Output:
	// true
	// true
	// hello <nil>
}

// Values go through MessagePack, so a C, Go or Node program at the other end has its own.
func ExampleValueQueue() {
	type Order struct {
		Filling string `msgpack:"filling"`
		Buns    int    `msgpack:"buns"`
	}
	q, err := polyproc.NewValueQueue[Order](polyproc.QueueOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()

	ctx := context.Background()
	if err := q.PutValue(ctx, Order{Filling: "pork", Buns: 3}); err != nil {
		log.Fatal(err)
	}
	order, err := q.GetValue(ctx)
	fmt.Printf("%+v %v\n", order, err)
	// Output:
	// {Filling:pork Buns:3} <nil>
}

// A task is unfinished until it is settled. If this process died before, another one would get the
// task.
func ExampleQueue_Take() {
	tasks, err := polyproc.NewQueue(polyproc.QueueOptions{Joinable: true})
	if err != nil {
		log.Fatal(err)
	}
	defer tasks.Close()
	tasks.TryPut([]byte("sweep"))

	ctx := context.Background()
	task, err := tasks.Take(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, delivery %d\n", task.Data(), task.Deliveries())
	task.Return() // not now

	task, err = tasks.Take(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, delivery %d\n", task.Data(), task.Deliveries())
	task.Done()
	fmt.Println(tasks.Join(ctx))
	// Output:
	// sweep, delivery 1
	// sweep, delivery 2
	// <nil>
}

func ExampleQueue_Reserve() {
	q, err := polyproc.NewQueue(polyproc.QueueOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()

	slot, err := q.Reserve(context.Background(), 100)
	if err != nil {
		log.Fatal(err)
	}
	defer slot.Abort() // does nothing after Commit
	n := copy(slot.Data(), "written where it lies")
	if err := slot.Commit(n); err != nil {
		log.Fatal(err)
	}
	data, err := q.TryGet()
	fmt.Println(string(data), err)
	// Output:
	// written where it lies <nil>
}

func ExampleLock() {
	lock, err := polyproc.NewLock()
	if err != nil {
		log.Fatal(err)
	}
	defer lock.Close()

	ownerDied, err := lock.Acquire(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if ownerDied {
		fmt.Println("the last holder was killed: check what the lock guards")
	}
	fmt.Println("inside")
	lock.Release()
	// Output:
	// inside
}

func ExampleSpawn() {
	lines, err := polyproc.NewQueue(polyproc.QueueOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer lines.Close()

	child, err := polyproc.Spawn(polyproc.ProcessOptions{
		Args:   []string{"sh", "-c", "echo hello from $NAME; exit 3"},
		Env:    []string{"NAME=sh"},
		Stdout: polyproc.ToFile(os.Stdout),
		// A program that links polyproc finds it with InheritedQueue("lines").
		Handles: map[string]polyproc.Handle{"lines": lines},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer child.Close()
	if err := child.Join(context.Background()); err != nil {
		log.Fatal(err)
	}
	code, err := child.ExitCode()
	fmt.Println(code, err)
	// Output:
	// hello from sh
	// 3 <nil>
}

// Each task has an owner of its own, for a goroutine has no identity.
func ExampleRLock() {
	lock, err := polyproc.NewRLock()
	if err != nil {
		log.Fatal(err)
	}
	defer lock.Close()

	ctx, me := context.Background(), polyproc.NewOwner()
	lock.Acquire(ctx, me)
	lock.Acquire(ctx, me) // again: it is recursive
	fmt.Println(lock.Depth())
	lock.Release(me)
	fmt.Println(lock.Release(polyproc.NewOwner()))
	lock.Release(me)
	// Output:
	// 2 <nil>
	// polyproc: not the owner
}

// A waiter sleeps until another has changed the state that the lock guards and notifies it.
func ExampleCondition() {
	lock, err := polyproc.NewLock()
	if err != nil {
		log.Fatal(err)
	}
	defer lock.Close()
	baked, err := polyproc.NewCondition()
	if err != nil {
		log.Fatal(err)
	}
	defer baked.Close()

	ctx := context.Background()
	buns := 0
	go func() {
		lock.Acquire(ctx)
		buns = 3
		baked.NotifyAll()
		lock.Release()
	}()

	lock.Acquire(ctx)
	if _, err := baked.WaitFor(ctx, lock, func() bool { return buns > 0 }); err != nil {
		log.Fatal(err)
	}
	fmt.Println(buns, "buns")
	lock.Release()
	// Output:
	// 3 buns
}

// The last party to arrive acts for all of them.
func ExampleBarrier_WaitAction() {
	barrier, err := polyproc.NewBarrier(2)
	if err != nil {
		log.Fatal(err)
	}
	defer barrier.Close()

	ctx := context.Background()
	serve := func() error { fmt.Println("all are here: dinner is served"); return nil }
	other := make(chan error, 1)
	go func() {
		_, err := barrier.WaitAction(ctx, serve)
		other <- err
	}()
	_, err = barrier.WaitAction(ctx, serve)
	fmt.Println(err, <-other)
	// Output:
	// all are here: dinner is served
	// <nil> <nil>
}

func ExampleNewPipe() {
	here, there, err := polyproc.NewPipe()
	if err != nil {
		log.Fatal(err)
	}
	defer here.Close()

	ctx := context.Background()
	there.SendValue(ctx, []any{"hello", 88, []byte("World!")})
	there.Close()

	list, err := polyproc.RecvValue[[]any](ctx, here)
	fmt.Printf("%q %v\n", list, err)
	_, err = here.Recv(ctx)
	fmt.Println(errors.Is(err, polyproc.ErrEOF))
	// Output:
	// ["hello" 'X' "World!"] <nil>
	// true
}

func ExampleWaitAny() {
	orders, err := polyproc.NewQueue(polyproc.QueueOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer orders.Close()
	closing, err := polyproc.NewEvent()
	if err != nil {
		log.Fatal(err)
	}
	defer closing.Close()

	closing.Set()
	ready, err := polyproc.WaitAny(context.Background(), orders, closing)
	if err != nil {
		log.Fatal(err)
	}
	for _, thing := range ready {
		switch thing {
		case orders:
			fmt.Println("an order")
		case closing:
			fmt.Println("closing time")
		}
	}
	// Output:
	// closing time
}

// The workers are this program again: it calls Main at the start of main, and has registered the
// functions with Define before.
func ExamplePool() {
	pool, err := polyproc.NewPool(polyproc.PoolOptions{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Terminate()

	ctx := context.Background()
	fmt.Println(square.Apply(ctx, pool, 7))
	fmt.Println(square.Map(ctx, pool, []int{1, 2, 3}, polyproc.MapOptions{}))
	for n, err := range square.Imap(ctx, pool, slices.Values([]int{4, 5}), polyproc.MapOptions{}) {
		fmt.Println(n, err)
	}
	pool.Close()
	fmt.Println(pool.Join(ctx))
	// Output:
	// 49 <nil>
	// [1 4 9] <nil>
	// 16 <nil>
	// 25 <nil>
	// <nil>
}

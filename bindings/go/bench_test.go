package polyproc_test

import (
	"context"
	"fmt"
	"testing"

	"polyproc.dev/polyproc"
)

// testing's Helper costs more than a call of the library, so there is no must in the loops.
//
// For benchstat: go test -run '^$' -bench . -count 10

func init() {
	children["drain"] = func() error {
		q, err := polyproc.InheritedQueue("queue")
		if err != nil {
			return err
		}
		buf := make([]byte, 1<<20)
		for {
			if _, err := q.GetInto(context.Background(), buf); err == polyproc.ErrShutdown {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	children["ping"] = func() error {
		there, err := polyproc.InheritedQueue("there")
		if err != nil {
			return err
		}
		back, err := polyproc.InheritedQueue("back")
		if err != nil {
			return err
		}
		buf := make([]byte, 64)
		for {
			n, err := there.GetInto(context.Background(), buf)
			if err == polyproc.ErrShutdown {
				return nil
			} else if err != nil {
				return err
			}
			if err := back.Put(context.Background(), buf[:n]); err != nil {
				return err
			}
		}
	}
	children["drain many"] = func() error {
		q, err := polyproc.InheritedQueue("queue")
		if err != nil {
			return err
		}
		for {
			batch, err := q.TakeMany(context.Background(), 32)
			if err == polyproc.ErrShutdown {
				return nil
			} else if err != nil {
				return err
			}
			if err := polyproc.DoneMany(batch); err != nil {
				return err
			}
		}
	}
}

// Put and get in one goroutine: the cost of the calls.
func BenchmarkPutGet(b *testing.B) {
	for _, size := range []int{8, 64, 1024, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			q := newQueue(b, polyproc.QueueOptions{MaxItems: 1024})
			message, buf := make([]byte, size), make([]byte, size)
			ctx := within(b)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := q.Put(ctx, message); err != nil {
					b.Fatal(err)
				}
				if _, err := q.GetInto(ctx, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// To another process. The consumer waits when the queue is empty, the producer when it is full.
func BenchmarkProcessToProcess(b *testing.B) {
	for _, size := range []int{8, 64, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			q := newQueue(b, polyproc.QueueOptions{MaxItems: 1024})
			child := startChild(b, "drain", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"queue": q}})
			message := make([]byte, size)
			ctx := context.Background()
			must(b, q.Put(ctx, message))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := q.Put(ctx, message); err != nil {
					b.Fatal(err)
				}
			}
			must(b, q.Shutdown())
			exited(b, child, 0)
		})
	}
}

// To another process and back: the cost of the first look at an empty queue.
func BenchmarkPingPong(b *testing.B) {
	there, back := newQueue(b, polyproc.QueueOptions{}), newQueue(b, polyproc.QueueOptions{})
	child := startChild(b, "ping", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"there": there, "back": back}})
	message, buf := make([]byte, 64), make([]byte, 64)
	ctx := context.Background()
	for b.Loop() {
		if err := there.Put(ctx, message); err != nil {
			b.Fatal(err)
		}
		if _, err := back.GetInto(ctx, buf); err != nil {
			b.Fatal(err)
		}
	}
	must(b, there.Shutdown())
	exited(b, child, 0)
}

func BenchmarkManyProcessToProcess(b *testing.B) {
	const batch = 32
	q := newQueue(b, polyproc.QueueOptions{MaxItems: 1024})
	child := startChild(b, "drain many", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"queue": q}})
	items := make([][]byte, batch)
	for i := range items {
		items[i] = make([]byte, 64)
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.PutMany(ctx, items); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/message")
	must(b, q.Shutdown())
	exited(b, child, 0)
}

func BenchmarkPutManyTakeMany(b *testing.B) {
	const batch = 32
	q := newQueue(b, polyproc.QueueOptions{MaxItems: 1024})
	items := make([][]byte, batch)
	for i := range items {
		items[i] = make([]byte, 64)
	}
	ctx := within(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.PutMany(ctx, items); err != nil {
			b.Fatal(err)
		}
		for taken := 0; taken < batch; {
			messages, err := q.TakeMany(ctx, batch)
			if err != nil {
				b.Fatal(err)
			}
			if err := polyproc.DoneMany(messages); err != nil {
				b.Fatal(err)
			}
			taken += len(messages)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/message")
}

func BenchmarkTakeDone(b *testing.B) {
	q := newQueue(b, polyproc.QueueOptions{MaxItems: 1024})
	message := make([]byte, 64)
	ctx := within(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := q.Put(ctx, message); err != nil {
			b.Fatal(err)
		}
		msg, err := q.Take(ctx)
		if err == nil {
			err = msg.Done()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValue(b *testing.B) {
	q := newValues[result](b)
	value := result{Path: "/usr/include/stdio.h", Lines: 1000, Counts: map[string]int{"int": 5, "char": 7}}
	ctx := within(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := q.PutValue(ctx, value); err != nil {
			b.Fatal(err)
		}
		if _, err := q.GetValue(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLock(b *testing.B) {
	lock := newLock(b)
	ctx := within(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := lock.Acquire(ctx); err != nil {
			b.Fatal(err)
		}
		if err := lock.Release(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLockContended(b *testing.B) {
	lock := newLock(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := lock.Acquire(context.Background()); err != nil {
				b.Error(err)
				return
			}
			if err := lock.Release(); err != nil {
				b.Error(err)
			}
		}
	})
}

// A message as a slice of its own.
func BenchmarkPutGetSlice(b *testing.B) {
	q := newQueue(b, polyproc.QueueOptions{MaxItems: 1024})
	message := make([]byte, 64)
	ctx := within(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := q.Put(ctx, message); err != nil {
			b.Fatal(err)
		}
		if _, err := q.Get(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

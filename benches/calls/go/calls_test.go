package calls

import (
	"context"
	"testing"

	"polyproc.dev/polyproc"
)

const size = 64

func newQueue(b *testing.B) Queue {
	q, status := NewQueue()
	if status < 0 {
		b.Fatal("status", status)
	}
	b.Cleanup(q.Close)
	return q
}

// A put and a get of 64 bytes, from what cgo takes for nothing to what the binding takes.
func BenchmarkBareCalls(b *testing.B) {
	message, buf := make([]byte, size), make([]byte, size)
	b.Run("two that do nothing", func(b *testing.B) {
		for b.Loop() {
			Nothing()
			Nothing()
		}
	})
	b.Run("put + get within C", func(b *testing.B) {
		q := newQueue(b)
		b.ResetTimer()
		if status := q.PutAndGet(b.N, message, buf); status < 0 {
			b.Fatal("status", status)
		}
	})
	b.Run("put + get", func(b *testing.B) {
		q := newQueue(b)
		for b.Loop() {
			if status := q.Put(message); status < 0 {
				b.Fatal("status", status)
			}
			if _, status := q.Get(buf); status < 0 {
				b.Fatal("status", status)
			}
		}
	})
	b.Run("put + get with results", func(b *testing.B) {
		q := newQueue(b)
		for b.Loop() {
			if status := q.PutWithResult(message); status < 0 {
				b.Fatal("status", status)
			}
			if _, status := q.GetWithResult(buf); status < 0 {
				b.Fatal("status", status)
			}
		}
	})
	b.Run("put + get by the binding", func(b *testing.B) {
		q, err := polyproc.NewQueue(polyproc.QueueOptions{MaxItems: 1024})
		if err != nil {
			b.Fatal(err)
		}
		defer q.Close()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
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

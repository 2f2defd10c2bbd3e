//go:build !race && !polyproc_gc

// The race detector allocates memory of its own, and a collection empties the pools.

package polyproc_test

import (
	"testing"

	"polyproc.dev/polyproc"
)

func TestFastPathsTakeNoMemory(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{Joinable: true})
	plain := newQueue(t, polyproc.QueueOptions{})
	lock := newLock(t)
	ctx := within(t)
	message, buf := make([]byte, 64), make([]byte, 64)
	batch := make([][]byte, 32)
	for i := range batch {
		batch[i] = message
	}
	for name, call := range map[string]func(){
		"Put, GetInto": func() {
			must(t, plain.Put(ctx, message))
			one(plain.GetInto(ctx, buf))(t)
		},
		"TryPut, TryGetInto": func() {
			must(t, plain.TryPut(message))
			one(plain.TryGetInto(buf))(t)
		},
		"a try that finds nothing": func() { wants(t, second(plain.TryGetInto(buf)), polyproc.ErrEmpty) },
		"TaskDone, Join": func() {
			must(t, q.TryPut(message))
			one(q.TryGetInto(buf))(t)
			must(t, q.TaskDone())
			must(t, q.Join(ctx))
		},
		"PutMany": func() {
			one(q.PutMany(ctx, batch))(t)
			for range batch {
				one(q.TryGetInto(buf))(t)
				must(t, q.TaskDone())
			}
		},
		"Acquire, Release": func() {
			one(lock.Acquire(ctx))(t)
			must(t, lock.Release())
		},
	} {
		if allocs := testing.AllocsPerRun(200, call); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
	// These calls allocate what they return, and nothing else.
	for name, row := range map[string]struct {
		most float64
		call func()
	}{
		"Put, Get":   {1, func() { must(t, plain.Put(ctx, message)); one(plain.Get(ctx))(t) }},
		"Take, Done": {1, func() { must(t, plain.Put(ctx, message)); must(t, one(plain.Take(ctx))(t).Done()) }},
	} {
		if allocs := testing.AllocsPerRun(200, row.call); allocs > row.most {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

package polyproc_test

import (
	"context"
	"testing"

	"polyproc.dev/polyproc"
)

func init() {
	polyproc.Register("nothing", func([]byte) ([]byte, error) { return nil, nil })
}

// One task after the other: the time there and back.
func BenchmarkPoolApply(b *testing.B) {
	pool := newPool(b, polyproc.PoolOptions{})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pool.Apply(ctx, "nothing", nil); err != nil {
			b.Fatal(err)
		}
	}
}

// Many tasks at once, the time for each: 1,000 are submitted, and then their results awaited.
func BenchmarkPoolSubmit(b *testing.B) {
	pool := newPool(b, polyproc.PoolOptions{})
	ctx := context.Background()
	tasks := make([]*polyproc.Task, 0, 1000)
	await := func() {
		for _, task := range tasks {
			if _, err := task.Result(ctx); err != nil {
				b.Fatal(err)
			}
		}
		tasks = tasks[:0]
	}
	b.ReportAllocs()
	for b.Loop() {
		task, err := pool.Submit("nothing", nil)
		if err != nil {
			b.Fatal(err)
		}
		if tasks = append(tasks, task); len(tasks) == cap(tasks) {
			await()
		}
	}
	await()
}

func BenchmarkPoolMapInChunks(b *testing.B) {
	pool := newPool(b, polyproc.PoolOptions{})
	ctx := context.Background()
	items := make([][]byte, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pool.Map(ctx, "nothing", items, polyproc.MapOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(items)), "ns/item")
}

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

// Many tasks at once.
func BenchmarkPoolSubmit(b *testing.B) {
	pool := newPool(b, polyproc.PoolOptions{})
	ctx := context.Background()
	tasks := make([]*polyproc.Task, 1000)
	b.ReportAllocs()
	for b.Loop() {
		for i := range tasks {
			task, err := pool.Submit("nothing", nil)
			if err != nil {
				b.Fatal(err)
			}
			tasks[i] = task
		}
		for _, task := range tasks {
			if _, err := task.Result(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(tasks)), "ns/task")
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

//go:build ignore

// A queue with a name that main makes and the tasks of a pool open: one writes into it, the other
// reads. In Python it takes a Manager, another process; here a name is enough.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

var ctx = context.Background()

var writer = polyproc.Define("writer", func(name string) (any, error) {
	queue := example.Must(polyproc.OpenQueue(name))
	defer queue.Close()
	for _, letter := range "dongGe" {
		fmt.Printf("writer puts %c\n", letter)
		example.Check(queue.Put(ctx, []byte(string(letter))))
	}
	return nil, nil
})

var reader = polyproc.Define("reader", func(name string) (any, error) {
	queue := example.Must(polyproc.OpenQueue(name))
	defer queue.Close()
	for {
		letter, err := queue.TryGet()
		if errors.Is(err, polyproc.ErrEmpty) {
			return nil, nil
		}
		example.Check(err)
		fmt.Printf("reader gets %s\n", letter)
	}
})

func main() {
	polyproc.Main()
	name := fmt.Sprintf("pool_queue.%d", os.Getpid())
	queue := example.Must(polyproc.CreateQueue(name, polyproc.QueueOptions{}))
	defer queue.Close()
	defer polyproc.Unlink(name)
	pool := example.Must(polyproc.NewPool(polyproc.PoolOptions{}))

	example.Must(writer.Apply(ctx, pool, name))
	example.Must(reader.Apply(ctx, pool, name))

	example.Check(pool.Close())
	example.Check(pool.Join(ctx))
}

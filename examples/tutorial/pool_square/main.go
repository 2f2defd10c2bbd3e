//go:build ignore

// A pool of four workers: two squares one after the other, then both at once. The workers are this
// program once more, which is why it calls Main first.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

// square runs in a worker.
var square = polyproc.Define("square", func(number int) (int, error) {
	fmt.Println("worker squares", number)
	example.Nap(1)
	return number * number, nil
})

func main() {
	polyproc.Main()
	ctx := context.Background()
	pool := example.Must(polyproc.NewPool(polyproc.PoolOptions{Workers: 4}))

	fmt.Println("one after the other")
	fmt.Println("main got", example.Must(square.Apply(ctx, pool, 2)))
	fmt.Println("main got", example.Must(square.Apply(ctx, pool, 3)))

	fmt.Println("both at once")
	two := example.Must(square.Submit(pool, 2))
	three := example.Must(square.Submit(pool, 3))
	fmt.Println("main got", example.Must(two.Value(ctx)))
	fmt.Println("main got", example.Must(three.Value(ctx)))

	example.Check(pool.Close())
	example.Check(pool.Join(ctx))
}

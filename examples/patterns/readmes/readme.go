//go:build ignore

// The programs of bindings/go/README.md, whole.
package main

import (
	"context"
	"fmt"
	"log"

	"polyproc.dev/polyproc"
)

func work(data []byte) { fmt.Printf("works on %s\n", data) }

func consume(ctx context.Context) error {
	q, err := polyproc.CreateQueue("book.work", polyproc.QueueOptions{Joinable: true, MaxItems: 1000})
	if err != nil {
		return err
	}
	defer q.Close()
	defer polyproc.Unlink("book.work")
	if err := another(ctx); err != nil {
		return err
	}
	// another process, in any language, opens "book.work" and puts

	for msg, err := range q.All(ctx) { // until someone calls Shutdown
		if err != nil {
			return err
		}
		work(msg.Data()) // if this process is killed here, another one gets the message
	}
	return nil
}

func another(ctx context.Context) error {
	q, err := polyproc.OpenQueue("book.work")
	if err != nil {
		return err
	}
	defer q.Close()
	if err := q.Put(ctx, []byte("a message")); err != nil {
		return err
	}
	return q.Shutdown()
}

var square = polyproc.Define("square", func(n int) (int, error) { return n * n, nil })

func main() {
	polyproc.Main() // in a worker it runs tasks and does not return
	pool, err := polyproc.NewPool(polyproc.PoolOptions{Workers: 4})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	ctx := context.Background()
	squares, err := square.Map(ctx, pool, []int{1, 2, 3}, polyproc.MapOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(squares)
	if err := consume(ctx); err != nil {
		log.Fatal(err)
	}
}

//go:build ignore

// A consumer learns that no more buns come: the producer puts an end mark after its last one. nil
// is a message like any other, so it can be the mark; the values of the queue are therefore `any`.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

var ctx = context.Background()

func main() {
	switch example.Role() {
	case "producer":
		produce()
	case "consumer":
		consume()
	default:
		start()
	}
}

func start() {
	queue := example.Must(polyproc.NewValueQueue[any](polyproc.QueueOptions{}))
	defer queue.Close()
	handles := example.Handles{"queue": queue}

	producer, consumer := example.Start(handles, "producer"), example.Start(handles, "consumer")
	producerCode, consumerCode := example.Finish(producer), example.Finish(consumer)
	fmt.Println("producer exited with", producerCode)
	fmt.Println("consumer exited with", consumerCode)
}

func produce() {
	queue := example.Must(polyproc.InheritedValueQueue[any]("queue"))
	for i := range 10 {
		bun := fmt.Sprint("包子 ", i)
		fmt.Println("producer puts", bun)
		example.Check(queue.PutValue(ctx, bun))
		example.Nap(0.1)
	}
	fmt.Println("producer puts the end mark")
	example.Check(queue.PutValue(ctx, nil))
}

func consume() {
	queue := example.Must(polyproc.InheritedValueQueue[any]("queue"))
	for {
		bun := example.Must(queue.GetValue(ctx))
		if bun == nil {
			fmt.Println("consumer gets the end mark")
			return
		}
		fmt.Println("consumer gets", bun)
	}
}

//go:build ignore

// As sentinel_child, but main puts the end mark, once the producer has ended.
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
	fmt.Println("producer exited with", example.Finish(producer))
	fmt.Println("main puts the end mark")
	example.Check(queue.PutValue(ctx, nil))
	fmt.Println("consumer exited with", example.Finish(consumer))
}

func produce() {
	queue := example.Must(polyproc.InheritedValueQueue[any]("queue"))
	for i := range 10 {
		bun := fmt.Sprint("包子 ", i)
		fmt.Println("producer puts", bun)
		example.Check(queue.PutValue(ctx, bun))
		example.Nap(0.1)
	}
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

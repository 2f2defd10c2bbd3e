//go:build ignore

// One producer, one consumer, one message: two processes that run at once and share a queue.
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
	queue := example.Must(polyproc.NewValueQueue[int](polyproc.QueueOptions{}))
	defer queue.Close()
	handles := example.Handles{"queue": queue}

	producer := example.Start(handles, "producer")
	consumer := example.Start(handles, "consumer")
	producerCode, consumerCode := example.Finish(producer), example.Finish(consumer)
	fmt.Println("producer exited with", producerCode)
	fmt.Println("consumer exited with", consumerCode)
}

func produce() {
	queue := example.Must(polyproc.InheritedValueQueue[int]("queue"))
	fmt.Println("producer puts", 1)
	example.Check(queue.PutValue(ctx, 1))
}

func consume() {
	queue := example.Must(polyproc.InheritedValueQueue[int]("queue"))
	fmt.Println("consumer gets", example.Must(queue.GetValue(ctx)))
}

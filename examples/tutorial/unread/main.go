//go:build ignore

// Messages that nobody reads delay no process: the producer exits with ten of them in the queue,
// and so does main.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

var ctx = context.Background()

func main() {
	if example.Role() == "producer" {
		produce()
		return
	}
	queue := example.Must(polyproc.NewValueQueue[int](polyproc.QueueOptions{}))
	defer queue.Close()

	producer := example.Start(example.Handles{"queue": queue}, "producer")
	fmt.Println("producer exited with", example.Finish(producer))
	fmt.Println("main ends,", example.Must(queue.Len()), "messages are unread")
}

func produce() {
	queue := example.Must(polyproc.InheritedValueQueue[int]("queue"))
	for i := range 10 {
		example.Check(queue.PutValue(ctx, i))
	}
	fmt.Println("producer put 10 messages")
}

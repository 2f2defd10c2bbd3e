//go:build ignore

// The writer has ended before the reader starts. All its messages are there: the reader can get
// while the queue is not empty, because no other process gets.
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
	case "writer":
		write()
	case "reader":
		read()
	default:
		queue := example.Must(polyproc.NewValueQueue[string](polyproc.QueueOptions{}))
		defer queue.Close()
		handles := example.Handles{"queue": queue}

		fmt.Println("writer exited with", example.Finish(example.Start(handles, "writer")))
		fmt.Println("reader exited with", example.Finish(example.Start(handles, "reader")))
	}
}

func write() {
	queue := example.Must(polyproc.InheritedValueQueue[string]("queue"))
	for _, letter := range []string{"A", "B", "C"} {
		fmt.Println("writer puts", letter)
		example.Check(queue.PutValue(ctx, letter))
	}
}

func read() {
	queue := example.Must(polyproc.InheritedValueQueue[string]("queue"))
	for !example.Must(queue.IsEmpty()) {
		fmt.Println("reader gets", example.Must(queue.GetValue(ctx)))
	}
}

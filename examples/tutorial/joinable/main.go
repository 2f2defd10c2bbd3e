//go:build ignore

// A joinable queue knows what was got and is not finished: each producer waits in Join until all
// buns are eaten. The consumers wait for more for ever; they are daemonic, so they go when main
// ends.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

const (
	producers = 3
	consumers = 2
)

var ctx = context.Background()

func main() {
	switch example.Role() {
	case "producer":
		produce(example.Number())
	case "consumer":
		consume(example.Number())
	default:
		start()
	}
}

func start() {
	queue := example.Must(polyproc.NewValueQueue[string](polyproc.QueueOptions{Joinable: true}))
	defer queue.Close()
	handles := example.Handles{"queue": queue}

	var producing []*polyproc.Process
	for i := range producers {
		producing = append(producing, example.Start(handles, "producer", i))
	}
	for i := range consumers {
		defer example.StartDaemon(handles, "consumer", i).Close()
	}
	example.FinishAll(producing...)
	fmt.Println("main ends")
}

func produce(n int) {
	queue := example.Must(polyproc.InheritedValueQueue[string]("queue"))
	for i := range 10 {
		example.Check(queue.PutValue(ctx, fmt.Sprintf("包子 %d.%d", n, i)))
	}
	fmt.Printf("producer %d: 生产结束\n", n)
	example.Check(queue.Join(ctx))
	fmt.Printf("producer %d: 生产结束~~~~~~\n", n)
}

func consume(n int) {
	queue := example.Must(polyproc.InheritedValueQueue[string]("queue"))
	for {
		fmt.Printf("consumer %d gets %s\n", n, example.Must(queue.GetValue(ctx)))
		example.Nap(0.1)
		example.Check(queue.TaskDone())
	}
}

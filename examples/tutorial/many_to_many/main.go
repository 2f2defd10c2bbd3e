//go:build ignore

// Three producers, two consumers, and two ways to end: an end mark for each consumer, which main
// has to count, and shutdown, once, for any number of consumers.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

const (
	producers = 3
	buns      = 4
	consumers = 2
)

var ctx = context.Background()

func main() {
	switch example.Role() {
	case "producer":
		produce(example.Number())
	case "consumer to the mark":
		consumeToMark(example.Number())
	case "consumer to the end":
		consumeToEnd(example.Number())
	default:
		fmt.Println("with an end mark for each consumer")
		run("consumer to the mark", func(queue *polyproc.ValueQueue[any]) {
			for range consumers {
				fmt.Println("main puts an end mark")
				example.Check(queue.PutValue(ctx, nil))
			}
		})
		fmt.Println("with shutdown")
		run("consumer to the end", func(queue *polyproc.ValueQueue[any]) {
			fmt.Println("main shuts the queue down")
			example.Check(queue.Shutdown())
		})
	}
}

func run(consumer string, end func(*polyproc.ValueQueue[any])) {
	queue := example.Must(polyproc.NewValueQueue[any](polyproc.QueueOptions{}))
	defer queue.Close()
	handles := example.Handles{"queue": queue}

	var producing, consuming []*polyproc.Process
	for i := range producers {
		producing = append(producing, example.Start(handles, "producer", i))
	}
	for i := range consumers {
		consuming = append(consuming, example.Start(handles, consumer, i))
	}
	example.FinishAll(producing...)
	end(queue)
	example.FinishAll(consuming...)
	fmt.Println("all exited with 0")
}

func inherited() *polyproc.ValueQueue[any] {
	return example.Must(polyproc.InheritedValueQueue[any]("queue"))
}

func produce(n int) {
	queue := inherited()
	for i := range buns {
		bun := fmt.Sprintf("包子 %d.%d", n, i)
		fmt.Printf("producer %d puts %s\n", n, bun)
		example.Check(queue.PutValue(ctx, bun))
		example.Nap(0.1)
	}
}

func consumeToMark(n int) {
	queue := inherited()
	for {
		bun := example.Must(queue.GetValue(ctx))
		if bun == nil {
			fmt.Printf("consumer %d gets an end mark\n", n)
			return
		}
		fmt.Printf("consumer %d gets %s\n", n, bun)
		example.Nap(0.1)
	}
}

// The loop ends when the queue is shut down and drained.
func consumeToEnd(n int) {
	for bun, err := range inherited().AllValues(ctx) {
		example.Check(err)
		fmt.Printf("consumer %d gets %s\n", n, bun.Value)
		example.Nap(0.1)
	}
	fmt.Printf("consumer %d sees the shutdown\n", n)
}

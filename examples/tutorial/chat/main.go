//go:build ignore

// First in, first out, with any producers and consumers: main's message goes to f2, f's message to
// main.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

var ctx = context.Background()

type texts = *polyproc.ValueQueue[string]

func main() {
	switch example.Role() {
	case "f":
		say("f", inherited(), "姑娘,多少钱~")
	case "f2":
		hear("f2", inherited())
	default:
		queue := example.Must(polyproc.NewValueQueue[string](polyproc.QueueOptions{}))
		defer queue.Close()
		handles := example.Handles{"queue": queue}

		say("main", queue, "小鬼")
		example.FinishAll(example.Start(handles, "f"))
		example.FinishAll(example.Start(handles, "f2"))
		hear("main", queue)
	}
}

func inherited() texts { return example.Must(polyproc.InheritedValueQueue[string]("queue")) }

func say(who string, queue texts, text string) {
	fmt.Println(who, "puts", text)
	example.Check(queue.PutValue(ctx, text))
}

func hear(who string, queue texts) {
	fmt.Println(who, "gets", example.Must(queue.GetValue(ctx)))
}

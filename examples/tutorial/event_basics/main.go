//go:build ignore

// An event from not set to set: main waits until a child sets it.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

func main() {
	if example.Role() == "child" {
		event := example.Must(polyproc.InheritedEvent("event"))
		example.Nap(1)
		fmt.Println("child sets the event")
		example.Check(event.Set())
		return
	}
	event := example.Must(polyproc.NewEvent())
	defer event.Close()

	fmt.Println("is_set:", example.Must(event.IsSet()))
	fmt.Println("look here!")
	child := example.Start(example.Handles{"event": event}, "child")
	example.Check(event.Wait(context.Background()))
	fmt.Println("give me!!")
	fmt.Println("is_set:", example.Must(event.IsSet()))
	example.FinishAll(child)
}

//go:build ignore

// A hundred processes write to one terminal. Each writes its line in two pieces; the lock keeps
// them together.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

func main() {
	if example.Role() == "hello" {
		hello(example.Number())
		return
	}
	lock := example.Must(polyproc.NewLock())
	defer lock.Close()

	var processes []*polyproc.Process
	for i := range 100 {
		processes = append(processes, example.Start(example.Handles{"lock": lock}, "hello", i))
	}
	example.FinishAll(processes...)
}

func hello(n int) {
	lock := example.Must(polyproc.InheritedLock("lock"))
	example.Must(lock.Acquire(context.Background()))
	fmt.Print("hello from ")
	fmt.Println("process", n)
	example.Check(lock.Release())
}

//go:build ignore

// A karaoke bar with four rooms and thirteen guests: a semaphore lets four in, and the next when
// one goes.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

const (
	rooms  = 4
	guests = 13
)

func main() {
	if example.Role() == "guest" {
		sing(example.Number())
		return
	}
	free := example.Must(polyproc.NewSemaphore(polyproc.SemaphoreOptions{Initial: rooms, Maximum: rooms}))
	defer free.Close()

	var singing []*polyproc.Process
	for i := range guests {
		singing = append(singing, example.Start(example.Handles{"rooms": free}, "guest", i))
	}
	example.FinishAll(singing...)
	fmt.Println(example.Must(free.Value()), "rooms are free")
}

func sing(n int) {
	rooms := example.Must(polyproc.InheritedSemaphore("rooms"))
	example.Check(rooms.Acquire(context.Background()))
	fmt.Printf("guest %d comes in\n", n)
	example.Nap(0.2)
	fmt.Printf("guest %d goes out\n", n)
	example.Check(rooms.Release(1))
}

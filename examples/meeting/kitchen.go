// A service in Go: it cooks what is ordered, until its guest (guest.js) shuts the orders down. The
// two share only a name, and either may be started first: the first one makes the queues. In Python
// this takes a Manager, another process; here it is two files in shared memory.
//
//	kitchen [milliseconds of a second] [name]
package main

import (
	"context"
	"fmt"
	"os"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

type order struct {
	Filling string `msgpack:"filling"`
	Buns    int    `msgpack:"buns"`
}

func main() {
	name := "kitchen"
	if len(os.Args) > 2 {
		name = os.Args[2]
	}
	ctx := context.Background()
	openOrCreate := polyproc.QueueOptions{Options: polyproc.Options{OpenOrCreate: true}}
	orders := example.Must(polyproc.CreateValueQueue[order](name+".orders", openOrCreate))
	defer orders.Close()
	dishes := example.Must(polyproc.CreateValueQueue[string](name+".dishes", openOrCreate))
	defer dishes.Close()
	fmt.Println("kitchen is open")

	for message, err := range orders.AllValues(ctx) {
		example.Check(err)
		order := message.Value
		fmt.Printf("kitchen cooks %d buns with %s\n", order.Buns, order.Filling)
		example.Check(dishes.PutValue(ctx, fmt.Sprintf("%d 包子 with %s", order.Buns, order.Filling)))
	}
	fmt.Println("kitchen closes")
	// The guest has the queues open and keeps them: only the names are removed.
	example.Check(polyproc.Unlink(name + ".orders"))
	example.Check(polyproc.Unlink(name + ".dishes"))
}

//go:build ignore

// Five processes print two lines each, with a sleep between: mixed without a lock, in pairs with
// it.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

func main() {
	switch example.Role() {
	case "without the lock":
		work(example.Number())
	case "with the lock":
		lock := example.Must(polyproc.InheritedLock("lock"))
		example.Must(lock.Acquire(context.Background()))
		work(example.Number())
		example.Check(lock.Release())
	default:
		lock := example.Must(polyproc.NewLock())
		defer lock.Close()
		for _, role := range []string{"without the lock", "with the lock"} {
			fmt.Println(role)
			var processes []*polyproc.Process
			for i := range 5 {
				processes = append(processes, example.Start(example.Handles{"lock": lock}, role, i))
			}
			example.FinishAll(processes...)
		}
	}
}

func work(n int) {
	fmt.Printf("process %d is running\n", n)
	example.Nap(0.2)
	fmt.Printf("process %d is done\n", n)
}

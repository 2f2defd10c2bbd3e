//go:build ignore

// A daemonic process ends with its parent, however that ends, and may have no children, which would
// outlive it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

func main() {
	if example.Role() == "daemon" {
		sleep()
		return
	}
	asleep := example.Must(polyproc.NewEvent())
	defer asleep.Close()

	daemon := example.StartDaemon(example.Handles{"asleep": asleep}, "daemon")
	defer daemon.Close()
	example.Check(asleep.Wait(context.Background()))
	fmt.Println("main ends")
}

func sleep() {
	asleep := example.Must(polyproc.InheritedEvent("asleep"))
	_, err := polyproc.Spawn(polyproc.ProcessOptions{Args: []string{"true"}})
	if !errors.Is(err, polyproc.ErrDaemonic) {
		log.Fatal("a daemon has a child: ", err)
	}
	fmt.Println("daemon may not have children: E_DAEMONIC")
	fmt.Println("daemon sleeps for 3 s")
	example.Check(asleep.Set())
	example.Nap(3)
	fmt.Println("daemon woke up")
}

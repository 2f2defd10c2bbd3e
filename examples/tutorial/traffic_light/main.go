//go:build ignore

// An event as a traffic light: set is green. Cars wait for green however long it takes; police cars
// wait 0.1 s and then go on red. The light turns for ever: it is daemonic, and goes out when main
// ends.
package main

import (
	"context"
	"errors"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

const (
	policeCars = 5
	cars       = 10
)

var ctx = context.Background()

func main() {
	switch example.Role() {
	case "light":
		turn()
	case "car":
		drive(example.Number())
	case "police car":
		rush(example.Number())
	default:
		start()
	}
}

func start() {
	green := example.Must(polyproc.NewEvent())
	defer green.Close()
	handles := example.Handles{"green": green}

	var driving []*polyproc.Process
	for i := range policeCars {
		driving = append(driving, example.Start(handles, "police car", i))
	}
	example.FinishAll(driving...)

	defer example.StartDaemon(handles, "light").Close()
	driving = nil
	for i := range cars {
		driving = append(driving, example.Start(handles, "car", i))
		example.Nap(0.3)
	}
	example.FinishAll(driving...)
	fmt.Println("all cars have passed")
}

func turn() {
	green := example.Must(polyproc.InheritedEvent("green"))
	for {
		fmt.Println("light: green")
		example.Check(green.Set())
		example.Nap(0.5)
		example.Check(green.Clear())
		fmt.Println("light: red")
		example.Nap(0.5)
	}
}

func drive(n int) {
	green := example.Must(polyproc.InheritedEvent("green"))
	fmt.Printf("car %d arrives\n", n)
	example.Check(green.Wait(ctx))
	fmt.Printf("car %d passes\n", n)
}

func rush(n int) {
	green := example.Must(polyproc.InheritedEvent("green"))
	fmt.Printf("police car %d arrives\n", n)
	patience, cancel := context.WithTimeout(ctx, example.Seconds(0.1))
	defer cancel()
	err := green.Wait(patience)
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Printf("police car %d passes on red\n", n)
		return
	}
	example.Check(err)
	fmt.Printf("police car %d passes on green\n", n)
}

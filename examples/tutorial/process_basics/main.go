//go:build ignore

// A parent and its child: starting does not wait for the child, joining does.
package main

import (
	"context"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

func main() {
	if example.Role() == "child" {
		child()
		return
	}
	told := example.Must(polyproc.NewEvent())
	defer told.Close()

	me := example.Must(polyproc.Current())
	fmt.Println("parent", me.PID)
	child := example.Start(example.Handles{"told": told}, "child")
	fmt.Println("parent", me.PID, "has started child", child.PID())
	example.Check(told.Set())
	code := example.Finish(child)
	fmt.Println("child", child.PID(), "exited with", code)
}

func child() {
	told := example.Must(polyproc.InheritedEvent("told"))
	example.Check(told.Wait(context.Background())) // so that the lines always come in the same order
	me := example.Must(polyproc.Current())
	fmt.Println("child", me.PID, "of parent", me.ParentPID)
	example.Nap(1)
	fmt.Println("child", me.PID, "ends")
}

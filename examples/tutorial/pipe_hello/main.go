//go:build ignore

// A pipe: the child sends a list and closes its end, the parent receives it, then finds the end of
// the file.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

var ctx = context.Background()

func main() {
	switch example.Role() {
	case "child":
		sendHello()
	default:
		start()
	}
}

func start() {
	parents, childs, err := polyproc.NewPipe()
	example.Check(err)
	defer parents.Close()
	child := example.Start(example.Handles{"conn": childs}, "child")
	// The end of file comes when no process has the child's end any more, and this process has a
	// copy.
	example.Check(childs.Close())

	list := example.Must(polyproc.RecvValue[[]any](ctx, parents))
	fmt.Println("parent gets", text(list))
	if _, err := parents.Recv(ctx); errors.Is(err, polyproc.ErrEOF) {
		fmt.Println("parent finds the end of the file")
	}
	fmt.Println("child exited with", example.Finish(child))
}

func sendHello() {
	conn := example.Must(polyproc.InheritedConnection("conn"))
	list := []any{42, nil, "hello"}
	fmt.Println("child sends", text(list))
	example.Check(conn.SendValue(ctx, list))
	example.Check(conn.Close())
}

func text(list []any) string { return string(example.Must(json.Marshal(list))) }

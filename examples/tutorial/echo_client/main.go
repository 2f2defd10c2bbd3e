//go:build ignore

// A client of echo_server, or of any Listener of Python that echoes: sends a list and prints what
// comes back.
//
//	echo_client [milliseconds of a second] [address] [key]
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

func main() {
	address, key := "tcp://127.0.0.1:6000", "Hello World!"
	if len(os.Args) > 2 {
		address = os.Args[2]
	}
	if len(os.Args) > 3 {
		key = os.Args[3]
	}
	ctx, cancel := context.WithTimeout(context.Background(), example.Seconds(60))
	defer cancel()

	server, err := polyproc.Connect(ctx, address, polyproc.SocketOptions{AuthKey: []byte(key)})
	if errors.Is(err, polyproc.ErrAuth) {
		fmt.Println("refused: the key is wrong")
		return
	}
	example.Check(err)
	defer server.Close()

	list := `["hello", 88, "World!"]`
	fmt.Println("sends", list)
	example.Check(server.Send(ctx, []byte(list)))
	fmt.Printf("gets %s\n", example.Must(server.Recv(ctx)))
}

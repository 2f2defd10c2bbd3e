//go:build ignore

// A server that echoes. A client with the key is served until it leaves, then the next one; a
// client without the key is refused and delays no other. Its clients are the programs of
// echo_client, and any of Python:
//
//	from multiprocessing.connection import Client
//	conn = Client(('127.0.0.1', port), authkey=b'Hello World!')
//
//	echo_server [milliseconds of a second] [address] [how many clients, 0: for ever]
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

var ctx = context.Background()

func main() {
	address, clients := "tcp://127.0.0.1:0", 0
	if len(os.Args) > 2 {
		address = os.Args[2]
	}
	if len(os.Args) > 3 {
		clients = example.Must(strconv.Atoi(os.Args[3]))
	}
	listener := example.Must(polyproc.Listen(address, polyproc.SocketOptions{AuthKey: []byte("Hello World!")}))
	defer listener.Close()
	fmt.Println("listening at", listener.Address())

	for n := 1; clients == 0 || n <= clients; n++ {
		client := example.Must(listener.Accept(ctx))
		fmt.Println("client", n, "comes")
		echo(client)
		fmt.Println("client", n, "leaves")
		example.Check(client.Close())
	}
}

// echo sends back each message, until the client leaves.
func echo(client *polyproc.Connection) {
	for message, err := range client.All(ctx) {
		example.Check(err)
		example.Check(client.Send(ctx, message))
	}
}

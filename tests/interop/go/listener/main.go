// Command listener is one side of a connection over a socket, as ../../c/listener.c:
//
//	listener listen|connect ADDRESS
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"polyproc.dev/polyproc"
)

var (
	ctx     = context.Background()
	options = polyproc.SocketOptions{AuthKey: []byte("secret")}
)

func main() {
	roles := map[string]func(string) error{"listen": listen, "connect": connect}
	if len(os.Args) != 3 || roles[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: listener listen|connect ADDRESS")
		os.Exit(2)
	}
	if err := roles[os.Args[1]](os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "listener:", err)
		os.Exit(1)
	}
}

func listen(address string) error {
	listener, err := polyproc.Listen(address, options)
	if err != nil {
		return err
	}
	defer listener.Close()
	fmt.Println(listener.Address())
	client, err := listener.Accept(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	for message, err := range client.All(ctx) {
		if err != nil {
			return err
		}
		if err := client.Send(ctx, message); err != nil {
			return err
		}
	}
	return nil
}

func connect(address string) error {
	connection, err := polyproc.Connect(ctx, address, options)
	if err != nil {
		return err
	}
	defer connection.Close()
	for _, length := range []int{0, 1, 1000, 65536, 1_000_000} {
		message := make([]byte, length)
		for at := range message {
			message[at] = byte(length + at)
		}
		if err := connection.Send(ctx, message); err != nil {
			return err
		}
		echo, err := connection.Recv(ctx)
		if err != nil {
			return err
		}
		if !bytes.Equal(echo, message) {
			return fmt.Errorf("%d bytes came back otherwise", length)
		}
	}
	fmt.Println("ok")
	return nil
}

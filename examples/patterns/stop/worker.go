//go:build ignore

package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"polyproc.dev/polyproc"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	queue, err := polyproc.CreateQueue("book.stop", polyproc.QueueOptions{
		Options:  polyproc.Options{OpenOrCreate: true},
		Joinable: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer queue.Close()
	for message, err := range queue.All(ctx) {
		if err != nil {
			break // the context has ended
		}
		fmt.Printf("works on %s\n", message.Data())
	}
	fmt.Println("ends")
}

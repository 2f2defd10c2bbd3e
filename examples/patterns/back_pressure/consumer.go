//go:build ignore

package main

import (
	"context"
	"fmt"
	"log"

	"polyproc.dev/polyproc"
)

func main() {
	lines, err := polyproc.CreateQueue("book.lines", polyproc.QueueOptions{
		Options:  polyproc.Options{OpenOrCreate: true},
		Joinable: true,
		MaxItems: 3,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer lines.Close()
	for line, err := range lines.All(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("read %s\n", line.Data())
	}
}

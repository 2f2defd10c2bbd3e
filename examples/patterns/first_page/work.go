//go:build ignore

// The Go program of README.md, whole.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"polyproc.dev/polyproc"
)

var pause float64

func work(page []byte) {
	fmt.Printf("%s\n", page)
	time.Sleep(time.Duration(pause * float64(time.Second)))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	if len(os.Args) > 1 {
		pause, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	ctx := context.Background()
	options := polyproc.QueueOptions{Joinable: true, Options: polyproc.Options{OpenOrCreate: true}}
	jobs, err := polyproc.CreateQueue("book.pages", options)
	check(err)
	defer jobs.Close()
	for page, err := range jobs.All(ctx) { // until the queue is shut down
		check(err)
		work(page.Data()) // killed here: another worker, in any language, gets the page
	}
}

//go:build ignore

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

func main() {
	seconds := 1.0
	if len(os.Args) > 1 {
		seconds, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	rooms, err := polyproc.CreateSemaphore("book.rooms", polyproc.SemaphoreOptions{
		Options: polyproc.Options{OpenOrCreate: true},
		Initial: 2,
		Maximum: 2,
		Owned:   true,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := rooms.Acquire(context.Background()); err != nil {
		log.Fatal(err)
	}
	defer rooms.Release(1)
	fmt.Println("inside") // at most two processes are here
	// Killed here: the permit comes back.
	time.Sleep(time.Duration(seconds * float64(time.Second)))
}

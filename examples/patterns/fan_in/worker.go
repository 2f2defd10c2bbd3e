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
	ctx := context.Background()
	pause := 0.1
	if len(os.Args) > 1 {
		pause, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	create := polyproc.Options{OpenOrCreate: true}
	numbers, err := polyproc.CreateValueQueue[int]("book.numbers",
		polyproc.QueueOptions{Options: create, Joinable: true})
	if err != nil {
		log.Fatal(err)
	}
	squares, err := polyproc.CreateValueQueue[[2]int]("book.squares", polyproc.QueueOptions{Options: create})
	if err != nil {
		log.Fatal(err)
	}
	for number, err := range numbers.AllValues(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		n := number.Value
		if err := squares.PutValue(ctx, [2]int{n, n * n}); err != nil {
			log.Fatal(err)
		}
		fmt.Println("squared", n)
		// Killed here: the number comes again, and its square too.
		time.Sleep(time.Duration(pause * float64(time.Second)))
	}
}

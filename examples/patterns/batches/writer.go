//go:build ignore

package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"polyproc.dev/polyproc"
)

func main() {
	pause := 0.0
	if len(os.Args) > 1 {
		pause, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	rows, err := polyproc.CreateQueue("book.rows", polyproc.QueueOptions{
		Options:  polyproc.Options{OpenOrCreate: true},
		Joinable: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	for {
		batch, err := rows.TakeMany(context.Background(), 100) // waits for the first one only
		if errors.Is(err, polyproc.ErrShutdown) {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("writes", len(batch))
		// Killed here: the whole batch goes to another writer.
		time.Sleep(time.Duration(pause * float64(time.Second)))
		if err := polyproc.DoneMany(batch); err != nil {
			log.Fatal(err)
		}
	}
}

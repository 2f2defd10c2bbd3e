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
	seconds := 10.0
	if len(os.Args) > 1 {
		seconds, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	office, err := polyproc.CreateLock("book.leader", polyproc.Options{OpenOrCreate: true})
	if err != nil {
		log.Fatal(err)
	}
	ownerDied, err := office.Acquire(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer office.Release()
	fmt.Printf("%d leads", os.Getpid())
	if ownerDied {
		fmt.Print(", the last leader died")
	}
	fmt.Println()
	time.Sleep(time.Duration(seconds * float64(time.Second)))
}

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
	seconds := 1.0 // that a job takes
	if len(os.Args) > 1 {
		seconds, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	jobs, err := polyproc.CreateQueue("book.jobs", polyproc.QueueOptions{
		Options:  polyproc.Options{OpenOrCreate: true},
		Joinable: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	for job, err := range jobs.All(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("begins %s\n", job.Data())
		time.Sleep(time.Duration(seconds * float64(time.Second)))
		fmt.Printf("ends %s\n", job.Data())
	} // the next round finishes the job; killed before that: another worker gets it
}

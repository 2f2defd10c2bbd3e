//go:build ignore

package main

import (
	"context"
	"fmt"
	"log"

	"polyproc.dev/polyproc"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx := context.Background()
	jobs, err := polyproc.CreateQueue("book.jobs", polyproc.QueueOptions{
		Options:  polyproc.Options{OpenOrCreate: true},
		Joinable: true,
	})
	check(err)
	defer jobs.Close()
	for number := 1; number <= 10; number++ {
		check(jobs.Put(ctx, fmt.Appendf(nil, "page %d", number)))
	}
	check(jobs.Join(ctx)) // until each job is done, whoever does it
	info, err := jobs.Info()
	check(err)
	fmt.Printf("10 jobs are done, %d of them were delivered again\n", info.Redelivered)
	check(jobs.Shutdown()) // the workers' loops end
	check(polyproc.Unlink("book.jobs"))
}

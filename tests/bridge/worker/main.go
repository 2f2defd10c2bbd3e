// Worker takes messages of the queue "jobs" until it is killed. For each it appends a line to a
// file, and only then is the message done:
//
//	worker FILE
//
// It gives poison back. tests/bridge/worker.mjs is the same in JavaScript.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"polyproc.dev/polyproc"
)

func work(path string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	jobs, err := polyproc.OpenQueue("jobs")
	if err != nil {
		return err
	}
	defer jobs.Close()
	for {
		job, err := jobs.Take(context.Background())
		if err != nil {
			return err
		}
		if bytes.HasPrefix(job.Data(), []byte("poison")) {
			err = job.Return()
		} else {
			// One write: a killed worker leaves no half of a line.
			line := fmt.Sprintf("%s %d\n", job.Data(), time.Now().UnixMilli())
			if _, err := file.WriteString(line); err != nil {
				return err
			}
			err = job.Done()
		}
		if err != nil {
			return err
		}
	}
}

func main() {
	if err := work(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

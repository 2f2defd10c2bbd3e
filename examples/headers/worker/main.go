// Worker takes paths of C files from the queue "jobs" and puts the counts of each into the queue
// "results", until the jobs are shut down. headers.c starts any number of workers, and may kill
// each of them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"polyproc.dev/polyproc"
)

// result is the MessagePack message for one file.
type result struct {
	// Path is bytes, as a path is on Linux: it need not be UTF-8.
	Path   []byte `msgpack:"path"`
	Status string `msgpack:"status"` // ok, binary, unreadable
	Reason string `msgpack:"reason,omitempty"`
	Bytes  int    `msgpack:"bytes"`
	Lines  int    `msgpack:"lines"`
	// Names[i] occurs Counts[i] times in the file. Lists, because a reader in JavaScript gives the
	// map key __proto__ another meaning.
	Names  []string `msgpack:"names"`
	Counts []uint64 `msgpack:"counts"`
}

func examine(path string) result {
	text, err := read(path)
	switch {
	case errors.Is(err, errBinary):
		return result{Path: []byte(path), Status: "binary"}
	case err != nil:
		return result{Path: []byte(path), Status: "unreadable", Reason: reason(err)}
	}
	found := count(text)
	return result{
		Path: []byte(path), Status: "ok",
		Bytes: found.bytes, Lines: found.lines, Names: found.names, Counts: found.counts,
	}
}

func work(ctx context.Context) error {
	jobs, err := polyproc.InheritedQueue("jobs")
	if err != nil {
		return fmt.Errorf("the queue of jobs: %w", err)
	}
	defer jobs.Close()
	results, err := polyproc.InheritedValueQueue[result]("results")
	if err != nil {
		return fmt.Errorf("the queue of results: %w", err)
	}
	defer results.Close()

	for job, err := range jobs.All(ctx) {
		if err != nil {
			return fmt.Errorf("take a job: %w", err)
		}
		// The result comes first, then "done", which All sends when the loop moves on. If the
		// worker dies in between, the file is done twice, not never.
		if err := results.PutValue(ctx, examine(string(job.Data()))); err != nil {
			return fmt.Errorf("put a result: %w", err)
		}
	}
	return nil
}

func main() {
	// Ctrl-C reaches every process of the terminal's group. headers.c decides how to react, and
	// sends SIGTERM.
	signal.Ignore(os.Interrupt)
	if err := work(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

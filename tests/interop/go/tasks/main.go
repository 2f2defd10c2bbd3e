// Command tasks is a worker that may be killed at any moment, as ../../python/tasks.py:
//
//	tasks TASKS RESULTS
package main

import (
	"context"
	"fmt"
	"os"

	"polyproc.dev/polyproc"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: tasks TASKS RESULTS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "tasks:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	ctx := context.Background()
	tasks, err := polyproc.OpenValueQueue[any](from)
	if err != nil {
		return err
	}
	defer tasks.Close()
	results, err := polyproc.OpenValueQueue[any](to)
	if err != nil {
		return err
	}
	defer results.Close()
	for message, err := range tasks.AllValues(ctx) {
		if err != nil {
			return err
		}
		if err := results.PutValue(ctx, []any{"go", message.Value}); err != nil {
			return err
		}
	}
	return nil
}

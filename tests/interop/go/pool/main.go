// Command pool is a pool and its workers, as in ../../c/pool.c:
//
//	pool main WORKER [ARGUMENT...]
//	pool worker
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"polyproc.dev/polyproc"
)

const (
	tasks   = 300
	longest = 200_000
)

func reverse(data []byte) ([]byte, error) {
	reversed := bytes.Clone(data)
	slices.Reverse(reversed)
	return reversed, nil
}

func fail(data []byte) ([]byte, error) { return nil, fmt.Errorf("failed: %s", data) }

func main() {
	polyproc.Register("reverse", reverse)
	polyproc.Register("fail", fail)
	polyproc.Main()
	if len(os.Args) < 3 || os.Args[1] != "main" {
		fmt.Fprintln(os.Stderr, "usage: pool main WORKER [ARGUMENT...]")
		os.Exit(2)
	}
	if err := run(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "pool:", err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

// data returns the bytes n, n + 1, ...; it grows from task to task, from 0 to longest.
func data(n int) []byte {
	data := make([]byte, n*n*longest/(tasks*tasks))
	for i := range data {
		data[i] = byte(n + i)
	}
	return data
}

func run(args []string) error {
	ctx := context.Background()
	pool, err := polyproc.NewPool(polyproc.PoolOptions{Workers: 2, Args: args})
	if err != nil {
		return err
	}
	var submitted []*polyproc.Task
	for n := range tasks {
		task, err := pool.Submit("reverse", data(n))
		if err != nil {
			return err
		}
		submitted = append(submitted, task)
	}
	for n, task := range submitted {
		result, err := task.Result(ctx)
		if err != nil {
			return err
		}
		slices.Reverse(result)
		if !bytes.Equal(result, data(n)) {
			return fmt.Errorf("task %d: not reversed", n)
		}
	}
	var failure *polyproc.TaskError
	if _, err := pool.Apply(ctx, "fail", []byte("because")); !errors.As(err, &failure) || failure.Message != "failed: because" {
		return fmt.Errorf("another failure: %w", err)
	}
	if _, err := pool.Apply(ctx, "nothing", nil); !errors.Is(err, polyproc.ErrNotFound) {
		return fmt.Errorf("a function that is not there: %w", err)
	}
	return errors.Join(pool.Close(), pool.Join(ctx))
}

//go:build ignore

// A queue of three items, from empty to full and back, in one process. A put is seen at once: is it
// empty, is it full and the length are exact.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"polyproc.dev/polyproc"
	"polyproc.dev/polyproc/examples/support/example"
)

var ctx = context.Background()

func main() {
	queue := example.Must(polyproc.NewValueQueue[int](polyproc.QueueOptions{MaxItems: 3}))
	defer queue.Close()

	fmt.Println("full:", yesNo(queue.IsFull()))
	fmt.Println("empty:", yesNo(queue.IsEmpty()))
	for i := 1; i <= 3; i++ {
		example.Check(queue.PutValue(ctx, i))
		fmt.Println("put", i)
		if i == 1 {
			fmt.Println("empty:", yesNo(queue.IsEmpty()))
		}
	}
	fmt.Println("full:", yesNo(queue.IsFull()))

	waiting, cancel := context.WithTimeout(ctx, example.Seconds(2))
	defer cancel()
	if err := queue.PutValue(waiting, 4); errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("put 4, waiting 2 s: full")
	} else {
		log.Fatal("put 4, waiting 2 s: ", err)
	}
	if err := queue.TryPutValue(4); errors.Is(err, polyproc.ErrFull) {
		fmt.Println("put 4 at once: full")
	} else {
		log.Fatal("put 4 at once: ", err)
	}

	fmt.Println("length:", example.Must(queue.Len()))
	for range 3 {
		fmt.Println("got", example.Must(queue.GetValue(ctx)))
	}

	waiting, cancel = context.WithTimeout(ctx, example.Seconds(2))
	defer cancel()
	if _, err := queue.GetValue(waiting); errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("get, waiting 2 s: empty")
	} else {
		log.Fatal("get, waiting 2 s: ", err)
	}
	if _, err := queue.TryGetValue(); errors.Is(err, polyproc.ErrEmpty) {
		fmt.Println("get at once: empty")
	} else {
		log.Fatal("get at once: ", err)
	}
	fmt.Println("empty:", yesNo(queue.IsEmpty()))
}

func yesNo(yes bool, err error) string {
	example.Check(err)
	if yes {
		return "yes"
	}
	return "no"
}

//go:build ignore

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"polyproc.dev/polyproc"
)

type request struct {
	_msgpack struct{} `msgpack:",as_array"`
	ReplyTo  string
	Number   int
	Text     string
}

func answer(ctx context.Context, r request) error {
	replies, err := polyproc.OpenValueQueue[[]any](r.ReplyTo)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Printf("%s is gone\n", r.ReplyTo) // the client left, and nobody wants the answer
		return nil
	}
	if err != nil {
		return err
	}
	defer replies.Close()
	return replies.PutValue(ctx, []any{r.Number, strings.ToUpper(r.Text)})
}

func main() {
	ctx := context.Background()
	seconds := 0.0
	if len(os.Args) > 1 {
		seconds, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	requests, err := polyproc.CreateValueQueue[request]("book.requests", polyproc.QueueOptions{
		Options:  polyproc.Options{OpenOrCreate: true},
		Joinable: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	for message, err := range requests.AllValues(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("request", message.Value.Number)
		// Killed here: another server answers.
		time.Sleep(time.Duration(seconds * float64(time.Second)))
		if err := answer(ctx, message.Value); err != nil {
			log.Fatal(err)
		}
	}
}

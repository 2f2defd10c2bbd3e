// Command interop is the Go side of the tests across languages: the same program exists in C and in
// Node, and each produces for each.
//
//	interop produce <queue> <count> <seed>
//	interop consume <queue> <count> <seed>
//	interop work <queue> <count> <milliseconds>
//
// Message i depends on i and the seed alone, so the consumer makes it again and compares. It prints
// "ok <count> <fnv1a64 of all messages>". The role work takes messages, and works so long on each.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"time"

	"polyproc.dev/polyproc"
)

// maxLength is the greatest length of a message.
const maxLength = 100_000

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return errors.New("usage: interop produce|consume <queue> <count> <seed>")
	}
	count, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(args[3], 10, 64)
	if err != nil {
		return err
	}
	queue, err := polyproc.OpenQueue(args[1])
	if err != nil {
		return err
	}
	defer queue.Close()
	switch args[0] {
	case "produce":
		return produce(queue, count, seed)
	case "consume":
		return consume(queue, count, seed)
	case "work":
		return work(queue, count, time.Duration(seed)*time.Millisecond)
	}
	return fmt.Errorf("unknown role %q", args[0])
}

func produce(queue *polyproc.Queue, count, seed uint64) error {
	var buf [maxLength]byte
	for i := range count {
		if err := queue.Put(context.Background(), message(buf[:], i, seed)); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}

func consume(queue *polyproc.Queue, count, seed uint64) error {
	var want, got [maxLength]byte
	sum := fnv.New64a()
	for i := range count {
		n, err := queue.GetInto(context.Background(), got[:])
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if want := message(want[:], i, seed); !bytes.Equal(got[:n], want) {
			return fmt.Errorf("message %d: got %d bytes, want %d, or they differ", i, n, len(want))
		}
		sum.Write(got[:n])
	}
	fmt.Printf("ok %d %016x\n", count, sum.Sum64())
	return nil
}

func work(queue *polyproc.Queue, count uint64, job time.Duration) error {
	for range count {
		message, err := queue.Take(context.Background())
		if err != nil {
			return err
		}
		time.Sleep(job)
		if err := message.Done(); err != nil {
			return err
		}
	}
	return nil
}

// message makes message i in buf: its number, little-endian, then random bytes, all of it cut to a
// random length.
func message(buf []byte, i, seed uint64) []byte {
	random := splitmix64(seed + i)
	out := buf[:random.next()%(maxLength+1)]
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], i)
	for filled := copy(out, word[:]); filled < len(out); {
		binary.LittleEndian.PutUint64(word[:], random.next())
		filled += copy(out[filled:], word[:])
	}
	return out
}

// splitmix64 is the random generator of that name.
type splitmix64 uint64

func (s *splitmix64) next() uint64 {
	*s += 0x9E3779B97F4A7C15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// polyproc from Go, between processes: the harness's streams, ping-pong and
// pairs, and its line of JSON.
//
// Modes: copy (Put, GetInto), many (PutMany and TakeMany of 32).
//
// This process gets the messages that processes of the same program put. It shuts the queue down to
// end them, takes the rest, and compares it with the counts that they report.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"polyproc.dev/polyproc"
)

const batch = 32

// mix sets the last word of a message apart from the first.
const mix = 0x9e3779b97f4a7c15

type run struct {
	workload, mode string
	numbers        map[string]int
}

// tally has the counts of one side.
type tally struct{ Count, Sum uint64 }

var background = context.Background()

func parse(args []string) run {
	r := run{workload: args[0], mode: "copy"}
	r.numbers = map[string]int{"size": 64, "capacity": 1024, "producers": 1, "consumers": 1, "warm": 50, "ms": 250}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "mode":
			r.mode = value
		default:
			number, err := strconv.Atoi(value)
			must(err)
			r.numbers[key] = number
		}
	}
	if r.numbers["producers"] != 1 || r.numbers["consumers"] != 1 {
		log.Fatal("one producer and one consumer only")
	}
	return r
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// queues are one to the child and one back from it.
type queues struct{ there, back *polyproc.Queue }

// start runs this program again for another workload: it inherits the queues, and dies with this
// process.
func start(r run, workload string) (queues, *polyproc.Process) {
	there, err := polyproc.NewQueue(polyproc.QueueOptions{MaxItems: r.numbers["capacity"]})
	must(err)
	back, err := polyproc.NewQueue(polyproc.QueueOptions{MaxItems: r.numbers["capacity"]})
	must(err)
	child, err := polyproc.Spawn(polyproc.ProcessOptions{
		Args:    []string{"/proc/self/exe", workload, "mode=" + r.mode, fmt.Sprint("size=", r.numbers["size"])},
		Handles: map[string]polyproc.Handle{"there": there, "back": back},
		Daemon:  true,
	})
	must(err)
	return queues{there, back}, child
}

func inherited() queues {
	there, err := polyproc.InheritedQueue("there")
	must(err)
	back, err := polyproc.InheritedQueue("back")
	must(err)
	return queues{there, back}
}

func stamp(message []byte, tag uint64) {
	binary.LittleEndian.PutUint64(message[len(message)-8:], tag+mix)
	binary.LittleEndian.PutUint64(message, tag)
}

func (t *tally) check(message []byte, size int) {
	tag := binary.LittleEndian.Uint64(message)
	if len(message) != size || tag != t.Count+1 ||
		size > 8 && binary.LittleEndian.Uint64(message[size-8:]) != tag+mix {
		log.Fatalf("a wrong message, %d after %d", tag, t.Count)
	}
	t.Count++
	t.Sum += tag
}

// produce puts until the queue is shut down, then prints what it has put.
func produce(r run) {
	q, size := inherited(), r.numbers["size"]
	messages := make([][]byte, batch)
	for i := range messages {
		messages[i] = make([]byte, size)
	}
	var sent tally
	var err error
	for err == nil {
		put := 0
		if r.mode == "many" {
			for i, message := range messages {
				stamp(message, sent.Count+uint64(i)+1)
			}
			put, err = q.back.PutMany(background, messages)
		} else {
			stamp(messages[0], sent.Count+1)
			if err = q.back.Put(background, messages[0]); err == nil {
				put = 1
			}
		}
		for range put {
			sent.Count++
			sent.Sum += sent.Count
		}
	}
	if !errors.Is(err, polyproc.ErrShutdown) {
		log.Fatal(err)
	}
	said, err := json.Marshal(sent)
	must(err)
	must(q.there.Put(background, said))
}

func stream(r run) map[string]any {
	q, producer := start(r, "produce")
	var got, before tally
	size, buf := r.numbers["size"], make([]byte, r.numbers["size"])
	next := func() error {
		if r.mode != "many" {
			n, err := q.back.GetInto(background, buf)
			if err == nil {
				got.check(buf[:n], size)
			}
			return err
		}
		messages, err := q.back.TakeMany(background, batch)
		for _, message := range messages {
			got.check(message.Data(), size)
			must(message.Done())
		}
		return err
	}
	// Reads the clock once in 64 rounds.
	receive := func(d time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); {
			for range 64 {
				must(next())
			}
		}
	}
	must(next())
	receive(time.Duration(r.numbers["warm"]) * time.Millisecond)
	before = got
	start := time.Now()
	receive(time.Duration(r.numbers["ms"]) * time.Millisecond)
	rate := float64(got.Count-before.Count) / time.Since(start).Seconds()

	must(q.back.Shutdown())
	err := next()
	for err == nil {
		err = next()
	}
	if !errors.Is(err, polyproc.ErrShutdown) {
		log.Fatal(err)
	}
	said, err := q.there.Get(background)
	must(err)
	must(producer.Join(background))
	var sent tally
	must(json.Unmarshal(said, &sent))
	if sent != got {
		log.Fatalf("sent %v, received %v", sent, got)
	}
	return map[string]any{"rate": rate, "messages": got.Count}
}

// pair puts a message and gets it again, in this process.
func pair(r run) map[string]any {
	q, err := polyproc.NewQueue(polyproc.QueueOptions{MaxItems: r.numbers["capacity"]})
	must(err)
	defer q.Close()
	message, buf := make([]byte, r.numbers["size"]), make([]byte, r.numbers["size"])
	var got tally
	// Reads the clock once in 64 rounds.
	repeat := func(ms int) {
		for end := time.Now().Add(time.Duration(ms) * time.Millisecond); time.Now().Before(end); {
			for range 64 {
				stamp(message, got.Count+1)
				must(q.Put(background, message))
				n, err := q.GetInto(background, buf)
				must(err)
				got.check(buf[:n], len(message))
			}
		}
	}
	repeat(r.numbers["warm"])
	before, start := got.Count, time.Now()
	repeat(r.numbers["ms"])
	return map[string]any{"ns": float64(time.Since(start)) / float64(got.Count-before)}
}

func answer(r run) {
	q, buf := inherited(), make([]byte, r.numbers["size"])
	for {
		n, err := q.there.GetInto(background, buf)
		if errors.Is(err, polyproc.ErrShutdown) {
			return
		}
		must(err)
		must(q.back.Put(background, buf[:n]))
	}
}

func pingPong(r run) map[string]any {
	q, other := start(r, "answer")
	message, buf := make([]byte, r.numbers["size"]), make([]byte, r.numbers["size"])
	var times []time.Duration
	warm := time.Now().Add(time.Duration(r.numbers["warm"]) * time.Millisecond)
	end := warm.Add(time.Duration(r.numbers["ms"]) * time.Millisecond)
	for tag := uint64(1); time.Now().Before(end); tag++ {
		stamp(message, tag)
		start := time.Now()
		must(q.there.Put(background, message))
		_, err := q.back.GetInto(background, buf)
		must(err)
		if start.After(warm) {
			times = append(times, time.Since(start))
		}
		if !slices.Equal(message, buf) {
			log.Fatal("another answer")
		}
	}
	must(q.there.Shutdown())
	must(other.Join(background))
	slices.Sort(times)
	at := func(part float64) int64 { return times[int(part*float64(len(times)-1))].Nanoseconds() }
	return map[string]any{"rounds": len(times), "min_ns": at(0), "p50_ns": at(0.5), "p90_ns": at(0.9), "p99_ns": at(0.99),
		"p99_9_ns": at(0.999), "p99_99_ns": at(0.9999), "max_ns": at(1)}
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: polyproc-go stream|pingpong|pair [mode=copy] [size=64] ...")
	}
	r := parse(os.Args[1:])
	var figures map[string]any
	switch r.workload {
	case "produce":
		produce(r)
		return
	case "answer":
		answer(r)
		return
	case "stream":
		figures = stream(r)
	case "pingpong":
		figures = pingPong(r)
	case "pair":
		figures = pair(r)
	default:
		log.Fatal("no workload ", r.workload)
	}
	figures["peer"], figures["mode"] = "polyproc-go", r.mode
	must(json.NewEncoder(os.Stdout).Encode(figures))
}

// Command worker is one process of the soak, until it is killed: the same program in every
// language.
//
//	worker <role> <prefix> <life>
//
// tests/soak/c/worker.c describes what it does and reports.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"polyproc.dev/polyproc"
)

const (
	longMessage = 20_000
	burst       = 16
)

// Shared memory is small: a put that finds none is tried again.
var lacksMemory = os.Getenv("POLYPROC_SOAK_LACKS_MEMORY") != ""

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, polyproc.ErrShutdown) {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(3)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: worker <role> <prefix> <life>")
	}
	role, prefix := args[0], args[1]
	number, err := strconv.ParseUint(args[2], 10, 32)
	if err != nil {
		return err
	}
	stop, err := polyproc.OpenEvent(prefix + ".stop")
	if err != nil {
		return err
	}
	w := worker{prefix: prefix, life: uint32(number), stop: stop}
	switch role {
	case "produce":
		return w.produce()
	case "consume-joinable":
		return w.consume(prefix+".joinable", true)
	case "consume-unlimited":
		return w.consume(prefix+".unlimited", false)
	case "lock":
		return w.takeLock()
	case "permits":
		return w.takePermits()
	}
	return fmt.Errorf("unknown role %q", role)
}

type worker struct {
	prefix string
	life   uint32
	stop   *polyproc.Event
}

func report(whose, number uint32) error {
	var record [8]byte
	binary.LittleEndian.PutUint32(record[:], whose)
	binary.LittleEndian.PutUint32(record[4:], number)
	_, err := os.Stdout.Write(record[:])
	return err
}

func lengthOf(number uint32) int {
	if number%50 == 7 {
		return longMessage
	}
	return 8 + int(number%100)
}

func (w *worker) produce() error {
	joinable, err := polyproc.OpenQueue(w.prefix + ".joinable")
	if err != nil {
		return err
	}
	unlimited, err := polyproc.OpenQueue(w.prefix + ".unlimited")
	if err != nil {
		return err
	}
	var buf [longMessage]byte
	for number := uint32(0); ; number++ {
		if over, err := w.stop.IsSet(); over || err != nil {
			return err
		}
		queue := joinable
		if number%2 != 0 {
			queue = unlimited
		}
		message := buf[:lengthOf(number)]
		for at := range message {
			message[at] = byte(number)
		}
		binary.LittleEndian.PutUint32(message, w.life)
		binary.LittleEndian.PutUint32(message[4:], number)
		err := queue.Put(context.Background(), message)
		for lacksMemory && errors.Is(err, polyproc.ErrNoMemory) {
			time.Sleep(time.Millisecond)
			err = queue.Put(context.Background(), message)
		}
		if err != nil {
			return fmt.Errorf("put: %w", err)
		}
		if err := report(w.life, number); err != nil {
			return err
		}
		if number%burst == 0 {
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// note checks a message and reports it.
func note(data []byte) error {
	var number uint32
	if len(data) >= 8 {
		number = binary.LittleEndian.Uint32(data[4:])
	}
	if len(data) != lengthOf(number) {
		return fmt.Errorf("a message of %d bytes came out of nothing", len(data))
	}
	for _, b := range data[8:] {
		if b != byte(number) {
			return fmt.Errorf("message %d is damaged", number)
		}
	}
	return report(binary.LittleEndian.Uint32(data), number)
}

func (w *worker) consume(name string, joinable bool) error {
	queue, err := polyproc.OpenQueue(name)
	if err != nil {
		return err
	}
	var buf [longMessage]byte
	for byCopy := false; ; byCopy = joinable && !byCopy {
		if byCopy {
			n, err := queue.GetInto(context.Background(), buf[:])
			if err != nil {
				return err
			}
			if err := note(buf[:n]); err != nil {
				return err
			}
			if err := queue.TaskDone(); err != nil {
				return fmt.Errorf("task_done: %w", err)
			}
			continue
		}
		message, err := queue.Take(context.Background())
		if err != nil {
			return err
		}
		if err := note(message.Data()); err != nil {
			return err
		}
		if err := message.Done(); err != nil {
			return fmt.Errorf("done: %w", err)
		}
	}
}

// within calls wait with a limit.
func within(limit time.Duration, what string, wait func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := wait(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (w *worker) takeLock() error {
	lock, err := polyproc.OpenLock(w.prefix + ".lock")
	if err != nil {
		return err
	}
	inside, err := polyproc.OpenSemaphore(w.prefix + ".inside")
	if err != nil {
		return err
	}
	for count := uint32(0); ; count++ {
		if over, err := w.stop.IsSet(); over || err != nil {
			return err
		}
		acquire := func(ctx context.Context) error { _, err := lock.Acquire(ctx); return err }
		if err := within(5*time.Second, "the lock", acquire); err != nil {
			return err
		}
		if err := within(time.Second, "two have the lock, or the dead one's permit is held", inside.Acquire); err != nil {
			return err
		}
		if err := report(w.life, count); err != nil {
			return err
		}
		if err := errors.Join(inside.Release(1), lock.Release()); err != nil {
			return err
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func (w *worker) takePermits() error {
	permits, err := polyproc.OpenSemaphore(w.prefix + ".permits")
	if err != nil {
		return err
	}
	for count := uint32(0); ; count++ {
		if over, err := w.stop.IsSet(); over || err != nil {
			return err
		}
		if err := within(5*time.Second, "a permit", permits.Acquire); err != nil {
			return err
		}
		if err := report(w.life, count); err != nil {
			return err
		}
		time.Sleep(300 * time.Microsecond)
		if err := permits.Release(1); err != nil {
			return err
		}
	}
}

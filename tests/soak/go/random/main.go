// Command random is one process of the random soak in Go. tests/soak/c/random.c and random.h
// describe its arguments, steps and log; it knows queues only.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"polyproc.dev/polyproc"
)

const (
	opStart, opLeave           = 1, 2
	opPutBegin, opPutEnd       = 3, 4
	opTakeBegin, opTakeEnd     = 5, 6
	opGot, opGotForGood        = 7, 8
	opDoneBegin, opDoneEnd     = 9, 10
	opReturnBegin, opReturnEnd = 11, 12
	identity, dense, stride    = 8, 4096, 509
	mayLackMemory              = 32
	hands                      = 32
)

type loan struct {
	message *polyproc.Message
	place   int
	is      uint64
}

type line struct {
	queue    *polyproc.Queue
	joinable bool
	largest  int
	shut     bool
}

type worker struct {
	actor, numbers uint32
	puts, may      int
	random         *rand.Rand
	stop           *polyproc.Event
	lines          []*line
	loans          []loan
}

func main() {
	w := &worker{}
	if err := w.run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "random (Go):", err)
		os.Exit(3)
	}
}

func (w *worker) note(op uint32, place int, err error, message, value uint64) {
	var record [32]byte
	var status polyproc.Status
	if err != nil && !errors.As(err, &status) {
		status = -2
	}
	binary.NativeEndian.PutUint32(record[0:], op)
	binary.NativeEndian.PutUint32(record[4:], w.actor)
	binary.NativeEndian.PutUint32(record[8:], uint32(place))
	binary.NativeEndian.PutUint32(record[12:], uint32(status))
	binary.NativeEndian.PutUint64(record[16:], message)
	binary.NativeEndian.PutUint64(record[24:], value)
	if _, err := syscall.Write(1, record[:]); err != nil {
		os.Exit(5)
	}
}

func (w *worker) run(args []string) error {
	if len(args) < 4 {
		return errors.New("usage: random SEED STEPS GENERATION WORD=VALUE...")
	}
	seed, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return err
	}
	steps, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	w.random = rand.New(rand.NewPCG(seed, 1))
	words := map[string]string{}
	for _, arg := range args[3:] {
		name, value, _ := strings.Cut(arg, "=")
		words[name] = value
	}
	w.puts, _ = strconv.Atoi(words["puts"])
	w.may, _ = strconv.Atoi(words["may"])
	pid := uint32(os.Getpid())
	w.actor = pid<<16 | uint32(time.Now().UnixNano()>>18&0xffff)
	w.note(opStart, 0, nil, 0, uint64(pid)<<32|uint64(os.Getppid()))
	if w.stop, err = polyproc.OpenEvent(words["stop"]); err != nil {
		return err
	}
	for place := 0; words["q"+strconv.Itoa(place)] != ""; place++ {
		l, err := openLine(words["q"+strconv.Itoa(place)], words["o"+strconv.Itoa(place)])
		if errors.Is(err, polyproc.ErrNotFound) {
			return nil // its name has just been taken away
		}
		if err != nil {
			return err
		}
		w.lines = append(w.lines, l)
	}
	for ; steps > 0; steps-- {
		if over, err := w.stop.IsSet(); err != nil || over {
			break
		}
		place := w.random.IntN(len(w.lines))
		if w.random.IntN(10) < w.puts {
			err = w.put(place)
		} else {
			err = w.take(place)
		}
		if err != nil {
			return err
		}
	}
	for len(w.loans) > 0 {
		if err := w.settle(); err != nil {
			return err
		}
	}
	w.note(opLeave, 0, nil, 0, 0)
	return nil
}

func openLine(spec, options string) (*line, error) {
	numbers := strings.Split(options, ",")
	largest, err := strconv.Atoi(numbers[len(numbers)-1])
	if err != nil {
		return nil, err
	}
	l := &line{joinable: numbers[0] == "2", largest: largest}
	if number, isFile := strings.CutPrefix(spec, "fd:"); isFile {
		fd, err := strconv.Atoi(number)
		if err != nil {
			return nil, err
		}
		l.queue, err = polyproc.QueueFromFile(os.NewFile(uintptr(fd), spec))
		return l, err
	}
	l.queue, err = polyproc.OpenQueue(spec)
	return l, err
}

func byteOf(message uint64, at int) byte {
	return byte(message ^ message>>32 ^ uint64(at)*7)
}

func each(length int, visit func(at int)) {
	for at := identity; at < length; at++ {
		visit(at)
		if at >= dense {
			at += stride - 1
		}
	}
	if length > identity {
		visit(length - 1)
	}
}

func read(data []byte) (uint64, error) {
	if len(data) == 0 {
		return 0, nil
	}
	if len(data) < identity {
		return 0, fmt.Errorf("a message of %d bytes came out of nothing", len(data))
	}
	message := binary.NativeEndian.Uint64(data)
	var err error
	each(len(data), func(at int) {
		if data[at] != byteOf(message, at) {
			err = fmt.Errorf("message %#x of %d bytes is damaged at %d", message, len(data), at)
		}
	})
	return message, err
}

func (w *worker) message(largest int) ([]byte, uint64) {
	length := identity + w.random.IntN(min(largest, 20000)-identity+1)
	message := uint64(w.actor)<<32 | uint64(w.numbers)
	w.numbers++
	data := make([]byte, length)
	binary.NativeEndian.PutUint64(data, message)
	each(length, func(at int) { data[at] = byteOf(message, at) })
	return data, message
}

func (w *worker) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Duration(w.random.IntN(4))*time.Millisecond)
}

// allowed reports whether a call that tried or waited may end in this way, with nothing done.
func (w *worker) allowed(call string, err error, also ...error) error {
	known := append(also, polyproc.ErrTimeout, polyproc.ErrShutdown, polyproc.ErrEmpty, polyproc.ErrFull, context.DeadlineExceeded)
	if w.may&mayLackMemory != 0 {
		known = append(known, polyproc.ErrNoMemory)
	}
	for _, one := range known {
		if err == nil || errors.Is(err, one) {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", call, err)
}

func (w *worker) put(place int) error {
	l := w.lines[place]
	info, err := l.queue.Info()
	if err != nil {
		return w.allowed("info", err)
	}
	if l.shut || info.Bytes > 64<<20 {
		return nil
	}
	ctx, cancel := w.within()
	defer cancel()
	data, message := w.message(l.largest)
	if w.random.IntN(3) > 0 {
		w.note(opPutBegin, place, nil, message, 1)
		err = l.queue.Put(ctx, data)
		w.note(opPutEnd, place, err, message, count(err, 1))
	} else {
		items := [][]byte{data}
		for range w.random.IntN(8) {
			data, _ := w.message(min(l.largest, 300))
			items = append(items, data)
		}
		w.note(opPutBegin, place, nil, message, uint64(len(items)))
		var done int
		done, err = l.queue.PutMany(ctx, items)
		w.note(opPutEnd, place, err, message, uint64(done))
	}
	l.shut = errors.Is(err, polyproc.ErrShutdown)
	return w.allowed("put", err, polyproc.ErrTooLarge)
}

func count(err error, n uint64) uint64 {
	if err != nil {
		return 0
	}
	return n
}

func (w *worker) take(place int) error {
	l := w.lines[place]
	if len(w.loans) > 0 && (w.random.IntN(2) == 0 || len(w.loans) >= hands) {
		return w.settle()
	}
	ctx, cancel := w.within()
	defer cancel()
	if w.random.IntN(3) == 0 {
		return w.get(ctx, place, l)
	}
	w.note(opTakeBegin, place, nil, 0, 0)
	messages, err := l.queue.TakeMany(ctx, 1+w.random.IntN(4))
	if err != nil {
		w.note(opTakeEnd, place, err, 0, 0)
		return w.allowed("take", err)
	}
	for _, message := range messages {
		is, err := read(message.Data())
		if err != nil {
			return err
		}
		w.note(opGot, place, nil, is, uint64(message.Deliveries()))
		w.loans = append(w.loans, loan{message, place, is})
	}
	return nil
}

func (w *worker) get(ctx context.Context, place int, l *line) error {
	var forGood uint64
	if !l.joinable {
		forGood = 1
	}
	w.note(opTakeBegin, place, nil, 0, forGood)
	data, err := l.queue.Get(ctx)
	if err != nil {
		w.note(opTakeEnd, place, err, 0, 0)
		return w.allowed("get", err)
	}
	is, err := read(data)
	if err != nil {
		return err
	}
	if !l.joinable {
		w.note(opGotForGood, place, nil, is, 0)
		return nil
	}
	w.note(opGot, place, nil, is, 0)
	w.note(opDoneBegin, place, nil, is, 0)
	for err = l.queue.TaskDone(); errors.Is(err, polyproc.ErrTimeout); err = l.queue.TaskDone() {
	}
	w.note(opDoneEnd, place, err, is, 0)
	return w.allowed("task_done", err)
}

func (w *worker) settle() error {
	one := w.loans[len(w.loans)-1]
	begin, end, settle := uint32(opDoneBegin), uint32(opDoneEnd), one.message.Done
	if w.random.IntN(6) == 0 {
		begin, end, settle = opReturnBegin, opReturnEnd, one.message.Return
	}
	w.note(begin, one.place, nil, one.is, 0)
	err := settle()
	w.note(end, one.place, err, one.is, 0)
	if err == nil {
		w.loans = w.loans[:len(w.loans)-1]
	}
	return w.allowed("settle", err)
}

package polyproc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func newPipe(t testing.TB) (a, b *polyproc.Connection) {
	t.Helper()
	a, b, err := polyproc.NewPipe()
	must(t, err)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestPipe(t *testing.T) {
	a, b := newPipe(t)
	equal(t, one(b.CanRecv())(t), false)
	wants(t, second(b.TryRecv()), polyproc.ErrTimeout)
	must(t, a.Send(within(t), []byte("hello")))
	must(t, a.TrySend(nil)) // a message too
	must(t, b.Poll(within(t)))
	equal(t, one(b.CanRecv())(t), true)
	n, err := b.RecvInto(within(t), make([]byte, 2))
	wants(t, err, polyproc.ErrTooSmall)
	equal(t, n, 5)
	equal(t, string(one(b.Recv(within(t)))(t)), "hello")
	equal(t, len(one(b.TryRecv())(t)), 0)
	must(t, b.Send(within(t), []byte("back")))
	equal(t, string(one(a.Recv(within(t)))(t)), "back")

	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, second(b.Recv(ctx)), context.DeadlineExceeded)
	must(t, a.Send(within(t), []byte("last")))
	must(t, a.Close())
	equal(t, string(one(b.Recv(within(t)))(t)), "last")
	must(t, b.Poll(within(t)))
	wants(t, second(b.Recv(within(t))), polyproc.ErrEOF)
	wants(t, b.Send(within(t), nil), polyproc.ErrBrokenPipe)
	wants(t, second(a.Recv(within(t))), polyproc.ErrClosed)
}

func TestSimplexPipeGoesOneWay(t *testing.T) {
	reader, writer, err := polyproc.NewSimplexPipe()
	must(t, err)
	defer reader.Close()
	defer writer.Close()
	wants(t, reader.Send(within(t), nil), polyproc.ErrUnsupported)
	wants(t, second(writer.Recv(within(t))), polyproc.ErrUnsupported)
	wants(t, second(writer.CanRecv()), polyproc.ErrUnsupported)
	must(t, writer.Send(within(t), []byte("down")))
	equal(t, string(one(reader.Recv(within(t)))(t)), "down")
}

// A message that is longer than the ring is handed over while both sides are in their calls.
func TestLongMessagesCrossWhoeverComesFirst(t *testing.T) {
	a, b := newPipe(t)
	for _, size := range []int{1 << 20, 1<<20 + 1, 5 << 20} {
		message := make([]byte, size)
		for i := range message {
			message[i] = byte(rand.Int())
		}
		for _, receiverFirst := range []bool{true, false} {
			received := make(chan []byte, 1)
			receive := func() {
				data, err := b.Recv(within(t))
				if err != nil {
					t.Error(err)
				}
				received <- data
			}
			sent := make(chan error, 1)
			send := func() { sent <- a.Send(within(t), message) }
			first, then := send, receive
			if receiverFirst {
				first, then = receive, send
			}
			go first()
			eventually(t, "the first waits for good", func() bool { return polyproc.Waits(a)+polyproc.Waits(b) == 1 })
			go then()
			must(t, <-sent)
			if !bytes.Equal(<-received, message) {
				t.Fatalf("%d bytes came otherwise", size)
			}
		}
	}
}

func TestGoroutinesShareAConnection(t *testing.T) {
	a, b := newPipe(t)
	senders, each := 8, fewer(400)
	var wait sync.WaitGroup
	for s := range senders {
		wait.Go(func() {
			for i := range each {
				if err := a.Send(within(t), fmt.Appendf(nil, "%d.%d", s, i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var receivers sync.WaitGroup
	for range 4 {
		receivers.Go(func() {
			for data, err := range b.All(within(t)) {
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[string(data)]++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	must(t, a.Close())
	receivers.Wait()
	equal(t, len(seen), senders*each)
}

func TestConnectionValues(t *testing.T) {
	a, b := newPipe(t)
	value := []any{"hello", int64(88), []byte("World!"), nil, map[string]any{"buns": int64(3)}}
	must(t, a.SendValue(within(t), value))
	if got := one(polyproc.RecvValue[any](within(t), b))(t); !reflect.DeepEqual(got, any(value)) {
		t.Fatalf("got %#v", got)
	}
	must(t, a.Send(within(t), []byte{0xc1}))
	var undecodable *polyproc.DecodeError
	if _, err := polyproc.RecvValue[int](within(t), b); !errors.As(err, &undecodable) {
		t.Fatalf("got %v", err)
	}
}

func init() {
	children["echo messages"] = func() error {
		c, err := polyproc.InheritedConnection("end")
		if err != nil {
			return err
		}
		for data, err := range c.All(context.Background()) {
			if err == nil {
				err = c.Send(context.Background(), data)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func TestPipeToAChild(t *testing.T) {
	a, b := newPipe(t)
	child := startChild(t, "echo messages", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"end": b}})
	must(t, b.Close())
	for _, message := range [][]byte{[]byte("small"), nil, make([]byte, 3<<20)} {
		must(t, a.Send(within(t), message))
		equal(t, len(one(a.Recv(within(t)))(t)), len(message))
	}
	must(t, a.Close())
	exited(t, child, 0)
}

func TestKilledPeerIsTheEndOfFile(t *testing.T) {
	a, b := newPipe(t)
	child := startChild(t, "echo messages", polyproc.ProcessOptions{Handles: map[string]polyproc.Handle{"end": b}})
	must(t, b.Close())
	must(t, a.Send(within(t), []byte("alive?")))
	one(a.Recv(within(t)))(t)
	received := make(chan error, 1)
	go func() { received <- second(a.Recv(within(t))) }()
	eventually(t, "it waits for good", func() bool { return polyproc.Waits(a) == 1 })
	must(t, child.Kill())
	wants(t, <-received, polyproc.ErrEOF)
	wants(t, a.Send(within(t), nil), polyproc.ErrBrokenPipe)
}

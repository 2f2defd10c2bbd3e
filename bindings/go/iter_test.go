package polyproc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func testContext(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

// numbered is a joinable queue with the messages 0 to n-1.
func numbered(t *testing.T, n int) *polyproc.Queue {
	t.Helper()
	q := newQueue(t, polyproc.QueueOptions{Joinable: true})
	for i := range n {
		must(t, q.TryPut(fmt.Append(nil, i)))
	}
	return q
}

func TestAllGoesOnUntilShutdown(t *testing.T) {
	q := numbered(t, 3)
	go func() {
		for i := 3; i < 100; i++ {
			if err := q.Put(within(t), fmt.Append(nil, i)); err != nil {
				t.Error(err)
			}
		}
		if err := q.Shutdown(); err != nil {
			t.Error(err)
		}
	}()
	next := 0
	for msg, err := range q.All(within(t)) {
		must(t, err)
		equal(t, string(msg.Data()), fmt.Sprint(next))
		next++
	}
	equal(t, next, 100)
	must(t, q.Join(within(t))) // moving on has finished each
}

func TestMovingOnIsDoneAndLeavingIsReturn(t *testing.T) {
	q := numbered(t, 4)
	for msg, err := range q.All(within(t)) {
		must(t, err)
		switch string(msg.Data()) {
		case "0": // nothing: moving on is Done
			continue
		case "1":
			must(t, msg.Return()) // comes again
			if msg.Deliveries() == 1 {
				continue
			}
		}
		break
	}
	// In the second round the body returned "1" itself, and All did not return it again.
	msg := one(q.TryTake())(t)
	equal(t, string(msg.Data()), "1")
	equal(t, msg.Deliveries(), 3)
	must(t, msg.Done())

	for msg, err := range q.All(within(t)) {
		must(t, err)
		equal(t, string(msg.Data()), "2")
		must(t, msg.Done())
		break
	}
	equal(t, one(q.Len())(t), 1)
}

func TestPanicInTheBodyGivesTheMessageBack(t *testing.T) {
	q := numbered(t, 1)
	func() {
		defer func() { equal(t, recover(), "body") }()
		for range q.All(within(t)) {
			panic("body")
		}
	}()
	msg := one(q.TryTake())(t)
	equal(t, msg.Deliveries(), 2)
	must(t, msg.Done())
}

func TestDetachedMessageIsLeftAlone(t *testing.T) {
	q := numbered(t, 2)
	var kept []*polyproc.Message
	for msg, err := range q.All(within(t)) {
		must(t, err)
		kept = append(kept, msg.Detach())
		if len(kept) == 2 {
			break
		}
	}
	equal(t, one(q.Info())(t).InFlight, 2)
	for i, msg := range kept {
		equal(t, string(msg.Data()), fmt.Sprint(i))
		must(t, msg.Done())
	}
}

func TestErrorEndsTheLoop(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	ctx, cancel := testContext(10 * time.Millisecond)
	defer cancel()
	rounds := 0
	for msg, err := range q.All(ctx) {
		rounds++
		wants(t, err, context.DeadlineExceeded)
		if msg != nil {
			t.Error("a message beside an error")
		}
	}
	equal(t, rounds, 1)
	must(t, q.Close())
	for _, err := range q.All(within(t)) {
		if !errors.Is(err, polyproc.ErrClosed) {
			t.Error(err)
		}
	}
}

package polyproc_test

import (
	"bytes"
	"context"
	"testing"

	"polyproc.dev/polyproc"
)

func TestTakeDoneAndReturn(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{Joinable: true})
	must(t, q.TryPut([]byte("a")))
	must(t, q.TryPut([]byte("b")))
	first := one(q.Take(within(t)))(t)
	equal(t, string(first.Data()), "a")
	equal(t, first.Deliveries(), 1)
	must(t, first.Return())

	again := one(q.Take(within(t)))(t)
	equal(t, string(again.Data()), "a")
	equal(t, again.Deliveries(), 2)
	equal(t, again.ID(), first.ID())
	must(t, again.Done())
	wants(t, again.Done(), polyproc.ErrInvalid)
	wants(t, again.Return(), polyproc.ErrInvalid)
	if again.Data() != nil {
		t.Error("a settled message still shows its bytes")
	}
	equal(t, string(one(q.TryGet())(t)), "b")
}

func TestDeadLetters(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{Joinable: true, MaxDeliveries: 2})
	must(t, q.TryPut([]byte("poison")))
	for range 2 {
		must(t, one(q.TryTake())(t).Return())
	}
	wants(t, second(q.TryTake()), polyproc.ErrEmpty)
	must(t, q.Join(within(t)))
	equal(t, one(q.Info())(t).DeadLetters, 1)
	dead := one(q.TakeDead())(t)
	equal(t, string(dead.Data()), "poison")
	must(t, dead.Done())
	wants(t, second(q.TakeDead()), polyproc.ErrEmpty)
}

func TestHeldMessageOutlivesClose(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{Joinable: true})
	twin := one(polyproc.QueueFromFile(one(q.File())(t)))(t)
	defer twin.Close()
	must(t, q.TryPut([]byte("held")))
	msg := one(q.TryTake())(t)
	slot := one(q.Reserve(within(t), 4))(t)
	must(t, q.Close())
	wants(t, second(q.TryTake()), polyproc.ErrClosed)
	equal(t, string(msg.Data()), "held")
	must(t, msg.Done())
	copy(slot.Data(), "slot")
	must(t, slot.Commit(4))
	equal(t, string(one(twin.TryGet())(t)), "slot")
}

func TestReserve(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	slot := one(q.Reserve(within(t), 10))(t)
	equal(t, len(slot.Data()), 10)
	copy(slot.Data(), "hello")
	wants(t, slot.Commit(11), polyproc.ErrInvalid)
	wants(t, slot.Commit(-1), polyproc.ErrInvalid)
	must(t, slot.Commit(5))
	wants(t, slot.Commit(5), polyproc.ErrInvalid)
	wants(t, slot.Abort(), polyproc.ErrInvalid)
	equal(t, string(one(q.TryGet())(t)), "hello")

	aborted := one(q.Reserve(within(t), 10))(t)
	must(t, aborted.Abort())
	if aborted.Data() != nil {
		t.Error("an aborted slot still shows its room")
	}
	wants(t, second(q.TryGet()), polyproc.ErrEmpty)

	empty := one(q.Reserve(within(t), 0))(t)
	must(t, empty.Commit(0))
	equal(t, len(one(q.TryGet())(t)), 0)
}

func TestReserveWaitsForRoom(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{MaxItems: 1})
	must(t, q.TryPut([]byte("a")))
	committed := make(chan error, 1)
	go func() {
		slot, err := q.Reserve(within(t), 1)
		if err == nil {
			err = slot.Commit(1)
		}
		committed <- err
	}()
	waitsAt(t, q)
	one(q.TryGet())(t)
	must(t, <-committed)
}

// waitsAt waits until a thread waits at the queue.
func waitsAt(t *testing.T, q *polyproc.Queue) {
	t.Helper()
	eventually(t, "a thread waits at the queue", func() bool { return one(q.Info())(t).Waiting > 0 })
}

// many returns messages of many lengths, more than one batch holds in number and in bytes.
func many() (items [][]byte) {
	for i := range 1000 {
		items = append(items, bytes.Repeat([]byte{byte(i)}, i%97))
		if i%100 == 50 {
			items = append(items, bytes.Repeat([]byte{byte(i)}, 70_000+i))
		}
	}
	return items
}

func TestPutManyAndTakeMany(t *testing.T) {
	for _, maxItems := range []int{0, 7} {
		q := newQueue(t, polyproc.QueueOptions{MaxItems: maxItems})
		items := many()
		put := make(chan error, 1)
		go func() {
			n, err := q.PutMany(within(t), items)
			if err == nil && n != len(items) {
				t.Errorf("put %d of %d without an error", n, len(items))
			}
			put <- err
		}()
		for i := 0; i < len(items); {
			batch := one(q.TakeMany(within(t), 32))(t)
			if len(batch) == 0 || len(batch) > 32 {
				t.Fatalf("took %d messages", len(batch))
			}
			for _, msg := range batch {
				if !bytes.Equal(msg.Data(), items[i]) {
					t.Fatalf("message %d changed", i)
				}
				must(t, msg.Done())
				i++
			}
		}
		must(t, <-put)
		wants(t, second(q.TryTake()), polyproc.ErrEmpty)
	}
}

func TestPutManyTellsHowFarItGot(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{MaxItems: 10})
	ctx, cancel := context.WithCancel(context.Background())
	type outcome struct {
		put int
		err error
	}
	returned := make(chan outcome, 1)
	go func() {
		n, err := q.PutMany(ctx, many())
		returned <- outcome{n, err}
	}()
	waitsAt(t, q)
	cancel()
	got := <-returned
	wants(t, got.err, context.Canceled)
	equal(t, got.put, 10)
	equal(t, one(q.Len())(t), 10)
	n, err := q.PutMany(within(t), nil)
	must(t, err)
	equal(t, n, 0)
}

func TestDoneManyFinishesWhatIsNotFinished(t *testing.T) {
	q, other := newQueue(t, polyproc.QueueOptions{Joinable: true}), newQueue(t, polyproc.QueueOptions{})
	const n = 600 // more than one call of C takes
	items := make([][]byte, n)
	one(q.PutMany(within(t), items))(t)
	must(t, other.TryPut(nil))
	var messages []*polyproc.Message
	for len(messages) < n {
		messages = append(messages, one(q.TakeMany(within(t), n))(t)...)
	}
	messages = append(messages, one(other.TryTake())(t))
	must(t, messages[5].Return())
	wants(t, polyproc.DoneMany(messages), polyproc.ErrInvalid)
	again := one(q.TryTake())(t)
	equal(t, again.Deliveries(), 2)
	must(t, polyproc.DoneMany([]*polyproc.Message{again}))
	must(t, polyproc.DoneMany(nil))
	must(t, q.Join(within(t)))
	equal(t, polyproc.Users(q), 0)
	equal(t, polyproc.Users(other), 0)
}

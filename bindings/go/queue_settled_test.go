package polyproc_test

import (
	"errors"
	"testing"

	"polyproc.dev/polyproc"
)

func TestSettled(t *testing.T) {
	q := one(polyproc.NewQueue(polyproc.QueueOptions{Joinable: true, MaxItems: 2, MaxDeliveries: 1}))(t)
	defer q.Close()
	stands := func(id uint64, expected polyproc.MessageState) {
		t.Helper()
		if state := one(q.Settled(id))(t); state != expected {
			t.Fatalf("%d is %v, not %v", id, state, expected)
		}
	}
	id := one(q.PutID(within(t), []byte("task")))(t)
	stands(id, polyproc.MessageWaiting)
	message := one(q.Take(within(t)))(t)
	if message.ID() != id {
		t.Fatalf("the id is %d, and that of the message %d", id, message.ID())
	}
	stands(id, polyproc.MessageLeased)
	before := one(q.SettledCount())(t)
	done := make(chan error)
	go func() { done <- message.Done() }()
	ready := one(polyproc.WaitAny(within(t), q.SettledSide()))(t)
	if len(ready) != 1 || ready[0] != q.SettledSide() {
		t.Fatalf("%v is ready", ready)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	stands(id, polyproc.MessageDone)
	if now := one(q.SettledCount())(t); now != before+1 {
		t.Fatalf("%d are settled, after %d", now, before)
	}

	poison := one(q.PutID(within(t), make([]byte, 1<<20)))(t)
	last := one(q.PutID(within(t), nil))(t)
	full := make(chan error)
	go func() {
		_, err := q.PutID(within(t), []byte("waits"))
		full <- err
	}()
	if err := one(q.Take(within(t)))(t).Return(); err != nil {
		t.Fatal(err)
	}
	if err := <-full; err != nil {
		t.Fatal(err)
	}
	stands(poison, polyproc.MessageDead)
	if err := q.ShutdownNow(); err != nil {
		t.Fatal(err)
	}
	stands(last, polyproc.MessageDiscarded)
	if _, err := q.Settled(1 << 60); !errors.Is(err, polyproc.ErrInvalid) {
		t.Fatalf("the error is %v", err)
	}
	if _, err := q.PutID(within(t), nil); !errors.Is(err, polyproc.ErrShutdown) {
		t.Fatalf("the error is %v", err)
	}
	if one(q.Info())(t).Identity == [16]byte{} {
		t.Fatal("the queue has no identity")
	}
}

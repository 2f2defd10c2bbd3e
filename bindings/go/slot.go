package polyproc

import (
	"context"
	"sync/atomic"

	"polyproc.dev/polyproc/internal/capi"
)

// Slot is room in shared memory for one message, which the caller writes in place. The slot already
// has its position in the queue, so consumers may wait for it: call Commit or Abort soon.
//
//	slot, err := q.Reserve(ctx, n)
//	if err != nil { ... }
//	defer slot.Abort() // does nothing after Commit
//	n = encode(slot.Data())
//	return slot.Commit(n)
type Slot struct {
	queue   *Queue
	room    capi.Slot
	settled atomic.Bool
}

// Reserve makes room for a message of at most n bytes, waiting for it.
func (q *Queue) Reserve(ctx context.Context, n int) (*Slot, error) {
	if n < 0 {
		return nil, invalid("n is below 0")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !q.enter() {
		return nil, ErrClosed
	}
	slot := &Slot{queue: q}
	var err error
	if status := capi.QueueReserve(q.object, n, &slot.room, 0, nil); isTimeout(status) {
		_, err = q.wait(ctx, &q.gates[gatePut], func(timeout int64, cancel *capi.Cancel) capi.Status {
			return capi.QueueReserve(q.object, n, &slot.room, timeout, cancel)
		})
	} else {
		err = check(status)
	}
	if err != nil {
		q.leave()
		return nil, err
	}
	return slot, nil // without leave: the slot stays a user of the handle
}

// Data returns the room to write to. It is valid until Commit or Abort, and nil afterwards.
func (s *Slot) Data() []byte {
	if s.settled.Load() {
		return nil
	}
	data := s.room.Data()
	return data[:len(data):len(data)]
}

// Commit puts the first n bytes of the room as the message. It returns [ErrInvalid] if n is larger
// than the room, and the slot stays as it was, or if the slot is already settled.
func (s *Slot) Commit(n int) error {
	if !s.settled.Load() && (n < 0 || n > len(s.Data())) {
		return invalid("n is below 0 or more than the room")
	}
	return s.settle(func() capi.Status { return s.room.Commit(n) })
}

// Abort gives the room back without a message. After Commit it does nothing and returns
// [ErrInvalid].
func (s *Slot) Abort() error { return s.settle(s.room.Abort) }

func (s *Slot) settle(how func() capi.Status) error {
	if s.settled.Swap(true) {
		return invalid("the slot is settled already")
	}
	status := how()
	if status == capi.ETimeout {
		s.settled.Store(false) // a peer is stopped inside a call: the room is held as before
		return check(status)
	}
	s.queue.leave()
	return check(status)
}

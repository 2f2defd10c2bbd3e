package polyproc

import (
	"context"
	"sync/atomic"

	"polyproc.dev/polyproc/internal/capi"
)

// Message is a message that was taken and not copied: its bytes lie in shared memory. Settle it
// with Done or Return. Until then it counts as in flight, and if this process dies another one gets
// it.
type Message struct {
	queue    *Queue
	loan     capi.Message
	settled  atomic.Bool
	detached bool // a loop over All leaves it alone
}

// Take takes the next message, waiting for one.
func (q *Queue) Take(ctx context.Context) (*Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !q.enter() {
		return nil, ErrClosed
	}
	var loan capi.Message
	status := capi.QueueTake(q.object, &loan, 0, nil)
	if !isTimeout(status) {
		return q.taken(loan, check(status))
	}
	return q.takeWaiting(ctx)
}

func (q *Queue) takeWaiting(ctx context.Context) (*Message, error) {
	var loan capi.Message
	_, err := q.wait(ctx, &q.gates[gateGet], func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.QueueTake(q.object, &loan, timeout, cancel)
	})
	return q.taken(loan, err)
}

// TryTake takes the next message if there is one, else it returns [ErrEmpty].
func (q *Queue) TryTake() (*Message, error) {
	if !q.enter() {
		return nil, ErrClosed
	}
	var loan capi.Message
	status := capi.QueueTake(q.object, &loan, 0, nil)
	return q.taken(loan, check(status))
}

// TakeDead takes a dead letter: a message that was delivered MaxDeliveries times and never
// finished. If there is no dead letter, it returns [ErrEmpty].
func (q *Queue) TakeDead() (*Message, error) {
	if !q.enter() {
		return nil, ErrClosed
	}
	var loan capi.Message
	status := capi.QueueTakeDead(q.object, &loan)
	return q.taken(loan, check(status))
}

// taken ends a take. The message stays a user of the handle, with the count of the caller's enter.
func (q *Queue) taken(loan capi.Message, err error) (*Message, error) {
	if err != nil {
		q.leave()
		return nil, err
	}
	return &Message{queue: q, loan: loan}, nil
}

// Data returns the message's bytes in shared memory, for reading only. They are valid until Done or
// Return; copy what you need longer. Data is nil for a settled message.
func (m *Message) Data() []byte {
	if m.settled.Load() {
		return nil
	}
	data := m.loan.Data()
	return data[:len(data):len(data)]
}

// ID is the message's number in its queue. It stays the same when the message is delivered again.
func (m *Message) ID() uint64 { return m.loan.ID() }

// Deliveries is how often the message was delivered, 1 the first time.
func (m *Message) Deliveries() int { return int(m.loan.Deliveries()) }

// Done finishes the message and frees its memory. On a joinable queue this is its TaskDone. It
// returns [ErrInvalid] for a message that is already settled, and [ErrTimeout] while a peer is
// stopped inside a call; the message stays held then.
func (m *Message) Done() error { return m.settle((*capi.Message).Done) }

// Return gives the message back: it is first in line again, with one more delivery. It returns
// [ErrInvalid] for a message that is already settled, and [ErrTimeout] while a peer is stopped
// inside a call; the message stays held then.
func (m *Message) Return() error { return m.settle((*capi.Message).Return) }

var errMessageSettled = invalid("the message is settled already")

func (m *Message) settle(how func(*capi.Message) capi.Status) error {
	if m.settled.Swap(true) {
		return errMessageSettled
	}
	status := how(&m.loan)
	if status == capi.ETimeout {
		m.settled.Store(false) // a peer is stopped inside a call: the message stays held
		return check(status)
	}
	m.queue.leave()
	return check(status)
}

package polyproc

import (
	"context"

	"polyproc.dev/polyproc/internal/capi"
)

// MessageState tells how a message stands, see [Queue.Settled].
type MessageState int

const (
	// MessageWaiting says that the message waits for a consumer: it was not delivered yet, or it
	// came back.
	MessageWaiting MessageState = capi.MessageWaiting
	// MessageLeased says that a process has the message and has not settled it.
	MessageLeased MessageState = capi.MessageLeased
	// MessageDone says that the message was settled, or got from a queue that is not joinable.
	MessageDone MessageState = capi.MessageDone
	// MessageDead says that the message was delivered too often and became a dead letter, also if
	// the dead letter was taken.
	MessageDead MessageState = capi.MessageDead
	// MessageDiscarded says that an immediate shutdown discarded the message.
	MessageDiscarded MessageState = capi.MessageDiscarded
	// MessageUnknown says that the message is over, and that it is forgotten whether it was done, a
	// dead letter or discarded.
	MessageUnknown MessageState = capi.MessageUnknown
)

// String returns the state as a word.
func (s MessageState) String() string {
	words := [...]string{"", "waiting", "leased", "done", "dead", "discarded", "unknown"}
	if s < MessageWaiting || s > MessageUnknown {
		return "invalid"
	}
	return words[s]
}

// PutID puts a message like [Queue.Put], and returns its id, which [Message.ID] returns to its
// consumer and which [Queue.Settled] takes. Put is faster.
func (q *Queue) PutID(ctx context.Context, data []byte) (id uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if !q.enter() {
		return 0, ErrClosed
	}
	id, status := capi.QueuePutID(q.object, data, 0, nil)
	if isTimeout(status) {
		return q.putIDWaiting(ctx, data)
	}
	q.leave()
	return id, check(status)
}

// putIDWaiting is putWaiting for PutID.
func (q *Queue) putIDWaiting(ctx context.Context, data []byte) (id uint64, err error) {
	defer q.leave()
	_, err = q.wait(ctx, &q.gates[gatePut], func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		id, status = capi.QueuePutID(q.object, data, timeout, cancel)
		return status
	})
	return id, err
}

// Settled tells how the message with an id stands, of [Queue.PutID] or [Message.ID]. The answer can
// be stale by the time the call returns; done, dead and discarded are final. A message that was not
// done is never called done. Ids are valid for one creation of a queue: compare
// [QueueInfo.Identity].
func (q *Queue) Settled(id uint64) (state MessageState, err error) {
	_, err = q.try(func(int64, *capi.Cancel) capi.Status {
		found, status := capi.QueueSettled(q.object, id)
		state = MessageState(found)
		return status
	})
	return state, err
}

// SettledCount returns a number that grows with every message that is settled. Ask for it first and
// then for the messages; [WaitAny] waits with [Queue.SettledSide] until it has grown again.
func (q *Queue) SettledCount() (n uint64, err error) {
	_, err = q.try(func(int64, *capi.Cancel) (status capi.Status) {
		n, status = capi.QueueSettledCount(q.object)
		return status
	})
	return n, err
}

// SettledSide is the side of a queue on which messages are settled, for [WaitAny]: it is ready when
// messages were settled since the last [Queue.SettledCount].
type SettledSide struct{ queue *Queue }

// SettledSide returns what [WaitAny] needs to wait until messages of the queue are settled. All
// SettledSides of a queue are equal.
func (q *Queue) SettledSide() SettledSide { return SettledSide{q} }

func (s SettledSide) waitable() (*handle, capi.WaitKind) {
	return &s.queue.handle, capi.WaitQueueSettled
}

package polyproc

import (
	"context"
	"iter"
)

// All takes the queue's messages one after the other, waiting for each, until the queue is shut down
// and drained:
//
//	for msg, err := range q.All(ctx) {
//		if err != nil {
//			return err
//		}
//		work(msg.Data())
//	}
//
// Moving on finishes the message: when the loop asks for the next one, All calls Done on the last
// unless the body has settled it. A body that leaves the loop (break, return, a panic) has not
// finished it: All calls Return, and someone else gets the message. So a message that is the reason
// to leave and must not come again is to be settled first, with Done. A body that gives the message
// to another goroutine calls [Message.Detach].
//
// An error ends the loop after one round with a nil message; shutdown is not an error.
func (q *Queue) All(ctx context.Context) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for {
			msg, err := q.Take(ctx)
			if err == ErrShutdown {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			on, err := visit(msg, func() bool { return yield(msg, nil) })
			if err != nil {
				yield(nil, err)
				return
			}
			if !on {
				return
			}
		}
	}
}

// visit runs the body of a loop over messages and settles the message after it.
func visit(msg *Message, body func() bool) (on bool, err error) {
	defer func() {
		if msg.detached || msg.settled.Load() {
			return
		}
		if on {
			err = msg.Done()
		} else {
			// The loop is being left, perhaps by a panic: there is nobody to tell of an error, and
			// a message that cannot be given back now is when this process ends.
			_ = msg.Return()
		}
	}()
	return body(), nil
}

// Detach tells a loop over [Queue.All] that the message is in other hands: whoever has it settles it.
// Outside of such a loop it does nothing.
func (m *Message) Detach() *Message {
	m.detached = true
	return m
}

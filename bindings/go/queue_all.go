package polyproc

import (
	"context"
	"iter"
)

// All takes the queue's messages one after the other, waiting for each, until the queue is shut
// down and drained:
//
//	for msg, err := range q.All(ctx) {
//		if err != nil {
//			return err
//		}
//		work(msg.Data())
//	}
//
// When the loop asks for the next message, All calls Done on the last one unless the body has
// settled it. When the body leaves the loop (break, return, a panic), All calls Return on the last
// one, and another consumer gets it. To leave the loop without another delivery of the message,
// call Done first. A body that hands the message to another goroutine calls [Message.Detach].
//
// After an error the loop gets one round with a nil message and ends; shutdown is no error.
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
			// The body leaves the loop, perhaps by a panic, so no caller would get an error. A
			// message that cannot be returned now is redelivered when this process ends.
			_ = msg.Return()
		}
	}()
	return body(), nil
}

// Detach makes a loop over [Queue.All] leave the message unsettled: its new holder settles it.
// Outside of such a loop it does nothing.
func (m *Message) Detach() *Message {
	m.detached = true
	return m
}

package polyproc

import (
	"context"
	"sync"

	"polyproc.dev/polyproc/internal/capi"
)

// packed has short messages side by side, so that PutMany hands them to C in one call.
type packed struct {
	data []byte
	lens []uintptr
}

// packedBytes is the size of a batch. A message that does not fit is put by itself, because one
// more copy of it would cost more than the call that it saves.
const packedBytes = 64 << 10

var packedPool = sync.Pool{New: func() any {
	return &packed{data: make([]byte, 0, packedBytes), lens: make([]uintptr, 0, capi.Batch)}
}}

// fill takes as many messages from the front of items as one batch holds: none if the first is too
// long.
func (p *packed) fill(items [][]byte) {
	p.data, p.lens = p.data[:0], p.lens[:0]
	for _, item := range items {
		if len(p.lens) == capi.Batch || len(p.data)+len(item) > packedBytes {
			return
		}
		p.data = append(p.data, item...)
		p.lens = append(p.lens, uintptr(len(item)))
	}
}

// PutMany puts messages in their order, waiting for room, and returns how many it put: all of them
// if err is nil. It costs far less than a Put for each.
func (q *Queue) PutMany(ctx context.Context, items [][]byte) (put int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if !q.enter() {
		return 0, ErrClosed
	}
	defer q.leave()
	batch := packedPool.Get().(*packed)
	defer packedPool.Put(batch)
	for put < len(items) && err == nil {
		n := 0
		if batch.fill(items[put:]); len(batch.lens) > 0 {
			n, err = q.putBatch(ctx, batch.data, batch.lens)
		} else if err = q.Put(ctx, items[put]); err == nil {
			n = 1
		}
		put += n
	}
	return put, err
}

func (q *Queue) putBatch(ctx context.Context, data []byte, lens []uintptr) (put int, err error) {
	for put < len(lens) {
		n, status := capi.QueuePutMany(q.object, data, lens[put:], 0, nil)
		if isTimeout(status) {
			n, err = q.putBatchWaiting(ctx, data, lens[put:])
		} else {
			err = check(status)
		}
		if err != nil {
			return put, err
		}
		for _, length := range lens[put : put+n] {
			data = data[length:]
		}
		put += n
	}
	return put, nil
}

func (q *Queue) putBatchWaiting(ctx context.Context, data []byte, lens []uintptr) (put int, err error) {
	_, err = q.wait(ctx, &q.gates[gatePut], func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		put, status = capi.QueuePutMany(q.object, data, lens, timeout, cancel)
		return status
	})
	return put, err
}

// TakeMany takes up to limit messages, waiting for the first only.
func (q *Queue) TakeMany(ctx context.Context, limit int) ([]*Message, error) {
	if limit <= 0 {
		return nil, invalid("limit is below 1")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !q.enter() {
		return nil, ErrClosed
	}
	defer q.leave()
	loans := loanPool.Get().(*[]capi.Message)
	defer loanPool.Put(loans)
	if len(*loans) < limit {
		*loans = make([]capi.Message, limit)
	}
	taken, status := capi.QueueTakeMany(q.object, (*loans)[:limit], 0, nil)
	err := check(status)
	if isTimeout(status) {
		taken, err = q.takeManyWaiting(ctx, (*loans)[:limit])
	}
	if err != nil {
		return nil, err
	}
	return q.messages((*loans)[:taken]), nil
}

// loanPool has tables for the messages that C returns.
var loanPool = sync.Pool{New: func() any { return new([]capi.Message) }}

func (q *Queue) takeManyWaiting(ctx context.Context, out []capi.Message) (taken int, err error) {
	_, err = q.wait(ctx, &q.gates[gateGet], func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		taken, status = capi.QueueTakeMany(q.object, out, timeout, cancel)
		return status
	})
	return taken, err
}

// DoneMany finishes messages, of one queue or of several, for far less than a Done for each. It
// finishes all that it can; a message that is already settled makes it return [ErrInvalid].
func DoneMany(messages []*Message) (err error) {
	loans := loanPool.Get().(*[]capi.Message)
	defer loanPool.Put(loans)
	if len(*loans) < capi.Batch {
		*loans = make([]capi.Message, capi.Batch)
	}
	for len(messages) > 0 {
		group := messages[:min(len(messages), capi.Batch)]
		messages = messages[len(group):]
		var owners [capi.Batch]*Message
		n := 0
		for _, m := range group {
			if m.settled.Swap(true) {
				err = errMessageSettled
				continue
			}
			(*loans)[n], owners[n] = m.loan, m
			n++
		}
		if n == 0 {
			continue
		}
		status := capi.DoneMany((*loans)[:n])
		if failure := check(status); failure != nil {
			err = failure
		}
		for i, m := range owners[:n] {
			if status == capi.ETimeout && (*loans)[i].IsHeld() {
				m.settled.Store(false) // a peer is stopped inside a call: the message stays held
				continue
			}
			m.queue.leave()
		}
	}
	return err
}

// messages makes a Message of each loan, as one more user of the handle, with two allocations for
// all.
func (q *Queue) messages(loans []capi.Message) []*Message {
	q.users.Add(int64(len(loans)))
	messages := make([]Message, len(loans))
	out := make([]*Message, len(loans))
	for i := range loans {
		messages[i].queue = q
		messages[i].loan = loans[i]
		out[i] = &messages[i]
	}
	return out
}

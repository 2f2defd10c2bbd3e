package polyproc

import (
	"context"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// Waitable is a thing that [WaitAny] waits for. A [Queue] is ready when a get would not wait, a
// [Queue.PutSide] when a put would not wait, a [Queue.SettledSide] when messages were settled since
// the last SettledCount, an [Event] when it is set or was set since the call began, a [Connection]
// when a receive would not wait, a [Listener] when an accept would not wait, and a [Process] when
// it has ended.
type Waitable interface {
	waitable() (*handle, capi.WaitKind)
}

func (q *Queue) waitable() (*handle, capi.WaitKind)      { return &q.handle, capi.WaitQueueGet }
func (e *Event) waitable() (*handle, capi.WaitKind)      { return &e.handle, capi.WaitEvent }
func (c *Connection) waitable() (*handle, capi.WaitKind) { return &c.handle, capi.WaitConnection }
func (l *Listener) waitable() (*handle, capi.WaitKind)   { return &l.handle, capi.WaitListener }
func (p *Process) waitable() (*handle, capi.WaitKind)    { return &p.handle, capi.WaitProcess }

// PutSide is the put side of a queue, for [WaitAny]: it is ready when a put would not wait.
type PutSide struct{ queue *Queue }

// PutSide returns what [WaitAny] needs to wait for room in the queue. All PutSides of a queue are
// equal.
func (q *Queue) PutSide() PutSide { return PutSide{q} }

func (s PutSide) waitable() (*handle, capi.WaitKind) { return &s.queue.handle, capi.WaitQueuePut }

// WaitAny waits until at least one of several things is ready, and returns all that are, in their
// order:
//
//	ready, err := polyproc.WaitAny(ctx, jobs, results.PutSide(), worker)
//	for _, thing := range ready {
//		switch thing {
//		case jobs: ...
//		case worker: ...
//		}
//	}
//
// WaitAny performs no operation, so another goroutine or process may be faster: use the Try calls
// afterwards.
func WaitAny(ctx context.Context, things ...Waitable) (ready []Waitable, err error) {
	if len(things) == 0 {
		return nil, invalid("there is nothing to wait for")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	table := capi.NewWaitables(len(things))
	defer table.Free()
	var marks []mark
	handles := make([]*handle, len(things))
	for i, thing := range things {
		h, kind := thing.waitable()
		if !h.enter() {
			return nil, ErrClosed
		}
		defer h.leave()
		handles[i] = h
		table.Set(i, kind, h.object)
		if kind == capi.WaitEvent {
			sets, status := capi.EventSets(h.object)
			if status < 0 {
				return nil, check(status)
			}
			marks = append(marks, mark{i, h.object, sets})
		}
	}
	status := table.WaitAny(0, nil)
	if isTimeout(status) {
		status, err = block(ctx, func(timeout int64, cancel *capi.Cancel) capi.Status {
			return waitAnySince(table, marks, timeout, cancel)
		}, handles...)
	}
	if err == nil {
		err = check(status)
	}
	if err != nil {
		return nil, err
	}
	for i, thing := range things {
		if table.IsReady(i) || isSet(marks, i) {
			ready = append(ready, thing)
		}
	}
	return ready, nil
}

// waitAnySince waits for the table. Its waits in C begin later than the caller's WaitAny, so an
// event may have been set and cleared in between, which only the marks show. So waitAnySince reads
// the marks before each wait in C.
func waitAnySince(table capi.Waitables, marks []mark, timeout int64, cancel *capi.Cancel) capi.Status {
	const longest = int64(250 * time.Millisecond)
	for {
		if anySet(marks) {
			return capi.OK
		}
		slice := timeout
		if len(marks) > 0 && (timeout < 0 || timeout > longest) {
			slice = longest
		}
		status := table.WaitAny(slice, cancel)
		if slice == timeout || !isTimeout(status) {
			return status
		}
		if timeout > 0 {
			timeout -= slice
		}
	}
}

// mark is how often an event had been set when a wait for it began.
type mark struct {
	index int
	event capi.Object
	sets  uint32
}

func (m mark) isSet() bool { return !isTimeout(capi.EventWaitSince(m.event, m.sets, 0, nil)) }

func anySet(marks []mark) bool {
	for _, m := range marks {
		if m.isSet() {
			return true
		}
	}
	return false
}

func isSet(marks []mark, index int) bool {
	for _, m := range marks {
		if m.index == index {
			return m.isSet()
		}
	}
	return false
}

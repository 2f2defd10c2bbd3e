package polyproc

import (
	"context"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// gate lets one goroutine at a time wait for an object in one direction. The others that want the same
// wait for their turn, as goroutines: whoever gets what it waited for hands the turn on, so one message
// wakes one goroutine, however many wait.
type gate struct {
	turn       chan struct{} // holds one element while somebody has the turn
	descriptor *descriptor   // what to park on; nil where there is nothing
	ready      *readiness    // made by whoever has the turn and has to park first
}

// call is one attempt of a C function that waits.
type call func(timeout int64, cancel *capi.Cancel) capi.Status

// brief is how long a wait is a plain call into C, on a thread, before it is arranged in a way that may
// last. What comes sooner, as it does for whoever keeps a queue busy, comes by the shortest way.
const brief = time.Millisecond

// operation is a C function that waits and takes nothing but its object.
type operation func(object capi.Object, timeout int64, cancel *capi.Cancel) capi.Status

// do is a call that may wait: the try first, which needs neither the gate nor the context.
func (h *handle) do(ctx context.Context, g *gate, wait operation) (capi.Status, error) {
	if err := ctx.Err(); err != nil {
		return capi.ECanceled, err
	}
	if !h.enter() {
		return capi.EClosed, ErrClosed
	}
	defer h.leave()
	status := wait(h.object, 0, nil)
	if isTimeout(status) {
		return h.doWaiting(ctx, g, wait)
	}
	return status, check(status)
}

// doWaiting is apart from do because its closure goes to the heap.
func (h *handle) doWaiting(ctx context.Context, g *gate, wait operation) (capi.Status, error) {
	return h.wait(ctx, g, func(timeout int64, cancel *capi.Cancel) capi.Status {
		return wait(h.object, timeout, cancel)
	})
}

// try is a call that does not wait.
func (h *handle) try(attempt call) (capi.Status, error) {
	if !h.enter() {
		return capi.EClosed, ErrClosed
	}
	defer h.leave()
	status := attempt(0, nil)
	return status, check(status)
}

// wait repeats attempt until it succeeds or fails, for a goroutine that has entered and whose try has
// found that it must wait. The status is negative only beside an error.
func (h *handle) wait(ctx context.Context, g *gate, attempt call) (capi.Status, error) {
	if err := h.takeTurn(ctx, g); err != nil {
		return capi.ECanceled, err
	}
	defer g.leaveTurn()
	if status := briefly(ctx, attempt); !isTimeout(status) {
		return status, check(status)
	}
	if ready := g.readiness(h.object); ready != nil {
		return h.park(ctx, ready, attempt)
	}
	return block(ctx, attempt, h)
}

func (h *handle) takeTurn(ctx context.Context, g *gate) error {
	select {
	case g.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case g.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-h.closed:
		return ErrClosed
	}
}

func (g *gate) leaveTurn() { <-g.turn }

// briefly is the first attempt that waits. Nothing ends it early, for it ends soon.
func briefly(ctx context.Context, attempt call) capi.Status {
	patience, leave := takeSeat(ctx)
	defer leave()
	return attempt(int64(patience), nil)
}

// takeSeat takes a seat for a brief wait, and tells how brief: not at all where there is no seat.
func takeSeat(ctx context.Context) (patience time.Duration, leave func()) {
	select {
	case seats <- struct{}{}:
	default:
		return 0, func() {}
	}
	patience = brief
	if deadline, ok := ctx.Deadline(); ok {
		patience = max(0, min(patience, time.Until(deadline)))
	}
	return patience, func() { <-seats }
}

func isTimeout(status capi.Status) bool {
	return status == capi.EEmpty || status == capi.EFull || status == capi.ETimeout
}

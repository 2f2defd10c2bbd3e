package polyproc

import (
	"context"

	"polyproc.dev/polyproc/internal/capi"
)

// How a goroutine waits. All of it is in the files wait*.go.
//
//  1. handle.do tries: an operation that can complete immediately does so, whoever else waits.
//  2. Else the goroutine takes its turn at the gate of the object and direction. Other goroutines
//     that want the same wait for their turn on a channel.
//  3. The goroutine with the turn waits in C for a short time (wait_threads.go): an answer that
//     comes within that time comes by the shortest way.
//  4. Then the runtime's poller parks it on a descriptor, without a thread (wait_park.go). If the
//     object has no descriptor, it sleeps in C on one of a bounded number of threads
//     (wait_sleep.go).
//
// The end of the context and Close end each of these.

// gate lets one goroutine at a time wait for an object in one direction. The other goroutines wait
// for their turn. A goroutine that succeeds passes the turn on, so one message wakes one goroutine,
// however many wait.
type gate struct {
	turn       chan struct{} // holds one element while somebody has the turn
	descriptor *descriptor   // to park on; nil if there is none
	ready      *readiness    // made by the first goroutine that has the turn and parks
}

// call is one attempt of a C function that waits.
type call func(timeout int64, cancel *capi.Cancel) capi.Status

// operation is a C function that waits and takes nothing but its object.
type operation func(object capi.Object, timeout int64, cancel *capi.Cancel) capi.Status

// do performs an operation that may wait. The try comes first: it needs neither the gate nor the
// context.
func (h *handle) do(ctx context.Context, g *gate, wait operation) (capi.Status, error) {
	if err := ctx.Err(); err != nil {
		return capi.ECanceled, err
	}
	if !h.enter() {
		return capi.EClosed, ErrClosed
	}
	status := wait(h.object, 0, nil)
	if isTimeout(status) {
		return h.doWaiting(ctx, g, wait)
	}
	h.leave()
	return status, check(status)
}

// doWaiting ends an operation that has to wait, and leaves. Without it do would pay for its defer
// and for its closure, which is allocated on the heap.
func (h *handle) doWaiting(ctx context.Context, g *gate, wait operation) (capi.Status, error) {
	defer h.leave()
	return h.wait(ctx, g, func(timeout int64, cancel *capi.Cancel) capi.Status {
		return wait(h.object, timeout, cancel)
	})
}

// try performs one attempt that does not wait.
func (h *handle) try(attempt call) (capi.Status, error) {
	if !h.enter() {
		return capi.EClosed, ErrClosed
	}
	status := attempt(0, nil)
	h.leave()
	return status, check(status)
}

// wait repeats attempt until it succeeds or fails. The caller has entered, and its try found that
// it must wait. The status is negative only together with an error.
func (h *handle) wait(ctx context.Context, g *gate, attempt call) (capi.Status, error) {
	if err := h.takeTurn(ctx, g); err != nil {
		return capi.ECanceled, err
	}
	defer g.leaveTurn()
	if status := waitShortly(ctx, attempt); !isTimeout(status) {
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

// waitShortly is the first attempt that waits. Nothing ends it early, because it ends soon.
func waitShortly(ctx context.Context, attempt call) capi.Status {
	timeout, give := takeShortWait(ctx)
	defer give()
	return attempt(int64(timeout), nil)
}

// isTimeout reports whether an attempt was over before it came to an end. A try returns ETimeout
// when another process held an internal lock of the object for too long: it may have been
// preempted.
func isTimeout(status capi.Status) bool {
	return status == capi.EEmpty || status == capi.EFull || status == capi.ETimeout
}

package polyproc

import (
	"context"
	"sync/atomic"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// gate lets one goroutine at a time wait in C. The others that want the same wait for their turn, as
// goroutines, so that an object pins one thread per direction however many wait.
type gate struct {
	turn  chan struct{}                // holds one element while somebody has the turn
	token *atomic.Pointer[capi.Cancel] // ends the wait of whoever has the turn
}

// unwatched is how long a wait may go on before somebody watches its context. A busy queue has the
// next message sooner, and to set up the watch costs more than such a message.
const unwatched = 20 * time.Microsecond

// call is one attempt of a C function that waits.
type call func(timeout int64, cancel *capi.Cancel) capi.Status

// wait runs attempt in C until it succeeds or fails, for a goroutine that has entered and whose try
// has found that it must wait. The status is negative only beside an error.
func (h *handle) wait(ctx context.Context, g *gate, attempt call) (capi.Status, error) {
	select {
	case g.turn <- struct{}{}:
	default:
		select {
		case g.turn <- struct{}{}:
		case <-ctx.Done():
			return capi.ECanceled, ctx.Err()
		case <-h.closed:
			return capi.EClosed, ErrClosed
		}
	}
	defer func() { <-g.turn }()

	token, err := g.ready()
	if err != nil {
		return capi.ENoMemory, err
	}
	// Close marks the handle, then fires the tokens. Whoever does not see the mark here has a token
	// that is still to be fired.
	if h.isClosed() {
		return capi.EClosed, ErrClosed
	}
	status := watched(ctx, token, attempt)
	switch {
	case status >= 0:
		return status, nil
	case status == capi.ECanceled && h.isClosed():
		return status, ErrClosed
	case status == capi.ECanceled && ctx.Err() != nil:
		return status, ctx.Err()
	}
	return status, check(status)
}

// ready gives the gate's token to the goroutine that has the turn.
func (g *gate) ready() (*capi.Cancel, error) {
	if token := g.token.Load(); token != nil {
		return token, nil
	}
	token, status := capi.NewCancel()
	if status < 0 {
		return nil, check(status)
	}
	g.token.Store(token)
	return token, nil
}

// watched waits in C, with the end of ctx firing the token.
func watched(ctx context.Context, token *capi.Cancel, attempt call) capi.Status {
	if ctx.Done() == nil {
		return attempt(capi.Forever, token)
	}
	if status := attempt(int64(unwatched), token); !isTimeout(status) {
		return status
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		token.Fire()
		close(fired)
	})
	status := attempt(capi.Forever, token)
	if !stop() {
		// The watcher has started: wait for it, or it would end the next call with this token.
		<-fired
		token.Reset()
	}
	return status
}

func isTimeout(status capi.Status) bool {
	return status == capi.EEmpty || status == capi.EFull || status == capi.ETimeout
}

// do is a call that may wait: the try first, which needs neither the gate nor the context.
func (h *handle) do(ctx context.Context, g *gate, attempt call) (capi.Status, error) {
	if err := ctx.Err(); err != nil {
		return capi.ECanceled, err
	}
	if !h.enter() {
		return capi.EClosed, ErrClosed
	}
	defer h.leave()
	status := attempt(0, nil)
	if isTimeout(status) {
		return h.wait(ctx, g, attempt)
	}
	return status, check(status)
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

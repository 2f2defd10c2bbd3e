package polyproc

import (
	"context"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// seats are the threads that may sleep in C for the waits that have no descriptor to park on, in the
// whole process. Each is for one object and direction, not for one goroutine.
var seats = make(chan struct{}, 32)

// engaged are the threads that may be in the middle of what cannot be left and begun anew: a message that is
// going through a socket, a handshake. Each is for one connection.
var engaged = make(chan struct{}, 1000)

// engage is sleep on such a thread.
func engage(ctx context.Context, attempt call, handles ...*handle) (capi.Status, error) {
	select {
	case engaged <- struct{}{}:
	default:
		select {
		case engaged <- struct{}{}:
		case <-ctx.Done():
			return capi.ECanceled, ctx.Err()
		}
	}
	defer func() { <-engaged }()
	return sleep(ctx, attempt, handles...)
}

// unseated is how often an object is looked at for which there is no seat.
const unseated = 10 * time.Millisecond

// block repeats attempt until it succeeds or fails: asleep in C where there is a seat, else by looking
// now and then. A bound on the threads can so never keep from its turn the one that others wait for.
func block(ctx context.Context, attempt call, handles ...*handle) (capi.Status, error) {
	select {
	case seats <- struct{}{}:
	default:
		status, err := look(ctx, attempt, handles[0].closed)
		if err != nil || !isTimeout(status) {
			return status, err
		}
	}
	defer func() { <-seats }()
	return sleep(ctx, attempt, handles...)
}

// look attempts now and then, until that gives something or a seat is free. The status is that of a
// timeout when the caller has the seat.
func look(ctx context.Context, attempt call, closed <-chan struct{}) (capi.Status, error) {
	ticks := time.NewTicker(unseated)
	defer ticks.Stop()
	for {
		select {
		case seats <- struct{}{}:
			return capi.ETimeout, nil
		case <-ctx.Done():
			return capi.ECanceled, ctx.Err()
		case <-closed:
			return capi.EClosed, ErrClosed
		case <-ticks.C:
			if status := attempt(0, nil); !isTimeout(status) {
				return status, check(status)
			}
		}
	}
}

// sleep is one attempt that waits in C on this thread, until the end of ctx or the Close of one of the
// handles fires its token.
func sleep(ctx context.Context, attempt call, handles ...*handle) (capi.Status, error) {
	token, err := takeToken()
	if err != nil {
		return capi.ENoMemory, err
	}
	for i, h := range handles {
		if !h.attach(token) {
			for _, h := range handles[:i] {
				h.detach(token)
			}
			giveToken(token)
			return capi.EClosed, ErrClosed
		}
	}
	undo := onDone(ctx, token)
	status := attempt(capi.Forever, token.Cancel)
	undo()
	for _, h := range handles {
		h.detach(token)
	}
	// Nobody knows the token any more: it can be made whole for the next.
	giveToken(token)
	return status, ending(ctx, status, handles...)
}

// ending is the error of a wait that somebody may have ended early.
func ending(ctx context.Context, status capi.Status, handles ...*handle) error {
	if status == capi.ECanceled {
		for _, h := range handles {
			if h.isClosed() {
				return ErrClosed
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return check(status)
}

// interrupter ends a wait early: the one that uses it now, or else the next, until it is reset.
type interrupter interface{ interrupt() }

// onDone has the end of ctx interrupt a wait. Undo it when the wait is over: after that it does not.
func onDone(ctx context.Context, wait interrupter) (undo func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		wait.interrupt()
		close(fired)
	})
	return func() {
		if !stop() {
			<-fired // it has started, and would hit the next wait
		}
	}
}

// cancelToken ends a wait in C.
type cancelToken struct{ *capi.Cancel }

func (t cancelToken) interrupt() { t.Fire() }

// spareTokens are for the next waits. More than there are seats are seldom of use.
var spareTokens = make(chan cancelToken, cap(seats))

func takeToken() (cancelToken, error) {
	select {
	case t := <-spareTokens:
		return t, nil
	default:
	}
	cancel, status := capi.NewCancel()
	return cancelToken{cancel}, check(status)
}

func giveToken(t cancelToken) {
	t.Reset()
	select {
	case spareTokens <- t:
	default:
		t.Close()
	}
}

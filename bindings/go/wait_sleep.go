package polyproc

import (
	"context"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// block repeats attempt until it succeeds or fails. If a thread is free the attempt sleeps in C,
// else block tries at intervals, so that no wait depends on a thread that another wait has.
func block(ctx context.Context, attempt call, handles ...*handle) (capi.Status, error) {
	if !blockingThreads.tryTake() {
		status, err := poll(ctx, attempt, handles[0].closed)
		if err != nil || !isTimeout(status) {
			return status, err
		}
	}
	defer blockingThreads.give()
	return sleep(ctx, attempt, handles...)
}

// poll makes an attempt at intervals until one succeeds or fails. When a thread becomes free, poll
// takes it and returns the status of a timeout.
func poll(ctx context.Context, attempt call, closed <-chan struct{}) (capi.Status, error) {
	ticks := time.NewTicker(pollInterval)
	defer ticks.Stop()
	for {
		select {
		case blockingThreads <- struct{}{}:
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

// transfer is sleep for an operation that cannot be interrupted and repeated.
func transfer(ctx context.Context, attempt call, handles ...*handle) (capi.Status, error) {
	if err := transferThreads.take(ctx); err != nil {
		return capi.ECanceled, err
	}
	defer transferThreads.give()
	return sleep(ctx, attempt, handles...)
}

// sleepCounted is sleep at a condition or a barrier.
func sleepCounted(ctx context.Context, attempt call, handles ...*handle) (capi.Status, error) {
	if !countedThreads.tryTake() {
		return capi.ELimit, ErrLimit
	}
	defer countedThreads.give()
	return sleep(ctx, attempt, handles...)
}

// sleep is one attempt that waits in C on this thread, until the end of ctx or the Close of one of
// the handles fires its token.
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
	// Nobody can fire the token any more: it can be reset for the next wait.
	giveToken(token)
	return status, ending(ctx, status, handles...)
}

// ending returns the error of a wait that the context or Close may have ended early.
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

// interrupter ends a wait early: the current wait, or, if there is none, each wait that begins
// before the reset.
type interrupter interface{ interrupt() }

// onDone makes the end of ctx interrupt a wait, until undo is called. Call undo when the wait is
// over.
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
			<-fired // the interrupt has started: without this it could end the next wait
		}
	}
}

// cancelToken ends a wait in C.
type cancelToken struct{ *capi.Cancel }

func (t cancelToken) interrupt() { t.Fire() }

// spareTokens are for the next waits. There is one for each blocking thread, so usual waits make
// none.
var spareTokens = make(chan cancelToken, cap(blockingThreads))

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

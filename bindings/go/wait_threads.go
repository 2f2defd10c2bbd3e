package polyproc

import (
	"context"
	"time"
)

// threads bounds how many threads of the operating system are in one kind of wait, in the whole
// process. A goroutine in C keeps its thread, and the runtime ends a program that has more than
// 10,000. The three bounds together stay below that. A bound costs nothing while threads are free.
type threads chan struct{}

var (
	// blockingThreads serve the short waits, and the waits without a descriptor: one for each
	// object and direction. A wait that finds no free thread is tried every pollInterval until
	// there is one.
	blockingThreads = make(threads, 32)

	// transferThreads serve operations that cannot be interrupted and repeated: a message that is
	// partly sent through a socket, a handshake. Each takes as long as its peer does. So with this
	// many stopped peers, further operations have to wait.
	transferThreads = make(threads, 1000)

	// countedThreads wait at conditions and barriers, where the library counts each caller, so each
	// caller needs a thread. A wait beyond them fails with [ErrLimit]: if it waited for a thread,
	// the holders of the threads might be waiting for it.
	countedThreads = make(threads, 4000)
)

// tryTake takes a thread if one is free.
func (t threads) tryTake() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

// take takes a thread, or gives up at the end of ctx.
func (t threads) take(ctx context.Context) error {
	if t.tryTake() {
		return nil
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t threads) give() { <-t }

// shortWait is how long a wait is a plain call into C before it parks or sleeps. Chosen so that it
// covers the answer of another process that answers at once, and so that a context, whose end does
// not end this wait, ends it late by no more than a timer would. With a core for each process a
// round of BenchmarkPingPong takes 3 us with any value from 20 us to 10 ms, and 165 us with 0.
const shortWait = time.Millisecond

// pollInterval is how often a wait without a free thread is tried.
const pollInterval = 10 * time.Millisecond

// takeShortWait takes a thread for a short wait and returns how long that may be: 0 if no thread is
// free.
func takeShortWait(ctx context.Context) (timeout time.Duration, give func()) {
	if !blockingThreads.tryTake() {
		return 0, func() {}
	}
	timeout = shortWait
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(0, min(timeout, time.Until(deadline)))
	}
	return timeout, blockingThreads.give
}

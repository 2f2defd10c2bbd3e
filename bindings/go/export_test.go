package polyproc

// What only the tests need to see.

// EventWaiters is how many goroutines wait for the event.
func EventWaiters(e *Event) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.watch == nil {
		return 0
	}
	return e.watch.waiters
}

// Users is how many calls, messages and slots use the handle now.
func Users(h closer) int64 { return handleOf(h).users.Load() &^ closedBit }

// Freed tells whether the C handle was given back.
func Freed(h closer) bool { return handleOf(h).freed.Load() }

type closer interface{ Close() error }

func handleOf(c closer) *handle {
	if process, ok := c.(*Process); ok {
		return &process.handle
	}
	return c.(Handle).inherit()
}

// Scan is the check that a message passes before it is decoded.
var Scan = scan

package polyproc

// Access for the tests only.

// Users is how many calls, messages and slots use the handle now.
func Users(h closer) int64 { return handleOf(h).users.Load() &^ closedBit }

// Waits is how many waits the handle's Close would have to end: parked, or asleep in C.
func Waits(h closer) int {
	handle := handleOf(h)
	handle.mu.Lock()
	defer handle.mu.Unlock()
	return len(handle.waits)
}

// BlockingThreads is how many threads may sleep in C for waits without a descriptor;
// BlockingThreadsTaken how many do.
var BlockingThreads = cap(blockingThreads)

func BlockingThreadsTaken() int { return len(blockingThreads) }

// TakeCountedThreads leaves n threads for waits at conditions and barriers, until undo is called.
func TakeCountedThreads(left int) (undo func()) {
	n := cap(countedThreads) - left
	for range n {
		countedThreads <- struct{}{}
	}
	return func() {
		for range n {
			countedThreads.give()
		}
	}
}

// Freed reports whether the C handle was freed.
func Freed(h closer) bool { return handleOf(h).freed.Load() }

type closer interface{ Close() error }

func handleOf(c closer) *handle {
	switch c := c.(type) {
	case *Process:
		return &c.handle
	case *Pool:
		return &c.handle
	case *Listener:
		return &c.handle
	}
	return c.(Handle).inherit()
}

// Scan is the check that a message passes before it is decoded.
var Scan = scan

// Pack and Unpack are how a chunk holds its items.
var Pack, Unpack = pack, unpack

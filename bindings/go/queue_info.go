package polyproc

import (
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// QueueInfo describes a queue, for people and tools.
type QueueInfo struct {
	// Options are the options that the queue was made with, without Mode and OpenOrCreate.
	Options QueueOptions

	Items       uint64 // messages that wait to be got
	Bytes       uint64 // shared memory that messages and their headers take
	InFlight    uint64 // messages that were got or taken and are not settled
	Unfinished  uint64 // messages that Join waits for
	Puts        uint64 // messages put, ever
	Gets        uint64 // Puts less what waits: falls when a message comes back, and counts discarded ones
	Redelivered uint64 // how often a message came back to wait, ever
	Discarded   uint64 // messages never delivered: ShutdownNow, or their producer died in the put
	Recoveries  uint64 // recoveries of what a dead process held, ever
	DeadLetters uint64 // messages that were delivered too often, and wait for TakeDead

	Waiting      int  // threads that wait for the queue
	Participants int  // processes that use the queue
	Shutdown     bool // whether Shutdown was called

	// Identity is 128 random bits, chosen when the queue was created. A queue that is created again
	// under the same name has others, so they tell its messages' ids from those of the earlier queue.
	Identity [16]byte
}

// Info describes the queue.
func (q *Queue) Info() (QueueInfo, error) {
	var c capi.QueueInfo
	_, err := q.try(func(int64, *capi.Cancel) (status capi.Status) {
		c, status = capi.ReadQueueInfo(q.object)
		return status
	})
	if err != nil {
		return QueueInfo{}, err
	}
	return QueueInfo{
		Options: QueueOptions{
			Joinable:      c.Joinable,
			MaxItems:      int(c.MaxItems),
			MaxBytes:      int64(c.MaxBytes),
			MaxDeliveries: int(c.MaxDeliveries),
			Spin:          time.Duration(c.SpinNS),
			Format:        c.Format,
		},
		Items: c.Items, Bytes: c.Bytes, InFlight: c.InFlight, Unfinished: c.Unfinished,
		Puts: c.Puts, Gets: c.Gets, Redelivered: c.Redelivered, Discarded: c.Discarded,
		Recoveries: c.Recoveries, DeadLetters: c.DeadLetters,
		Waiting: int(c.Waiting), Participants: int(c.Participants), Shutdown: c.Shutdown,
		Identity: c.Identity,
	}, nil
}

// Len returns how many messages can be got. The number can be stale by the time the call returns.
func (q *Queue) Len() (int, error) {
	var n uint64
	_, err := q.try(func(int64, *capi.Cancel) (status capi.Status) {
		n, status = capi.QueueLength(q.object)
		return status
	})
	return int(n), err
}

// IsEmpty reports whether a get would have to wait.
func (q *Queue) IsEmpty() (empty bool, err error) {
	_, err = q.try(func(int64, *capi.Cancel) (status capi.Status) {
		empty, status = capi.QueueIsEmpty(q.object)
		return status
	})
	return empty, err
}

// IsFull reports whether a put would have to wait.
func (q *Queue) IsFull() (full bool, err error) {
	_, err = q.try(func(int64, *capi.Cancel) (status capi.Status) {
		full, status = capi.QueueIsFull(q.object)
		return status
	})
	return full, err
}

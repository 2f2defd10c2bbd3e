package polyproc

import (
	"io/fs"
	"math"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// Options are those of every object that is created.
type Options struct {
	// Mode is the permissions of a named object. Zero means 0600: this user only.
	Mode fs.FileMode
	// OpenOrCreate opens the object where the name exists, or fails with ErrMismatch when it is of
	// another kind or shape. Without it a name that exists is ErrExists. A queue that is shut down and
	// that no process has open is made anew: what was left in it is lost. To read that use OpenQueue.
	OpenOrCreate bool
}

func (o Options) common() capi.Common {
	return capi.Common{Mode: uint32(o.Mode.Perm()), OpenOrCreate: o.OpenOrCreate}
}

// QueueOptions are those of a queue. The zero value is a queue without limits.
type QueueOptions struct {
	Options
	// Joinable makes a message that was got stay unfinished until it is settled: by Message.Done or
	// Queue.TaskDone. What a process that died had not finished is delivered again.
	Joinable bool
	// MaxItems is how many messages the queue holds. Zero: no limit.
	MaxItems int
	// MaxBytes is how much shared memory messages and their headers may take. Zero: what there is.
	MaxBytes int64
	// MaxDeliveries is how often a joinable queue hands a message out before it becomes a dead
	// letter (Queue.TakeDead). Zero: no limit.
	MaxDeliveries int
	// Spin is how long a wait spins before it sleeps. Zero: the library's choice.
	Spin time.Duration
	// Format is a label of at most 31 bytes that says what the messages are. Empty: bytes. Queues
	// with FormatMessagePack carry values: see ValueQueue.
	Format string
}

func (o *QueueOptions) c() (options capi.QueueOptions, ok bool) {
	ok = o.MaxItems >= 0 && o.MaxBytes >= 0 &&
		o.MaxDeliveries >= 0 && int64(o.MaxDeliveries) <= math.MaxUint32 &&
		o.Spin >= 0 && o.Spin.Nanoseconds() <= math.MaxUint32
	return capi.QueueOptions{
		Common:        o.common(),
		Joinable:      o.Joinable,
		MaxItems:      uint64(o.MaxItems),
		MaxBytes:      uint64(o.MaxBytes),
		MaxDeliveries: uint32(o.MaxDeliveries),
		SpinNS:        uint32(o.Spin.Nanoseconds()),
		Format:        o.Format,
	}, ok
}

// SemaphoreOptions are those of a semaphore.
type SemaphoreOptions struct {
	Options
	// Initial is how many permits there are at first.
	Initial int64
	// Maximum is more than which there can never be. Zero: no limit.
	Maximum int64
	// Owned makes a permit belong to the process that acquired it: only that one releases it, and it
	// comes back the moment that process dies, or closes its last handle of the semaphore.
	Owned bool
}

// Version is the version of the library that the program is linked with.
func Version() string { return capi.Version() }

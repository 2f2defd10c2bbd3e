package polyproc

import (
	"io/fs"
	"math"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// Options are the options of every object that is created.
type Options struct {
	// Mode has the permissions of a named object. Zero means 0600: this user only.
	Mode fs.FileMode
	// OpenOrCreate opens the object if the name exists, and fails with ErrMismatch if that object
	// is of another kind or shape. Without it a name that exists is ErrExists. A queue that is shut
	// down and that no process has open is created again, and its messages are lost: use OpenQueue
	// to read them.
	OpenOrCreate bool
}

func (o Options) common() capi.Common {
	return capi.Common{Mode: uint32(o.Mode.Perm()), OpenOrCreate: o.OpenOrCreate}
}

// QueueOptions are the options of a queue. The zero value is a queue without limits.
type QueueOptions struct {
	Options
	// Joinable keeps a message unfinished after Get until Message.Done or Queue.TaskDone settles
	// it. If a process dies, its unfinished messages are delivered again.
	Joinable bool
	// MaxItems is how many messages the queue holds. Zero: no limit.
	MaxItems int
	// MaxBytes is how much shared memory messages and their headers may take. Zero: no limit.
	MaxBytes int64
	// MaxDeliveries is how often a joinable queue delivers a message before the message becomes a
	// dead letter (Queue.TakeDead). Zero: no limit.
	MaxDeliveries int
	// Spin is how long a wait spins before it sleeps. Zero: the library's choice.
	Spin time.Duration
	// Format is a label of at most 31 bytes that names the encoding of the messages. Empty, or
	// "bytes" as in Python: bytes. Queues with FormatMessagePack carry values: see ValueQueue.
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
		Format:        label(o.Format),
	}, ok
}

// label returns the label of a format. That of bytes is empty.
func label(format string) string {
	if format == "bytes" {
		return ""
	}
	return format
}

// SemaphoreOptions are the options of a semaphore.
type SemaphoreOptions struct {
	Options
	// Initial is how many permits there are at first.
	Initial int64
	// Maximum is the greatest number of permits that Release allows. Zero: no limit.
	Maximum int64
	// Owned makes a permit belong to the process that acquired it: only that process can release
	// it, and the permit comes back when that process dies or closes its last handle of the
	// semaphore.
	Owned bool
}

// Version is the version of the library that the program is linked with.
func Version() string { return capi.Version() }

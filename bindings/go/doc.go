// Package polyproc is Python's multiprocessing for Go and the other languages: queues, locks,
// semaphores, events and processes over shared memory that go on working when a process that uses
// them is killed, at any moment.
//
// # Objects and names
//
// An object made with New... is anonymous: it reaches other processes by inheritance
// ([ProcessOptions].Handles, and [InheritedQueue] and its like in the child) and goes away with the
// last of them. One made with Create... has a name under which any process of the same user, in any
// language, finds it with Open..., until someone calls [Unlink].
//
// # Waiting
//
// Calls that may wait take a [context.Context] and return its error when it ends first. Those named
// Try... never wait. A waiting goroutine is cheap: at most one operating-system thread per object and
// direction (getting, putting, ...) waits in the kernel, however many goroutines want the same; the
// others are parked like goroutines on a channel. The exceptions are few and named where they are.
//
// # Closing
//
// Close releases this process's handle; the object itself stays with whoever else has it. Calls that
// wait on the handle return [ErrClosed], and so does every call after Close. A [Message] or [Slot]
// that is still held stays valid: the memory goes when the last of them is settled. Close what you
// open. A handle that becomes garbage is closed too, some time.
//
// # Errors
//
// An error of the library is a [Status]: compare with errors.Is(err, polyproc.ErrEmpty).
package polyproc

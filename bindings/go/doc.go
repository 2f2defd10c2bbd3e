// Package polyproc is Python's multiprocessing for Go and the other languages: queues, locks, semaphores,
// events, conditions, barriers, pipes, processes and pools over shared memory, that go on working when a
// process that uses them is killed, at any moment.
//
// # Objects and names
//
// An object made with New... is anonymous: it reaches other processes by inheritance
// ([ProcessOptions].Handles, and [InheritedQueue] and its like in the child) and goes away with the
// last of them. One made with Create... has a name under which any process of the same user, in any
// language, finds it with Open..., until someone calls [Unlink]. [List] has the names.
//
// # Waiting
//
// Calls that may wait take a [context.Context] and return its error when it ends first. Those named
// Try... never wait. A waiting goroutine is cheap. Goroutines that want the same of an object (a message,
// room, the lock, ...) wait in line, as goroutines on a channel do, and the first of them waits for all:
//
//   - To get from a queue, receive from a connection, or join a process it is parked on a descriptor, by
//     the runtime's poller. That takes no thread, however many there are.
//   - For what has no descriptor it takes a thread of the operating system: one for each object and
//     direction, 32 in the whole process. Where more are waited for, the rest are looked at every 10 ms.
//   - A goroutine at a [Condition] or a [Barrier] takes a thread for itself, for the library counts each that
//     waits: 4,000 in the whole process, then a wait fails with [ErrLimit].
//   - So does a message that is on its way through a socket, and [Connect]: 1,000 in the whole process, then
//     one waits for another to end. A send that finds the socket full is parked before it begins.
//
// [WaitAny] waits for several objects at once.
//
// # Closing
//
// Close releases this process's handle; the object itself stays with whoever else has it. Calls that
// wait on the handle return [ErrClosed], and so does every call after Close. A [Message] or [Slot]
// that is still held stays valid: the memory goes when the last of them is settled. Close what you
// open. A handle that becomes garbage is closed too, some time. A [Pool] is another matter: Close lets it
// do what it has, and Join waits for that.
//
// # Errors
//
// An error of the library is a [Status]: compare with errors.Is(err, polyproc.ErrEmpty).
package polyproc

// Package polyproc is Python's multiprocessing for Go and the other languages: queues, locks,
// semaphores, events, conditions, barriers, pipes, processes and pools over shared memory, which go
// on working when a process that uses them is killed, at any moment.
//
// # Objects and names
//
// An object made with New... is anonymous: another process gets it by inheritance
// ([ProcessOptions].Handles in the parent, [InheritedQueue] and its like in the child), and it goes
// away with the last process that has it. An object made with Create... has a name. Any process of
// the same user, in any language, can open it with Open..., until a process calls [Unlink]. [List]
// returns the names.
//
// # Waiting
//
// Calls that may wait take a [context.Context] and return its error when it ends first. Calls named
// Try... never wait. A waiting goroutine is cheap. Goroutines that wait for the same thing at an
// object (a message, room, the lock, ...) stand in line, as goroutines at a channel do, and only
// the first of them waits in the library or the poller:
//
//   - A goroutine that gets from a queue, receives from a connection or joins a process is parked
//     on a descriptor by the runtime's poller. That takes no thread, however many goroutines wait.
//   - A wait that has no descriptor takes a thread of the operating system: one for each object and
//     direction, 32 in the whole process. Waits beyond that are tried every 10 ms.
//   - A goroutine at a [Condition] or a [Barrier] takes a thread for itself, because the library
//     counts each waiter: 4,000 in the whole process, then a wait fails with [ErrLimit].
//   - A message that is partly sent through a socket takes a thread too, and so does [Connect]:
//     1,000 in the whole process; one more waits until another has ended. A send that finds the
//     socket full is parked before it begins.
//
// [WaitAny] waits for several objects at once.
//
// # Closing
//
// Close releases this process's handle; other handles and processes keep the object. Calls that
// wait on the handle return [ErrClosed], and so does every call after Close. A held [Message] or
// [Slot] stays valid: the memory is unmapped when the last of them is settled. Close what you open.
// The garbage collector closes a handle that is no longer used, at some time. A [Pool] differs:
// after Close it completes the tasks that it has, and Join waits for that.
//
// # Errors
//
// An error of the library is a [Status]: compare with errors.Is(err, polyproc.ErrEmpty).
package polyproc

package polyproc

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"polyproc.dev/polyproc/internal/capi"
)

// Status is an error of the library. Its number is the one that the C API returns, the same in every
// language.
//
// errors.Is finds the constants below, an errno such as [syscall.EBADF] in a status that carries one,
// and [fs.ErrNotExist], [fs.ErrExist], [fs.ErrPermission] and [fs.ErrClosed] where they say the same.
type Status int32

// What can go wrong. "Nothing was done" holds for every call that returns one of them.
const (
	ErrInvalid       = Status(capi.EInvalid)       // an argument makes no sense, or the thing is settled already
	ErrTimeout       = Status(capi.ETimeout)       // a try found that it would have to wait
	ErrEmpty         = Status(capi.EEmpty)         // the queue is empty
	ErrFull          = Status(capi.EFull)          // the queue is full
	ErrCanceled      = Status(capi.ECanceled)      // the wait was canceled
	ErrInterrupted   = Status(capi.EInterrupted)   // a signal came
	ErrClosed        = Status(capi.EClosed)        // this process's handle is closed
	ErrShutdown      = Status(capi.EShutdown)      // the queue is shut down, and drained if this was a get
	ErrEOF           = Status(capi.EEOF)           // the other end is closed
	ErrBrokenPipe    = Status(capi.EBrokenPipe)    // nobody reads any more
	ErrTooSmall      = Status(capi.ETooSmall)      // the buffer is too small; the message stays
	ErrTooLarge      = Status(capi.ETooLarge)      // the message can never fit
	ErrNoMemory      = Status(capi.ENoMemory)      // out of memory or of shared memory
	ErrNotFound      = Status(capi.ENotFound)      // nothing has this name
	ErrExists        = Status(capi.EExists)        // the name is taken
	ErrMismatch      = Status(capi.EMismatch)      // an object of another kind, shape or format
	ErrPermission    = Status(capi.EPermission)    // not allowed
	ErrCorrupt       = Status(capi.ECorrupt)       // the shared memory is damaged
	ErrLimit         = Status(capi.ELimit)         // a limit of the system or of the object
	ErrNotOwner      = Status(capi.ENotOwner)      // it belongs to another
	ErrOverRelease   = Status(capi.EOverRelease)   // released more often than acquired
	ErrBrokenBarrier = Status(capi.EBrokenBarrier) // the barrier is broken
	ErrDaemonic      = Status(capi.EDaemonic)      // a daemonic process may not have children
	ErrAuth          = Status(capi.EAuth)          // the keys differ
	ErrUnsupported   = Status(capi.EUnsupported)   // not on this object or this system
	ErrWorkerDied    = Status(capi.EWorkerDied)    // the process that worked on it died
	ErrTaskFailed    = Status(capi.ETaskFailed)    // the task's function reported an error
	ErrInternal      = Status(capi.EInternal)      // a fault of polyproc
)

// Error is the library's text for the status.
func (s Status) Error() string {
	text := "polyproc: " + capi.Strerror(capi.Status(s))
	if errno, ok := s.errno(); ok {
		text += ": " + errno.Error()
	}
	return text
}

// Error says what failed: an operation that makes or opens an object, or any other whose status has
// several causes. errors.Is finds its Status, and what that stands for.
//
// What a program sees in passing, such as [ErrEmpty] or [ErrShutdown], is a plain Status.
type Error struct {
	// Op is what was to be done, such as "open queue"; empty where the caller knows best.
	Op string
	// Name is that of the object, empty if it has none.
	Name string
	// Status is why it failed.
	Status Status
	// Detail is the cause in a sentence: which argument and what is wrong with it, how the object differs
	// from what was asked for, which call the system refused. Empty when the status says all.
	Detail string
}

// Error is such as `polyproc: open queue "jobs": not found`.
func (e *Error) Error() string {
	text := "polyproc: "
	switch {
	case e.Name != "":
		text += fmt.Sprintf("%s %q: ", e.Op, e.Name)
	case e.Op != "":
		text += e.Op + ": "
	}
	text += strings.TrimPrefix(e.Status.Error(), "polyproc: ")
	if e.Detail != "" && e.Status != ErrNotFound && e.Status != ErrExists {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap gives the status.
func (e *Error) Unwrap() error { return e.Status }

// named gives the error of a constructor the operation and the object.
func named[T any](op, name string) func(*T, error) (*T, error) {
	return func(made *T, err error) (*T, error) {
		if err != nil {
			return nil, about(err, op, name)
		}
		return made, nil
	}
}

// about says of a failure what was to be done with what. Errors of others stay as they are.
func about(err error, op, name string) error {
	switch failure := err.(type) {
	case Status:
		return &Error{Op: op, Name: name, Status: failure}
	case *Error:
		if failure.Op == "" {
			failure.Op, failure.Name = op, name
		}
	}
	return err
}

// invalid is [ErrInvalid] with the cause.
func invalid(detail string) error { return &Error{Status: ErrInvalid, Detail: detail} }

// Is makes the errors of io/fs that mean the same match.
func (s Status) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return s == ErrNotFound
	case fs.ErrExist:
		return s == ErrExists
	case fs.ErrPermission:
		return s == ErrPermission
	case fs.ErrClosed:
		return s == ErrClosed
	}
	return false
}

// Unwrap gives the system's error in a status that carries one.
func (s Status) Unwrap() error {
	if errno, ok := s.errno(); ok {
		return errno
	}
	return nil
}

func (s Status) errno() (errno syscall.Errno, ok bool) {
	if capi.Status(s) >= capi.ErrnoBase {
		return 0, false
	}
	return syscall.Errno(capi.ErrnoBase - capi.Status(s)), true
}

// boxed holds the statuses of the table as errors, made once: a try that finds nothing is a hot path,
// and to make an interface of a number takes memory.
var boxed = func() (errs [100]error) {
	for i := range errs {
		errs[i] = Status(-i)
	}
	return errs
}()

// check makes an error of a status, nil for success with or without a note.
func check(status capi.Status) error {
	if status >= 0 {
		return nil
	}
	if capi.IsTold(status) {
		status, detail := capi.Detail(status)
		return &Error{Status: Status(status), Detail: detail}
	}
	if i := -int64(status); i < int64(len(boxed)) {
		return boxed[i]
	}
	return Status(status)
}

package polyproc

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"polyproc.dev/polyproc/internal/capi"
)

// Status is an error of the library. Its number is the one that the C API returns, the same in
// every language.
//
// errors.Is finds the constants below, an errno such as [syscall.EBADF] in a status that carries
// one, and [fs.ErrNotExist], [fs.ErrExist], [fs.ErrPermission] and [fs.ErrClosed] in the statuses
// that mean the same.
type Status int32

// The statuses of failures. A call that returns one of them has changed nothing.
const (
	ErrInvalid       = Status(capi.EInvalid)       // an argument is wrong, or the message is already settled
	ErrTimeout       = Status(capi.ETimeout)       // a try found that it would have to wait
	ErrEmpty         = Status(capi.EEmpty)         // the queue is empty
	ErrFull          = Status(capi.EFull)          // the queue is full
	ErrCanceled      = Status(capi.ECanceled)      // the wait was canceled
	ErrInterrupted   = Status(capi.EInterrupted)   // a signal came
	ErrClosed        = Status(capi.EClosed)        // this process's handle is closed
	ErrShutdown      = Status(capi.EShutdown)      // the queue is shut down (and drained, for a get)
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

// Error returns the library's text for the status.
func (s Status) Error() string {
	text := "polyproc: " + capi.Strerror(capi.Status(s))
	if errno, ok := s.errno(); ok {
		text += ": " + errno.Error()
	}
	return text
}

// Error describes the failure of an operation that makes or opens an object, or whose status has
// several causes. errors.Is finds its Status, and whatever errors.Is finds in that.
//
// Results that programs expect, such as [ErrEmpty] or [ErrShutdown], are a plain Status.
type Error struct {
	// Op is the operation, such as "open queue"; it is empty for methods of an object.
	Op string
	// Name is the object's name, empty if it has none.
	Name string
	// Status is the reason of the failure.
	Status Status
	// Detail is the cause in a sentence: which argument is wrong and how, in what the object
	// differs from the options, or which call the system refused. It is empty if the status says
	// all.
	Detail string
}

// Error returns a text such as `polyproc: open queue "jobs": not found`.
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

// Unwrap returns the status.
func (e *Error) Unwrap() error { return e.Status }

// named adds the operation and the object to the error of a constructor.
func named[T any](op, name string) func(*T, error) (*T, error) {
	return func(made *T, err error) (*T, error) {
		if err != nil {
			return nil, about(err, op, name)
		}
		return made, nil
	}
}

// about adds operation and name to an error of the library. It returns other errors as they are.
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

// invalid returns [ErrInvalid] with the cause.
func invalid(detail string) error { return &Error{Status: ErrInvalid, Detail: detail} }

// Is reports whether target is the error of io/fs that means the same.
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

// Unwrap returns the system's error if the status carries one.
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

// boxed holds the statuses of the table as errors, made once: a try that finds nothing is a hot
// path, and converting a number to an interface allocates.
var boxed = func() (errs [100]error) {
	for i := range errs {
		errs[i] = Status(-i)
	}
	return errs
}()

// check returns the error of a status, nil for success with or without a note.
func check(status capi.Status) error {
	if status >= 0 {
		return nil
	}
	return failure(status)
}

// failure is a function of its own so that the compiler can inline check.
func failure(status capi.Status) error {
	if capi.IsTold(status) {
		status, detail := capi.Detail(status)
		return &Error{Status: Status(status), Detail: detail}
	}
	if i := -int64(status); i < int64(len(boxed)) {
		return boxed[i]
	}
	return Status(status)
}

package polyproc

import (
	"context"
	"os"
	"syscall"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// descriptor gives a new descriptor, non-blocking, that becomes readable when an object may be ready.
type descriptor func(capi.Object) (fd int, status capi.Status)

// copied is a descriptor function for one of the library's, which stay the object's: the runtime's
// poller wants one of its own, to close.
func copied(original descriptor) descriptor {
	return func(object capi.Object) (int, capi.Status) {
		fd, status := original(object)
		if status < 0 {
			return fd, status
		}
		fresh, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
		if errno != 0 {
			return 0, capi.ErrnoBase - capi.Status(errno)
		}
		return int(fresh), capi.OK
	}
}

// readiness is a descriptor in the hands of the runtime's poller: who waits for it is parked, without a
// thread. The descriptors of the library are raised anew with each change, so the poller's edges do.
type readiness struct {
	file *os.File
	conn syscall.RawConn
}

// readiness is what whoever has the turn at the gate can park on, nil if there is nothing: then a thread
// has to sleep.
func (g *gate) readiness(object capi.Object) *readiness {
	if g.ready == nil && g.descriptor != nil {
		g.ready = newReadiness(g.descriptor, object)
	}
	return g.ready
}

// newReadiness is nil where there is no descriptor left, or the kernel has none of the kind.
func newReadiness(descriptor descriptor, object capi.Object) *readiness {
	fd, status := descriptor(object)
	if status < 0 {
		return nil
	}
	file := os.NewFile(uintptr(fd), "polyproc")
	conn, err := file.SyscallConn()
	if err == nil {
		err = file.SetReadDeadline(time.Time{}) // whether the poller has taken it
	}
	if err != nil {
		file.Close()
		return nil
	}
	return &readiness{file, conn}
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// An error would mean that the file is closed, which it is only when nobody waits any more.
func (r *readiness) interrupt() { _ = r.file.SetReadDeadline(past) }

func (r *readiness) reset() { _ = r.file.SetReadDeadline(time.Time{}) }

// park attempts whenever the descriptor has been raised, until that gives something.
func (h *handle) park(ctx context.Context, r *readiness, attempt call) (status capi.Status, err error) {
	if !h.attach(r) {
		return capi.EClosed, ErrClosed
	}
	undo := onDone(ctx, r)
	err = r.conn.Read(func(uintptr) bool {
		status = attempt(0, nil)
		return !isTimeout(status)
	})
	undo()
	h.detach(r)
	r.reset()
	if err != nil {
		return capi.ECanceled, ending(ctx, capi.ECanceled, h)
	}
	return status, check(status)
}

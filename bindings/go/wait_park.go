package polyproc

import (
	"context"
	"os"
	"syscall"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// descriptor says what tells that an object may be ready: a descriptor of the library, which stays the
// object's, or one of our own.
type descriptor struct {
	of     func(capi.Object) (fd int, status capi.Status)
	isOurs bool
	events uint32
}

// readable is for a descriptor that becomes readable.
func readable(of func(capi.Object) (int, capi.Status)) *descriptor {
	return &descriptor{of: of, events: syscall.EPOLLIN}
}

// readiness is a descriptor in the hands of the runtime's poller: who waits for it is parked, without a
// thread. What the poller has is an epoll descriptor with the object's in it: that one is ours to close and to
// make non-blocking. The library raises its descriptors anew with each change, and so does the kernel; each time
// is an edge for the poller.
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
func newReadiness(d *descriptor, object capi.Object) *readiness {
	fd, status := d.of(object)
	if status < 0 {
		return nil
	}
	if d.isOurs {
		// The kernel watches what is open, which the object keeps so, not this number for it.
		defer syscall.Close(fd)
	}
	watch, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	err = syscall.EpollCtl(watch, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: d.events})
	if err == nil {
		err = syscall.SetNonblock(watch, true)
	}
	file := os.NewFile(uintptr(watch), "polyproc")
	if err == nil {
		err = file.SetReadDeadline(time.Time{}) // whether the poller has taken it
	}
	var conn syscall.RawConn
	if err == nil {
		conn, err = file.SyscallConn()
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

// isReady asks the kernel whether the descriptor is ready at this moment, as an attempt.
func (r *readiness) isReady() (status capi.Status) {
	status = capi.OK
	// An error would mean that the file is closed, as above.
	_ = r.conn.Control(func(watch uintptr) {
		var events [1]syscall.EpollEvent
		if n, err := syscall.EpollWait(int(watch), events[:], 0); n == 0 || err == syscall.EINTR {
			status = capi.ETimeout
		}
	})
	return status
}

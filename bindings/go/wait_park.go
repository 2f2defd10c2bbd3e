package polyproc

import (
	"context"
	"os"
	"syscall"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// descriptor says how to get the descriptor that reports when an object may be ready, and whether
// it belongs to the library's object or to the binding.
type descriptor struct {
	of     func(capi.Object) (fd int, status capi.Status)
	isOurs bool
	events uint32
}

// readable makes a descriptor that reports when it is readable.
func readable(of func(capi.Object) (int, capi.Status)) *descriptor {
	return &descriptor{of: of, events: syscall.EPOLLIN}
}

// readiness is a descriptor that the runtime's poller watches, so that a goroutine waits for it
// without a thread. The poller watches an epoll descriptor that holds the object's descriptor,
// because the binding may close its own epoll descriptor and make it non-blocking. Each change
// makes the object's descriptor readable again, and that is an edge for the poller.
type readiness struct {
	file *os.File
	conn syscall.RawConn
}

// readiness returns what the goroutine with the turn parks on. It is nil if there is no descriptor:
// the goroutine then sleeps on a thread.
func (g *gate) readiness(object capi.Object) *readiness {
	if g.ready == nil && g.descriptor != nil {
		g.ready = newReadiness(g.descriptor, object)
	}
	return g.ready
}

// newReadiness returns nil if there is no descriptor left, or the kernel does not support one.
func newReadiness(d *descriptor, object capi.Object) *readiness {
	fd, status := d.of(object)
	if status < 0 {
		return nil
	}
	if d.isOurs {
		// epoll watches the open file, which the object keeps open, and not this number for it.
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
		err = file.SetReadDeadline(time.Time{}) // fails unless the poller accepts the file
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

// The only error means that the file is closed, and it is closed only when nobody waits any more.
func (r *readiness) interrupt() { _ = r.file.SetReadDeadline(past) }

func (r *readiness) reset() { _ = r.file.SetReadDeadline(time.Time{}) }

// park makes an attempt whenever the descriptor becomes ready, until an attempt succeeds or fails.
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

// isReady is an attempt that asks the kernel whether the descriptor is ready now.
func (r *readiness) isReady() (status capi.Status) {
	status = capi.OK
	// The only error means that the file is closed, as above.
	_ = r.conn.Control(func(watch uintptr) {
		var events [1]syscall.EpollEvent
		if n, err := syscall.EpollWait(int(watch), events[:], 0); n == 0 || err == syscall.EINTR {
			status = capi.ETimeout
		}
	})
	return status
}

package polyproc

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"polyproc.dev/polyproc/internal/capi"
)

// handle is the common part of all objects: the C handle, and a count of the goroutines that use
// it.
//
// C frees the handle in its close, so no goroutine may be about to call C with it at that time.
// Therefore every call enters and leaves. Close wakes the goroutines that wait, and the last user
// that leaves frees the handle. Messages and slots that are held point into the mapping, and count
// as users.
type handle struct {
	*resource
	users  atomic.Int64 // closedBit when closed, plus the users
	closed chan struct{}
	gates  []gate // one for each direction in which a goroutine can wait

	mu    sync.Mutex
	waits []interrupter // the waits that Close has to end
}

const closedBit = math.MinInt64

// resource has the object to close. It is separate from the handle, so that the garbage collector's
// cleanup can refer to the resource without keeping the handle alive.
type resource struct {
	object capi.Object
	kind   capi.Kind
	freed  atomic.Bool
}

func (r *resource) free() {
	if r.freed.Swap(true) {
		return
	}
	capi.Close(r.kind, r.object)
}

// open makes h, a field of owner, the handle of an object. The handle gets a gate for each
// direction in which a goroutine can wait. Each gate has a descriptor to park on, or nil.
//
// The cleanup runs when owner is garbage. No goroutine is inside a call then: the last statement of
// a call, leave, still refers to owner. Messages and slots refer to it as well.
func open[T any](owner *T, h *handle, kind capi.Kind, object capi.Object, gates ...*descriptor) *T {
	h.resource = &resource{kind: kind, object: object}
	h.closed = make(chan struct{})
	h.gates = make([]gate, len(gates))
	for i, descriptor := range gates {
		h.gates[i] = gate{turn: make(chan struct{}, 1), descriptor: descriptor}
	}
	runtime.AddCleanup(owner, (*resource).free, h.resource)
	return owner
}

// enter counts the caller in. If it returns false the caller must not call leave.
func (h *handle) enter() bool {
	collectGarbage()
	return h.users.Add(1) > 0 || h.turnBack()
}

// turnBack ends an enter that came after Close. It is a function of its own so that the compiler
// can inline enter.
//
//go:noinline
func (h *handle) turnBack() bool {
	h.leave()
	return false
}

func (h *handle) leave() {
	if h.users.Add(-1) == closedBit {
		h.end()
	}
}

// end frees the C handle and the files, when no goroutine uses them any more. Garbage needs no end:
// its files close themselves.
func (h *handle) end() {
	h.free()
	for i := range h.gates {
		if ready := h.gates[i].ready; ready != nil {
			ready.file.Close()
		}
	}
}

func (h *handle) isClosed() bool { return h.users.Load() < 0 }

// attach makes Close interrupt the wait, until detach. It returns false, and does nothing, if the
// handle is already closed.
func (h *handle) attach(wait interrupter) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		return false
	}
	h.waits = append(h.waits, wait)
	return true
}

// detach ends attach: Close does not interrupt the wait any more.
func (h *handle) detach(wait interrupter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := slices.Index(h.waits, wait)
	h.waits = slices.Delete(h.waits, at, at+1)
}

// Close releases this process's handle. Calls that wait on it, and later calls, return [ErrClosed];
// held messages and slots stay valid until they are settled. A second Close does nothing.
func (h *handle) Close() error {
	for {
		users := h.users.Load()
		if users < 0 {
			return nil
		}
		// Close counts as a user too: nothing may be freed before the waits below are interrupted.
		if h.users.CompareAndSwap(users, users+1+closedBit) {
			break
		}
	}
	close(h.closed)
	h.interrupt()
	h.leave()
	return nil
}

func (h *handle) interrupt() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, wait := range h.waits {
		wait.interrupt()
	}
}

package polyproc

import (
	"context"
	"os"
	"sync"

	"polyproc.dev/polyproc/internal/capi"
)

// Event is a flag that processes set, clear and wait for.
type Event struct {
	shared
	mu    sync.Mutex
	watch *eventWatch // what the goroutines wait for that wait now; nil when none does
}

// eventWatch is one wait in C on behalf of all goroutines that wait meanwhile.
//
// A turn at a gate, as for the other objects, would not do: an event that is set and cleared at once
// releases everyone who waits, so every waiter must be in a wait at that moment.
type eventWatch struct {
	over    chan struct{} // closed when the wait has ended
	err     error         // how, once it is closed
	waiters int
	cancel  *capi.Cancel
}

func newEvent(object capi.Object, status capi.Status) (*Event, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	e := new(Event)
	return open(e, &e.handle, capi.KindEvent, object, 0), nil
}

// NewEvent makes an anonymous event, which is not set.
func NewEvent() (*Event, error) { return newEvent(capi.EventCreate(nil, capi.Common{})) }

// CreateEvent makes an event with a name.
func CreateEvent(name string, options Options) (*Event, error) {
	return newEvent(capi.EventCreate(&name, options.common()))
}

// OpenEvent opens the event of a name.
func OpenEvent(name string) (*Event, error) { return newEvent(capi.EventOpen(name)) }

// InheritedEvent opens the event that the parent process gave this one under a name.
func InheritedEvent(name string) (*Event, error) {
	return newEvent(capi.Inherited(name, capi.KindEvent))
}

// EventFromFile opens the event behind a descriptor that File gave. The file stays the caller's.
func EventFromFile(file *os.File) (*Event, error) { return newEvent(fromFile(file, capi.KindEvent)) }

// Set sets the event and wakes everyone who waits for it.
func (e *Event) Set() error {
	_, err := e.try(func(int64, *capi.Cancel) capi.Status { return capi.EventSet(e.object) })
	return err
}

// Clear clears the event.
func (e *Event) Clear() error {
	_, err := e.try(func(int64, *capi.Cancel) capi.Status { return capi.EventClear(e.object) })
	return err
}

// IsSet tells whether the event is set.
func (e *Event) IsSet() (set bool, err error) {
	_, err = e.try(func(int64, *capi.Cancel) (status capi.Status) {
		set, status = capi.EventIsSet(e.object)
		return status
	})
	return set, err
}

// Wait waits until the event is set. A Wait that was there when Set was called returns nil even if
// Clear followed at once. The goroutines of a process wait together, so one that joins them in the
// microseconds between such a Set and their wake-up goes on with them.
func (e *Event) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !e.enter() {
		return ErrClosed
	}
	defer e.leave()
	if status := capi.EventWait(e.object, 0, nil); status != capi.ETimeout {
		return check(status)
	}
	watch, err := e.join()
	if err != nil {
		return err
	}
	defer e.part(watch)
	select {
	case <-watch.over:
		return watch.err
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closed:
		return ErrClosed
	}
}

// join adds a waiter to the watch that is under way, or begins one.
func (e *Event) join() (*eventWatch, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.watch == nil {
		cancel, status := capi.NewCancel()
		if status < 0 {
			return nil, check(status)
		}
		e.watch = &eventWatch{over: make(chan struct{}), cancel: cancel}
		e.users.Add(1) // the caller is in, so the handle is open or waits for the caller
		go e.run(e.watch)
	}
	e.watch.waiters++
	return e.watch, nil
}

// part takes a waiter away. Without waiters the watch ends.
func (e *Event) part(watch *eventWatch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	watch.waiters--
	if watch.waiters == 0 && e.watch == watch {
		e.watch = nil // whoever comes now begins another
		watch.cancel.Fire()
	}
}

// run is the goroutine that waits in C.
func (e *Event) run(watch *eventWatch) {
	defer e.leave()
	status := capi.EventWait(e.object, capi.Forever, watch.cancel)
	e.mu.Lock()
	if e.watch == watch {
		e.watch = nil
	}
	e.mu.Unlock()
	// Nobody fires the token any more: part looks for it in e.watch, under the mutex.
	watch.cancel.Free()
	watch.err = check(status)
	close(watch.over)
}

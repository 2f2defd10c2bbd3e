package polyproc

import (
	"context"
	"os"

	"polyproc.dev/polyproc/internal/capi"
)

// Event is a flag that processes set, clear and wait for.
type Event struct{ shared }

func newEvent(object capi.Object, status capi.Status) (*Event, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	e := new(Event)
	return open(e, &e.handle, capi.KindEvent, object, nil), nil
}

// NewEvent makes an anonymous event, which is not set.
func NewEvent() (*Event, error) {
	return named[Event]("create event", "")(newEvent(capi.EventCreate(nil, capi.Common{})))
}

// CreateEvent makes an event with a name.
func CreateEvent(name string, options Options) (*Event, error) {
	return named[Event]("create event", name)(newEvent(capi.EventCreate(&name, options.common())))
}

// OpenEvent opens the event of a name.
func OpenEvent(name string) (*Event, error) {
	return named[Event]("open event", name)(newEvent(capi.EventOpen(name)))
}

// InheritedEvent opens the event that the parent process gave this one under a name.
func InheritedEvent(name string) (*Event, error) {
	return named[Event]("inherit event", name)(newEvent(capi.Inherited(name, capi.KindEvent)))
}

// EventFromFile opens the event behind a descriptor that File gave. The file stays the caller's.
func EventFromFile(file *os.File) (*Event, error) {
	return named[Event]("open event", file.Name())(newEvent(fromFile(file, capi.KindEvent)))
}

// Set sets the event and wakes every waiter.
func (e *Event) Set() error {
	_, err := e.try(func(int64, *capi.Cancel) capi.Status { return capi.EventSet(e.object) })
	return err
}

// Clear clears the event.
func (e *Event) Clear() error {
	_, err := e.try(func(int64, *capi.Cancel) capi.Status { return capi.EventClear(e.object) })
	return err
}

// IsSet reports whether the event is set.
func (e *Event) IsSet() (set bool, err error) {
	_, err = e.try(func(int64, *capi.Cancel) (status capi.Status) {
		set, status = capi.EventIsSet(e.object)
		return status
	})
	return set, err
}

// Wait waits until the event is set. A Wait that has begun before Set returns nil even if Clear
// follows at once; one that begins after the Clear waits for the next Set.
func (e *Event) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !e.enter() {
		return ErrClosed
	}
	// The Wait counts as begun from this mark on, also while another goroutine has the turn at the
	// gate.
	mark, status := capi.EventSets(e.object)
	if status >= 0 {
		status = capi.EventWaitSince(e.object, mark, 0, nil)
	}
	if isTimeout(status) {
		return e.waitSince(ctx, mark)
	}
	e.leave()
	return check(status)
}

// waitSince ends a Wait that has to wait, and leaves: see doWaiting.
func (e *Event) waitSince(ctx context.Context, mark uint32) error {
	defer e.leave()
	_, err := e.wait(ctx, &e.gates[0], func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.EventWaitSince(e.object, mark, timeout, cancel)
	})
	return err
}

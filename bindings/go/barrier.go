package polyproc

import (
	"context"
	"math"
	"os"

	"polyproc.dev/polyproc/internal/capi"
)

// Barrier makes a fixed number of parties, goroutines of any processes, wait for each other, round
// by round. If a party gives up or its process dies, the barrier breaks and every waiting party
// gets [ErrBrokenBarrier]. Each waiting party takes a thread.
type Barrier struct{ shared }

func newBarrier(object capi.Object, status capi.Status) (*Barrier, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	b := new(Barrier)
	return open(b, &b.handle, capi.KindBarrier, object), nil
}

// NewBarrier makes an anonymous barrier for 1 to 1,024 parties.
func NewBarrier(parties int) (*Barrier, error) {
	return named[Barrier]("create barrier", "")(createBarrier(nil, parties, Options{}))
}

// CreateBarrier makes a barrier with a name.
func CreateBarrier(name string, parties int, options Options) (*Barrier, error) {
	return named[Barrier]("create barrier", name)(createBarrier(&name, parties, options))
}

func createBarrier(name *string, parties int, options Options) (*Barrier, error) {
	if parties < 0 || int64(parties) > math.MaxUint32 {
		return nil, invalid("parties is below 0 or too large")
	}
	return newBarrier(capi.BarrierCreate(name, options.common(), uint32(parties)))
}

// OpenBarrier opens the barrier of a name.
func OpenBarrier(name string) (*Barrier, error) {
	return named[Barrier]("open barrier", name)(newBarrier(capi.BarrierOpen(name)))
}

// InheritedBarrier opens the barrier that the parent process gave this one under a name.
func InheritedBarrier(name string) (*Barrier, error) {
	return named[Barrier]("inherit barrier", name)(newBarrier(capi.Inherited(name, capi.KindBarrier)))
}

// BarrierFromFile opens the barrier behind a descriptor that File gave. The file stays the
// caller's.
func BarrierFromFile(file *os.File) (*Barrier, error) {
	return named[Barrier]("open barrier", file.Name())(newBarrier(fromFile(file, capi.KindBarrier)))
}

// Wait waits until all parties have arrived and returns this party's number in the round, from 0 to
// the number of parties - 1. It returns [ErrBrokenBarrier] when the barrier is broken. If ctx ends
// the wait, the barrier breaks.
func (b *Barrier) Wait(ctx context.Context) (index int, err error) {
	_, err = b.await(ctx, func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		n, status := capi.BarrierWait(b.object, timeout, cancel)
		index = int(n)
		return status
	})
	return index, err
}

// WaitAction is Wait with an action that the last party to arrive runs once, before any party goes
// on. All parties of a round must pass an action with the same effect. If the action fails or
// panics, the barrier breaks: the party that ran it gets the error, and the others get
// [ErrBrokenBarrier].
func (b *Barrier) WaitAction(ctx context.Context, action func() error) (index int, err error) {
	leader := false
	_, err = b.await(ctx, func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		n, leads, status := capi.BarrierArrive(b.object, timeout, cancel)
		index, leader = int(n), leads
		return status
	})
	if err != nil || !leader {
		return index, err
	}
	done := false
	defer func() {
		if !done {
			_ = b.complete(false) // the panic goes on
		}
	}()
	err = action()
	done = true
	if completed := b.complete(err == nil); err == nil {
		err = completed
	}
	return index, err
}

func (b *Barrier) complete(ok bool) error {
	_, err := b.try(func(int64, *capi.Cancel) capi.Status { return capi.BarrierComplete(b.object, ok) })
	return err
}

func (b *Barrier) await(ctx context.Context, attempt call) (capi.Status, error) {
	if err := ctx.Err(); err != nil {
		return capi.ECanceled, err
	}
	if !b.enter() {
		return capi.EClosed, ErrClosed
	}
	defer b.leave()
	return sleepCounted(ctx, attempt, &b.handle)
}

// Abort breaks the barrier: parties that wait, and all that arrive before Reset, get
// [ErrBrokenBarrier].
func (b *Barrier) Abort() error {
	_, err := b.try(func(int64, *capi.Cancel) capi.Status { return capi.BarrierAbort(b.object) })
	return err
}

// Reset repairs a broken barrier and begins a new round. Parties that wait get [ErrBrokenBarrier].
func (b *Barrier) Reset() error {
	_, err := b.try(func(int64, *capi.Cancel) capi.Status { return capi.BarrierReset(b.object) })
	return err
}

// Parties returns how many parties the barrier is for.
func (b *Barrier) Parties() (int, error) { return b.count(capi.BarrierParties) }

// Waiting returns how many parties wait now.
func (b *Barrier) Waiting() (int, error) { return b.count(capi.BarrierWaiting) }

func (b *Barrier) count(of func(capi.Object) (uint32, capi.Status)) (count int, err error) {
	_, err = b.try(func(int64, *capi.Cancel) (status capi.Status) {
		n, status := of(b.object)
		count = int(n)
		return status
	})
	return count, err
}

// IsBroken reports whether the barrier is broken.
func (b *Barrier) IsBroken() (broken bool, err error) {
	_, err = b.try(func(int64, *capi.Cancel) (status capi.Status) {
		broken, status = capi.BarrierIsBroken(b.object)
		return status
	})
	return broken, err
}

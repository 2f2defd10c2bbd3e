package polyproc

import (
	"context"
	"math"
	"os"

	"polyproc.dev/polyproc/internal/capi"
)

// Condition lets goroutines wait, with a [Lock] or [RLock] released meanwhile, until another
// goroutine or process has changed the state that the lock guards and notifies them:
//
//	lock.Acquire(ctx)
//	for !ready() {
//		if _, err := condition.Wait(ctx, lock); err != nil {
//			...
//		}
//	}
//	...
//	lock.Release()
//
// A waiter checks the state again when Wait returns: another may have changed it in between. The
// library counts and notifies each waiter separately, so each waiter takes a thread. At most 1,024
// waiters wait at one condition; one more gets [ErrLimit].
type Condition struct{ shared }

func newCondition(object capi.Object, status capi.Status) (*Condition, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	c := new(Condition)
	return open(c, &c.handle, capi.KindCondition, object), nil
}

// NewCondition makes an anonymous condition.
func NewCondition() (*Condition, error) {
	return named[Condition]("create condition", "")(newCondition(capi.ConditionCreate(nil, capi.Common{})))
}

// CreateCondition makes a condition with a name.
func CreateCondition(name string, options Options) (*Condition, error) {
	return named[Condition]("create condition", name)(newCondition(capi.ConditionCreate(&name, options.common())))
}

// OpenCondition opens the condition of a name.
func OpenCondition(name string) (*Condition, error) {
	return named[Condition]("open condition", name)(newCondition(capi.ConditionOpen(name)))
}

// InheritedCondition opens the condition that the parent process gave this one under a name.
func InheritedCondition(name string) (*Condition, error) {
	return named[Condition]("inherit condition", name)(newCondition(capi.Inherited(name, capi.KindCondition)))
}

// ConditionFromFile opens the condition behind a descriptor that File gave. The file stays the
// caller's.
func ConditionFromFile(file *os.File) (*Condition, error) {
	return named[Condition]("open condition", file.Name())(newCondition(fromFile(file, capi.KindCondition)))
}

// Wait releases the lock, which the caller holds, waits until notified, and takes the lock again. A
// process that takes the lock after this release can notify this wait. The caller holds the lock
// when Wait returns, also when ctx has ended the wait. Two errors are exceptions: [ErrNotOwner],
// when nobody held the lock, and [ErrClosed], when the lock's handle was closed. ownerDied means
// that the last holder of the lock died while it held the lock; then the result does not tell
// whether the wait was notified.
func (c *Condition) Wait(ctx context.Context, lock *Lock) (ownerDied bool, err error) {
	return c.wait(ctx, &lock.handle, func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.ConditionWait(c.object, lock.object, timeout, cancel)
	})
}

// WaitRLock is Wait with a recursive lock: it releases the lock completely, however often its owner
// has taken it, and takes it again as often.
func (c *Condition) WaitRLock(ctx context.Context, lock *RLock, owner Owner) (ownerDied bool, err error) {
	if owner.id == 0 {
		return false, errNoOwner
	}
	return c.wait(ctx, &lock.handle, func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.ConditionWaitRLock(c.object, lock.object, owner.id, timeout, cancel)
	})
}

func (c *Condition) wait(ctx context.Context, lock *handle, attempt call) (ownerDied bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !c.enter() {
		return false, ErrClosed
	}
	defer c.leave()
	if !lock.enter() {
		return false, ErrClosed
	}
	defer lock.leave()
	status, err := sleepCounted(ctx, attempt, &c.handle, lock)
	return status == capi.OwnerDied, err
}

// WaitFor waits until holds returns true. It calls holds with the lock held, and the caller holds
// the lock when WaitFor returns.
func (c *Condition) WaitFor(ctx context.Context, lock *Lock, holds func() bool) (ownerDied bool, err error) {
	for !holds() {
		died, err := c.Wait(ctx, lock)
		ownerDied = ownerDied || died
		if err != nil {
			return ownerDied, err
		}
	}
	return ownerDied, nil
}

// WaitForRLock is WaitFor with a recursive lock.
func (c *Condition) WaitForRLock(ctx context.Context, lock *RLock, owner Owner, holds func() bool) (ownerDied bool, err error) {
	for !holds() {
		died, err := c.WaitRLock(ctx, lock, owner)
		ownerDied = ownerDied || died
		if err != nil {
			return ownerDied, err
		}
	}
	return ownerDied, nil
}

// Notify wakes up to n waits, the oldest first. Only waits that have begun are woken; the rest of n
// is discarded. Notify does not wait until the woken goroutines run. The caller usually holds the
// lock.
func (c *Condition) Notify(n int) error {
	if n < 0 || int64(n) > math.MaxUint32 {
		return invalid("n is below 0 or too large")
	}
	_, err := c.try(func(int64, *capi.Cancel) capi.Status { return capi.ConditionNotify(c.object, uint32(n)) })
	return err
}

// NotifyAll wakes all waits that have begun.
func (c *Condition) NotifyAll() error {
	_, err := c.try(func(int64, *capi.Cancel) capi.Status { return capi.ConditionNotifyAll(c.object) })
	return err
}

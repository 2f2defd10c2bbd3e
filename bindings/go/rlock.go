package polyproc

import (
	"context"
	"os"
	"sync/atomic"

	"polyproc.dev/polyproc/internal/capi"
)

// Owner is the holder of an [RLock]. A goroutine has no identity, so a caller names the owner when
// it takes the lock. Usually each task makes an owner and uses it as long as it lives. The zero
// Owner owns nothing.
type Owner struct{ id uint64 }

var owners atomic.Uint64

var errNoOwner = invalid("the zero Owner owns nothing: NewOwner makes one")

// NewOwner makes an owner that differs from all others, also from those of other processes.
func NewOwner() Owner { return Owner{owners.Add(1)} }

// RLock is a recursive lock: its owner may take it again, and it is free when its owner has
// released it as often. Only the owner releases it. When the owner's process dies, or closes its
// last handle of the lock, the next Acquire gets the lock and returns ownerDied.
type RLock struct{ shared }

func newRLock(object capi.Object, status capi.Status) (*RLock, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	l := new(RLock)
	return open(l, &l.handle, capi.KindRLock, object, nil), nil
}

// NewRLock makes an anonymous recursive lock.
func NewRLock() (*RLock, error) {
	return named[RLock]("create rlock", "")(newRLock(capi.RLockCreate(nil, capi.Common{})))
}

// CreateRLock makes a recursive lock with a name.
func CreateRLock(name string, options Options) (*RLock, error) {
	return named[RLock]("create rlock", name)(newRLock(capi.RLockCreate(&name, options.common())))
}

// OpenRLock opens the recursive lock of a name.
func OpenRLock(name string) (*RLock, error) {
	return named[RLock]("open rlock", name)(newRLock(capi.RLockOpen(name)))
}

// InheritedRLock opens the recursive lock that the parent process gave this one under a name.
func InheritedRLock(name string) (*RLock, error) {
	return named[RLock]("inherit rlock", name)(newRLock(capi.Inherited(name, capi.KindRLock)))
}

// RLockFromFile opens the recursive lock behind a descriptor that File gave. The file stays the
// caller's.
func RLockFromFile(file *os.File) (*RLock, error) {
	return named[RLock]("open rlock", file.Name())(newRLock(fromFile(file, capi.KindRLock)))
}

// Acquire takes the lock, waiting while another owner holds it. With ownerDied the caller holds the
// lock, and its last owner died while it held it: the state that the lock guards may be half
// changed.
func (l *RLock) Acquire(ctx context.Context, owner Owner) (ownerDied bool, err error) {
	if owner.id == 0 {
		return false, errNoOwner
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !l.enter() {
		return false, ErrClosed
	}
	status := capi.RLockAcquire(l.object, owner.id, 0, nil)
	if isTimeout(status) {
		return l.acquireWaiting(ctx, owner)
	}
	l.leave()
	return status == capi.OwnerDied, check(status)
}

// acquireWaiting is doWaiting for a lock with owners.
func (l *RLock) acquireWaiting(ctx context.Context, owner Owner) (ownerDied bool, err error) {
	defer l.leave()
	status, err := l.wait(ctx, &l.gates[0], func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.RLockAcquire(l.object, owner.id, timeout, cancel)
	})
	return status == capi.OwnerDied, err
}

// TryAcquire takes the lock if it is free or already held by owner, else it returns [ErrTimeout].
func (l *RLock) TryAcquire(owner Owner) (ownerDied bool, err error) {
	if owner.id == 0 {
		return false, errNoOwner
	}
	status, err := l.try(func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.RLockAcquire(l.object, owner.id, timeout, cancel)
	})
	return status == capi.OwnerDied, err
}

// Release releases the lock once. If owner does not hold it, it returns [ErrNotOwner].
func (l *RLock) Release(owner Owner) error {
	if owner.id == 0 {
		return errNoOwner
	}
	_, err := l.try(func(int64, *capi.Cancel) capi.Status { return capi.RLockRelease(l.object, owner.id) })
	return err
}

// Depth returns how often the present owner has taken the lock: 0 when the lock is free.
func (l *RLock) Depth() (depth int, err error) {
	_, err = l.try(func(int64, *capi.Cancel) (status capi.Status) {
		n, status := capi.RLockDepth(l.object)
		depth = int(n)
		return status
	})
	return depth, err
}

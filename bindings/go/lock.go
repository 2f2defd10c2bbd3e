package polyproc

import (
	"context"
	"os"

	"polyproc.dev/polyproc/internal/capi"
)

// Lock is held by one goroutine of one process at a time. It is not recursive, and any goroutine of
// any process may release it, as with Python's multiprocessing.Lock. When the holder's process
// dies, or closes its last handle of the lock, the next Acquire gets the lock and returns
// ownerDied.
type Lock struct{ shared }

func newLock(object capi.Object, status capi.Status) (*Lock, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	l := new(Lock)
	return open(l, &l.handle, capi.KindLock, object, nil), nil
}

// NewLock makes an anonymous lock.
func NewLock() (*Lock, error) {
	return named[Lock]("create lock", "")(newLock(capi.LockCreate(nil, capi.Common{})))
}

// CreateLock makes a lock with a name.
func CreateLock(name string, options Options) (*Lock, error) {
	return named[Lock]("create lock", name)(newLock(capi.LockCreate(&name, options.common())))
}

// OpenLock opens the lock of a name.
func OpenLock(name string) (*Lock, error) {
	return named[Lock]("open lock", name)(newLock(capi.LockOpen(name)))
}

// InheritedLock opens the lock that the parent process gave this one under a name.
func InheritedLock(name string) (*Lock, error) {
	return named[Lock]("inherit lock", name)(newLock(capi.Inherited(name, capi.KindLock)))
}

// LockFromFile opens the lock behind a descriptor that File gave. The file stays the caller's.
func LockFromFile(file *os.File) (*Lock, error) {
	return named[Lock]("open lock", file.Name())(newLock(fromFile(file, capi.KindLock)))
}

// Acquire takes the lock, waiting while another holds it. With ownerDied the caller holds the lock,
// and its last holder died while it held it: the state that the lock guards may be half changed.
func (l *Lock) Acquire(ctx context.Context) (ownerDied bool, err error) {
	status, err := l.do(ctx, &l.gates[0], capi.LockAcquire)
	return status == capi.OwnerDied, err
}

// TryAcquire takes the lock if it is free, else it returns [ErrTimeout].
func (l *Lock) TryAcquire() (ownerDied bool, err error) {
	status, err := l.try(func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.LockAcquire(l.object, timeout, cancel)
	})
	return status == capi.OwnerDied, err
}

// Release releases the lock. If the lock is free it returns [ErrOverRelease].
func (l *Lock) Release() error {
	if !l.enter() {
		return ErrClosed
	}
	status := capi.LockRelease(l.object)
	l.leave()
	return check(status)
}

// IsLocked reports whether the lock is held. The answer can be stale by the time the call returns.
func (l *Lock) IsLocked() (locked bool, err error) {
	_, err = l.try(func(int64, *capi.Cancel) (status capi.Status) {
		locked, status = capi.LockIsLocked(l.object)
		return status
	})
	return locked, err
}

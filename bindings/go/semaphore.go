package polyproc

import (
	"context"
	"os"

	"polyproc.dev/polyproc/internal/capi"
)

// Semaphore counts permits that processes acquire and release. When a process dies, its owned
// permits (see [SemaphoreOptions]) come back.
type Semaphore struct{ shared }

func newSemaphore(object capi.Object, status capi.Status) (*Semaphore, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	s := new(Semaphore)
	return open(s, &s.handle, capi.KindSemaphore, object, nil), nil
}

// NewSemaphore makes an anonymous semaphore.
func NewSemaphore(options SemaphoreOptions) (*Semaphore, error) {
	return named[Semaphore]("create semaphore", "")(newSemaphore(capi.SemaphoreCreate(nil, options.common(), options.Owned, options.Initial, options.Maximum)))
}

// CreateSemaphore makes a semaphore with a name.
func CreateSemaphore(name string, options SemaphoreOptions) (*Semaphore, error) {
	return named[Semaphore]("create semaphore", name)(newSemaphore(capi.SemaphoreCreate(&name, options.common(), options.Owned, options.Initial, options.Maximum)))
}

// OpenSemaphore opens the semaphore of a name.
func OpenSemaphore(name string) (*Semaphore, error) {
	return named[Semaphore]("open semaphore", name)(newSemaphore(capi.SemaphoreOpen(name)))
}

// InheritedSemaphore opens the semaphore that the parent process gave this one under a name.
func InheritedSemaphore(name string) (*Semaphore, error) {
	return named[Semaphore]("inherit semaphore", name)(newSemaphore(capi.Inherited(name, capi.KindSemaphore)))
}

// SemaphoreFromFile opens the semaphore behind a descriptor that File gave. The file stays the
// caller's.
func SemaphoreFromFile(file *os.File) (*Semaphore, error) {
	return named[Semaphore]("open semaphore", file.Name())(newSemaphore(fromFile(file, capi.KindSemaphore)))
}

// Acquire takes a permit, waiting for one.
func (s *Semaphore) Acquire(ctx context.Context) error {
	_, err := s.do(ctx, &s.gates[0], capi.SemaphoreAcquire)
	return err
}

// TryAcquire takes a permit if there is one, else it returns [ErrTimeout].
func (s *Semaphore) TryAcquire() error {
	_, err := s.try(func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.SemaphoreAcquire(s.object, timeout, cancel)
	})
	return err
}

// Release gives n permits back. If that would exceed the maximum, it returns
// [ErrOverRelease] and gives none back. Owned permits can be released only by the process that has
// them: [ErrNotOwner] if it has none, [ErrOverRelease] if it has fewer than n.
func (s *Semaphore) Release(n int64) error {
	if !s.enter() {
		return ErrClosed
	}
	status := capi.SemaphoreRelease(s.object, n)
	s.leave()
	return check(status)
}

// Value returns how many permits there are.
func (s *Semaphore) Value() (value int64, err error) {
	_, err = s.try(func(int64, *capi.Cancel) (status capi.Status) {
		value, status = capi.SemaphoreValue(s.object)
		return status
	})
	return value, err
}

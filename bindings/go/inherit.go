package polyproc

import (
	"fmt"
	"os"
	"runtime"

	"polyproc.dev/polyproc/internal/capi"
)

// shared is a handle of an object that other processes can have too: any object but a [Process], a
// [Pool] or a [Listener].
type shared struct{ handle }

// File returns a descriptor of the object, to hand on by other means: os/exec's ExtraFiles, a unix
// socket. [QueueFromFile] and its like open it at the other end. The caller closes it.
func (s *shared) File() (*os.File, error) {
	if !s.enter() {
		return nil, ErrClosed
	}
	defer s.leave()
	fd, status := capi.ShareFD(s.kind, s.object)
	if err := check(status); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "polyproc"), nil
}

// Handle is an object that a child can inherit: any object of this package but a [Process], a
// [Pool] or a [Listener].
type Handle interface {
	Close() error
	inherit() *handle
}

func (s *shared) inherit() *handle { return &s.handle }

// inherited returns the objects for a child. Each object counts one more user until leave.
func inherited(objects map[string]Handle) (handles []capi.NamedHandle, leave func(), err error) {
	var entered []*handle
	leave = func() {
		for _, h := range entered {
			h.leave()
		}
		runtime.KeepAlive(objects)
	}
	for name, object := range objects {
		if object == nil {
			leave()
			return nil, nil, invalid(fmt.Sprintf("Handles has no object of the name %q", name))
		}
		h := object.inherit()
		if !h.enter() {
			leave()
			return nil, nil, ErrClosed
		}
		entered = append(entered, h)
		handles = append(handles, capi.NamedHandle{Name: name, Kind: h.kind, Object: h.object})
	}
	return handles, leave, nil
}

// fromFile opens the object behind a descriptor, which stays open.
func fromFile(file *os.File, kind capi.Kind) (object capi.Object, status capi.Status) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, capi.EInvalid
	}
	// Control keeps the file open while its descriptor is in use.
	if err := raw.Control(func(fd uintptr) { object, status = capi.OpenFD(int(fd), kind) }); err != nil {
		return nil, capi.EClosed
	}
	return object, status
}

package polyproc

import (
	"fmt"
	"io/fs"

	"polyproc.dev/polyproc/internal/capi"
)

// Kind is the kind of an object.
type Kind int32

// The kinds of objects.
const (
	KindLock       = Kind(capi.KindLock)
	KindSemaphore  = Kind(capi.KindSemaphore)
	KindEvent      = Kind(capi.KindEvent)
	KindQueue      = Kind(capi.KindQueue)
	KindRLock      = Kind(capi.KindRLock)
	KindCondition  = Kind(capi.KindCondition)
	KindBarrier    = Kind(capi.KindBarrier)
	KindConnection = Kind(capi.KindConnection)
)

var kindNames = map[Kind]string{
	KindLock: "lock", KindSemaphore: "semaphore", KindEvent: "event", KindQueue: "queue",
	KindRLock: "rlock", KindCondition: "condition", KindBarrier: "barrier", KindConnection: "connection",
}

// String returns the kind's name, such as "queue".
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("kind %d", int32(k))
}

// ObjectInfo describes a named object as it was when [List] looked at it.
type ObjectInfo struct {
	Name string
	Kind Kind
	Mode fs.FileMode
	// Processes counts the processes that use the object, and Waiting their threads that wait at
	// it.
	Processes, Waiting int
	// Bytes is how much memory the object occupies.
	Bytes int64
}

// List returns the named objects of this user, sorted by name.
func List() ([]ObjectInfo, error) {
	items, status := capi.List()
	if err := check(status); err != nil {
		return nil, err
	}
	objects := make([]ObjectInfo, len(items))
	for i, item := range items {
		objects[i] = ObjectInfo{
			Name: item.Name, Kind: Kind(item.Kind), Mode: fs.FileMode(item.Mode),
			Processes: int(item.Processes), Waiting: int(item.Waiting), Bytes: int64(item.Bytes),
		}
	}
	return objects, nil
}

// Unlink removes the name of an object. Processes that have the object open keep it.
func Unlink(name string) error { return about(check(capi.Unlink(name)), "unlink", name) }

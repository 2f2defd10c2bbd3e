// Package capi is the only place of the binding that knows C: one thin Go function for each
// function of polyproc.h that package polyproc needs, without decisions of its own.
//
// link.go and dynamic.go say which library it links.
//
// Why it is sound:
//   - Nothing here calls back into Go, and no C memory keeps a Go pointer when a call returns. The
//     noescape and nocallback directives rely on that; neither has an effect without the other.
//   - Go memory that C reads or writes holds no Go pointers. Buffers travel as uint8_t pointers,
//     which cgo does not have to check; shim.h converts them to the types of polyproc.h.
//   - Objects are never used after Close: the callers count themselves in and out.
package capi

/*
#cgo CFLAGS: -std=c11
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"
)

// Status is the result of the functions of polyproc.h.
type Status = int32

// The statuses that the binding names.
const (
	OK             Status = C.POLYPROC_OK
	OwnerDied      Status = C.POLYPROC_OWNER_DIED
	EInvalid       Status = C.POLYPROC_E_INVALID
	ETimeout       Status = C.POLYPROC_E_TIMEOUT
	EEmpty         Status = C.POLYPROC_E_EMPTY
	EFull          Status = C.POLYPROC_E_FULL
	ECanceled      Status = C.POLYPROC_E_CANCELED
	EInterrupted   Status = C.POLYPROC_E_INTERRUPTED
	EClosed        Status = C.POLYPROC_E_CLOSED
	EShutdown      Status = C.POLYPROC_E_SHUTDOWN
	EEOF           Status = C.POLYPROC_E_EOF
	EBrokenPipe    Status = C.POLYPROC_E_BROKEN_PIPE
	ETooSmall      Status = C.POLYPROC_E_TOO_SMALL
	ETooLarge      Status = C.POLYPROC_E_TOO_LARGE
	ENoMemory      Status = C.POLYPROC_E_NO_MEMORY
	ENotFound      Status = C.POLYPROC_E_NOT_FOUND
	EExists        Status = C.POLYPROC_E_EXISTS
	EMismatch      Status = C.POLYPROC_E_MISMATCH
	EPermission    Status = C.POLYPROC_E_PERMISSION
	ECorrupt       Status = C.POLYPROC_E_CORRUPT
	ELimit         Status = C.POLYPROC_E_LIMIT
	ENotOwner      Status = C.POLYPROC_E_NOT_OWNER
	EOverRelease   Status = C.POLYPROC_E_OVER_RELEASE
	EBrokenBarrier Status = C.POLYPROC_E_BROKEN_BARRIER
	EDaemonic      Status = C.POLYPROC_E_DAEMONIC
	EAuth          Status = C.POLYPROC_E_AUTH
	EUnsupported   Status = C.POLYPROC_E_UNSUPPORTED
	EWorkerDied    Status = C.POLYPROC_E_WORKER_DIED
	ETaskFailed    Status = C.POLYPROC_E_TASK_FAILED
	EInternal      Status = C.POLYPROC_E_INTERNAL
)

// ref returns the address of a status in the form that the shims take.
func ref(status *Status) *C.int32_t { return (*C.int32_t)(status) }

// ErrnoBase minus an errno is the Status for it.
const ErrnoBase Status = -1000

// Forever is the timeout of a wait without a limit.
const Forever int64 = C.POLYPROC_FOREVER

// Kind is the kind of an object.
type Kind int32

// The kinds of objects.
const (
	KindLock       Kind = C.POLYPROC_KIND_LOCK
	KindSemaphore  Kind = C.POLYPROC_KIND_SEMAPHORE
	KindEvent      Kind = C.POLYPROC_KIND_EVENT
	KindQueue      Kind = C.POLYPROC_KIND_QUEUE
	KindRLock      Kind = C.POLYPROC_KIND_RLOCK
	KindCondition  Kind = C.POLYPROC_KIND_CONDITION
	KindBarrier    Kind = C.POLYPROC_KIND_BARRIER
	KindConnection Kind = C.POLYPROC_KIND_CONNECTION
	// KindProcess is the binding's own: a process has no descriptor to share.
	KindProcess Kind = 0
	// KindPool and KindListener are the binding's own too.
	KindPool     Kind = -1
	KindListener Kind = -2
)

// Object is an open handle of the library.
type Object unsafe.Pointer

// number returns an object in the form that the shims take.
func number(object Object) C.pp_object { return C.pp_object(uintptr(object)) }

// fromNumber returns the object of a number that a shim returned. The pointer is C's: it never
// moves.
func fromNumber(number C.pp_object) Object {
	return Object(*(*unsafe.Pointer)(unsafe.Pointer(&number)))
}

// Common are the options that every create takes.
type Common struct {
	Mode         uint32
	OpenOrCreate bool
}

func (c Common) flags() C.uint32_t {
	if c.OpenOrCreate {
		return C.POLYPROC_OPEN_OR_CREATE
	}
	return 0
}

func (c Common) options() C.polyproc_options {
	return C.polyproc_options{size: C.sizeof_polyproc_options, flags: c.flags(), mode: C.uint32_t(c.Mode)}
}

// withName calls call with a Go string as a C string, and with NULL for a nil one. It refuses a
// string with a NUL inside, which would be another name in C.
func withName(name *string, call func(*C.char) Status) Status {
	if name == nil {
		return call(nil)
	}
	if strings.IndexByte(*name, 0) >= 0 {
		return EInvalid
	}
	c := C.CString(*name)
	defer C.free(unsafe.Pointer(c))
	return call(c)
}

// told makes a call outside of the hot paths. If the call fails, told keeps the sentence of
// polyproc_detail before this goroutine can move to another thread. On the hot paths the shims do
// that.
func told(call func() C.int32_t) Status {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	status := call()
	if status < 0 {
		status = C.pp_told(status)
	}
	return Status(status)
}

// IsTold reports whether a sentence is kept for a status: [Detail] returns both.
func IsTold(status Status) bool { return status <= -C.PP_STEP }

// Detail returns the library's status and the sentence for a status that [IsTold].
func Detail(told Status) (Status, string) {
	var text [C.PP_DETAIL]byte
	var n C.size_t
	status := C.pp_recall(C.int32_t(told), (*C.uint8_t)(unsafe.Pointer(&text[0])), C.size_t(len(text)), &n)
	return Status(status), string(text[:n])
}

// Strerror returns the library's text for a status.
func Strerror(status Status) string { return C.GoString(C.polyproc_strerror(C.int32_t(status))) }

// Version returns the version of the linked library.
func Version() string { return C.GoString(C.polyproc_version()) }

// Unlink removes the name of an object.
func Unlink(name string) Status {
	return withName(&name, func(c *C.char) Status { return told(func() C.int32_t { return C.polyproc_unlink(c) }) })
}

// ObjectInfo is polyproc_object_info.
type ObjectInfo struct {
	Kind               Kind
	Mode               uint32
	Processes, Waiting uint32
	Bytes              uint64
	Name               string
}

// List is polyproc_list.
func List() (objects []ObjectInfo, status Status) {
	items := make([]C.polyproc_object_info, 64)
	for {
		var n C.size_t
		status = told(func() C.int32_t { return C.polyproc_list(&items[0], C.size_t(len(items)), &n) })
		if status == ETooSmall {
			items = make([]C.polyproc_object_info, n+n/4) // more objects may be created meanwhile
			continue
		}
		if status < 0 {
			return nil, status
		}
		for i := range items[:n] {
			item := &items[i]
			objects = append(objects, ObjectInfo{
				Kind: Kind(item.kind), Mode: uint32(item.mode), Processes: uint32(item.processes),
				Waiting: uint32(item.waiting), Bytes: uint64(item.bytes), Name: C.GoString(&item.name[0]),
			})
		}
		return objects, status
	}
}

// ShareFD returns a descriptor of an object, which the caller owns.
func ShareFD(kind Kind, object Object) (fd int, status Status) {
	var out C.int
	status = told(func() C.int32_t { return C.polyproc_share_fd(C.int32_t(kind), unsafe.Pointer(object), &out) })
	return int(out), status
}

// OpenFD opens the object behind a descriptor.
func OpenFD(fd int, kind Kind) (object Object, status Status) {
	var out unsafe.Pointer
	status = told(func() C.int32_t { return C.polyproc_open_fd(C.int(fd), C.int32_t(kind), &out) })
	return Object(out), status
}

// Inherited opens the object that the parent process gave under a name.
func Inherited(name string, kind Kind) (object Object, status Status) {
	var out unsafe.Pointer
	status = withName(&name, func(c *C.char) Status {
		return told(func() C.int32_t { return C.polyproc_inherited(c, C.int32_t(kind), &out) })
	})
	return Object(out), status
}

// Close releases this process's handle of an object.
func Close(kind Kind, object Object) {
	p := unsafe.Pointer(object)
	switch kind {
	case KindQueue:
		C.polyproc_queue_close((*C.polyproc_queue)(p))
	case KindLock:
		C.polyproc_lock_close((*C.polyproc_lock)(p))
	case KindRLock:
		C.polyproc_rlock_close((*C.polyproc_rlock)(p))
	case KindCondition:
		C.polyproc_condition_close((*C.polyproc_condition)(p))
	case KindBarrier:
		C.polyproc_barrier_close((*C.polyproc_barrier)(p))
	case KindConnection:
		C.polyproc_connection_close((*C.polyproc_connection)(p))
	case KindSemaphore:
		C.polyproc_semaphore_close((*C.polyproc_semaphore)(p))
	case KindEvent:
		C.polyproc_event_close((*C.polyproc_event)(p))
	case KindListener:
		C.polyproc_listener_close((*C.polyproc_listener)(p))
	case KindPool:
		C.polyproc_pool_close((*C.polyproc_pool)(p))
	case KindProcess:
		C.polyproc_process_close((*C.polyproc_process)(p))
	}
}

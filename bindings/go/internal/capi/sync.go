package capi

/*
#cgo noescape pp_lock_acquire
#cgo nocallback pp_lock_acquire
#cgo noescape pp_lock_release
#cgo nocallback pp_lock_release
#cgo noescape polyproc_lock_is_locked
#cgo nocallback polyproc_lock_is_locked
#cgo noescape pp_semaphore_acquire
#cgo nocallback pp_semaphore_acquire
#cgo noescape pp_semaphore_release
#cgo nocallback pp_semaphore_release
#cgo noescape polyproc_semaphore_value
#cgo nocallback polyproc_semaphore_value
#cgo noescape polyproc_event_set
#cgo nocallback polyproc_event_set
#cgo noescape polyproc_event_clear
#cgo nocallback polyproc_event_clear
#cgo noescape polyproc_event_is_set
#cgo nocallback polyproc_event_is_set
#cgo noescape polyproc_event_sets
#cgo nocallback polyproc_event_sets
#cgo noescape pp_event_wait_since
#cgo nocallback pp_event_wait_since
#include "shim.h"
*/
import "C"

// LockCreate makes a lock, anonymous when name is nil.
func LockCreate(name *string, common Common) (object Object, status Status) {
	options := common.options()
	var out *C.polyproc_lock
	status = withName(name, func(c *C.char) Status {
		return told(func() C.int32_t { return C.polyproc_lock_create(c, &options, &out) })
	})
	return Object(out), status
}

// LockOpen opens the lock of a name.
func LockOpen(name string) (object Object, status Status) {
	var out *C.polyproc_lock
	status = withName(&name, func(c *C.char) Status { return told(func() C.int32_t { return C.polyproc_lock_open(c, &out) }) })
	return Object(out), status
}

// LockAcquire is polyproc_lock_acquire.
func LockAcquire(lock Object, timeout int64, cancel *Cancel) (status Status) {
	C.pp_lock_acquire(ref(&status), number(lock), C.int64_t(timeout), cancel.c())
	return status
}

// LockRelease is polyproc_lock_release.
func LockRelease(lock Object) (status Status) {
	C.pp_lock_release(ref(&status), number(lock))
	return status
}

// LockIsLocked is polyproc_lock_is_locked.
func LockIsLocked(lock Object) (locked bool, status Status) {
	var out C.int32_t
	status = Status(C.polyproc_lock_is_locked((*C.polyproc_lock)(lock), &out))
	return out != 0, status
}

// SemaphoreCreate makes a semaphore, anonymous when name is nil.
func SemaphoreCreate(name *string, common Common, owned bool, initial, maximum int64) (object Object, status Status) {
	options := C.polyproc_semaphore_options{
		size:  C.sizeof_polyproc_semaphore_options,
		flags: common.flags(), mode: C.uint32_t(common.Mode),
		initial: C.int64_t(initial), maximum: C.int64_t(maximum),
	}
	if owned {
		options.flags |= C.POLYPROC_SEMAPHORE_OWNED
	}
	var out *C.polyproc_semaphore
	status = withName(name, func(c *C.char) Status {
		return told(func() C.int32_t { return C.polyproc_semaphore_create(c, &options, &out) })
	})
	return Object(out), status
}

// SemaphoreOpen opens the semaphore of a name.
func SemaphoreOpen(name string) (object Object, status Status) {
	var out *C.polyproc_semaphore
	status = withName(&name, func(c *C.char) Status {
		return told(func() C.int32_t { return C.polyproc_semaphore_open(c, &out) })
	})
	return Object(out), status
}

// SemaphoreAcquire is polyproc_semaphore_acquire.
func SemaphoreAcquire(semaphore Object, timeout int64, cancel *Cancel) (status Status) {
	C.pp_semaphore_acquire(ref(&status), number(semaphore), C.int64_t(timeout), cancel.c())
	return status
}

// SemaphoreRelease is polyproc_semaphore_release.
func SemaphoreRelease(semaphore Object, n int64) (status Status) {
	C.pp_semaphore_release(ref(&status), number(semaphore), C.int64_t(n))
	return status
}

// SemaphoreValue is polyproc_semaphore_value.
func SemaphoreValue(semaphore Object) (value int64, status Status) {
	var out C.int64_t
	status = Status(C.polyproc_semaphore_value((*C.polyproc_semaphore)(semaphore), &out))
	return int64(out), status
}

// EventCreate makes an event, anonymous when name is nil.
func EventCreate(name *string, common Common) (object Object, status Status) {
	options := common.options()
	var out *C.polyproc_event
	status = withName(name, func(c *C.char) Status {
		return told(func() C.int32_t { return C.polyproc_event_create(c, &options, &out) })
	})
	return Object(out), status
}

// EventOpen opens the event of a name.
func EventOpen(name string) (object Object, status Status) {
	var out *C.polyproc_event
	status = withName(&name, func(c *C.char) Status { return told(func() C.int32_t { return C.polyproc_event_open(c, &out) }) })
	return Object(out), status
}

// EventSet is polyproc_event_set.
func EventSet(event Object) Status { return Status(C.polyproc_event_set((*C.polyproc_event)(event))) }

// EventClear is polyproc_event_clear.
func EventClear(event Object) Status {
	return Status(C.polyproc_event_clear((*C.polyproc_event)(event)))
}

// EventIsSet is polyproc_event_is_set.
func EventIsSet(event Object) (set bool, status Status) {
	var out C.int32_t
	status = Status(C.polyproc_event_is_set((*C.polyproc_event)(event), &out))
	return out != 0, status
}

// EventSets is polyproc_event_sets.
func EventSets(event Object) (mark uint32, status Status) {
	var out C.uint32_t
	status = Status(C.polyproc_event_sets((*C.polyproc_event)(event), &out))
	return uint32(out), status
}

// EventWaitSince is polyproc_event_wait_since.
func EventWaitSince(event Object, mark uint32, timeout int64, cancel *Cancel) (status Status) {
	C.pp_event_wait_since(ref(&status), number(event), C.uint32_t(mark), C.int64_t(timeout), cancel.c())
	return status
}

package capi

/*
#cgo noescape pp_rlock_acquire
#cgo nocallback pp_rlock_acquire
#cgo noescape pp_rlock_release
#cgo nocallback pp_rlock_release
#cgo noescape polyproc_rlock_depth
#cgo nocallback polyproc_rlock_depth
#cgo noescape pp_condition_wait
#cgo nocallback pp_condition_wait
#cgo noescape pp_condition_wait_rlock
#cgo nocallback pp_condition_wait_rlock
#include "shim.h"
*/
import "C"

// RLockCreate makes an rlock, anonymous when name is nil.
func RLockCreate(name *string, common Common) (object Object, status Status) {
	options := common.options()
	var out *C.polyproc_rlock
	status = withName(name, func(c *C.char) Status {
		return told(func() C.int32_t { return C.polyproc_rlock_create(c, &options, &out) })
	})
	return Object(out), status
}

// RLockOpen opens the rlock of a name.
func RLockOpen(name string) (object Object, status Status) {
	var out *C.polyproc_rlock
	status = withName(&name, func(c *C.char) Status { return told(func() C.int32_t { return C.polyproc_rlock_open(c, &out) }) })
	return Object(out), status
}

// RLockAcquire is polyproc_rlock_acquire.
func RLockAcquire(rlock Object, owner uint64, timeout int64, cancel *Cancel) (status Status) {
	C.pp_rlock_acquire(ref(&status), number(rlock), C.uint64_t(owner), C.int64_t(timeout), cancel.c())
	return status
}

// RLockRelease is polyproc_rlock_release.
func RLockRelease(rlock Object, owner uint64) (status Status) {
	C.pp_rlock_release(ref(&status), number(rlock), C.uint64_t(owner))
	return status
}

// RLockDepth is polyproc_rlock_depth.
func RLockDepth(rlock Object) (depth uint32, status Status) {
	var out C.uint32_t
	status = Status(C.polyproc_rlock_depth((*C.polyproc_rlock)(rlock), &out))
	return uint32(out), status
}

func condition(object Object) *C.polyproc_condition { return (*C.polyproc_condition)(object) }

// ConditionCreate makes a condition, anonymous when name is nil.
func ConditionCreate(name *string, common Common) (object Object, status Status) {
	options := common.options()
	var out *C.polyproc_condition
	status = withName(name, func(c *C.char) Status {
		return told(func() C.int32_t { return C.polyproc_condition_create(c, &options, &out) })
	})
	return Object(out), status
}

// ConditionOpen opens the condition of a name.
func ConditionOpen(name string) (object Object, status Status) {
	var out *C.polyproc_condition
	status = withName(&name, func(c *C.char) Status { return told(func() C.int32_t { return C.polyproc_condition_open(c, &out) }) })
	return Object(out), status
}

// ConditionWait is polyproc_condition_wait.
func ConditionWait(object, lock Object, timeout int64, cancel *Cancel) (status Status) {
	C.pp_condition_wait(ref(&status), number(object), number(lock), C.int64_t(timeout), cancel.c())
	return status
}

// ConditionWaitRLock is polyproc_condition_wait_rlock.
func ConditionWaitRLock(object, rlock Object, owner uint64, timeout int64, cancel *Cancel) (status Status) {
	C.pp_condition_wait_rlock(ref(&status), number(object), number(rlock), C.uint64_t(owner),
		C.int64_t(timeout), cancel.c())
	return status
}

// ConditionNotify is polyproc_condition_notify.
func ConditionNotify(object Object, n uint32) Status {
	return Status(C.polyproc_condition_notify(condition(object), C.uint32_t(n)))
}

// ConditionNotifyAll is polyproc_condition_notify_all.
func ConditionNotifyAll(object Object) Status {
	return Status(C.polyproc_condition_notify_all(condition(object)))
}

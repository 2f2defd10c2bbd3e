package capi

/*
#cgo noescape pp_barrier_wait
#cgo nocallback pp_barrier_wait
#cgo noescape pp_barrier_arrive
#cgo nocallback pp_barrier_arrive
#include "shim.h"
*/
import "C"

func barrier(object Object) *C.polyproc_barrier { return (*C.polyproc_barrier)(object) }

// BarrierCreate makes a barrier, anonymous when name is nil.
func BarrierCreate(name *string, common Common, parties uint32) (object Object, status Status) {
	options := common.options()
	var out *C.polyproc_barrier
	status = withName(name, func(c *C.char) Status {
		return told(func() C.int32_t { return C.polyproc_barrier_create(c, &options, C.uint32_t(parties), &out) })
	})
	return Object(out), status
}

// BarrierOpen opens the barrier of a name.
func BarrierOpen(name string) (object Object, status Status) {
	var out *C.polyproc_barrier
	status = withName(&name, func(c *C.char) Status { return told(func() C.int32_t { return C.polyproc_barrier_open(c, &out) }) })
	return Object(out), status
}

// BarrierWait is polyproc_barrier_wait.
func BarrierWait(object Object, timeout int64, cancel *Cancel) (index uint32, status Status) {
	var out C.uint32_t
	C.pp_barrier_wait(ref(&status), number(object), &out, C.int64_t(timeout), cancel.c())
	return uint32(out), status
}

// BarrierArrive is polyproc_barrier_arrive.
func BarrierArrive(object Object, timeout int64, cancel *Cancel) (index uint32, leader bool, status Status) {
	var out C.uint32_t
	var lead C.int32_t
	C.pp_barrier_arrive(ref(&status), number(object), &out, &lead, C.int64_t(timeout), cancel.c())
	return uint32(out), lead != 0, status
}

// BarrierComplete is polyproc_barrier_complete.
func BarrierComplete(object Object, ok bool) Status {
	var outcome C.int32_t
	if ok {
		outcome = 1
	}
	return told(func() C.int32_t { return C.polyproc_barrier_complete(barrier(object), outcome) })
}

// BarrierAbort is polyproc_barrier_abort.
func BarrierAbort(object Object) Status { return Status(C.polyproc_barrier_abort(barrier(object))) }

// BarrierReset is polyproc_barrier_reset.
func BarrierReset(object Object) Status { return Status(C.polyproc_barrier_reset(barrier(object))) }

// BarrierParties is polyproc_barrier_parties.
func BarrierParties(object Object) (parties uint32, status Status) {
	var out C.uint32_t
	status = Status(C.polyproc_barrier_parties(barrier(object), &out))
	return uint32(out), status
}

// BarrierWaiting is polyproc_barrier_waiting.
func BarrierWaiting(object Object) (waiting uint32, status Status) {
	var out C.uint32_t
	status = Status(C.polyproc_barrier_waiting(barrier(object), &out))
	return uint32(out), status
}

// BarrierIsBroken is polyproc_barrier_is_broken.
func BarrierIsBroken(object Object) (broken bool, status Status) {
	var out C.int32_t
	status = Status(C.polyproc_barrier_is_broken(barrier(object), &out))
	return out != 0, status
}

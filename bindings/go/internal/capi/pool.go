package capi

/*
#cgo noescape pp_pool_submit
#cgo nocallback pp_pool_submit
#cgo noescape pp_pool_submit_chunk
#cgo nocallback pp_pool_submit_chunk
#cgo noescape pp_pool_finished
#cgo nocallback pp_pool_finished
#cgo noescape pp_pool_join
#cgo nocallback pp_pool_join
#cgo noescape pp_pool_apply
#cgo nocallback pp_pool_apply
#cgo noescape pp_task_wait
#cgo nocallback pp_task_wait
#cgo noescape pp_task_take
#cgo nocallback pp_task_take
#cgo noescape pp_tasks_take
#cgo nocallback pp_tasks_take
#cgo noescape pp_task_cancel
#cgo nocallback pp_task_cancel
#include "shim.h"
#include "shim_pool.h"
*/
import "C"

import "unsafe"

// PoolOptions are polyproc_pool_options.
type PoolOptions struct {
	Workers, MaxTasksPerWorker, MaxAttempts uint32
	Argv, Env                               []string
	Initialiser                             string
	InitialiserData                         []byte
	Group                                   bool
	Handles                                 []NamedHandle
}

// PoolInfo is polyproc_pool_info.
type PoolInfo struct {
	Workers, Alive                               uint32
	Outstanding, Queued, Submitted, Succeeded    uint64
	Failed, Retried, StartedWorkers, DiedWorkers uint64
}

func pool(object Object) *C.polyproc_pool { return (*C.polyproc_pool)(object) }

// PoolCreate is polyproc_pool_create.
func PoolCreate(o *PoolOptions) (object Object, status Status) {
	var a arena
	defer a.free()
	options := (*C.polyproc_pool_options)(a.alloc(C.sizeof_polyproc_pool_options))
	options.size = C.sizeof_polyproc_pool_options
	options.workers = C.uint32_t(o.Workers)
	if o.Group {
		options.flags |= C.POLYPROC_POOL_GROUP
	}
	options.argv = a.list(o.Argv)
	options.env = a.list(o.Env)
	options.max_tasks_per_worker = C.uint32_t(o.MaxTasksPerWorker)
	options.max_attempts = C.uint32_t(o.MaxAttempts)
	options.initialiser = a.optional(o.Initialiser)
	options.handles = a.handles(o.Handles)
	options.handle_count = C.size_t(len(o.Handles))
	if len(o.InitialiserData) > 0 {
		data := a.alloc(uintptr(len(o.InitialiserData)))
		copy(unsafe.Slice((*byte)(data), len(o.InitialiserData)), o.InitialiserData)
		options.initialiser_data = data
		options.initialiser_len = C.size_t(len(o.InitialiserData))
	}
	if a.invalid {
		return nil, EInvalid
	}
	var out *C.polyproc_pool
	status = told(func() C.int32_t { return C.polyproc_pool_create(options, &out) })
	return Object(out), status
}

// PoolSubmit is polyproc_pool_submit_with, for a task with a tag. The timeout limits the task; 0 is
// none.
func PoolSubmit(object Object, function string, data []byte, timeout int64, tag uint64) (task Object, status Status) {
	var out C.pp_object
	C.pp_pool_submit(ref(&status), number(object), text(function), C.size_t(len(function)),
		bytes(data), C.size_t(len(data)), C.int64_t(timeout), C.uint64_t(tag), &out)
	return fromNumber(out), status
}

// PoolSubmitChunk is polyproc_pool_submit_chunk, also with a tag and a timeout. The items lie one
// after the other in packed; lens has their lengths.
func PoolSubmitChunk(object Object, function string, packed []byte, lens []uintptr, timeout int64, tag uint64) (task Object, status Status) {
	var out C.pp_object
	C.pp_pool_submit_chunk(ref(&status), number(object), text(function), C.size_t(len(function)),
		bytes(packed), (*C.size_t)(unsafe.Pointer(unsafe.SliceData(lens))), C.size_t(len(lens)),
		C.int64_t(timeout), C.uint64_t(tag), &out)
	return fromNumber(out), status
}

// text returns the address of a string's first byte, and never NULL.
func text(s string) *C.uint8_t {
	if s == "" {
		return (*C.uint8_t)(&nothing)
	}
	return (*C.uint8_t)(unsafe.StringData(s))
}

// PoolFinished is polyproc_pool_finished.
func PoolFinished(object Object, tags []uint64, timeout int64, cancel *Cancel) (n int, status Status) {
	var out C.size_t
	C.pp_pool_finished(ref(&status), number(object), (*C.uint64_t)(unsafe.SliceData(tags)),
		C.size_t(len(tags)), &out, C.int64_t(timeout), cancel.c())
	return int(out), status
}

// PoolShutdown is polyproc_pool_shutdown.
func PoolShutdown(object Object) Status {
	return told(func() C.int32_t { return C.polyproc_pool_shutdown(pool(object)) })
}

// PoolJoin is polyproc_pool_join.
func PoolJoin(object Object, timeout int64, cancel *Cancel) (status Status) {
	C.pp_pool_join(ref(&status), number(object), C.int64_t(timeout), cancel.c())
	return status
}

// PoolTerminate is polyproc_pool_terminate.
func PoolTerminate(object Object) Status {
	return told(func() C.int32_t { return C.polyproc_pool_terminate(pool(object)) })
}

// PoolWorkerPIDs is polyproc_pool_worker_pids.
func PoolWorkerPIDs(object Object) (pids []int32, status Status) {
	pids = make([]int32, 64)
	for {
		var n C.size_t
		status = told(func() C.int32_t {
			return C.polyproc_pool_worker_pids(pool(object), (*C.int32_t)(unsafe.Pointer(&pids[0])),
				C.size_t(len(pids)), &n)
		})
		if status == ETooSmall {
			pids = make([]int32, n)
			continue
		}
		return pids[:min(int(n), len(pids))], status
	}
}

// ReadPoolInfo is polyproc_pool_get_info.
func ReadPoolInfo(object Object) (info PoolInfo, status Status) {
	out := C.polyproc_pool_info{size: C.sizeof_polyproc_pool_info}
	status = told(func() C.int32_t { return C.polyproc_pool_get_info(pool(object), &out) })
	return PoolInfo{
		Workers: uint32(out.workers), Alive: uint32(out.alive),
		Outstanding: uint64(out.outstanding), Queued: uint64(out.queued),
		Submitted: uint64(out.submitted), Succeeded: uint64(out.succeeded), Failed: uint64(out.failed),
		Retried: uint64(out.retried), StartedWorkers: uint64(out.started_workers),
		DiedWorkers: uint64(out.died_workers),
	}, status
}

// PoolApply submits a task without a tag, waits for it as long as timeout says, and copies its
// outcome as TaskTake does. The returned task is nil if that succeeded; else the caller owns the
// task.
func PoolApply(object Object, function string, data, buf []byte, timeout int64) (task Object, n int, ended, status Status) {
	var handle C.pp_object
	var length C.size_t
	var end C.int32_t
	C.pp_pool_apply(ref(&status), number(object), text(function), C.size_t(len(function)),
		bytes(data), C.size_t(len(data)), bytes(buf), C.size_t(len(buf)), &length, &end, C.int64_t(timeout), &handle)
	return fromNumber(handle), int(length), Status(end), status
}

// TaskWait is polyproc_task_wait.
func TaskWait(task Object, timeout int64, cancel *Cancel) (status Status) {
	C.pp_task_wait(ref(&status), number(task), C.int64_t(timeout), cancel.c())
	return status
}

// TaskFD is polyproc_task_fd.
func TaskFD(task Object) (fd int, status Status) {
	var out C.int
	status = told(func() C.int32_t { return C.polyproc_task_fd((*C.polyproc_task)(task), &out) })
	return int(out), status
}

// TaskTake copies the outcome of a task that is over, and how it ended, and frees the task. If ok
// is false, buf is shorter than the n bytes of the outcome, and the task stays.
func TaskTake(task Object, buf []byte) (n int, ended Status, ok bool) {
	var out C.size_t
	var status C.int32_t
	taken := C.pp_task_take(number(task), bytes(buf), C.size_t(len(buf)), &out, &status)
	return int(out), Status(status), taken != 0
}

// Ended is a task that is over. TasksTake adds its outcome.
type Ended struct{ c C.pp_ended }

// NewEnded returns a task that is over, for TasksTake.
func NewEnded(task Object) Ended { return Ended{C.pp_ended{task: number(task)}} }

// Task is the task, unless TasksTake has taken it.
func (e *Ended) Task() Object { return fromNumber(e.c.task) }

// Len is the length of the outcome.
func (e *Ended) Len() int { return int(e.c.len) }

// Status is how the task ended.
func (e *Ended) Status() Status { return Status(e.c.status) }

// TasksTake is TaskTake for several tasks, whose outcomes lie one after the other in buf. It takes
// the first ones, as many as fit.
func TasksTake(tasks []Ended, buf []byte) (taken int) {
	var out C.size_t
	C.pp_tasks_take(&unsafe.SliceData(tasks).c, C.size_t(len(tasks)), bytes(buf), C.size_t(len(buf)), &out)
	return int(out)
}

// TaskCancel is polyproc_task_cancel.
func TaskCancel(task Object) (canceled bool, status Status) {
	var out C.int32_t
	C.pp_task_cancel(ref(&status), number(task), &out)
	return out != 0, status
}

// TaskClose is polyproc_task_close.
func TaskClose(task Object) { C.polyproc_task_close((*C.polyproc_task)(task)) }

package capi

/*
#cgo noescape pp_worker_next
#cgo nocallback pp_worker_next
#cgo noescape pp_job_reply
#cgo nocallback pp_job_reply
#include "shim.h"
#include "shim_pool.h"
*/
import "C"

import "unsafe"

// IsWorker is polyproc_worker_is_current.
func IsWorker() bool {
	var out C.int32_t
	return C.polyproc_worker_is_current(&out) == C.POLYPROC_OK && out != 0
}

// Job is a polyproc_job: a task that this worker has begun.
type Job struct{ c C.polyproc_job }

// Function is the name of the function.
func (j *Job) Function() string { return C.GoString(j.c.function) }

// Data returns the argument where it lies, valid until Reply.
func (j *Job) Data() []byte { return unsafe.Slice((*byte)(j.c.data), int(j.c.len)) }

// Count is how many items the data has; 0 if it is no chunk.
func (j *Job) Count() int { return int(j.c.count) }

// IsInitialiser reports whether this is the initialiser and not a task.
func (j *Job) IsInitialiser() bool { return j.c.attempt == 0 }

func (j *Job) raw() *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(&j.c)) }

// WorkerNext is polyproc_worker_next.
func WorkerNext(out *Job) (status Status) {
	C.pp_worker_next(ref(&status), out.raw(), C.POLYPROC_FOREVER)
	return status
}

// Reply is polyproc_job_reply.
func (j *Job) Reply(outcome Status, data []byte) (status Status) {
	C.pp_job_reply(ref(&status), j.raw(), C.int32_t(outcome), bytes(data), C.size_t(len(data)))
	return status
}

package capi

/*
#cgo noescape polyproc_wait_any
#cgo nocallback polyproc_wait_any
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import "unsafe"

// WaitKind is the condition of an object that WaitAny waits for.
type WaitKind int32

// The conditions that WaitAny waits for.
const (
	WaitQueueGet     WaitKind = C.POLYPROC_WAIT_QUEUE_GET
	WaitQueueSettled WaitKind = C.POLYPROC_WAIT_QUEUE_SETTLED
	WaitQueuePut     WaitKind = C.POLYPROC_WAIT_QUEUE_PUT
	WaitEvent        WaitKind = C.POLYPROC_WAIT_EVENT
	WaitConnection   WaitKind = C.POLYPROC_WAIT_CONNECTION
	WaitListener     WaitKind = C.POLYPROC_WAIT_LISTENER
	WaitProcess      WaitKind = C.POLYPROC_WAIT_PROCESS
)

// Waitables is a table of polyproc_waitable, in C memory. Free frees it.
type Waitables []C.polyproc_waitable

// NewWaitables makes a table of n things, to be filled with Set.
func NewWaitables(n int) Waitables {
	size := uintptr(n) * C.sizeof_polyproc_waitable
	table := C.malloc(C.size_t(size)) // cgo's never returns NULL
	clear(unsafe.Slice((*byte)(table), size))
	return unsafe.Slice((*C.polyproc_waitable)(table), n)
}

// Free frees the table.
func (w Waitables) Free() { C.free(unsafe.Pointer(unsafe.SliceData(w))) }

// Set fills the i-th entry.
func (w Waitables) Set(i int, kind WaitKind, object Object) {
	w[i].kind = C.int32_t(kind)
	w[i].object = unsafe.Pointer(object)
}

// IsReady reports whether the last WaitAny found the i-th thing ready.
func (w Waitables) IsReady(i int) bool { return w[i].ready != 0 }

// WaitAny is polyproc_wait_any.
func (w Waitables) WaitAny(timeout int64, cancel *Cancel) Status {
	var ready C.size_t
	var token *C.polyproc_cancel
	if cancel != nil {
		token = cancel.token
	}
	return Status(C.polyproc_wait_any(unsafe.SliceData(w), C.size_t(len(w)), &ready, C.int64_t(timeout), token))
}

package capi

/*
#cgo noescape pp_connection_send
#cgo nocallback pp_connection_send
#cgo noescape pp_connection_recv
#cgo nocallback pp_connection_recv
#cgo noescape pp_connection_poll
#cgo nocallback pp_connection_poll
#include "shim.h"
*/
import "C"

// PipeCreate is polyproc_pipe_create.
func PipeCreate(duplex bool) (a, b Object, status Status) {
	var both C.int32_t
	if duplex {
		both = 1
	}
	var outA, outB *C.polyproc_connection
	status = told(func() C.int32_t { return C.polyproc_pipe_create(both, &outA, &outB) })
	return Object(outA), Object(outB), status
}

// ConnectionSend is polyproc_connection_send.
func ConnectionSend(object Object, data []byte, timeout int64, cancel *Cancel) (status Status) {
	C.pp_connection_send(ref(&status), number(object), bytes(data), C.size_t(len(data)),
		C.int64_t(timeout), cancel.c())
	return status
}

// ConnectionRecv is polyproc_connection_recv: n is the message's length, or with ETooSmall what it
// needs.
func ConnectionRecv(object Object, buf []byte, timeout int64, cancel *Cancel) (n int, status Status) {
	var out C.size_t
	C.pp_connection_recv(ref(&status), number(object), bytes(buf), C.size_t(len(buf)), &out,
		C.int64_t(timeout), cancel.c())
	return int(out), status
}

// ConnectionFD is polyproc_connection_fd.
func ConnectionFD(object Object) (fd int, status Status) {
	var out C.int
	status = told(func() C.int32_t { return C.polyproc_connection_fd((*C.polyproc_connection)(object), &out) })
	return int(out), status
}

// ConnectionPoll is polyproc_connection_poll.
func ConnectionPoll(object Object, timeout int64, cancel *Cancel) (status Status) {
	C.pp_connection_poll(ref(&status), number(object), C.int64_t(timeout), cancel.c())
	return status
}

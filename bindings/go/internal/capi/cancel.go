package capi

/*
#cgo noescape polyproc_cancel_fire
#cgo nocallback polyproc_cancel_fire
#cgo noescape polyproc_cancel_reset
#cgo nocallback polyproc_cancel_reset
#include "shim.h"
*/
import "C"

import "unsafe"

// Cancel is a token that ends waits early. The nil token is NULL, which ends none.
type Cancel struct{ token *C.polyproc_cancel }

// NewCancel makes a token. Close frees it.
func NewCancel() (*Cancel, Status) {
	cancel := new(Cancel)
	if status := Status(C.polyproc_cancel_create(&cancel.token)); status < 0 {
		return nil, status
	}
	return cancel, OK
}

// Fire ends the waits that use the token, and those that begin before Reset.
func (c *Cancel) Fire() { C.polyproc_cancel_fire(c.token) }

// Reset makes a fired token usable again.
func (c *Cancel) Reset() { C.polyproc_cancel_reset(c.token) }

// Close frees the token. No call may be using it.
func (c *Cancel) Close() { C.polyproc_cancel_close(c.token) }

func (c *Cancel) c() C.pp_object {
	if c == nil {
		return 0
	}
	return C.pp_object(uintptr(unsafe.Pointer(c.token)))
}

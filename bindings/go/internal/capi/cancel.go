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

// Cancel is a token that ends waits early. The nil token is NULL: it ends none.
type Cancel struct{ token *C.polyproc_cancel }

// NewCancel makes a token. Free gives it back.
func NewCancel() (*Cancel, Status) {
	cancel := new(Cancel)
	if status := Status(C.polyproc_cancel_create(&cancel.token)); status < 0 {
		return nil, status
	}
	return cancel, OK
}

// Fire ends the waits that use the token, those that come before Reset too.
func (c *Cancel) Fire() { C.polyproc_cancel_fire(c.token) }

// Reset makes a fired token whole again.
func (c *Cancel) Reset() { C.polyproc_cancel_reset(c.token) }

// Close ends the token's life. Nobody may be using it.
func (c *Cancel) Close() { C.polyproc_cancel_close(c.token) }

func (c *Cancel) c() C.pp_object {
	if c == nil {
		return 0
	}
	return C.pp_object(uintptr(unsafe.Pointer(c.token)))
}

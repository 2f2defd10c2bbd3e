package capi

/*
#cgo noescape pp_listener_accept
#cgo nocallback pp_listener_accept
#cgo noescape pp_connect
#cgo nocallback pp_connect
#include <stdlib.h>
#include "shim.h"

static inline void pp_listener_accept(int32_t *status, pp_object listener, pp_object *out,
                                      int64_t timeout_ns, pp_object cancel) {
  polyproc_connection *connection = NULL;
  *status = polyproc_listener_accept((polyproc_listener *)listener, &connection, timeout_ns,
                                     (polyproc_cancel *)cancel);
  *out = (pp_object)connection;
}

static inline void pp_connect(int32_t *status, pp_object address, pp_object options, pp_object *out,
                              int64_t timeout_ns, pp_object cancel) {
  polyproc_connection *connection = NULL;
  *status = polyproc_connect((const char *)address, (const polyproc_listener_options *)options, &connection,
                             timeout_ns, (polyproc_cancel *)cancel);
  *out = (pp_object)connection;
}
*/
import "C"

import "unsafe"

// ListenerOptions are polyproc_listener_options.
type ListenerOptions struct {
	AuthKey          []byte
	Backlog          uint32
	HandshakeTimeout int64
	MaxMessage       uint64
	AllowMD5, Public bool
}

func (a *arena) listenerOptions(o *ListenerOptions) *C.polyproc_listener_options {
	options := (*C.polyproc_listener_options)(a.alloc(C.sizeof_polyproc_listener_options))
	options.size = C.sizeof_polyproc_listener_options
	options.backlog = C.uint32_t(o.Backlog)
	options.handshake_timeout_ns = C.int64_t(o.HandshakeTimeout)
	options.max_message = C.uint64_t(o.MaxMessage)
	if o.AllowMD5 {
		options.allow_md5 = 1
	}
	if o.Public {
		options.flags = C.POLYPROC_LISTENER_PUBLIC
	}
	if o.AuthKey != nil {
		key := a.alloc(uintptr(len(o.AuthKey) + 1)) // NULL would be no key, and an empty one is refused
		copy(unsafe.Slice((*byte)(key), len(o.AuthKey)), o.AuthKey)
		options.authkey = key
		options.authkey_len = C.size_t(len(o.AuthKey))
	}
	return options
}

// ListenerCreate is polyproc_listener_create.
func ListenerCreate(address string, o *ListenerOptions) (object Object, status Status) {
	var a arena
	defer a.free()
	place, options := a.text(address), a.listenerOptions(o)
	if a.invalid {
		return nil, EInvalid
	}
	var out *C.polyproc_listener
	status = told(func() C.int32_t { return C.polyproc_listener_create(place, options, &out) })
	return Object(out), status
}

func listener(object Object) *C.polyproc_listener { return (*C.polyproc_listener)(object) }

// ListenerAccept is polyproc_listener_accept.
func ListenerAccept(object Object, timeout int64, cancel *Cancel) (connection Object, status Status) {
	var out C.pp_object
	C.pp_listener_accept(ref(&status), number(object), &out, C.int64_t(timeout), cancel.c())
	return fromNumber(out), status
}

// ListenerAddress is polyproc_listener_address.
func ListenerAddress(object Object) (address string, status Status) {
	var buf [128]C.char
	var n C.size_t
	status = told(func() C.int32_t {
		return C.polyproc_listener_address(listener(object), &buf[0], C.size_t(len(buf)), &n)
	})
	if status < 0 {
		return "", status
	}
	return C.GoStringN(&buf[0], C.int(n)), status
}

// ListenerFD is polyproc_listener_fd.
func ListenerFD(object Object) (fd int, status Status) {
	var out C.int
	status = told(func() C.int32_t { return C.polyproc_listener_fd(listener(object), &out) })
	return int(out), status
}

// Connect is polyproc_connect.
func Connect(address string, o *ListenerOptions, timeout int64, cancel *Cancel) (connection Object, status Status) {
	var a arena
	defer a.free()
	place, options := a.text(address), a.listenerOptions(o)
	if a.invalid {
		return nil, EInvalid
	}
	var out C.pp_object
	C.pp_connect(ref(&status), C.pp_object(uintptr(unsafe.Pointer(place))),
		C.pp_object(uintptr(unsafe.Pointer(options))), &out, C.int64_t(timeout), cancel.c())
	return fromNumber(out), status
}

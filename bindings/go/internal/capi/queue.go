package capi

/*
#cgo noescape pp_queue_put
#cgo nocallback pp_queue_put
#cgo noescape pp_queue_put_id
#cgo nocallback pp_queue_put_id
#cgo noescape pp_queue_put_many
#cgo nocallback pp_queue_put_many
#cgo noescape pp_queue_get
#cgo nocallback pp_queue_get
#cgo noescape pp_queue_task_done
#cgo nocallback pp_queue_task_done
#cgo noescape pp_queue_join
#cgo nocallback pp_queue_join
#cgo noescape polyproc_queue_length
#cgo nocallback polyproc_queue_length
#cgo noescape polyproc_queue_is_empty
#cgo nocallback polyproc_queue_is_empty
#cgo noescape polyproc_queue_is_full
#cgo nocallback polyproc_queue_is_full
#include "shim.h"
*/
import "C"

import "unsafe"

// Batch is the largest number of messages for one QueuePutMany.
const Batch = C.PP_BATCH

// FormatSize is the room for a format label, its closing NUL included.
const FormatSize = 32

// QueueOptions are polyproc_queue_options.
type QueueOptions struct {
	Common
	Joinable           bool
	MaxItems, MaxBytes uint64
	MaxDeliveries      uint32
	SpinNS             uint32
	Format             string
}

// QueueInfo is polyproc_queue_info.
type QueueInfo struct {
	Items, Bytes, InFlight, Unfinished, Puts, Gets            uint64
	Redelivered, Discarded, Recoveries, DeadLetters, MaxItems uint64
	MaxBytes                                                  uint64
	MaxDeliveries, Waiting, Participants, SpinNS              uint32
	Joinable, Shutdown                                        bool
	Format                                                    string
	Identity                                                  [16]byte
}

func queue(object Object) *C.polyproc_queue { return (*C.polyproc_queue)(object) }

// bytes returns the address of a slice's first byte, and never NULL: an empty message has an
// address too.
func bytes(data []byte) *C.uint8_t {
	if len(data) == 0 {
		return (*C.uint8_t)(&nothing)
	}
	return (*C.uint8_t)(unsafe.SliceData(data))
}

// nothing is the address of an empty message.
var nothing C.uint8_t

// QueueCreate makes a queue, anonymous when name is nil.
func QueueCreate(name *string, o *QueueOptions) (object Object, status Status) {
	if len(o.Format) >= FormatSize {
		return nil, EInvalid
	}
	options := C.polyproc_queue_options{
		size:  C.sizeof_polyproc_queue_options,
		flags: o.flags(), mode: C.uint32_t(o.Mode),
		max_items: C.uint64_t(o.MaxItems), max_bytes: C.uint64_t(o.MaxBytes),
		max_deliveries: C.uint32_t(o.MaxDeliveries), spin_ns: C.uint32_t(o.SpinNS),
	}
	if o.Joinable {
		options.flags |= C.POLYPROC_QUEUE_JOINABLE
	}
	for i := range len(o.Format) {
		if o.Format[i] == 0 {
			return nil, EInvalid
		}
		options.format[i] = C.char(o.Format[i])
	}
	var out *C.polyproc_queue
	status = withName(name, func(c *C.char) Status {
		return told(func() C.int32_t { return C.polyproc_queue_create(c, &options, &out) })
	})
	return Object(out), status
}

// QueueOpen opens the queue of a name.
func QueueOpen(name string) (object Object, status Status) {
	var out *C.polyproc_queue
	status = withName(&name, func(c *C.char) Status { return told(func() C.int32_t { return C.polyproc_queue_open(c, &out) }) })
	return Object(out), status
}

// QueuePut is polyproc_queue_put.
func QueuePut(object Object, data []byte, timeout int64, cancel *Cancel) (status Status) {
	C.pp_queue_put(ref(&status), number(object), bytes(data), C.size_t(len(data)), C.int64_t(timeout), cancel.c())
	return status
}

// QueuePutID is polyproc_queue_put_id.
func QueuePutID(object Object, data []byte, timeout int64, cancel *Cancel) (id uint64, status Status) {
	var out C.uint64_t
	C.pp_queue_put_id(ref(&status), number(object), bytes(data), C.size_t(len(data)), &out,
		C.int64_t(timeout), cancel.c())
	return uint64(out), status
}

// The states of a message, of QueueSettled.
const (
	MessageWaiting   = C.POLYPROC_MESSAGE_WAITING
	MessageLeased    = C.POLYPROC_MESSAGE_LEASED
	MessageDone      = C.POLYPROC_MESSAGE_DONE
	MessageDead      = C.POLYPROC_MESSAGE_DEAD
	MessageDiscarded = C.POLYPROC_MESSAGE_DISCARDED
	MessageUnknown   = C.POLYPROC_MESSAGE_UNKNOWN
)

// QueueSettled is polyproc_queue_settled.
func QueueSettled(object Object, id uint64) (state int, status Status) {
	var out C.int32_t
	status = told(func() C.int32_t { return C.polyproc_queue_settled(queue(object), C.uint64_t(id), &out) })
	return int(out), status
}

// QueueSettledCount is polyproc_queue_settled_count.
func QueueSettledCount(object Object) (n uint64, status Status) {
	var out C.uint64_t
	status = told(func() C.int32_t { return C.polyproc_queue_settled_count(queue(object), &out) })
	return uint64(out), status
}

// QueuePutMany puts messages that lie one after the other in packed. lens has their lengths; there
// are at most Batch of them.
func QueuePutMany(object Object, packed []byte, lens []uintptr, timeout int64, cancel *Cancel) (put int, status Status) {
	var out C.size_t
	C.pp_queue_put_many(ref(&status), number(object), bytes(packed),
		(*C.size_t)(unsafe.Pointer(unsafe.SliceData(lens))), C.size_t(len(lens)), &out,
		C.int64_t(timeout), cancel.c())
	return int(out), status
}

// QueueGet is polyproc_queue_get. n is the message's length, or with ETooSmall the length that buf
// needs.
func QueueGet(object Object, buf []byte, timeout int64, cancel *Cancel) (n int, status Status) {
	var out C.size_t
	C.pp_queue_get(ref(&status), number(object), bytes(buf), C.size_t(len(buf)), &out,
		C.int64_t(timeout), cancel.c())
	return int(out), status
}

// QueueTaskDone is polyproc_queue_task_done.
func QueueTaskDone(object Object) (status Status) {
	C.pp_queue_task_done(ref(&status), number(object))
	return status
}

// QueueJoin is polyproc_queue_join.
func QueueJoin(object Object, timeout int64, cancel *Cancel) (status Status) {
	C.pp_queue_join(ref(&status), number(object), C.int64_t(timeout), cancel.c())
	return status
}

// QueueShutdown is polyproc_queue_shutdown.
func QueueShutdown(object Object, immediate bool) Status {
	var now C.int32_t
	if immediate {
		now = 1
	}
	return told(func() C.int32_t { return C.polyproc_queue_shutdown(queue(object), now) })
}

// QueueLength is polyproc_queue_length.
func QueueLength(object Object) (n uint64, status Status) {
	var out C.uint64_t
	status = Status(C.polyproc_queue_length(queue(object), &out))
	return uint64(out), status
}

// QueueFD is polyproc_queue_fd.
func QueueFD(object Object) (fd int, status Status) {
	var out C.int
	status = told(func() C.int32_t { return C.polyproc_queue_fd(queue(object), &out) })
	return int(out), status
}

// QueueIsEmpty is polyproc_queue_is_empty.
func QueueIsEmpty(object Object) (empty bool, status Status) {
	var out C.int32_t
	status = Status(C.polyproc_queue_is_empty(queue(object), &out))
	return out != 0, status
}

// QueueIsFull is polyproc_queue_is_full.
func QueueIsFull(object Object) (full bool, status Status) {
	var out C.int32_t
	status = Status(C.polyproc_queue_is_full(queue(object), &out))
	return out != 0, status
}

// ReadQueueInfo is polyproc_queue_get_info.
func ReadQueueInfo(object Object) (info QueueInfo, status Status) {
	out := C.polyproc_queue_info{size: C.sizeof_polyproc_queue_info}
	status = told(func() C.int32_t { return C.polyproc_queue_get_info(queue(object), &out) })
	info = QueueInfo{
		Items: uint64(out.items), Bytes: uint64(out.bytes), InFlight: uint64(out.in_flight),
		Unfinished: uint64(out.unfinished), Puts: uint64(out.puts), Gets: uint64(out.gets),
		Redelivered: uint64(out.redelivered), Discarded: uint64(out.discarded),
		Recoveries: uint64(out.recoveries), DeadLetters: uint64(out.dead_letters),
		MaxItems: uint64(out.max_items), MaxBytes: uint64(out.max_bytes),
		MaxDeliveries: uint32(out.max_deliveries), Waiting: uint32(out.waiting),
		Participants: uint32(out.participants), SpinNS: uint32(out.spin_ns),
		Joinable: out.flags&C.POLYPROC_QUEUE_JOINABLE != 0, Shutdown: out.shutdown != 0,
		Format: C.GoString(&out.format[0]),
	}
	for i := range info.Identity {
		info.Identity[i] = byte(out.identity[i])
	}
	return info, status
}

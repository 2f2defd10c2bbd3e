package capi

/*
#cgo noescape pp_queue_take
#cgo nocallback pp_queue_take
#cgo noescape pp_queue_take_dead
#cgo nocallback pp_queue_take_dead
#cgo noescape pp_queue_take_many
#cgo nocallback pp_queue_take_many
#cgo noescape pp_message_done
#cgo nocallback pp_message_done
#cgo noescape pp_messages_done
#cgo nocallback pp_messages_done
#cgo noescape pp_message_return
#cgo nocallback pp_message_return
#cgo noescape pp_queue_reserve
#cgo nocallback pp_queue_reserve
#cgo noescape pp_slot_commit
#cgo nocallback pp_slot_commit
#cgo noescape pp_slot_abort
#cgo nocallback pp_slot_abort
#include "shim.h"
*/
import "C"

import "unsafe"

// Message is a polyproc_message: a message in shared memory, on loan. The pointers in it are C's,
// so it is kept as numbers, which the garbage collector does not follow.
type Message struct {
	words [C.sizeof_polyproc_message / 8]uint64
}

func (m *Message) c() *C.polyproc_message { return (*C.polyproc_message)(unsafe.Pointer(m)) }

// Data returns the message where it lies.
func (m *Message) Data() []byte { return unsafe.Slice((*byte)(m.c().data), int(m.c().len)) }

// ID is the message's number in its queue.
func (m *Message) ID() uint64 { return uint64(m.c().id) }

// Deliveries counts how often the message was handed out, this time included.
func (m *Message) Deliveries() uint32 { return uint32(m.c().deliveries) }

func (m *Message) raw() *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(m)) }

// QueueTake is polyproc_queue_take.
func QueueTake(object Object, out *Message, timeout int64, cancel *Cancel) (status Status) {
	C.pp_queue_take(ref(&status), number(object), out.raw(), C.int64_t(timeout), cancel.c())
	return status
}

// QueueTakeMany is polyproc_queue_take_many.
func QueueTakeMany(object Object, out []Message, timeout int64, cancel *Cancel) (taken int, status Status) {
	var n C.size_t
	C.pp_queue_take_many(ref(&status), number(object), out[0].raw(), C.size_t(len(out)), &n,
		C.int64_t(timeout), cancel.c())
	return int(n), status
}

// QueueTakeDead is polyproc_queue_take_dead.
func QueueTakeDead(object Object, out *Message) (status Status) {
	C.pp_queue_take_dead(ref(&status), number(object), out.raw())
	return status
}

// IsHeld reports whether the message is still on loan after an attempt to settle it.
func (m *Message) IsHeld() bool { return m.c().opaque[0] != nil }

// Done is polyproc_message_done.
func (m *Message) Done() (status Status) {
	C.pp_message_done(ref(&status), m.raw())
	return status
}

// DoneMany finishes each of them and returns the first failure.
func DoneMany(loans []Message) (status Status) {
	C.pp_messages_done(ref(&status), loans[0].raw(), C.size_t(len(loans)))
	return status
}

// Return is polyproc_message_return.
func (m *Message) Return() (status Status) {
	C.pp_message_return(ref(&status), m.raw())
	return status
}

// Slot is a polyproc_slot: room in shared memory for a message that is being written. It is kept as
// numbers, like Message.
type Slot struct {
	words [C.sizeof_polyproc_slot / 8]uint64
}

func (s *Slot) c() *C.polyproc_slot { return (*C.polyproc_slot)(unsafe.Pointer(s)) }

// Data returns the room.
func (s *Slot) Data() []byte { return unsafe.Slice((*byte)(s.c().data), int(s.c().len)) }

func (s *Slot) raw() *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(s)) }

// QueueReserve is polyproc_queue_reserve.
func QueueReserve(object Object, n int, out *Slot, timeout int64, cancel *Cancel) (status Status) {
	C.pp_queue_reserve(ref(&status), number(object), C.size_t(n), out.raw(), C.int64_t(timeout), cancel.c())
	return status
}

// Commit is polyproc_slot_commit.
func (s *Slot) Commit(n int) (status Status) {
	C.pp_slot_commit(ref(&status), s.raw(), C.size_t(n))
	return status
}

// Abort is polyproc_slot_abort.
func (s *Slot) Abort() (status Status) {
	C.pp_slot_abort(ref(&status), s.raw())
	return status
}

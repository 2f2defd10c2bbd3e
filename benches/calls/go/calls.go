// Package calls calls C in the cheapest ways that cgo has. Its benchmark says how much of a call's
// cost in Go is cgo's, how much is C's, and how much is the binding's.
package calls

/*
#cgo CFLAGS: -std=c11 -O2 -I${SRCDIR}/../../../include
#cgo LDFLAGS: ${SRCDIR}/../../../target/release/libpolyproc.a -lpthread -ldl -lm
#cgo noescape put
#cgo nocallback put
#cgo noescape get
#cgo nocallback get
#cgo noescape put_with_result
#cgo nocallback put_with_result
#cgo noescape get_with_result
#cgo nocallback get_with_result
#include <stdint.h>
#include <stdlib.h>
#include "polyproc.h"

static void nothing(void) {}

static void put(int32_t *status, uintptr_t queue, const uint8_t *data, size_t len) {
  *status = polyproc_queue_put((polyproc_queue *)queue, data, len, 0, NULL);
}

static void get(int32_t *status, uintptr_t queue, uint8_t *buf, size_t cap, size_t *out_len) {
  *status = polyproc_queue_get((polyproc_queue *)queue, buf, cap, out_len, 0, NULL);
}

static int32_t put_with_result(uintptr_t queue, const uint8_t *data, size_t len) {
  return polyproc_queue_put((polyproc_queue *)queue, data, len, 0, NULL);
}

static int32_t get_with_result(uintptr_t queue, uint8_t *buf, size_t cap, size_t *out_len) {
  return polyproc_queue_get((polyproc_queue *)queue, buf, cap, out_len, 0, NULL);
}

static int32_t create(uintptr_t *out) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  options.max_items = 1024;
  int32_t status = polyproc_queue_create(NULL, &options, &queue);
  *out = (uintptr_t)queue;
  return status;
}

static int32_t put_and_get(uintptr_t queue, long times, const uint8_t *data, uint8_t *buf, size_t len) {
  int32_t status = POLYPROC_OK;
  size_t got;
  for (long i = 0; i < times && status >= 0; i++) {
    status = polyproc_queue_put((polyproc_queue *)queue, data, len, -1, NULL);
    if (status >= 0) {
      status = polyproc_queue_get((polyproc_queue *)queue, buf, len, &got, -1, NULL);
    }
  }
  return status;
}

static void close_queue(uintptr_t queue) { polyproc_queue_close((polyproc_queue *)queue); }
*/
import "C"

import "unsafe"

// Nothing calls a function of C that does nothing.
func Nothing() { C.nothing() }

// Queue is a queue of C.
type Queue struct{ number C.uintptr_t }

// NewQueue makes a queue. It returns a negative status if that fails.
func NewQueue() (q Queue, status int32) {
	status = int32(C.create(&q.number))
	return q, status
}

// Close closes the queue.
func (q Queue) Close() { C.close_queue(q.number) }

// PutAndGet puts and gets a message many times in one call of C.
func (q Queue) PutAndGet(times int, message, buf []byte) int32 {
	return int32(C.put_and_get(q.number, C.long(times), bytes(message), bytes(buf), C.size_t(len(message))))
}

// Put and Get are calls whose C function returns nothing.
func (q Queue) Put(message []byte) int32 {
	var status C.int32_t
	C.put(&status, q.number, bytes(message), C.size_t(len(message)))
	return int32(status)
}

func (q Queue) Get(buf []byte) (n int, status int32) {
	var out C.size_t
	var result C.int32_t
	C.get(&result, q.number, bytes(buf), C.size_t(len(buf)), &out)
	return int(out), int32(result)
}

// PutWithResult and GetWithResult are calls whose C function returns the status.
func (q Queue) PutWithResult(message []byte) int32 {
	return int32(C.put_with_result(q.number, bytes(message), C.size_t(len(message))))
}

func (q Queue) GetWithResult(buf []byte) (n int, status int32) {
	var out C.size_t
	result := C.get_with_result(q.number, bytes(buf), C.size_t(len(buf)), &out)
	return int(out), int32(result)
}

func bytes(data []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(data)) }

package capi

/*
#cgo noescape pp_process_join
#cgo nocallback pp_process_join
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"strings"
	"unsafe"
)

// The kinds of a child's standard stream, besides a descriptor.
const (
	StreamInherit = -1
	StreamNull    = int(C.POLYPROC_FD_NULL)
)

// NamedHandle is an object that a child inherits under a name.
type NamedHandle struct {
	Name   string
	Kind   Kind
	Object Object
}

// ProcessOptions are polyproc_process_options.
type ProcessOptions struct {
	Name, Dir               string
	Argv, Env               []string
	ClearEnv, Daemon, Group bool
	Streams                 [3]int
	Handles                 []NamedHandle
}

// ProcessInfo is polyproc_process_info.
type ProcessInfo struct {
	PID, ParentPID int
	Daemon         bool
	Name           string
}

// arena is C memory that lives for one call.
type arena struct {
	blocks  []unsafe.Pointer
	invalid bool // a string had a NUL inside
}

func (a *arena) free() {
	for _, block := range a.blocks {
		C.free(block)
	}
}

func (a *arena) alloc(size uintptr) unsafe.Pointer {
	block := C.malloc(C.size_t(size)) // cgo's never returns NULL
	clear(unsafe.Slice((*byte)(block), size))
	a.blocks = append(a.blocks, block)
	return block
}

func (a *arena) text(s string) *C.char {
	if strings.IndexByte(s, 0) >= 0 {
		a.invalid = true
		return nil
	}
	c := C.CString(s)
	a.blocks = append(a.blocks, unsafe.Pointer(c))
	return c
}

// optional returns NULL for an empty string.
func (a *arena) optional(s string) *C.char {
	if s == "" {
		return nil
	}
	return a.text(s)
}

// list returns a NULL-terminated table of strings.
func (a *arena) list(items []string) **C.char {
	table := (**C.char)(a.alloc(uintptr(len(items)+1) * unsafe.Sizeof((*C.char)(nil))))
	out := unsafe.Slice(table, len(items))
	for i, item := range items {
		out[i] = a.text(item)
	}
	return table
}

func (a *arena) handles(handles []NamedHandle) *C.polyproc_handle {
	table := (*C.polyproc_handle)(a.alloc(uintptr(len(handles)+1) * C.sizeof_polyproc_handle))
	out := unsafe.Slice(table, len(handles))
	for i, handle := range handles {
		out[i].name = a.text(handle.Name)
		out[i].kind = C.int32_t(handle.Kind)
		out[i].object = unsafe.Pointer(handle.Object)
	}
	return table
}

// ProcessSpawn is polyproc_process_spawn.
func ProcessSpawn(o *ProcessOptions) (object Object, status Status) {
	var a arena
	defer a.free()
	options := (*C.polyproc_process_options)(a.alloc(C.sizeof_polyproc_process_options))
	options.size = C.sizeof_polyproc_process_options
	options.name = a.optional(o.Name)
	options.cwd = a.optional(o.Dir)
	options.argv = a.list(o.Argv)
	options.env = a.list(o.Env)
	options.stdin_fd = C.int(o.Streams[0])
	options.stdout_fd = C.int(o.Streams[1])
	options.stderr_fd = C.int(o.Streams[2])
	options.handles = a.handles(o.Handles)
	options.handle_count = C.size_t(len(o.Handles))
	if o.Daemon {
		options.flags |= C.POLYPROC_PROCESS_DAEMON
	}
	if o.Group {
		options.flags |= C.POLYPROC_PROCESS_GROUP
	}
	if o.ClearEnv {
		options.flags |= C.POLYPROC_PROCESS_CLEAR_ENV
	}
	if a.invalid {
		return nil, EInvalid
	}
	var out *C.polyproc_process
	status = told(func() C.int32_t { return C.polyproc_process_spawn(options, &out) })
	return Object(out), status
}

// ProcessAdopt is polyproc_process_adopt.
func ProcessAdopt(pid int32) (object Object, status Status) {
	var out *C.polyproc_process
	status = told(func() C.int32_t { return C.polyproc_process_adopt(C.int32_t(pid), &out) })
	return Object(out), status
}

func process(object Object) *C.polyproc_process { return (*C.polyproc_process)(object) }

// ProcessJoin is polyproc_process_join.
func ProcessJoin(object Object, timeout int64, cancel *Cancel) (status Status) {
	C.pp_process_join(ref(&status), number(object), C.int64_t(timeout), cancel.c())
	return status
}

// ProcessExitCode is polyproc_process_exit_code.
func ProcessExitCode(object Object) (code int, status Status) {
	var out C.int32_t
	status = told(func() C.int32_t { return C.polyproc_process_exit_code(process(object), &out) })
	return int(out), status
}

// ProcessPID is polyproc_process_pid.
func ProcessPID(object Object) (pid int, status Status) {
	var out C.int32_t
	status = Status(C.polyproc_process_pid(process(object), &out))
	return int(out), status
}

// ProcessName is polyproc_process_name.
func ProcessName(object Object) (name string, status Status) {
	buf := make([]byte, 64)
	for {
		var n C.size_t
		status = told(func() C.int32_t {
			return C.polyproc_process_name(process(object), (*C.char)(unsafe.Pointer(&buf[0])), C.size_t(len(buf)), &n)
		})
		if status != ETooSmall || int(n) <= len(buf) {
			return string(buf[:min(int(n), len(buf))]), status
		}
		buf = make([]byte, n)
	}
}

// ProcessIsAlive is polyproc_process_is_alive.
func ProcessIsAlive(object Object) (alive bool, status Status) {
	var out C.int32_t
	status = Status(C.polyproc_process_is_alive(process(object), &out))
	return out != 0, status
}

// ProcessIsDaemon is polyproc_process_is_daemon.
func ProcessIsDaemon(object Object) (daemon bool, status Status) {
	var out C.int32_t
	status = Status(C.polyproc_process_is_daemon(process(object), &out))
	return out != 0, status
}

// ProcessFD is polyproc_process_fd.
func ProcessFD(object Object) (fd int, status Status) {
	var out C.int
	status = told(func() C.int32_t { return C.polyproc_process_fd(process(object), &out) })
	return int(out), status
}

// ProcessTerminate is polyproc_process_terminate.
func ProcessTerminate(object Object) Status {
	return told(func() C.int32_t { return C.polyproc_process_terminate(process(object)) })
}

// ProcessKill is polyproc_process_kill.
func ProcessKill(object Object) Status {
	return told(func() C.int32_t { return C.polyproc_process_kill(process(object)) })
}

// ProcessSignal is polyproc_process_signal.
func ProcessSignal(object Object, signal int32) Status {
	return told(func() C.int32_t { return C.polyproc_process_signal(process(object), C.int32_t(signal)) })
}

// CurrentProcess is polyproc_current_process.
func CurrentProcess() (info ProcessInfo, status Status) {
	out := C.polyproc_process_info{size: C.sizeof_polyproc_process_info}
	status = told(func() C.int32_t { return C.polyproc_current_process(&out) })
	return ProcessInfo{
		PID: int(out.pid), ParentPID: int(out.parent_pid),
		Daemon: out.daemon != 0, Name: C.GoString(&out.name[0]),
	}, status
}

// ExitChildren is polyproc_exit_children.
func ExitChildren() Status { return told(func() C.int32_t { return C.polyproc_exit_children() }) }

// ActiveChildren is polyproc_active_children.
func ActiveChildren() (pids []int32, status Status) {
	pids = make([]int32, 64)
	for {
		var n C.size_t
		status = told(func() C.int32_t {
			return C.polyproc_active_children((*C.int32_t)(unsafe.Pointer(&pids[0])), C.size_t(len(pids)), &n)
		})
		if status == ETooSmall || int(n) > len(pids) {
			pids = make([]int32, n)
			continue
		}
		return pids[:n], status
	}
}

package polyproc

import (
	"os"

	"polyproc.dev/polyproc/internal/capi"
)

// ProcessInfo is what a process knows of itself.
type ProcessInfo struct {
	PID       int
	ParentPID int
	// Name is the one that the process was spawned with, Daemon whether it dies with its parent.
	Name   string
	Daemon bool
}

// Current tells about this process.
func Current() (ProcessInfo, error) {
	info, status := capi.CurrentProcess()
	if err := check(status); err != nil {
		return ProcessInfo{}, err
	}
	return ProcessInfo{PID: info.PID, ParentPID: info.ParentPID, Name: info.Name, Daemon: info.Daemon}, nil
}

// ActiveChildren is the process ids of the children of this process that polyproc started and that
// have not ended.
func ActiveChildren() ([]int, error) {
	children, status := capi.ActiveChildren()
	if err := check(status); err != nil {
		return nil, err
	}
	pids := make([]int, len(children))
	for i, pid := range children {
		pids[i] = int(pid)
	}
	return pids, nil
}

// ExitChildren ends what this process has started, as Python does at exit: SIGTERM to the daemonic children,
// then it waits for the others for as long as it takes, then for the daemonic ones; those that are still there
// 5 s after SIGTERM are killed. A Go program calls it before it ends, where it wants that: it does not run by
// itself. Adopted processes are left alone, and daemonic children are killed in any case.
func ExitChildren() error { return check(capi.ExitChildren()) }

// fromFile opens the object behind a descriptor, which stays open.
func fromFile(file *os.File, kind capi.Kind) (object capi.Object, status capi.Status) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, capi.EInvalid
	}
	// Control keeps the file open while its descriptor is in use.
	if err := raw.Control(func(fd uintptr) { object, status = capi.OpenFD(int(fd), kind) }); err != nil {
		return nil, capi.EClosed
	}
	return object, status
}

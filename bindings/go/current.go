package polyproc

import "polyproc.dev/polyproc/internal/capi"

// ProcessInfo describes the calling process.
type ProcessInfo struct {
	PID       int
	ParentPID int
	// Name is the name that the process was spawned with; Daemon says whether it dies with its
	// parent.
	Name   string
	Daemon bool
}

// Current describes this process.
func Current() (ProcessInfo, error) {
	info, status := capi.CurrentProcess()
	if err := check(status); err != nil {
		return ProcessInfo{}, err
	}
	return ProcessInfo{PID: info.PID, ParentPID: info.ParentPID, Name: info.Name, Daemon: info.Daemon}, nil
}

// ActiveChildren returns the process ids of this process's children that polyproc started and that
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

// ExitChildren ends the children that this process started, as Python does at exit. It sends
// SIGTERM to the daemonic children, waits for the others without a limit, then waits for the
// daemonic ones, and kills those that are still there 5 s after SIGTERM. It does not run by itself:
// a Go program that wants it calls it before it ends. It leaves adopted processes alone. Daemonic
// children are killed in any case when this process ends.
func ExitChildren() error { return check(capi.ExitChildren()) }

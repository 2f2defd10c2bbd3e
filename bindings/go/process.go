package polyproc

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"polyproc.dev/polyproc/internal/capi"
)

// Stream says where a standard stream of a child leads. The zero value is the parent's own stream.
type Stream struct {
	file *os.File
	null bool
}

// Null is /dev/null.
var Null = Stream{null: true}

// ToFile connects a stream to an open file. The file stays the caller's.
func ToFile(file *os.File) Stream { return Stream{file: file} }

func (s Stream) fd() (fd int, err error) {
	switch {
	case s.null:
		return capi.StreamNull, nil
	case s.file == nil:
		return capi.StreamInherit, nil
	}
	raw, err := s.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = raw.Control(func(descriptor uintptr) { fd = int(descriptor) })
	return fd, err
}

// ProcessOptions say what a child runs and inherits.
type ProcessOptions struct {
	// Args are the program and its arguments. A program without a slash is looked up in PATH.
	Args []string
	// Name is the child's name, at most 63 bytes. Empty: a name is made.
	Name string
	// Env adds to the parent's environment, as "NAME=value", or with ClearEnv replaces it.
	Env      []string
	ClearEnv bool
	// Dir is the child's working directory. Empty: the parent's.
	Dir string
	// Stdin, Stdout and Stderr are the parent's own by default.
	Stdin, Stdout, Stderr Stream
	// Daemon makes the child die with its parent, however the parent ends. It may not have
	// children.
	Daemon bool
	// Group makes the child lead a process group of its own: signals of the terminal, such as
	// Ctrl-C, reach this process only. The child must not read from the terminal.
	Group bool
	// Handles are the objects that the child inherits, under the names by which it asks for them:
	// InheritedQueue("jobs"). The parent may close its own at once.
	Handles map[string]Handle
}

// Process is a child process.
type Process struct {
	handle
	pid    int
	name   string
	daemon bool
}

// Spawn starts a program.
func Spawn(options ProcessOptions) (*Process, error) {
	c := capi.ProcessOptions{
		Name: options.Name, Dir: options.Dir, Argv: options.Args, Env: options.Env,
		ClearEnv: options.ClearEnv, Daemon: options.Daemon, Group: options.Group,
	}
	if len(options.Args) == 0 {
		return nil, about(invalid("Args is empty"), "spawn", "")
	}
	for i, stream := range []Stream{options.Stdin, options.Stdout, options.Stderr} {
		fd, err := stream.fd()
		if err != nil {
			return nil, err
		}
		c.Streams[i] = fd
	}
	handles, leave, err := inherited(options.Handles)
	if err != nil {
		return nil, err
	}
	defer leave()
	c.Handles = handles
	object, status := capi.ProcessSpawn(&c)
	runtime.KeepAlive(options) // the descriptors in c are those of its files
	return named[Process]("spawn", options.Args[0])(newProcess(object, status))
}

// Adopt returns a Process for a child that was started otherwise, by os/exec for example.
func Adopt(pid int) (*Process, error) {
	return named[Process](fmt.Sprintf("adopt process %d", pid), "")(newProcess(capi.ProcessAdopt(int32(pid))))
}

func newProcess(object capi.Object, status capi.Status) (*Process, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	p := new(Process)
	open(p, &p.handle, capi.KindProcess, object, readable(capi.ProcessFD))
	var errs [3]capi.Status
	p.pid, errs[0] = capi.ProcessPID(object)
	p.name, errs[1] = capi.ProcessName(object)
	p.daemon, errs[2] = capi.ProcessIsDaemon(object)
	for _, status := range errs {
		if err := check(status); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.pid }

// Name is the one that the process was spawned with.
func (p *Process) Name() string { return p.name }

// IsDaemon reports whether the process dies with its parent.
func (p *Process) IsDaemon() bool { return p.daemon }

// Join waits until the process has ended.
func (p *Process) Join(ctx context.Context) error {
	_, err := p.do(ctx, &p.gates[0], capi.ProcessJoin)
	return err
}

// ExitCode is the exit code, 0 to 255, or the negative number of the signal that ended the process.
// While the process runs, ExitCode returns [ErrTimeout].
func (p *Process) ExitCode() (code int, err error) {
	_, err = p.try(func(int64, *capi.Cancel) (status capi.Status) {
		code, status = capi.ProcessExitCode(p.object)
		return status
	})
	return code, err
}

// IsAlive reports whether the process runs.
func (p *Process) IsAlive() (alive bool, err error) {
	_, err = p.try(func(int64, *capi.Cancel) (status capi.Status) {
		alive, status = capi.ProcessIsAlive(p.object)
		return status
	})
	return alive, err
}

// Terminate sends SIGTERM.
func (p *Process) Terminate() error {
	_, err := p.try(func(int64, *capi.Cancel) capi.Status { return capi.ProcessTerminate(p.object) })
	return err
}

// Kill sends SIGKILL.
func (p *Process) Kill() error {
	_, err := p.try(func(int64, *capi.Cancel) capi.Status { return capi.ProcessKill(p.object) })
	return err
}

// Signal sends a signal.
func (p *Process) Signal(signal syscall.Signal) error {
	_, err := p.try(func(int64, *capi.Cancel) capi.Status {
		return capi.ProcessSignal(p.object, int32(signal))
	})
	return err
}

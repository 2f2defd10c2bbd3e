package polyproc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"

	"polyproc.dev/polyproc/internal/capi"
)

// errNoMain is the error of a program that is its own worker and has not called Main.
var errNoMain = errors.New("polyproc: a program that is to be its own worker calls polyproc.Main at the start of main")

// handlers are the functions of this program that a pool can call.
var handlers = struct {
	sync.RWMutex
	byName map[string]func([]byte) ([]byte, error)
}{byName: map[string]func([]byte) ([]byte, error){}}

// Register lets the workers of pools run function as the tasks of a name, 1 to 200 bytes long. The
// data is valid until the function returns. Its error, or its panic with the stack, becomes a
// [TaskError] for the submitter. A second Register of a name replaces the function. Register before
// [Main], in an init function for example.
//
// For functions of Go values see [Define].
func Register(name string, function func(data []byte) ([]byte, error)) {
	handlers.Lock()
	defer handlers.Unlock()
	handlers.byName[name] = function
}

// Main runs tasks and then exits, if a pool has started this process as a worker; else it returns
// at once. A program that is its own worker calls it first in main:
//
//	var square = polyproc.Define("square", func(n int) (int, error) { return n * n, nil })
//
//	func main() {
//		polyproc.Main()
//		pool, err := polyproc.NewPool(polyproc.PoolOptions{})
//		...
//	}
func Main() {
	isMain.Store(true)
	if !capi.IsWorker() {
		return
	}
	serveAndExit()
}

// serveAndExit runs tasks until there are no more, and ends the process. A function that calls
// runtime.Goexit, as testing.T.FailNow does, ends the goroutine: another goroutine goes on then.
func serveAndExit() {
	goes := true
	defer func() {
		if goes {
			go serveAndExit()
		}
	}()
	err := serve()
	goes = false
	if err != nil {
		exitWith(err)
	}
	os.Exit(0)
}

func exitWith(err error) {
	fmt.Fprintf(os.Stderr, "worker %d: %v\n", os.Getpid(), err)
	os.Exit(1)
}

// serve runs tasks until there are no more.
func serve() error {
	job := new(capi.Job)
	for {
		if status := capi.WorkerNext(job); status == capi.EShutdown {
			return nil
		} else if status < 0 {
			return check(status)
		}
		answer(job)
	}
}

// answer runs a job and replies, also if its function ends this goroutine.
func answer(job *capi.Job) {
	outcome, text := capi.ETaskFailed, []byte("the function called runtime.Goexit")
	defer func() {
		if reason := recover(); reason != nil {
			text = fmt.Appendf(nil, "panic: %v", reason)
			text = append(append(text, stackMark), debug.Stack()...)
			outcome = capi.ETaskFailed
		}
		initialiser := job.IsInitialiser()
		if status := job.Reply(outcome, text); status < 0 {
			exitWith(check(status))
		}
		if initialiser && outcome != capi.OK {
			exitWith(fmt.Errorf("the initialiser failed: %w", taskError("", outcome, text)))
		}
	}()
	outcome, text = run(job)
}

// run calls the function of a job and returns OK and the result, or another status and the message.
func run(job *capi.Job) (outcome capi.Status, text []byte) {
	handlers.RLock()
	name := job.Function()
	function := handlers.byName[name]
	handlers.RUnlock()
	if function == nil {
		return capi.ENotFound, fmt.Appendf(nil, "the worker has no function %q", name)
	}
	var err error
	if job.Count() == 0 {
		text, err = function(job.Data())
	} else {
		text, err = runChunk(job, function)
	}
	if err != nil {
		return capi.ETaskFailed, []byte(err.Error())
	}
	return capi.OK, text
}

func runChunk(job *capi.Job, function func([]byte) ([]byte, error)) ([]byte, error) {
	results := make([]byte, 0, len(job.Data()))
	for rest := job.Data(); len(rest) > 0; {
		item, after, ok := unpack(rest)
		if !ok {
			return nil, ErrCorrupt
		}
		rest = after
		result, err := function(item)
		if err != nil {
			return nil, err
		}
		results = pack(results, result)
	}
	return results, nil
}

// pack appends an item to a chunk: its length in this machine's byte order and its bytes, padded to
// a multiple of 4.
func pack(chunk, item []byte) []byte {
	chunk = binary.NativeEndian.AppendUint32(chunk, uint32(len(item)))
	chunk = append(chunk, item...)
	return append(chunk, make([]byte, -len(item)&3)...)
}

// unpack takes an item from the front of a chunk.
func unpack(chunk []byte) (item, rest []byte, ok bool) {
	if len(chunk) < 4 {
		return nil, nil, false
	}
	n := uint64(binary.NativeEndian.Uint32(chunk))
	padded := (n + 3) &^ 3
	if uint64(len(chunk)-4) < padded {
		return nil, nil, false
	}
	return chunk[4 : 4+n : 4+n], chunk[4+padded:], true
}

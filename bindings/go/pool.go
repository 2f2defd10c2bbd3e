package polyproc

import (
	"context"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// PoolOptions are the options of a pool. The zero value is a pool of this program, a worker for
// each CPU.
type PoolOptions struct {
	// Workers is the number of workers. Zero: one for each CPU that this process may use.
	Workers int
	// Args are the worker program, in any language, and its arguments. Empty: this program, which
	// must call [Main].
	Args []string
	// Env adds to the workers' environment, as "NAME=value".
	Env []string
	// MaxTasksPerWorker is after how many tasks a worker ends and is replaced. Zero: never.
	MaxTasksPerWorker int
	// MaxAttempts is how often a task is begun if its worker dies each time. Zero: once; then the
	// task fails with ErrWorkerDied.
	MaxAttempts int
	// Group makes each worker lead a process group of its own. Signals of the terminal, such as
	// Ctrl-C, then reach this process only, which can end the work in order.
	Group bool
	// Initialiser is a function that each worker calls before its first task, with InitialiserData.
	// A worker whose initialiser fails ends.
	Initialiser     string
	InitialiserData []byte
	// Handles are the objects that the workers inherit, under the names by which they ask for them.
	Handles map[string]Handle
}

// Pool is a set of worker processes that run tasks: functions by name, see [Register] and [Define].
// A worker that dies is replaced. Its death affects only the task that it ran, which is begun again
// or fails with [ErrWorkerDied]. Workers die with this process, however it ends.
//
// A pool ends with [Pool.Close] or [Pool.Terminate], and then [Pool.Join].
type Pool struct {
	handle
	workers int
	open    context.Context // ends when the pool is closed or terminated
	shut    context.CancelFunc
	wake    chan struct{} // there are tasks again
	ended   chan struct{} // closed when nothing is left of the pool
	failure error         // why it ended early, once ended is closed

	tasksMu  sync.Mutex
	tasks    []*Task  // the tasks that are not over, by tag, without those of Apply
	freeTags []uint64 // the tags in tasks that no task has
	isFailed bool     // the library failed: there are no tasks and will be none
}

// isMain says whether this program has called Main, as a program that is its own worker must.
var isMain atomic.Bool

// NewPool starts the workers.
func NewPool(options PoolOptions) (*Pool, error) {
	for _, n := range []int{options.Workers, options.MaxTasksPerWorker, options.MaxAttempts} {
		if n < 0 || int64(n) > math.MaxUint32 {
			return nil, about(invalid("a number of the options is below 0 or too large"), "create pool", "")
		}
	}
	c := capi.PoolOptions{
		Workers:           uint32(options.Workers),
		MaxTasksPerWorker: uint32(options.MaxTasksPerWorker),
		MaxAttempts:       uint32(options.MaxAttempts),
		Argv:              options.Args, Env: options.Env, Group: options.Group,
		Initialiser: options.Initialiser, InitialiserData: options.InitialiserData,
	}
	if len(c.Argv) == 0 {
		if !isMain.Load() {
			return nil, errNoMain
		}
		c.Argv = append([]string{"/proc/self/exe"}, os.Args[1:]...)
	}
	handles, leave, err := inherited(options.Handles)
	if err != nil {
		return nil, err
	}
	defer leave()
	c.Handles = handles
	object, status := capi.PoolCreate(&c)
	if err := check(status); err != nil {
		return nil, about(err, "create pool", "")
	}
	info, status := capi.ReadPoolInfo(object)
	if err := check(status); err != nil {
		capi.Close(capi.KindPool, object)
		return nil, err
	}
	p := &Pool{
		workers: int(info.Workers),
		wake:    make(chan struct{}, 1), ended: make(chan struct{}),
	}
	p.open, p.shut = context.WithCancel(context.Background())
	open(p, &p.handle, capi.KindPool, object)
	p.enter()
	go p.run()
	return p, nil
}

// run waits for tasks to end, until no task is left and none can come, and then ends the pool.
// While the pool has no task with a tag, run does not wait in the library, so that a task of Apply
// returns sooner.
func (p *Pool) run() {
	defer close(p.ended)
	defer p.handle.Close()
	defer p.leave()
	tags := make([]uint64, capi.Batch)
	var finisher finisher
	for p.goesOn() {
		n, err := p.finished(tags)
		finisher.finish(p, tags[:n])
		if err != nil {
			p.fail(err)
			return
		}
	}
	_, p.failure = block(context.Background(), func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.PoolJoin(p.object, timeout, cancel)
	}, &p.handle)
}

// goesOn waits until there are tasks. It returns false when the pool has no task and will get none.
func (p *Pool) goesOn() bool {
	for {
		isShut := p.open.Err() != nil
		p.tasksMu.Lock()
		n := len(p.tasks) - len(p.freeTags)
		p.tasksMu.Unlock()
		if n > 0 || isShut {
			return n > 0
		}
		select {
		case <-p.wake:
		case <-p.open.Done():
		}
	}
}

// finished waits until some of the tasks are over. It takes no context: every task ends, also in a
// pool that is shut down.
func (p *Pool) finished(tags []uint64) (n int, err error) {
	attempt := func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		n, status = capi.PoolFinished(p.object, tags, timeout, cancel)
		return status
	}
	if status := attempt(0, nil); !isTimeout(status) {
		return n, check(status)
	}
	_, err = block(context.Background(), attempt, &p.handle)
	return n, err
}

// fail ends a pool after a failure of the library.
func (p *Pool) fail(err error) {
	p.failure = err
	p.shut()
	capi.PoolTerminate(p.object)
	p.tasksMu.Lock()
	left := p.tasks
	p.tasks, p.freeTags, p.isFailed = nil, nil, true
	p.tasksMu.Unlock()
	for _, task := range left {
		if task == nil {
			continue
		}
		capi.TaskClose(task.object)
		task.end(nil, err)
	}
}

// Close stops the pool from taking tasks. The workers complete the tasks that are there and end;
// [Pool.Join] waits for that.
func (p *Pool) Close() error { return p.end(capi.PoolShutdown) }

// Terminate ends the workers and fails every task that is not over with [ErrShutdown]. [Pool.Join]
// waits for that.
func (p *Pool) Terminate() error { return p.end(capi.PoolTerminate) }

func (p *Pool) end(how func(capi.Object) capi.Status) error {
	if !p.enter() {
		return nil // it has ended
	}
	defer p.leave()
	status := how(p.object)
	p.shut()
	return check(status)
}

// Join waits until every task is over and every worker has ended. It returns [ErrInvalid] unless
// Close or Terminate was called before.
func (p *Pool) Join(ctx context.Context) error {
	if p.open.Err() == nil {
		return invalid("the pool is neither closed nor terminated")
	}
	select {
	case <-p.ended:
		return p.failure
	case <-ctx.Done():
		return ctx.Err()
	}
}

// PoolInfo has the figures of a pool at one moment.
type PoolInfo struct {
	// Workers is how many workers an open pool has, Alive how many run now.
	Workers, Alive int
	// Outstanding tasks are not over; no worker has begun the Queued ones among them.
	Outstanding, Queued uint64
	// Submitted counts all tasks; Succeeded those that ended with a result, Failed those that ended
	// otherwise.
	Submitted, Succeeded, Failed uint64
	// Retried counts the attempts whose worker died and that were followed by another attempt.
	Retried uint64
	// StartedWorkers is how many workers were ever started, DiedWorkers how many died while they
	// worked.
	StartedWorkers, DiedWorkers uint64
}

// Info returns the figures of the pool.
func (p *Pool) Info() (PoolInfo, error) {
	if !p.enter() {
		return PoolInfo{}, ErrClosed
	}
	defer p.leave()
	info, status := capi.ReadPoolInfo(p.object)
	return PoolInfo{
		Workers: int(info.Workers), Alive: int(info.Alive),
		Outstanding: info.Outstanding, Queued: info.Queued,
		Submitted: info.Submitted, Succeeded: info.Succeeded, Failed: info.Failed, Retried: info.Retried,
		StartedWorkers: info.StartedWorkers, DiedWorkers: info.DiedWorkers,
	}, check(status)
}

// WorkerPIDs returns the process ids of the workers that run.
func (p *Pool) WorkerPIDs() ([]int, error) {
	if !p.enter() {
		return nil, ErrClosed
	}
	defer p.leave()
	numbers, status := capi.PoolWorkerPIDs(p.object)
	pids := make([]int, len(numbers))
	for i, pid := range numbers {
		pids[i] = int(pid)
	}
	return pids, check(status)
}

// TaskOptions are the options of a task.
type TaskOptions struct {
	// Timeout is how long the task may run, counted from when a worker begins it. After that the
	// task fails with ErrTimeout, and its worker is killed and replaced. Zero: no limit.
	Timeout time.Duration
}

// Submit submits a task and does not wait.
func (p *Pool) Submit(function string, data []byte) (*Task, error) {
	return p.SubmitWith(function, data, TaskOptions{})
}

// SubmitWith is Submit with options.
func (p *Pool) SubmitWith(function string, data []byte, options TaskOptions) (*Task, error) {
	return p.submit(function, options, nil, func(tag uint64) (capi.Object, capi.Status) {
		return capi.PoolSubmit(p.object, function, data, int64(options.Timeout), tag)
	})
}

// submit makes a task. When the task is over it is also sent to the channel over, unless that is
// nil.
func (p *Pool) submit(function string, options TaskOptions, over chan<- *Task, how func(tag uint64) (capi.Object, capi.Status)) (*Task, error) {
	if options.Timeout < 0 {
		return nil, invalid("Timeout is below 0")
	}
	if !p.enter() {
		return nil, ErrShutdown
	}
	defer p.leave()
	task := &Task{pool: p, function: function, over: over}
	// Hold the mutex: run may see the end of the task before its handle is stored here.
	p.tasksMu.Lock()
	defer p.tasksMu.Unlock()
	tag := p.freeTag()
	object, status := how(tag)
	if err := check(status); err != nil {
		return nil, err
	}
	if p.isFailed {
		capi.TaskClose(object)
		return nil, ErrShutdown
	}
	task.object = object
	p.take(tag, task)
	return task, nil
}

// freeTag returns a tag that no task has. The caller holds the mutex.
func (p *Pool) freeTag() uint64 {
	if n := len(p.freeTags); n > 0 {
		return p.freeTags[n-1]
	}
	return uint64(len(p.tasks))
}

// take gives a task the tag that freeTag returned. The caller has held the mutex since.
func (p *Pool) take(tag uint64, task *Task) {
	if len(p.tasks) == len(p.freeTags) {
		select { // run waits only while there is no task
		case p.wake <- struct{}{}:
		default:
		}
	}
	if n := len(p.freeTags); n > 0 {
		p.freeTags = p.freeTags[:n-1]
		p.tasks[tag] = task
	} else {
		p.tasks = append(p.tasks, task)
	}
}

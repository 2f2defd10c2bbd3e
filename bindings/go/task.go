package polyproc

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"polyproc.dev/polyproc/internal/capi"
)

// Task is a task of a pool. It needs no closing.
type Task struct {
	pool     *Pool
	function string
	object   capi.Object // nil once it is over; under the pool's mutex
	over     chan<- *Task

	mu     sync.Mutex
	done   chan struct{} // made for the first goroutine that asks for it; under mu
	isOver atomic.Bool   // set under mu

	// Once isOver is set:
	result []byte
	err    error
}

// TaskError says why a task has no result. errors.Is finds its status: [ErrTaskFailed] if the
// function failed, [ErrNotFound] if the worker has no function of that name, [ErrWorkerDied] and
// the others.
type TaskError struct {
	Status Status
	// Function is the name of the task's function.
	Function string
	// Message is the text of the function's or the library's failure.
	Message string
	// Stack is where the function panicked (Go) or threw (Node). It is empty if there is none.
	Stack string
}

func (e *TaskError) Error() string {
	text := e.Status.Error()
	if e.Function != "" {
		text += fmt.Sprintf(": function %q", e.Function)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap returns the status.
func (e *TaskError) Unwrap() error { return e.Status }

// stackMark separates a failure's message from its stack, in all languages: a reader that takes the
// text for a C string sees the message only.
const stackMark = 0

func taskError(function string, status capi.Status, text []byte) error {
	message, stack, _ := bytes.Cut(text, []byte{stackMark})
	return &TaskError{
		Status: Status(status), Function: function, Message: string(message), Stack: string(stack),
	}
}

// finisher takes the outcomes of tasks that are over. It keeps its tables for the next ones.
type finisher struct {
	tasks []*Task
	ended []capi.Ended
	data  [finisherBytes]byte
}

// finisherBytes is the size of the buffer for outcomes. Chosen so that a full batch of 64 bytes
// each fits.
const finisherBytes = capi.Batch * 64

// finish takes the outcomes of the tasks with these tags. It locks the mutex once for all, because
// the goroutines that submit want it too, and calls C once for as many outcomes as fit.
func (f *finisher) finish(p *Pool, tags []uint64) {
	f.tasks, f.ended = f.tasks[:0], f.ended[:0]
	p.tasksMu.Lock()
	for _, tag := range tags {
		task := p.tasks[tag]
		p.tasks[tag] = nil
		p.freeTags = append(p.freeTags, tag)
		f.tasks = append(f.tasks, task)
		f.ended = append(f.ended, capi.NewEnded(task.object))
		task.object = nil
	}
	p.tasksMu.Unlock()

	for tasks, ended := f.tasks, f.ended; len(tasks) > 0; {
		taken := capi.TasksTake(ended, f.data[:])
		data := f.data[:]
		for i, task := range tasks[:taken] {
			n := ended[i].Len()
			task.end(outcomeOf(task.function, ended[i].Status(), bytes.Clone(data[:n])))
			data = data[n:]
		}
		if taken == 0 { // this outcome is longer than the buffer
			tasks[0].end(takeTask(tasks[0].function, ended[0].Task()))
			taken = 1
		}
		tasks, ended = tasks[taken:], ended[taken:]
	}
	clear(f.tasks)
}

func (t *Task) end(result []byte, err error) {
	t.result, t.err = result, err
	t.mu.Lock()
	t.isOver.Store(true)
	done := t.done
	t.mu.Unlock()
	if done != nil {
		close(done)
	}
	if t.over != nil {
		t.over <- t // there is room for each
	}
}

// Done is closed when the task is over, however it ended.
func (t *Task) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		t.done = make(chan struct{})
		if t.isOver.Load() {
			close(t.done)
		}
	}
	return t.done
}

// Wait waits until the task is over, however it ends. If ctx ends first, the task goes on.
func (t *Task) Wait(ctx context.Context) error {
	if t.isOver.Load() {
		return nil
	}
	select {
	case <-t.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Result waits until the task is over and returns its result, or a [TaskError].
func (t *Task) Result(ctx context.Context) ([]byte, error) {
	if err := t.Wait(ctx); err != nil {
		return nil, err
	}
	return t.result, t.err
}

// Cancel cancels the task if no worker has begun it, and reports whether it did: the task's result
// is [ErrCanceled] then. A task that has begun goes on.
func (t *Task) Cancel() bool {
	t.pool.tasksMu.Lock()
	defer t.pool.tasksMu.Unlock()
	if t.object == nil {
		return false
	}
	canceled, status := capi.TaskCancel(t.object)
	return status >= 0 && canceled
}

package polyproc

import (
	"bytes"
	"context"
	"fmt"

	"polyproc.dev/polyproc/internal/capi"
)

// Task is a task of a pool. It needs no closing.
type Task struct {
	pool     *Pool
	function string
	object   capi.Object // nil once it is over; under the pool's mutex
	over     chan<- *Task
	done     chan struct{}

	// Once done is closed:
	result []byte
	err    error
}

// TaskError says why a task has no result. errors.Is finds its status: [ErrTaskFailed] when its function
// failed, [ErrNotFound] when the worker has none of that name, [ErrWorkerDied] and the others.
type TaskError struct {
	Status Status
	// Function is the name of the task's function.
	Function string
	// Message is what the function, or the library, had to say.
	Message string
	// Stack is where a function in Go panicked, or one in Node has thrown. Empty when there is none.
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

// Unwrap gives the status.
func (e *TaskError) Unwrap() error { return e.Status }

// stackMark is between the message of a failure and its stack, in all languages: who takes the text for a
// string of C sees the message only.
const stackMark = 0

func taskError(function string, status capi.Status, text []byte) error {
	message, stack, _ := bytes.Cut(text, []byte{stackMark})
	return &TaskError{
		Status: Status(status), Function: function, Message: string(message), Stack: string(stack),
	}
}

// finish ends a task that is over.
func (p *Pool) finish(tag uint64) {
	p.tasksMu.Lock()
	task := p.tasks[tag]
	delete(p.tasks, tag)
	object := task.object
	task.object = nil
	p.tasksMu.Unlock()

	task.end(takeTask(task.function, object))
}

func (t *Task) end(result []byte, err error) {
	t.result, t.err = result, err
	close(t.done)
	if t.over != nil {
		t.over <- t // there is room for each
	}
}

// Done is closed when the task is over, in whatever way.
func (t *Task) Done() <-chan struct{} { return t.done }

// Wait waits until the task is over, in whatever way. When ctx ends first, the task goes on.
func (t *Task) Wait(ctx context.Context) error {
	select {
	case <-t.done:
		return nil
	default:
	}
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Result waits until the task is over and gives its result, or a [TaskError].
func (t *Task) Result(ctx context.Context) ([]byte, error) {
	if err := t.Wait(ctx); err != nil {
		return nil, err
	}
	return t.result, t.err
}

// Cancel keeps the task from being begun, and tells whether it could: its result is [ErrCanceled] then. A
// task that a worker has begun goes on.
func (t *Task) Cancel() bool {
	t.pool.tasksMu.Lock()
	defer t.pool.tasksMu.Unlock()
	if t.object == nil {
		return false
	}
	canceled, status := capi.TaskCancel(t.object)
	return status >= 0 && canceled
}

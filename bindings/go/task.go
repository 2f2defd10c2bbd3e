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

// finish takes the outcome of a task that is over.
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

// Done is closed when the task is over, however it ended.
func (t *Task) Done() <-chan struct{} { return t.done }

// Wait waits until the task is over, however it ends. If ctx ends first, the task goes on.
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

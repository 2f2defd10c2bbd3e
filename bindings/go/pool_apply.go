package polyproc

import (
	"bytes"
	"context"

	"polyproc.dev/polyproc/internal/capi"
)

// Apply runs a task and waits for its result. If ctx ends first, a task that has not begun is
// canceled. A task that has begun keeps running; its result is discarded.
func (p *Pool) Apply(ctx context.Context, function string, data []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !p.enter() {
		return nil, ErrShutdown
	}
	defer p.leave()
	small := scratch.Get().(*[4096]byte)
	defer scratch.Put(small)
	timeout, give := takeShortWait(ctx)
	task, n, ended, status := capi.PoolApply(p.object, function, data, small[:], int64(timeout))
	give()
	if status < 0 {
		return nil, check(status)
	}
	if task == nil {
		return outcomeOf(function, ended, bytes.Clone(small[:n]))
	}
	if err := p.awaitTask(ctx, task); err != nil {
		capi.TaskCancel(task)
		capi.TaskClose(task)
		return nil, err
	}
	return takeTask(function, task)
}

// awaitTask waits for a task that takes long: on a thread if one is free, else parked. The
// descriptor is the last resort, because it makes all other tasks of the pool a little slower.
func (p *Pool) awaitTask(ctx context.Context, task capi.Object) (err error) {
	attempt := func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.TaskWait(task, timeout, cancel)
	}
	if blockingThreads.tryTake() {
		defer blockingThreads.give()
		_, err = sleep(ctx, attempt, &p.handle)
		return err
	}
	ready := newReadiness(readable(capi.TaskFD), task)
	if ready == nil {
		_, err = block(ctx, attempt, &p.handle)
		return err
	}
	defer ready.file.Close()
	_, err = p.park(ctx, ready, attempt)
	return err
}

// takeTask returns the outcome of a task that is over, and frees the task.
func takeTask(function string, task capi.Object) ([]byte, error) {
	small := scratch.Get().(*[4096]byte)
	defer scratch.Put(small)
	n, status, ok := capi.TaskTake(task, small[:])
	if ok {
		return outcomeOf(function, status, bytes.Clone(small[:n]))
	}
	long := make([]byte, n)
	_, status, _ = capi.TaskTake(task, long)
	return outcomeOf(function, status, long)
}

// outcomeOf returns data as the result, or as the error whose text it is.
func outcomeOf(function string, status capi.Status, data []byte) ([]byte, error) {
	if status < 0 {
		return nil, taskError(function, status, data)
	}
	return data, nil
}

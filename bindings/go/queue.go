package polyproc

import (
	"context"
	"os"
	"sync"

	"polyproc.dev/polyproc/internal/capi"
)

// Queue carries messages of bytes between processes, first in, first out: the messages of each
// producer keep their order, and those of different producers are in the order in which the puts
// finished. Any number of goroutines may use all methods at once.
type Queue struct{ shared }

// The directions in which a goroutine can wait for a queue.
const (
	gatePut = iota
	gateGet
	gateJoin
)

func newQueue(object capi.Object, status capi.Status) (*Queue, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	q := new(Queue)
	return open(q, &q.handle, capi.KindQueue, object, nil, readable(capi.QueueFD), nil), nil
}

// NewQueue makes an anonymous queue.
func NewQueue(options QueueOptions) (*Queue, error) {
	return named[Queue]("create queue", "")(createQueue(nil, options))
}

// CreateQueue makes a queue with a name.
func CreateQueue(name string, options QueueOptions) (*Queue, error) {
	return named[Queue]("create queue", name)(createQueue(&name, options))
}

func createQueue(name *string, options QueueOptions) (*Queue, error) {
	c, ok := options.c()
	if !ok {
		return nil, invalid("a number of the options is below 0 or too large")
	}
	return newQueue(capi.QueueCreate(name, &c))
}

// OpenQueue opens the queue of a name.
func OpenQueue(name string) (*Queue, error) {
	return named[Queue]("open queue", name)(newQueue(capi.QueueOpen(name)))
}

// InheritedQueue opens the queue that the parent process gave this one under a name.
func InheritedQueue(name string) (*Queue, error) {
	return named[Queue]("inherit queue", name)(newQueue(capi.Inherited(name, capi.KindQueue)))
}

// QueueFromFile opens the queue behind a descriptor that File gave, here or in another process. The
// file stays the caller's.
func QueueFromFile(file *os.File) (*Queue, error) {
	return named[Queue]("open queue", file.Name())(newQueue(fromFile(file, capi.KindQueue)))
}

// TryPut puts a message if there is room now, else it returns [ErrFull].
func (q *Queue) TryPut(data []byte) error {
	if !q.enter() {
		return ErrClosed
	}
	status := capi.QueuePut(q.object, data, 0, nil)
	q.leave()
	return check(status)
}

// Put puts a message, waiting for room. When it returns nil the message is visible to every
// process.
func (q *Queue) Put(ctx context.Context, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !q.enter() {
		return ErrClosed
	}
	status := capi.QueuePut(q.object, data, 0, nil)
	if isTimeout(status) {
		return q.putWaiting(ctx, data)
	}
	q.leave()
	return check(status)
}

// putWaiting ends a put that has to wait, and leaves. A Put without it would pay for its defer and
// for its closure, which is allocated on the heap.
func (q *Queue) putWaiting(ctx context.Context, data []byte) error {
	defer q.leave()
	_, err := q.wait(ctx, &q.gates[gatePut], func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.QueuePut(q.object, data, timeout, cancel)
	})
	return err
}

// TryGetInto gets the next message into buf if there is one, else it returns [ErrEmpty].
// See [Queue.GetInto].
func (q *Queue) TryGetInto(buf []byte) (n int, err error) {
	if !q.enter() {
		return 0, ErrClosed
	}
	n, status := capi.QueueGet(q.object, buf, 0, nil)
	q.leave()
	return n, check(status)
}

// GetInto gets the next message into buf, waiting for one, and returns its length. With
// [ErrTooSmall] the message stays first in line, and n is the length that buf needs.
func (q *Queue) GetInto(ctx context.Context, buf []byte) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if !q.enter() {
		return 0, ErrClosed
	}
	n, status := capi.QueueGet(q.object, buf, 0, nil)
	if isTimeout(status) {
		return q.getWaiting(ctx, buf)
	}
	q.leave()
	return n, check(status)
}

// getWaiting ends a get that has to wait, and leaves: see putWaiting. Its closure moves n to the
// heap.
func (q *Queue) getWaiting(ctx context.Context, buf []byte) (n int, err error) {
	defer q.leave()
	_, err = q.wait(ctx, &q.gates[gateGet], func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		n, status = capi.QueueGet(q.object, buf, timeout, cancel)
		return status
	})
	return n, err
}

// scratch has buffers for messages whose length is not known yet.
var scratch = sync.Pool{New: func() any { return new([4096]byte) }}

// TryGet gets the next message if there is one, else it returns [ErrEmpty].
func (q *Queue) TryGet() ([]byte, error) { return getBytes(context.Background(), q.tryInto) }

// Get gets the next message, waiting for one. On a joinable queue the message is unfinished until
// [Queue.TaskDone].
func (q *Queue) Get(ctx context.Context) ([]byte, error) { return getBytes(ctx, q.GetInto) }

// getter is GetInto, TryGetInto or one of their like.
type getter func(ctx context.Context, buf []byte) (n int, err error)

func (q *Queue) tryInto(_ context.Context, buf []byte) (int, error) { return q.TryGetInto(buf) }

// getBytes gets the next message as a slice of its own.
func getBytes(ctx context.Context, into getter) ([]byte, error) {
	small := scratch.Get().(*[4096]byte)
	n, err := into(ctx, small[:])
	if err != nil {
		scratch.Put(small)
		return getLong(ctx, into, n, err)
	}
	message := make([]byte, n)
	copy(message, small[:n])
	scratch.Put(small)
	return message, nil
}

// getLong goes on after a get that failed. If the message needs a buffer of n bytes, getLong gets
// it.
func getLong(ctx context.Context, into getter, n int, err error) ([]byte, error) {
	// Another consumer may take the long message first, and the next one be longer still.
	for err == ErrTooSmall {
		long := make([]byte, n)
		if n, err = into(ctx, long); err == nil {
			return long[:n], nil
		}
	}
	return nil, err
}

// visitNext gets the next message and calls use with it. The bytes are valid until use returns.
func visitNext(ctx context.Context, into getter, use func(data []byte) error) error {
	small := scratch.Get().(*[4096]byte)
	defer scratch.Put(small)
	n, err := into(ctx, small[:])
	if err == nil {
		return use(small[:n])
	}
	long, err := getLong(ctx, into, n, err)
	if err != nil {
		return err
	}
	return use(long)
}

// TaskDone settles the oldest message that this process got from a joinable queue and has not
// settled. If there is none it returns [ErrOverRelease].
func (q *Queue) TaskDone() error {
	if !q.enter() {
		return ErrClosed
	}
	status := capi.QueueTaskDone(q.object)
	q.leave()
	return check(status)
}

// Join waits until every message that was put has been settled.
func (q *Queue) Join(ctx context.Context) error {
	_, err := q.do(ctx, &q.gates[gateJoin], capi.QueueJoin)
	return err
}

// Shutdown ends the queue for all processes: from now on puts return [ErrShutdown], and gets return
// it once the queue is drained. It ends the stream for any number of consumers.
func (q *Queue) Shutdown() error { return q.shutdown(false) }

// ShutdownNow is Shutdown that also discards the messages that are in the queue.
func (q *Queue) ShutdownNow() error { return q.shutdown(true) }

func (q *Queue) shutdown(immediate bool) error {
	_, err := q.try(func(int64, *capi.Cancel) capi.Status {
		return capi.QueueShutdown(q.object, immediate)
	})
	return err
}

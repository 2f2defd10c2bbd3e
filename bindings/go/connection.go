package polyproc

import (
	"context"
	"iter"
	"os"
	"syscall"

	"polyproc.dev/polyproc/internal/capi"
)

// Connection is an end of a pipe (see [NewPipe]) or of a socket (see [Listen] and [Connect]). It
// carries whole messages of 0 to 4 GiB - 1 bytes. Any number of goroutines may send and receive at
// the same time.
//
// After the other end was closed, or the last process that has it has died, Recv first returns what
// was sent and then [ErrEOF]; Send returns [ErrBrokenPipe]. The wrong direction of a simplex pipe
// is [ErrUnsupported].
type Connection struct {
	shared
	isSocket bool
}

// The directions in which a goroutine can wait for a connection.
const (
	gateSend = iota
	gateRecv
)

func newConnection(object capi.Object, status capi.Status) (*Connection, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	c := new(Connection)
	return open(c, &c.handle, capi.KindConnection, object, nil, readable(capi.ConnectionFD)), nil
}

// newSocket is newConnection for an object that may be a socket.
func newSocket(object capi.Object, status capi.Status) (*Connection, error) {
	if err := check(status); err != nil {
		return nil, err
	}
	fd, status := capi.ShareFD(capi.KindConnection, object)
	if status < 0 {
		capi.Close(capi.KindConnection, object)
		return nil, check(status)
	}
	defer syscall.Close(fd)
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
		return newConnection(object, capi.OK)
	}
	c := &Connection{isSocket: true}
	return open(c, &c.handle, capi.KindConnection, object,
		&descriptor{of: socketOf, isOurs: true, events: syscall.EPOLLOUT},
		&descriptor{of: socketOf, isOurs: true, events: syscall.EPOLLIN | syscall.EPOLLRDHUP}), nil
}

// socketOf returns a descriptor of the socket itself.
func socketOf(object capi.Object) (int, capi.Status) {
	return capi.ShareFD(capi.KindConnection, object)
}

// NewPipe makes a pipe whose two ends both send and receive.
func NewPipe() (a, b *Connection, err error) { return newPipe(true) }

// NewSimplexPipe makes a pipe with one end that only receives and one that only sends.
func NewSimplexPipe() (reader, writer *Connection, err error) { return newPipe(false) }

func newPipe(duplex bool) (a, b *Connection, err error) {
	objectA, objectB, status := capi.PipeCreate(duplex)
	if err := check(status); err != nil {
		return nil, nil, about(err, "create pipe", "")
	}
	if a, err = newConnection(objectA, capi.OK); err != nil {
		return nil, nil, err
	}
	b, err = newConnection(objectB, capi.OK)
	return a, b, err
}

// InheritedConnection opens the end that the parent process gave this one under a name. The parent
// has to close its own handle, because the other end gets the end of file only when no process has
// this end any more.
func InheritedConnection(name string) (*Connection, error) {
	return named[Connection]("inherit connection", name)(newSocket(capi.Inherited(name, capi.KindConnection)))
}

// ConnectionFromFile opens the end behind a descriptor that File gave. The file stays the caller's,
// and keeps the end open until it is closed.
func ConnectionFromFile(file *os.File) (*Connection, error) {
	return named[Connection]("open connection", file.Name())(newSocket(fromFile(file, capi.KindConnection)))
}

// Send sends a message, waiting for room. When it returns, a message of less than 1 MiB is in the
// pipe, and a longer one has been received. If ctx ends while a part of the message is sent through
// a socket, this connection can send no more ([ErrBrokenPipe]).
func (c *Connection) Send(ctx context.Context, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !c.enter() {
		return ErrClosed
	}
	if c.isSocket {
		return c.sendToSocket(ctx, data)
	}
	status := capi.ConnectionSend(c.object, data, 0, nil)
	if status == capi.ETimeout {
		return c.sendWaiting(ctx, data)
	}
	c.leave()
	return check(status)
}

// sendToSocket sends in one attempt: once a part of the message is in the socket, the attempt must
// reach the end of the message, or the connection can send no more. As long as the socket has no
// room, no part of the message is in it, so the goroutine waits for room without a thread. At the
// end sendToSocket leaves.
func (c *Connection) sendToSocket(ctx context.Context, data []byte) error {
	defer c.leave()
	g := &c.gates[gateSend]
	if err := c.takeTurn(ctx, g); err != nil {
		return err
	}
	defer g.leaveTurn()
	if ready := g.readiness(c.object); ready != nil && isTimeout(ready.isReady()) {
		_, err := c.park(ctx, ready, func(int64, *capi.Cancel) capi.Status { return ready.isReady() })
		if err != nil {
			return err
		}
	}
	_, err := transfer(ctx, func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.ConnectionSend(c.object, data, timeout, cancel)
	}, &c.handle)
	return err
}

// sendWaiting ends a send that has to wait, and leaves: see doWaiting.
func (c *Connection) sendWaiting(ctx context.Context, data []byte) error {
	defer c.leave()
	_, err := c.wait(ctx, &c.gates[gateSend], func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.ConnectionSend(c.object, data, timeout, cancel)
	})
	return err
}

// TrySend sends a message if there is room now, else it returns [ErrTimeout]. Over a socket the
// message has at most 32 KiB; after a part of it is sent, the peer must make room for the rest
// within 0.1 s.
func (c *Connection) TrySend(data []byte) error {
	if !c.enter() {
		return ErrClosed
	}
	status := capi.ConnectionSend(c.object, data, 0, nil)
	c.leave()
	return check(status)
}

// RecvInto receives the next message into buf, waiting for one, and returns its length. With
// [ErrTooSmall] the message stays first in line, and n is the length that buf needs.
func (c *Connection) RecvInto(ctx context.Context, buf []byte) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if !c.enter() {
		return 0, ErrClosed
	}
	n, status := capi.ConnectionRecv(c.object, buf, 0, nil)
	if status == capi.ETimeout {
		return c.recvWaiting(ctx, buf)
	}
	c.leave()
	return n, check(status)
}

// recvWaiting ends a receive that has to wait, and leaves: see doWaiting. Its closure moves n to
// the heap.
func (c *Connection) recvWaiting(ctx context.Context, buf []byte) (n int, err error) {
	defer c.leave()
	_, err = c.wait(ctx, &c.gates[gateRecv], func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		n, status = capi.ConnectionRecv(c.object, buf, timeout, cancel)
		return status
	})
	return n, err
}

// TryRecvInto receives the next message into buf if there is one, else it returns [ErrTimeout].
// See [Connection.RecvInto].
func (c *Connection) TryRecvInto(buf []byte) (n int, err error) {
	if !c.enter() {
		return 0, ErrClosed
	}
	n, status := capi.ConnectionRecv(c.object, buf, 0, nil)
	c.leave()
	return n, check(status)
}

// Recv receives the next message, waiting for one.
func (c *Connection) Recv(ctx context.Context) ([]byte, error) { return getBytes(ctx, c.RecvInto) }

// TryRecv receives the next message if there is one, else it returns [ErrTimeout].
func (c *Connection) TryRecv() ([]byte, error) { return getBytes(context.Background(), c.tryInto) }

func (c *Connection) tryInto(_ context.Context, buf []byte) (int, error) { return c.TryRecvInto(buf) }

// Poll waits until a Recv would not wait: until there is a message or the end of file.
func (c *Connection) Poll(ctx context.Context) error {
	_, err := c.do(ctx, &c.gates[gateRecv], capi.ConnectionPoll)
	return err
}

// CanRecv reports whether a Recv would not wait: there is a message or the end of file.
func (c *Connection) CanRecv() (bool, error) {
	status, err := c.try(func(timeout int64, cancel *capi.Cancel) capi.Status {
		return capi.ConnectionPoll(c.object, timeout, cancel)
	})
	if status == capi.ETimeout {
		return false, nil
	}
	return err == nil, err
}

// All receives the messages one after the other, waiting for each, until the end of file. After an
// error the loop gets one round with it and ends; the end of file is no error.
func (c *Connection) All(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			message, err := c.Recv(ctx)
			if err == ErrEOF || !yield(message, err) || err != nil {
				return
			}
		}
	}
}

// SendValue sends a value as MessagePack, as a [ValueQueue] puts it.
func (c *Connection) SendValue(ctx context.Context, v any) error {
	return withEncoded(v, func(data []byte) error { return c.Send(ctx, data) })
}

// RecvValue receives a value that was sent as MessagePack, as a [ValueQueue] of T gets it. A
// message that does not decode is consumed, and its bytes are in the [DecodeError].
func RecvValue[T any](ctx context.Context, c *Connection) (T, error) {
	return getValue[T](ctx, c.RecvInto)
}

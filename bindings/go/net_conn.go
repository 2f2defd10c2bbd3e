package polyproc

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// NetConn returns the connection as a [net.Conn], deadlines included, for bufio, encoding/json,
// io.Copy and the like. A Write sends its bytes as one message. A Read returns bytes of one message
// at most, and passes over empty messages. The end of file is [io.EOF].
//
// Close of the NetConn closes the connection. If Read has returned a part of a message, Recv does
// not return that message.
func (c *Connection) NetConn() net.Conn {
	return &netConn{connection: c, reads: newDeadline(), writes: newDeadline()}
}

type netConn struct {
	connection    *Connection
	mu            sync.Mutex
	rest          []byte // the part of a message that no Read has returned
	reads, writes *deadline
}

func (n *netConn) Read(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	for len(n.rest) == 0 {
		read, err := n.connection.RecvInto(n.reads, p)
		if err == nil && read > 0 {
			return read, nil
		}
		if err == ErrTooSmall {
			n.rest, err = n.connection.Recv(n.reads)
		}
		if err != nil {
			return 0, netError(err)
		}
	}
	read := copy(p, n.rest)
	n.rest = n.rest[read:]
	return read, nil
}

func (n *netConn) Write(p []byte) (int, error) {
	if err := n.connection.Send(n.writes, p); err != nil {
		return 0, netError(err)
	}
	return len(p), nil
}

func netError(err error) error {
	switch err {
	case ErrEOF:
		return io.EOF
	case ErrClosed:
		return net.ErrClosed
	case context.DeadlineExceeded:
		return os.ErrDeadlineExceeded
	}
	return err
}

func (n *netConn) Close() error { return n.connection.Close() }

func (n *netConn) LocalAddr() net.Addr  { return netAddress{} }
func (n *netConn) RemoteAddr() net.Addr { return netAddress{} }

func (n *netConn) SetReadDeadline(t time.Time) error {
	n.reads.set(t)
	return nil
}

func (n *netConn) SetWriteDeadline(t time.Time) error {
	n.writes.set(t)
	return nil
}

func (n *netConn) SetDeadline(t time.Time) error {
	n.reads.set(t)
	n.writes.set(t)
	return nil
}

// netAddress is the address of both ends.
type netAddress struct{}

func (netAddress) Network() string { return "polyproc" }
func (netAddress) String() string  { return "polyproc" }

// deadline is a context whose deadline can be moved while others wait with it.
type deadline struct {
	mu    sync.Mutex
	done  chan struct{} // closed when the deadline has passed
	timer *time.Timer
	times int // how often it was set: an earlier timer is ignored
}

func newDeadline() *deadline { return &deadline{done: make(chan struct{})} }

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if d.passed() {
		d.done = make(chan struct{})
	}
	d.times++
	if t.IsZero() {
		return
	}
	now := d.times
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, func() { d.pass(now) })
	} else {
		close(d.done)
	}
}

func (d *deadline) pass(times int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.times == times {
		close(d.done)
	}
}

func (d *deadline) passed() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// Deadline reports none, because the deadline may still move.
func (d *deadline) Deadline() (time.Time, bool) { return time.Time{}, false }

func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done
}

func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed() {
		return context.DeadlineExceeded
	}
	return nil
}

func (d *deadline) Value(any) any { return nil }

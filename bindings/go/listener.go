package polyproc

import (
	"context"
	"iter"
	"math"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// SocketOptions are the options of [Listen] and of [Connect].
type SocketOptions struct {
	// AuthKey is the secret that both sides must have. Each side proves that it has the key without
	// sending it. Later messages are neither encrypted nor signed. Nil: every peer is accepted.
	AuthKey []byte
	// RefuseMD5 refuses HMAC-MD5, the only hash that Python up to 3.11 knows.
	RefuseMD5 bool
	// HandshakeTimeout is how long a handshake may take. Zero: ten seconds.
	HandshakeTimeout time.Duration
	// MaxMessage is the longest message that the other side may send, in bytes. Zero: 256 MiB for a
	// listener without a key, else 4 GiB - 1.
	MaxMessage int64
	// Backlog, of a listener, is the limit for the peers that stand in line, for the handshakes
	// that are under way, and for the connections that wait to be accepted. Zero: 128.
	Backlog int
	// Public makes a listener without a key reachable from other machines.
	Public bool
}

func (o *SocketOptions) c() (options capi.ListenerOptions, ok bool) {
	ok = o.Backlog >= 0 && int64(o.Backlog) <= math.MaxUint32 && o.HandshakeTimeout >= 0 && o.MaxMessage >= 0
	return capi.ListenerOptions{
		AuthKey: o.AuthKey, AllowMD5: !o.RefuseMD5, Public: o.Public,
		Backlog: uint32(o.Backlog), HandshakeTimeout: int64(o.HandshakeTimeout), MaxMessage: uint64(o.MaxMessage),
	}, ok
}

// Listener accepts connections over TCP or a unix socket. The connections speak the protocol of
// Python's multiprocessing.connection: a peer may be [Connect] or a Client of CPython.
type Listener struct {
	handle
	address string
}

// Listen listens at an address: "tcp://127.0.0.1:5000"; "tcp://[::1]:5000"; port 0 for a free one;
// "unix:/path", whose file Close removes; "unix:@name", an abstract address, which has no file.
// Without a key the listener can be reached from this machine only, unless Public is set.
//
// A peer that is silent, slow or wrong delays no other: handshakes run beside each other, each with
// a time limit of its own.
func Listen(address string, options SocketOptions) (*Listener, error) {
	c, ok := options.c()
	if !ok {
		return nil, about(invalid("a number of the options is below 0 or too large"), "listen", address)
	}
	object, status := capi.ListenerCreate(address, &c)
	if err := check(status); err != nil {
		return nil, about(err, "listen", address)
	}
	where, status := capi.ListenerAddress(object)
	if err := check(status); err != nil {
		capi.Close(capi.KindListener, object)
		return nil, err
	}
	l := &Listener{address: where}
	return open(l, &l.handle, capi.KindListener, object, readable(capi.ListenerFD)), nil
}

// Address is where the listener listens, as [Connect] takes it: with the port that was chosen for
// port 0.
func (l *Listener) Address() string { return l.address }

// Accept accepts the next connection, waiting for one. With a key it returns only connections whose
// peer has proved that it has the key; it closes the others without a report.
func (l *Listener) Accept(ctx context.Context) (*Connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !l.enter() {
		return nil, ErrClosed
	}
	defer l.leave()
	var object capi.Object
	attempt := func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		object, status = capi.ListenerAccept(l.object, timeout, cancel)
		return status
	}
	status := attempt(0, nil)
	if isTimeout(status) {
		if _, err := l.wait(ctx, &l.gates[0], attempt); err != nil {
			return nil, err
		}
	} else if status < 0 {
		return nil, check(status)
	}
	return newSocket(object, capi.OK)
}

// TryAccept accepts the next connection if there is one, else it returns [ErrTimeout].
func (l *Listener) TryAccept() (*Connection, error) {
	if !l.enter() {
		return nil, ErrClosed
	}
	defer l.leave()
	return newSocket(capi.ListenerAccept(l.object, 0, nil))
}

// All accepts the connections one after the other, waiting for each, until the listener is closed.
// After an error the loop gets one round with it and ends; a closed listener is no error.
func (l *Listener) All(ctx context.Context) iter.Seq2[*Connection, error] {
	return func(yield func(*Connection, error) bool) {
		for {
			connection, err := l.Accept(ctx)
			if err == ErrClosed || !yield(connection, err) || err != nil {
				return
			}
		}
	}
}

// Connect connects to a listener of polyproc or of CPython. With a key each side proves to the
// other that it has the key: [ErrAuth] when one of them has another. A connector without a key
// cannot know whether the listener wants one; if it does, the first receive returns ErrAuth.
func Connect(ctx context.Context, address string, options SocketOptions) (*Connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, ok := options.c()
	if !ok {
		return nil, about(invalid("a number of the options is below 0 or too large"), "connect", address)
	}
	var object capi.Object
	_, err := transfer(ctx, func(timeout int64, cancel *capi.Cancel) (status capi.Status) {
		object, status = capi.Connect(address, &c, timeout, cancel)
		return status
	})
	if err != nil {
		return nil, about(err, "connect", address)
	}
	return newSocket(object, capi.OK)
}

package polyproc

import (
	"context"
	"iter"
	"math"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// SocketOptions are those of [Listen] and of [Connect].
type SocketOptions struct {
	// AuthKey is the secret that both sides have to have. They show each other that they have it, without
	// sending it; what follows is neither encrypted nor signed. Nil: whoever comes is welcome.
	AuthKey []byte
	// RefuseMD5 wants a better hash than HMAC-MD5, which is all that Python up to 3.11 knows.
	RefuseMD5 bool
	// HandshakeTimeout is how long a handshake may take. Zero: ten seconds.
	HandshakeTimeout time.Duration
	// MaxMessage is the longest message that the other side may send, in bytes. Zero: 256 MiB for a listener
	// without a key, else 4 GiB - 1.
	MaxMessage int64
	// Backlog, of a listener, is how many may stand in line, how many handshakes may be under way, and how
	// many connections may wait to be accepted. Zero: 128.
	Backlog int
	// Public lets a listener without a key be reached from other machines.
	Public bool
}

func (o *SocketOptions) c() (options capi.ListenerOptions, ok bool) {
	ok = o.Backlog >= 0 && int64(o.Backlog) <= math.MaxUint32 && o.HandshakeTimeout >= 0 && o.MaxMessage >= 0
	return capi.ListenerOptions{
		AuthKey: o.AuthKey, AllowMD5: !o.RefuseMD5, Public: o.Public,
		Backlog: uint32(o.Backlog), HandshakeTimeout: int64(o.HandshakeTimeout), MaxMessage: uint64(o.MaxMessage),
	}, ok
}

// Listener accepts connections over TCP or a unix socket. What goes over them is what Python's
// multiprocessing.connection sends and understands: a Client of CPython is as good a peer as [Connect].
type Listener struct {
	handle
	address string
}

// Listen listens at an address: "tcp://127.0.0.1:5000", "tcp://[::1]:5000", port 0 for one that is free;
// "unix:/path", whose file Close removes; "unix:@name", an abstract address, which has no file. Without a key
// it can be reached from this machine only, unless it is Public.
//
// Whoever is silent, slow or wrong holds up nobody: handshakes go beside each other, each with its time.
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

// Address is where the listener is, as [Connect] takes it: with the port that was chosen for port 0.
func (l *Listener) Address() string { return l.address }

// Accept accepts the next connection, waiting for one. With a key it is one whose other side has shown it;
// the others are sent away and not told of.
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

// All accepts the connections one after the other, waiting for each, until the listener is closed. An error
// ends the loop after one round with it; that the listener is closed is not an error.
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

// Connect connects to a listener, of polyproc or of CPython, and with a key shows it to each other: [ErrAuth]
// when one of the two has not the other's. A connector without a key cannot know whether the listener wants
// one; then the first receive says ErrAuth.
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

package polyproc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

// addresses has one address of each kind.
func addresses(t testing.TB) map[string]string {
	return map[string]string{
		"IPv4":     "tcp://127.0.0.1:0",
		"IPv6":     "tcp://[::1]:0",
		"unix":     "unix:" + filepath.Join(t.TempDir(), "socket"),
		"abstract": fmt.Sprintf("unix:@%s%d", namePrefix(), names.Add(1)),
	}
}

func listen(t testing.TB, address string, options polyproc.SocketOptions) *polyproc.Listener {
	t.Helper()
	l, err := polyproc.Listen(address, options)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// echo sends back each message, until the other side closes.
func echo(c *polyproc.Connection) error {
	defer c.Close()
	for message, err := range c.All(context.Background()) {
		if err == nil {
			err = c.Send(context.Background(), message)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// echoAll serves all clients, until the listener is closed.
func echoAll(t testing.TB, l *polyproc.Listener) {
	var served sync.WaitGroup
	served.Go(func() {
		for c, err := range l.All(context.Background()) {
			if err != nil {
				t.Error(err)
				return
			}
			served.Go(func() {
				if err := echo(c); err != nil && err != polyproc.ErrBrokenPipe {
					t.Error(err)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		served.Wait()
	})
}

// sizes are lengths around the limits of Python's wire format, and a long one.
var sizes = []int{0, 1, 16384, 16385, 20 << 20}

func pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * 31 >> 3)
	}
	return data
}

func TestListenAndConnect(t *testing.T) {
	for kind, address := range addresses(t) {
		for _, key := range [][]byte{nil, []byte("secret")} {
			t.Run(fmt.Sprintf("%s with key %q", kind, key), func(t *testing.T) {
				options := polyproc.SocketOptions{AuthKey: key}
				l := listen(t, address, options)
				echoAll(t, l)
				c := one(polyproc.Connect(within(t), l.Address(), options))(t)
				defer c.Close()
				for _, size := range sizes {
					message := pattern(size)
					must(t, c.Send(within(t), message))
					if got := one(c.Recv(within(t)))(t); !bytes.Equal(got, message) {
						t.Fatalf("%d bytes came back otherwise", size)
					}
				}
				ctx, cancel := testContext(20 * time.Millisecond)
				defer cancel()
				wants(t, second(c.Recv(ctx)), context.DeadlineExceeded)
				wants(t, second(c.TryRecv()), polyproc.ErrTimeout)
				must(t, c.TrySend([]byte("again")))
				must(t, c.Poll(within(t)))
				equal(t, string(one(c.TryRecv())(t)), "again")
			})
		}
	}
}

func TestListenerFaults(t *testing.T) {
	l := listen(t, "tcp://127.0.0.1:0", polyproc.SocketOptions{AuthKey: []byte("right")})
	wants(t, second(l.TryAccept()), polyproc.ErrTimeout)
	wants(t, second(polyproc.Connect(within(t), l.Address(), polyproc.SocketOptions{AuthKey: []byte("wrong")})), polyproc.ErrAuth)
	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, second(l.Accept(ctx)), context.DeadlineExceeded)
	wants(t, second(polyproc.Listen(l.Address(), polyproc.SocketOptions{})), polyproc.ErrExists)
	wants(t, second(polyproc.Listen("tcp://0.0.0.0:0", polyproc.SocketOptions{})), polyproc.ErrPermission)
	wants(t, second(polyproc.Listen("nonsense", polyproc.SocketOptions{})), polyproc.ErrInvalid)
	wants(t, second(polyproc.Listen("unix:@a\x00b", polyproc.SocketOptions{})), polyproc.ErrInvalid)
	wants(t, second(polyproc.Listen("tcp://127.0.0.1:0", polyproc.SocketOptions{AuthKey: []byte{}})), polyproc.ErrInvalid)
	wants(t, second(polyproc.Listen("tcp://127.0.0.1:0", polyproc.SocketOptions{Backlog: -1})), polyproc.ErrInvalid)

	// A listener without a key accepts a client without one; a client with a key waits in vain for
	// a challenge.
	open := listen(t, "tcp://127.0.0.1:0", polyproc.SocketOptions{})
	key := polyproc.SocketOptions{AuthKey: []byte("key"), HandshakeTimeout: 30 * time.Millisecond}
	wants(t, second(polyproc.Connect(within(t), open.Address(), key)), polyproc.ErrTimeout)
	canceled, stop := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, stop)
	wants(t, second(polyproc.Connect(canceled, open.Address(), polyproc.SocketOptions{AuthKey: []byte("key")})), context.Canceled)

	accepted := make(chan error, 1)
	go func() { accepted <- second(l.Accept(within(t))) }()
	eventually(t, "it waits for good", func() bool { return polyproc.Waits(l) == 1 })
	must(t, l.Close())
	wants(t, <-accepted, polyproc.ErrClosed)
	wants(t, second(l.TryAccept()), polyproc.ErrClosed)
	if _, err := polyproc.Connect(within(t), l.Address(), polyproc.SocketOptions{}); err == nil {
		t.Error("somebody listens")
	}
}

// A silent client delays no other.
func TestSilentClientsHoldUpNobody(t *testing.T) {
	options := polyproc.SocketOptions{AuthKey: []byte("secret")}
	l := listen(t, "tcp://127.0.0.1:0", options)
	echoAll(t, l)
	for range 50 {
		silent := one(net.Dial("tcp", strings.TrimPrefix(l.Address(), "tcp://")))(t)
		defer silent.Close()
	}
	c := one(polyproc.Connect(within(t), l.Address(), options))(t)
	defer c.Close()
	must(t, c.SendValue(within(t), "here"))
	equal(t, one(polyproc.RecvValue[string](within(t), c))(t), "here")
}

// A send that finds the socket full waits for room without a thread. A message that is partly sent
// is sent completely, however slow the other side is.
func TestSocketWaitsForASlowReader(t *testing.T) {
	const connections, messages = 40, 64
	l := listen(t, "unix:@"+namePrefix()+"slow", polyproc.SocketOptions{})
	message := pattern(24 << 10)
	var senders sync.WaitGroup
	var readers []*polyproc.Connection
	for range connections {
		c := one(polyproc.Connect(within(t), l.Address(), polyproc.SocketOptions{}))(t)
		defer c.Close()
		reader := one(l.Accept(within(t)))(t)
		defer reader.Close()
		readers = append(readers, reader)
		senders.Go(func() {
			for range messages {
				if err := c.Send(context.Background(), message); err != nil {
					t.Error(err)
					return
				}
			}
		})
		eventually(t, "the socket is full", func() bool { return polyproc.Waits(c) == 1 })
	}
	time.Sleep(250 * time.Millisecond) // longer than the library gives a message that must not wait
	for _, reader := range readers {
		for range messages {
			if got := one(reader.Recv(within(t)))(t); !bytes.Equal(got, message) {
				t.Fatal("a message came otherwise")
			}
		}
	}
	senders.Wait()
}

func TestManyConnectionsWaitOnFewThreads(t *testing.T) {
	const connections, most = 200, 100
	l := listen(t, "unix:@"+namePrefix()+"many", polyproc.SocketOptions{})
	var clients []*polyproc.Connection
	received := make(chan error, connections)
	for range connections {
		c := one(polyproc.Connect(within(t), l.Address(), polyproc.SocketOptions{}))(t)
		defer c.Close()
		server := one(l.Accept(within(t)))(t)
		defer server.Close()
		clients = append(clients, c)
		go func() { received <- second(server.Recv(within(t))) }()
		eventually(t, "it waits for good", func() bool { return polyproc.Waits(server) == 1 })
	}
	if n := threads(t); n >= most {
		t.Errorf("%d connections wait on %d threads", connections, n)
	}
	for _, c := range clients {
		must(t, c.Send(within(t), []byte("go")))
		must(t, <-received)
	}
}

func TestNetConn(t *testing.T) {
	a, b := newPipe(t)
	here, there := a.NetConn(), b.NetConn()
	type order struct{ Buns int }
	go func() {
		encoder := json.NewEncoder(here)
		for i := range 3 {
			if err := encoder.Encode(order{i}); err != nil {
				t.Error(err)
			}
		}
	}()
	decoder := json.NewDecoder(there)
	for i := range 3 {
		var o order
		must(t, decoder.Decode(&o))
		equal(t, o.Buns, i)
	}

	must(t, there.SetReadDeadline(time.Now().Add(-time.Second)))
	wants(t, second(there.Read(make([]byte, 9))), os.ErrDeadlineExceeded)
	must(t, there.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	wants(t, second(there.Read(make([]byte, 9))), os.ErrDeadlineExceeded)
	must(t, there.SetDeadline(time.Time{}))

	// A deadline that moves also holds for a read that already waits.
	must(t, there.SetReadDeadline(time.Now().Add(limit)))
	read := make(chan error, 1)
	go func() { read <- second(there.Read(make([]byte, 9))) }()
	eventually(t, "it waits for good", func() bool { return polyproc.Waits(b) == 1 })
	must(t, there.SetReadDeadline(time.Now()))
	wants(t, <-read, os.ErrDeadlineExceeded)
	must(t, there.SetReadDeadline(time.Time{}))

	one(here.Write([]byte("long message")))(t)
	one(here.Write(nil))(t)
	one(here.Write([]byte(".")))(t)
	buf := make([]byte, 5)
	var pieces []string
	for len(pieces) < 4 {
		n := one(there.Read(buf))(t)
		pieces = append(pieces, string(buf[:n]))
	}
	equal(t, slices.Equal(pieces, []string{"long ", "messa", "ge", "."}), true)
	must(t, here.Close())
	wants(t, second(there.Read(buf)), io.EOF)
	wants(t, second(here.Read(buf)), net.ErrClosed)
	if _, err := there.Write(nil); !errors.Is(err, polyproc.ErrBrokenPipe) {
		t.Fatal(err)
	}
}

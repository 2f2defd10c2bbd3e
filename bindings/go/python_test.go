package polyproc_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"polyproc.dev/polyproc"
)

// The other side in these tests is a real CPython.

// pythonSide is the beginning of both programs: the address as Python writes it, and the key.
const pythonSide = `
import multiprocessing, sys
from multiprocessing.connection import Client, Listener
kind, place, key = sys.argv[1:4]
address = (place.rsplit(':', 1)[0], int(place.rsplit(':', 1)[1])) if kind == 'tcp' else place
key = key.encode() or None
`

const pythonClient = pythonSide + `
try:
    connection = Client(address, authkey=key)
except multiprocessing.AuthenticationError:
    print('refused')
    sys.exit()
for size in (0, 1, 16384, 16385, 20 << 20):
    message = (bytes(range(256)) * (size // 256 + 1))[:size]
    connection.send_bytes(message)
    if connection.recv_bytes() != message:
        sys.exit(f'{size} bytes came back otherwise')
print('welcome')
`

const pythonListener = pythonSide + `
with Listener(address, authkey=key) as listener:
    where = listener.address
    print(where if isinstance(where, str) else '%s:%d' % where, flush=True)
    while True:
        try:
            connection = listener.accept()
        except (multiprocessing.AuthenticationError, EOFError):
            continue
        try:
            while True:
                connection.send_bytes(connection.recv_bytes())
        except EOFError:
            sys.exit()
`

func python(t *testing.T, ctx context.Context, program, kind, place, key string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("these tests need python3: ", err)
	}
	var trouble bytes.Buffer
	command := exec.CommandContext(ctx, path, "-c", program, kind, place, key)
	command.Stderr = &trouble
	t.Cleanup(func() {
		if trouble.Len() > 0 {
			t.Errorf("python: %s", &trouble)
		}
	})
	return command
}

func pythonPlaces(t *testing.T) map[string]string {
	return map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "socket")}
}

func addressOf(kind, place string) string {
	if kind == "tcp" {
		return "tcp://" + place
	}
	return "unix:" + place
}

func TestPythonIsTheClient(t *testing.T) {
	for kind, place := range pythonPlaces(t) {
		for _, keys := range [][2]string{{"", ""}, {"secret", "secret"}, {"secret", "wrong"}} {
			t.Run(fmt.Sprintf("%s with keys %q", kind, keys), func(t *testing.T) {
				var key []byte
				if keys[0] != "" {
					key = []byte(keys[0])
				}
				l := listen(t, addressOf(kind, place), polyproc.SocketOptions{AuthKey: key})
				echoAll(t, l)
				where := l.Address()[strings.Index(l.Address(), ":")+1:]
				said := one(python(t, within(t), pythonClient, kind, strings.TrimPrefix(where, "//"), keys[1]).Output())(t)
				want := "welcome"
				if keys[0] != keys[1] {
					want = "refused"
				}
				equal(t, strings.TrimSpace(string(said)), want)
			})
		}
	}
}

func TestPythonIsTheListener(t *testing.T) {
	for kind, place := range pythonPlaces(t) {
		for _, key := range []string{"", "secret"} {
			t.Run(fmt.Sprintf("%s with key %q", kind, key), func(t *testing.T) {
				command := python(t, within(t), pythonListener, kind, place, key)
				output := one(command.StdoutPipe())(t)
				must(t, command.Start())
				var where string
				one(fmt.Fscanln(output, &where))(t)
				options := polyproc.SocketOptions{}
				if key != "" {
					options.AuthKey = []byte("wrong")
					wants(t, second(polyproc.Connect(within(t), addressOf(kind, where), options)), polyproc.ErrAuth)
					options.AuthKey = []byte(key)
				}
				c := one(polyproc.Connect(within(t), addressOf(kind, where), options))(t)
				defer c.Close()
				for _, size := range sizes {
					message := pattern(size)
					must(t, c.Send(within(t), message))
					if got := one(c.Recv(within(t)))(t); !bytes.Equal(got, message) {
						t.Fatalf("%d bytes came back otherwise", size)
					}
				}
				must(t, c.Close())
				must(t, command.Wait())
			})
		}
	}
}

package polyproc_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func TestMessagesComeOutAsTheyWentIn(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	lengths := []int{0, 1, 8, 4095, 4096, 4097, 100_000, 3 << 20}
	for _, n := range lengths {
		must(t, q.Put(within(t), bytes.Repeat([]byte{byte(n)}, n)))
	}
	for _, n := range lengths {
		got := one(q.Get(within(t)))(t)
		if got == nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(n)}, n)) {
			t.Fatalf("message of %d bytes came out with %d, or changed", n, len(got))
		}
	}
}

func TestTriesDoNotWait(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{MaxItems: 2})
	wants(t, second(q.TryGet()), polyproc.ErrEmpty)
	wants(t, second(q.TryTake()), polyproc.ErrEmpty)
	wants(t, second(q.TakeDead()), polyproc.ErrEmpty)
	must(t, q.TryPut([]byte("a")))
	equal(t, one(q.IsFull())(t), false)
	must(t, q.TryPut(nil))
	wants(t, q.TryPut([]byte("c")), polyproc.ErrFull)
	equal(t, one(q.IsFull())(t), true)
	equal(t, one(q.Len())(t), 2)
	equal(t, string(one(q.TryGet())(t)), "a")
	equal(t, string(one(q.TryGet())(t)), "")
	equal(t, one(q.IsEmpty())(t), true)
}

func second[T any](_ T, err error) error { return err }

func TestMessageThatDoesNotFitTheBufferStays(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	must(t, q.TryPut([]byte("hello")))
	n, err := q.GetInto(within(t), make([]byte, 4))
	wants(t, err, polyproc.ErrTooSmall)
	equal(t, n, 5)
	n, err = q.TryGetInto(nil)
	wants(t, err, polyproc.ErrTooSmall)
	equal(t, n, 5)
	buf := make([]byte, n)
	equal(t, one(q.GetInto(within(t), buf))(t), 5)
	equal(t, string(buf), "hello")
}

func TestMessageThatCanNeverFitIsRefused(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{MaxBytes: 64 << 10})
	wants(t, q.Put(within(t), make([]byte, 1<<20)), polyproc.ErrTooLarge)
	n, err := q.PutMany(within(t), [][]byte{[]byte("a"), make([]byte, 1<<20), []byte("b")})
	wants(t, err, polyproc.ErrTooLarge)
	equal(t, n, 1)
	wants(t, second(q.Reserve(within(t), 1<<20)), polyproc.ErrTooLarge)
}

func TestBadOptionsAreRefused(t *testing.T) {
	for _, options := range []polyproc.QueueOptions{
		{MaxItems: -1},
		{MaxBytes: -1},
		{MaxDeliveries: -1},
		{MaxDeliveries: 1 << 32},
		{Spin: -1},
		{Spin: time.Hour},
		{Format: strings.Repeat("f", 32)},
		{Format: "a\x00b"},
	} {
		wants(t, second(polyproc.NewQueue(options)), polyproc.ErrInvalid)
	}
	for _, name := range []string{"", ".hidden", "a/b", "a\x00b", strings.Repeat("n", 201)} {
		wants(t, second(polyproc.CreateQueue(name, polyproc.QueueOptions{})), polyproc.ErrInvalid)
		wants(t, second(polyproc.OpenQueue(name)), polyproc.ErrInvalid)
		wants(t, polyproc.Unlink(name), polyproc.ErrInvalid)
	}
	q := newQueue(t, polyproc.QueueOptions{})
	wants(t, second(q.TakeMany(within(t), 0)), polyproc.ErrInvalid)
	wants(t, second(q.Reserve(within(t), -1)), polyproc.ErrInvalid)
}

func TestNames(t *testing.T) {
	name := uniqueName(t)
	_, err := polyproc.OpenQueue(name)
	wants(t, err, polyproc.ErrNotFound)
	wants(t, err, fs.ErrNotExist)

	q := one(polyproc.CreateQueue(name, polyproc.QueueOptions{MaxItems: 5}))(t)
	defer q.Close()
	_, err = polyproc.CreateQueue(name, polyproc.QueueOptions{MaxItems: 5})
	wants(t, err, polyproc.ErrExists)
	wants(t, err, fs.ErrExist)
	wants(t, second(polyproc.OpenLock(name)), polyproc.ErrMismatch)

	either := polyproc.Options{OpenOrCreate: true}
	again := one(polyproc.CreateQueue(name, polyproc.QueueOptions{Options: either, MaxItems: 5}))(t)
	defer again.Close()
	_, err = polyproc.CreateQueue(name, polyproc.QueueOptions{Options: either, MaxItems: 6})
	wants(t, err, polyproc.ErrMismatch)

	must(t, q.TryPut([]byte("by name")))
	equal(t, string(one(again.TryGet())(t)), "by name")
	must(t, polyproc.Unlink(name))
	wants(t, polyproc.Unlink(name), polyproc.ErrNotFound)
	must(t, q.TryPut([]byte("still open")))
	equal(t, string(one(again.TryGet())(t)), "still open")
}

func TestModeIsThatOfTheFile(t *testing.T) {
	for mode, want := range map[fs.FileMode]fs.FileMode{0: 0o600, 0o660: 0o660} {
		name := uniqueName(t)
		q := one(polyproc.CreateQueue(name, polyproc.QueueOptions{Options: polyproc.Options{Mode: mode}}))(t)
		defer q.Close()
		equal(t, one(os.Stat("/dev/shm/polyproc."+name))(t).Mode().Perm(), want)
	}
}

func TestShutdownDrainsFirst(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	must(t, q.TryPut([]byte("last")))
	must(t, q.Shutdown())
	wants(t, q.TryPut([]byte("late")), polyproc.ErrShutdown)
	wants(t, q.Put(within(t), []byte("late")), polyproc.ErrShutdown)
	equal(t, string(one(q.Get(within(t)))(t)), "last")
	wants(t, second(q.Get(within(t))), polyproc.ErrShutdown)
	wants(t, second(q.TryTake()), polyproc.ErrShutdown)
	equal(t, one(q.Info())(t).Shutdown, true)
}

func TestShutdownNowThrowsAway(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	must(t, q.TryPut([]byte("lost")))
	must(t, q.ShutdownNow())
	wants(t, second(q.Get(within(t))), polyproc.ErrShutdown)
}

func TestInfoCounts(t *testing.T) {
	options := polyproc.QueueOptions{
		Joinable: true, MaxItems: 10, MaxBytes: 1 << 20, MaxDeliveries: 3,
		Spin: time.Microsecond, Format: "test",
	}
	q := newQueue(t, options)
	for range 3 {
		must(t, q.TryPut([]byte("12345678")))
	}
	msg := one(q.TryTake())(t)
	info := one(q.Info())(t)
	equal(t, info.Options, options)
	equal(t, [5]uint64{info.Items, info.InFlight, info.Unfinished, info.Puts, info.Gets}, [5]uint64{2, 1, 3, 3, 1})
	equal(t, info.Participants, 1)
	equal(t, info.Shutdown, false)
	if info.Bytes < 16 {
		t.Errorf("two messages of 8 bytes take %d bytes", info.Bytes)
	}
	must(t, msg.Return())
	info = one(q.Info())(t)
	equal(t, [3]uint64{info.Items, info.InFlight, info.Redelivered}, [3]uint64{3, 0, 1})
}

// Was a label of its own: no program without a format opened the queue.
func TestFormatBytesIsNoLabel(t *testing.T) {
	name := uniqueName(t)
	created := one(polyproc.CreateQueue(name, polyproc.QueueOptions{Format: "bytes"}))(t)
	defer created.Close()
	equal(t, one(created.Info())(t).Options.Format, "")
	again := polyproc.QueueOptions{Options: polyproc.Options{OpenOrCreate: true}}
	opened := one(polyproc.CreateQueue(name, again))(t)
	defer opened.Close()
	must(t, created.TryPut([]byte("a")))
	equal(t, string(one(opened.TryGet())(t)), "a")
	wants(t, second(polyproc.OpenValueQueue[int](name)), polyproc.ErrMismatch)
}

func TestJoinWaitsForUnfinishedTasks(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{Joinable: true})
	wants(t, q.TaskDone(), polyproc.ErrOverRelease)
	must(t, q.Join(within(t)))
	must(t, q.TryPut([]byte("a")))
	must(t, q.TryPut([]byte("b")))
	one(q.TryGet())(t)
	msg := one(q.TryTake())(t)

	soon, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	wants(t, q.Join(soon), context.DeadlineExceeded)
	must(t, msg.Done())
	joined := make(chan error, 1)
	go func() { joined <- q.Join(within(t)) }()
	must(t, q.TaskDone())
	must(t, <-joined)

	plain := newQueue(t, polyproc.QueueOptions{})
	wants(t, plain.TaskDone(), polyproc.ErrInvalid)
	wants(t, plain.Join(within(t)), polyproc.ErrInvalid)
}

func TestQueueFromFile(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	file := one(q.File())(t)
	twin := one(polyproc.QueueFromFile(file))(t)
	defer twin.Close()
	wants(t, second(polyproc.LockFromFile(file)), polyproc.ErrMismatch)
	must(t, file.Close())
	must(t, q.TryPut([]byte("the same queue")))
	equal(t, string(one(twin.TryGet())(t)), "the same queue")

	null := one(os.Open(os.DevNull))(t)
	defer null.Close()
	if _, err := polyproc.QueueFromFile(null); err == nil {
		t.Error("/dev/null opened as a queue")
	}
	if _, err := polyproc.QueueFromFile(file); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a closed file: got %v", err)
	}
}

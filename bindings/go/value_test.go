package polyproc_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"polyproc.dev/polyproc"
)

func newValues[T any](t testing.TB) *polyproc.ValueQueue[T] {
	t.Helper()
	q, err := polyproc.NewValueQueue[T](polyproc.QueueOptions{})
	must(t, err)
	t.Cleanup(func() { q.Close() })
	return q
}

func TestAnyValueComesOutAsItWentIn(t *testing.T) {
	q := newValues[any](t)
	values := []any{
		nil, true, false, "", "小鬼", []byte{}, []byte("World!"),
		int64(0), int64(-1), int64(127), int64(128), int64(300), int64(70_000), int64(math.MaxInt64),
		int64(math.MinInt64), uint64(math.MaxInt64) + 1, uint64(math.MaxUint64),
		1.5, math.Inf(1), math.MaxFloat64,
		[]any{}, []any{"hello", int64(88), []byte("World!"), nil, []any{int64(200)}},
		map[string]any{}, map[string]any{"a": int64(250), "b": []any{nil}, "c": map[string]any{"d": 1.25}},
		map[any]any{int64(200): "number", "name": int64(1), true: nil},
		strings.Repeat("long ", 20_000), bytes.Repeat([]byte{0xc1}, 70_000),
	}
	for _, v := range values {
		must(t, q.PutValue(within(t), v))
		got := one(q.GetValue(within(t)))(t)
		if !reflect.DeepEqual(got, v) {
			t.Errorf("%T %v came out as %T %v", v, v, got, got)
		}
	}
	wants(t, second(q.TryGetValue()), polyproc.ErrEmpty)
}

type result struct {
	Path   string            `msgpack:"path"`
	Lines  int64             `msgpack:"lines"`
	Counts map[string]int    `msgpack:"counts"`
	Note   *string           `msgpack:"note"`
	Raw    []byte            `msgpack:"raw"`
	Took   time.Duration     `msgpack:"took"`
	Inner  struct{ X []int } `msgpack:"inner"`
}

func TestStructs(t *testing.T) {
	q := newValues[result](t)
	want := result{Path: "/usr/include/stdio.h", Lines: math.MaxInt64, Counts: map[string]int{"int": 70_000},
		Raw: []byte{0}, Took: time.Hour}
	want.Inner.X = []int{1, 2}
	must(t, q.TryPutValue(want))
	must(t, q.TryPutValue(want))
	got := one(q.GetValue(within(t)))(t)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	loose := one(polyproc.Values[any](q.Queue))(t)
	fields := one(loose.TryGetValue())(t).(map[string]any)
	equal(t, fields["lines"], any(int64(math.MaxInt64)))
	equal(t, fields["note"], nil)
}

// put puts the bytes of a value as another language encodes it.
func put(t *testing.T, q *polyproc.Queue, data ...byte) {
	t.Helper()
	must(t, q.TryPut(data))
}

func TestNumbersAreExactOrRefused(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{Format: polyproc.FormatMessagePack})
	big := []byte{0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff} // 2^64 - 1
	put(t, q, big...)
	equal(t, one(one(polyproc.Values[uint64](q))(t).TryGetValue())(t), math.MaxUint64)
	put(t, q, big...)
	refused(t, one(polyproc.Values[int64](q))(t))
	put(t, q, 0xcd, 0x01, 0x2c) // 300
	refused(t, one(polyproc.Values[uint8](q))(t))
	put(t, q, 0xff) // -1
	refused(t, one(polyproc.Values[uint](q))(t))
	put(t, q, 0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0) // 1.5
	refused(t, one(polyproc.Values[int](q))(t))
	put(t, q, 0xa1, 'x')
	refused(t, one(polyproc.Values[int](q))(t))
	put(t, q, big...)
	equal(t, one(one(polyproc.Values[float64](q))(t).TryGetValue())(t), float64(math.MaxUint64))
	put(t, q, 5)
	equal(t, one(one(polyproc.Values[float32](q))(t).TryGetValue())(t), 5)
	put(t, q, 5)
	equal(t, one(one(polyproc.Values[time.Duration](q))(t).TryGetValue())(t), 5)
}

func refused[T any](t *testing.T, q *polyproc.ValueQueue[T]) {
	t.Helper()
	v, err := q.TryGetValue()
	var undecodable *polyproc.DecodeError
	if !errors.As(err, &undecodable) || len(undecodable.Data) == 0 {
		t.Fatalf("got %v and error %v", v, err)
	}
}

func TestFormatIsChecked(t *testing.T) {
	q := newQueue(t, polyproc.QueueOptions{})
	wants(t, second(polyproc.Values[int](q)), polyproc.ErrMismatch)
	other := polyproc.QueueOptions{Format: "other"}
	wants(t, second(polyproc.NewValueQueue[int](other)), polyproc.ErrInvalid)

	name := uniqueName(t)
	created := one(polyproc.CreateValueQueue[int](name, polyproc.QueueOptions{}))(t)
	defer created.Close()
	opened := one(polyproc.OpenValueQueue[int](name))(t)
	defer opened.Close()
	must(t, created.TryPutValue(5))
	equal(t, one(opened.TryGetValue())(t), 5)
}

func TestValueMessages(t *testing.T) {
	q, err := polyproc.NewValueQueue[string](polyproc.QueueOptions{Joinable: true})
	must(t, err)
	defer q.Close()
	must(t, q.TryPutValue("a"))
	put(t, q.Queue, 0xc1) // no value
	must(t, q.TryPutValue("b"))
	must(t, q.Shutdown())

	msg := one(q.TakeValue(within(t)))(t)
	equal(t, msg.Value, "a")
	must(t, msg.Return())

	var got []string
	for msg, err := range q.AllValues(within(t)) {
		if err != nil {
			var undecodable *polyproc.DecodeError
			if !errors.As(err, &undecodable) {
				t.Fatal(err)
			}
			got = append(got, "bad")
			continue
		}
		got = append(got, msg.Value)
	}
	equal(t, strings.Join(got, " "), "a bad b")
	must(t, q.Join(within(t)))
}

func TestMessagesThatAreNoValueAreRefused(t *testing.T) {
	deep := append(bytes.Repeat([]byte{0x91}, 5000), 0xc0)
	for name, data := range map[string][]byte{
		"empty":                    {},
		"unused code":              {0xc1},
		"two values":               {1, 2},
		"string cut short":         {0xa5, 'a'},
		"length cut short":         {0xdb, 0xff},
		"4 GiB of bytes":           {0xc6, 0xff, 0xff, 0xff, 0xff},
		"4 billion entries":        {0xdf, 0xff, 0xff, 0xff, 0xff},
		"4 billion values in list": {0xdd, 0xff, 0xff, 0xff, 0xff, 1},
		"list cut short":           {0x92, 1},
		"ext cut short":            {0xd8, 1, 2},
		"nested too deeply":        deep,
	} {
		if err := polyproc.Scan(data); err == nil {
			t.Errorf("%s: accepted", name)
		}
		q := newValues[any](t)
		must(t, q.TryPut(data))
		var undecodable *polyproc.DecodeError
		if _, err := q.TryGetValue(); !errors.As(err, &undecodable) || !bytes.Equal(undecodable.Data, data) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
	q := newValues[any](t)
	must(t, q.TryPut([]byte{0x81, 0x90, 0x01})) // a list as the key of a map
	refused(t, q)
}

// The scanner must accept all that the encoder writes.
func FuzzScan(f *testing.F) {
	for _, v := range []any{nil, 1, -1, 1 << 40, "s", []byte("b"), 1.5, float32(1.5), []any{1, "a"},
		map[string]any{"k": []any{nil}}, time.Unix(1, 2), strings.Repeat("x", 300), make([]int, 20)} {
		data, err := msgpack.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		if err := polyproc.Scan(data); err != nil {
			f.Errorf("%v: %v", v, err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if polyproc.Scan(data) != nil {
			return
		}
		reader := bytes.NewReader(data)
		if err := msgpack.NewDecoder(reader).Skip(); err != nil || reader.Len() != 0 {
			t.Errorf("%x: the decoder leaves %d bytes, error %v", data, reader.Len(), err)
		}
	})
}

package polyproc

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// FormatMessagePack is the format of queues that carry values, in every language.
const FormatMessagePack = "msgpack"

// DecodeError is returned for a message that is no value of the wanted type. The message is
// settled; its bytes are in Data.
type DecodeError struct {
	Data []byte
	Err  error
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("polyproc: a message of %d bytes does not decode: %v", len(e.Data), e.Err)
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// encoding is an encoder with its buffer, kept for the next value.
type encoding struct {
	encoder *msgpack.Encoder
	buffer  bytes.Buffer
}

// maxKept is the size of the largest buffer that is kept, so that one huge value does not occupy
// memory.
const maxKept = 1 << 20

var encodings = sync.Pool{New: func() any {
	e := new(encoding)
	e.encoder = msgpack.NewEncoder(&e.buffer)
	// As the other languages do, write an int64 in as few bytes as its value needs.
	e.encoder.UseCompactInts(true)
	return e
}}

// withEncoded calls use with the MessagePack form of v. use must not keep data.
func withEncoded(v any, use func(data []byte) error) error {
	e := encodings.Get().(*encoding)
	e.buffer.Reset()
	err := e.encoder.Encode(v)
	if err == nil {
		err = use(e.buffer.Bytes())
	}
	if e.buffer.Cap() <= maxKept {
		encodings.Put(e)
	}
	return err
}

// decoding is a decoder with its reader, kept for the next value.
type decoding struct {
	decoder *msgpack.Decoder
	reader  bytes.Reader
}

var decodings = sync.Pool{New: func() any {
	d := new(decoding)
	d.decoder = msgpack.NewDecoder(&d.reader)
	return d
}}

// decode decodes a value. It keeps nothing of data.
func decode[T any](data []byte) (v T, err error) {
	if err := scan(data); err != nil {
		return v, undecodable(data, err)
	}
	d := decodings.Get().(*decoding)
	defer decodings.Put(d)
	d.reader.Reset(data)
	defer d.reader.Reset(nil)
	d.decoder.ResetReader(&d.reader)
	d.decoder.SetMapDecoder(decodeMap)
	if target := reflect.ValueOf(&v); isNumber(target) {
		err = decodeNumber(d.decoder, target.Elem())
	} else if anything, ok := any(&v).(*any); ok {
		*anything, err = d.decoder.DecodeInterface()
		*anything = widen(*anything)
	} else {
		err = d.decoder.Decode(&v)
	}
	if err != nil {
		return v, undecodable(data, err)
	}
	return v, nil
}

func undecodable(data []byte, err error) error {
	return &DecodeError{Data: bytes.Clone(data), Err: err}
}

// isNumber reports whether target points to a number that has no decoder of its own.
func isNumber(target reflect.Value) bool {
	v := target.Elem()
	return (v.CanInt() || v.CanUint() || v.CanFloat()) &&
		(target.NumMethod() == 0 || v.Type() == reflect.TypeFor[time.Duration]())
}

// decodeNumber decodes the number types, because the decoder itself truncates numbers that do not
// fit.
func decodeNumber(decoder *msgpack.Decoder, v reflect.Value) error {
	n, err := decoder.DecodeInterface()
	if err != nil {
		return err
	}
	fits := false
	switch n := widen(n).(type) {
	case nil:
		return nil
	case int64:
		switch {
		case v.CanInt():
			if fits = !v.OverflowInt(n); fits {
				v.SetInt(n)
			}
		case v.CanUint():
			if fits = n >= 0 && !v.OverflowUint(uint64(n)); fits {
				v.SetUint(uint64(n))
			}
		default:
			fits = true
			v.SetFloat(float64(n))
		}
	case uint64: // more than an int64 holds
		switch {
		case v.CanUint():
			if fits = !v.OverflowUint(n); fits {
				v.SetUint(n)
			}
		case v.CanFloat():
			fits = true
			v.SetFloat(float64(n))
		}
	case float64:
		if fits = v.CanFloat() && !v.OverflowFloat(n); fits {
			v.SetFloat(n)
		}
	}
	if !fits {
		return fmt.Errorf("%v (%T) does not fit %v", n, n, v.Type())
	}
	return nil
}

// decodeMap decodes a map[string]any, or a map[any]any if a key is no string.
func decodeMap(decoder *msgpack.Decoder) (any, error) {
	n, err := decoder.DecodeMapLen()
	if err != nil || n < 0 {
		return nil, err
	}
	named := make(map[string]any)
	var mixed map[any]any
	for range n {
		key, err := decoder.DecodeInterface()
		if err != nil {
			return nil, err
		}
		value, err := decoder.DecodeInterface()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if ok && mixed == nil {
			named[name] = value
			continue
		}
		if mixed == nil {
			mixed = make(map[any]any)
			for name, value := range named {
				mixed[name] = value
			}
		}
		if key = widen(key); key != nil && !reflect.TypeOf(key).Comparable() {
			return nil, fmt.Errorf("a %T as the key of a map", key)
		}
		mixed[key] = value
	}
	if mixed != nil {
		return mixed, nil
	}
	return named, nil
}

// widen converts the numbers in a value to int64, to uint64 only if greater, and to float64. The
// decoder returns the narrowest type that the sender happened to write.
func widen(v any) any {
	switch v := v.(type) {
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v)
		}
	case float32:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = widen(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = widen(v[key])
		}
	case map[any]any:
		for key := range v {
			v[key] = widen(v[key])
		}
	}
	return v
}

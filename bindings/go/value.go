package polyproc

import (
	"context"
	"fmt"
	"iter"
)

// ValueQueue is a queue of Go values, for queues whose format is [FormatMessagePack]. The other
// languages put and get values of their own: a struct is a map with the names of its fields (tag
// `msgpack:"name"`), a list is a list, and nil is nil and can be a message.
//
// With T = any, numbers decode as int64, as uint64 if they are greater than that, or as float64;
// lists as []any; maps as map[string]any, or map[any]any if a key is no string. With T an integer
// type, a number that does not fit is a [DecodeError]. In a struct, list or map of a fixed type the
// decoder truncates such a number, so make the field as wide as the sender's.
type ValueQueue[T any] struct{ *Queue }

// NewValueQueue makes an anonymous queue of values.
func NewValueQueue[T any](options QueueOptions) (*ValueQueue[T], error) {
	return createValues[T](nil, options)
}

// CreateValueQueue makes a queue of values with a name.
func CreateValueQueue[T any](name string, options QueueOptions) (*ValueQueue[T], error) {
	return createValues[T](&name, options)
}

func createValues[T any](name *string, options QueueOptions) (*ValueQueue[T], error) {
	if options.Format != "" && options.Format != FormatMessagePack {
		return nil, invalid(fmt.Sprintf("Format is %q, and a queue of values has %q", options.Format, FormatMessagePack))
	}
	options.Format = FormatMessagePack
	if name == nil {
		return values[T](NewQueue(options))
	}
	return values[T](CreateQueue(*name, options))
}

// OpenValueQueue opens the queue of values of a name.
func OpenValueQueue[T any](name string) (*ValueQueue[T], error) { return values[T](OpenQueue(name)) }

// InheritedValueQueue opens the queue of values that the parent process gave this one under a name.
func InheritedValueQueue[T any](name string) (*ValueQueue[T], error) {
	return values[T](InheritedQueue(name))
}

// Values returns q as a queue of values. It is the same handle. If q has another format it returns
// [ErrMismatch].
func Values[T any](q *Queue) (*ValueQueue[T], error) {
	info, err := q.Info()
	if err != nil {
		return nil, err
	}
	if info.Options.Format != FormatMessagePack {
		detail := fmt.Sprintf("the queue has the format %q, and one of values %q", info.Options.Format, FormatMessagePack)
		return nil, &Error{Status: ErrMismatch, Detail: detail}
	}
	return &ValueQueue[T]{q}, nil
}

// values is Values for a queue that was just opened. It closes a queue of another format.
func values[T any](q *Queue, err error) (*ValueQueue[T], error) {
	if err != nil {
		return nil, err
	}
	v, err := Values[T](q)
	if err != nil {
		q.Close()
	}
	return v, err
}

// PutValue puts a value, waiting for room.
func (q *ValueQueue[T]) PutValue(ctx context.Context, v T) error {
	return withEncoded(v, func(data []byte) error { return q.Put(ctx, data) })
}

// TryPutValue puts a value if there is room now, else it returns [ErrFull].
func (q *ValueQueue[T]) TryPutValue(v T) error { return withEncoded(v, q.TryPut) }

// GetValue gets the next value, waiting for one. See [Queue.Get].
func (q *ValueQueue[T]) GetValue(ctx context.Context) (T, error) { return getValue[T](ctx, q.GetInto) }

// TryGetValue gets the next value if there is one, else it returns [ErrEmpty].
func (q *ValueQueue[T]) TryGetValue() (T, error) {
	return getValue[T](context.Background(), q.tryInto)
}

func getValue[T any](ctx context.Context, into getter) (v T, err error) {
	err = visitNext(ctx, into, func(data []byte) (err error) {
		v, err = decode[T](data)
		return err
	})
	return v, err
}

// ValueMessage is a message that was taken, with its value. The value is a copy and outlives the
// message.
type ValueMessage[T any] struct {
	*Message
	Value T
}

// TakeValue takes the next value, waiting for one. As with [Queue.Take] it is in flight until Done
// or Return. A message that does not decode is settled, and its bytes are in the [DecodeError].
func (q *ValueQueue[T]) TakeValue(ctx context.Context) (*ValueMessage[T], error) {
	msg, err := q.Take(ctx)
	if err != nil {
		return nil, err
	}
	v, err := decode[T](msg.Data())
	if err == nil {
		return &ValueMessage[T]{Message: msg, Value: v}, nil
	}
	// If the message were returned, the next consumer would fail in the same way, and so on for
	// ever.
	if doneErr := msg.Done(); doneErr != nil {
		return nil, doneErr
	}
	return nil, err
}

// AllValues takes the values one after the other until the queue is shut down and drained. It
// settles messages as [Queue.All] does. A message that does not decode is one round with a nil
// message and a [DecodeError], after which the loop may go on.
func (q *ValueQueue[T]) AllValues(ctx context.Context) iter.Seq2[*ValueMessage[T], error] {
	return func(yield func(*ValueMessage[T], error) bool) {
		for {
			msg, err := q.TakeValue(ctx)
			if err == ErrShutdown {
				return
			}
			if _, undecodable := err.(*DecodeError); undecodable {
				if yield(nil, err) {
					continue
				}
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			on, err := visit(msg.Message, func() bool { return yield(msg, nil) })
			if err != nil {
				yield(nil, err)
				return
			}
			if !on {
				return
			}
		}
	}
}

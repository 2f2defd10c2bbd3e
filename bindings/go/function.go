package polyproc

import (
	"bytes"
	"context"
	"iter"
)

// Function is a function that workers run, with Go values as argument and result. The values travel
// as MessagePack, as in a [ValueQueue], so the worker may be a program in another language.
type Function[A, R any] struct{ name string }

// Define registers a function of Go values for workers of this program, as [Register] does, and
// returns the Function that calls it in a pool:
//
//	var square = polyproc.Define("square", func(n int) (int, error) { return n * n, nil })
//
//	nine, err := square.Apply(ctx, pool, 3)
func Define[A, R any](name string, function func(A) (R, error)) Function[A, R] {
	Register(name, func(data []byte) ([]byte, error) {
		argument, err := decode[A](data)
		if err != nil {
			return nil, err
		}
		result, err := function(argument)
		if err != nil {
			return nil, err
		}
		return encoded(result)
	})
	return Function[A, R]{name}
}

// FunctionNamed is a function of Go values that the workers of another program register.
func FunctionNamed[A, R any](name string) Function[A, R] { return Function[A, R]{name} }

// Name is the name under which the workers register the function.
func (f Function[A, R]) Name() string { return f.name }

// Apply calls the function in a worker and waits for its result. See [Pool.Apply].
func (f Function[A, R]) Apply(ctx context.Context, pool *Pool, argument A) (result R, err error) {
	err = withEncoded(argument, func(data []byte) error {
		encoded, err := pool.Apply(ctx, f.name, data)
		if err != nil {
			return err
		}
		result, err = decode[R](encoded)
		return err
	})
	return result, err
}

// ValueTask is a task whose result is a Go value.
type ValueTask[R any] struct{ *Task }

// Value waits until the task is over and returns its result, or a [TaskError].
func (t *ValueTask[R]) Value(ctx context.Context) (R, error) {
	return decoded[R](t.Result(ctx))
}

func decoded[R any](encoded []byte, err error) (result R, _ error) {
	if err != nil {
		return result, err
	}
	return decode[R](encoded)
}

// Submit submits a call of the function and does not wait. See [Pool.Submit].
func (f Function[A, R]) Submit(pool *Pool, argument A) (*ValueTask[R], error) {
	return f.SubmitWith(pool, argument, TaskOptions{})
}

// SubmitWith is Submit with options.
func (f Function[A, R]) SubmitWith(pool *Pool, argument A, options TaskOptions) (task *ValueTask[R], err error) {
	err = withEncoded(argument, func(data []byte) error {
		plain, err := pool.SubmitWith(f.name, data, options)
		task = &ValueTask[R]{plain}
		return err
	})
	if err != nil {
		return nil, err
	}
	return task, nil
}

// Map calls the function in the workers for each of the arguments. See [Pool.Map].
func (f Function[A, R]) Map(ctx context.Context, pool *Pool, arguments []A, options MapOptions) ([]R, error) {
	items := make([][]byte, len(arguments))
	for i, argument := range arguments {
		item, err := encoded(argument)
		if err != nil {
			return nil, err
		}
		items[i] = item
	}
	encodedResults, err := pool.Map(ctx, f.name, items, options)
	if err != nil {
		return nil, err
	}
	results := make([]R, len(encodedResults))
	for i, item := range encodedResults {
		if results[i], err = decode[R](item); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// Imap calls the function in the workers for each of the arguments, and yields the results in the
// order of the arguments. See [Pool.Imap].
func (f Function[A, R]) Imap(ctx context.Context, pool *Pool, arguments iter.Seq[A], options MapOptions) iter.Seq2[R, error] {
	return f.imap(ctx, pool.Imap, arguments, options)
}

// ImapUnordered is Imap that yields each result as soon as it is there.
func (f Function[A, R]) ImapUnordered(ctx context.Context, pool *Pool, arguments iter.Seq[A], options MapOptions) iter.Seq2[R, error] {
	return f.imap(ctx, pool.ImapUnordered, arguments, options)
}

type imapper func(context.Context, string, iter.Seq[[]byte], MapOptions) iter.Seq2[[]byte, error]

func (f Function[A, R]) imap(ctx context.Context, how imapper, arguments iter.Seq[A], options MapOptions) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var unencodable error
		items := func(yield func([]byte) bool) {
			for argument := range arguments {
				item, err := encoded(argument)
				if unencodable = err; err != nil || !yield(item) {
					return
				}
			}
		}
		for item, err := range how(ctx, f.name, items, options) {
			if !yield(decoded[R](item, err)) {
				return
			}
		}
		if unencodable != nil {
			var none R
			yield(none, unencodable)
		}
	}
}

func encoded(v any) (data []byte, err error) {
	err = withEncoded(v, func(temporary []byte) error { data = bytes.Clone(temporary); return nil })
	return data, err
}

package polyproc

import (
	"context"
	"iter"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// MapOptions are those of [Pool.Map], [Pool.Imap], [Pool.ImapUnordered] and their like.
type MapOptions struct {
	// Chunk is how many items make a task. Zero: for Map as many as give each worker four tasks, for the
	// others one. A chunk whose function fails for one of its items has no results.
	Chunk int
	// Window is how many tasks Imap has under way at most. Zero: four for each worker.
	Window int
	// Timeout is that of each task, see TaskOptions.
	Timeout time.Duration
	// Progress is called whenever tasks are over, with the number of items that are done, and of all: -1
	// where that is not known. It is called in the goroutine of the call.
	Progress func(done, total int)
}

func (o *MapOptions) valid() bool { return o.Chunk >= 0 && o.Window >= 0 && o.Timeout >= 0 }

// chunk is the task of some items.
type chunk struct {
	task  *Task
	first int // which item is its first
	size  int
}

// results are those of the items.
func (c *chunk) results() ([][]byte, error) {
	if c.task.err != nil {
		return nil, c.task.err
	}
	results := make([][]byte, 0, c.size)
	for rest := c.task.result; len(rest) > 0; {
		item, after, ok := unpack(rest)
		if !ok {
			break
		}
		results, rest = append(results, item), after
	}
	if len(results) != c.size {
		return nil, ErrCorrupt // a worker that answers a chunk with something else
	}
	return results, nil
}

func (p *Pool) submitChunk(function string, items [][]byte, options *MapOptions, over chan<- *Task) (*Task, error) {
	var packed []byte
	lens := make([]uintptr, len(items))
	for i, item := range items {
		packed = append(packed, item...)
		lens[i] = uintptr(len(item))
	}
	return p.submit(TaskOptions{Timeout: options.Timeout}, over, func(tag uint64) (capi.Object, capi.Status) {
		return capi.PoolSubmitChunk(p.object, function, packed, lens, int64(options.Timeout), tag)
	})
}

// Map calls a function for each of the items, on all workers, and returns the results in the order of the
// items. The first failure ends it: what has not begun then does not begin any more.
func (p *Pool) Map(ctx context.Context, function string, items [][]byte, options MapOptions) ([][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !options.valid() {
		return nil, ErrInvalid
	}
	size := options.Chunk
	if size == 0 {
		size = max(1, (len(items)+4*p.workers-1)/(4*p.workers))
	}
	over := make(chan *Task, (len(items)+size-1)/size)
	chunks := map[*Task]*chunk{}
	defer func() {
		for task := range chunks {
			task.Cancel()
		}
	}()
	for first := 0; first < len(items); first += size {
		part := items[first:min(first+size, len(items))]
		task, err := p.submitChunk(function, part, &options, over)
		if err != nil {
			return nil, err
		}
		chunks[task] = &chunk{task, first, len(part)}
	}
	results := make([][]byte, len(items))
	for done := 0; len(chunks) > 0; {
		select {
		case task := <-over:
			c := chunks[task]
			delete(chunks, task)
			part, err := c.results()
			if err != nil {
				return nil, err
			}
			copy(results[c.first:], part)
			done += c.size
			if options.Progress != nil {
				options.Progress(done, len(items))
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return results, nil
}

// Imap calls a function for each of the items, on all workers, and gives the results one after the other
// in the order of the items, each as soon as it and those before are there. It takes items as it needs
// them, in the goroutine of the loop: no more than a window of tasks is under way. A failed item is a
// round with its error, after which the loop may go on; the end of ctx is the last round. Who leaves the
// loop early leaves undone what has not begun.
func (p *Pool) Imap(ctx context.Context, function string, items iter.Seq[[]byte], options MapOptions) iter.Seq2[[]byte, error] {
	return p.imap(ctx, function, items, options, true)
}

// ImapUnordered is Imap with each result as soon as it is there.
func (p *Pool) ImapUnordered(ctx context.Context, function string, items iter.Seq[[]byte], options MapOptions) iter.Seq2[[]byte, error] {
	return p.imap(ctx, function, items, options, false)
}

func (p *Pool) imap(ctx context.Context, function string, items iter.Seq[[]byte], options MapOptions, ordered bool) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if !options.valid() {
			yield(nil, ErrInvalid)
			return
		}
		window := options.Window
		if window == 0 {
			window = 4 * p.workers
		}
		next, stop := iter.Pull(items)
		defer stop()
		w := &mapWindow{chunks: map[*Task]*chunk{}, over: make(chan *Task, window), ordered: ordered}
		defer w.cancel()
		done, exhausted := 0, false
		for {
			for !exhausted && len(w.line) < window {
				part := take(next, max(1, options.Chunk))
				if exhausted = len(part) == 0; exhausted {
					break
				}
				task, err := p.submitChunk(function, part, &options, w.over)
				if err != nil {
					yield(nil, err)
					return
				}
				w.add(task, len(part))
			}
			if len(w.line) == 0 {
				return
			}
			c, err := w.next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if done += c.size; options.Progress != nil {
				options.Progress(done, -1)
			}
			if !c.yield(yield) {
				return
			}
		}
	}
}

// take takes up to n items.
func take(next func() ([]byte, bool), n int) (items [][]byte) {
	for len(items) < n {
		item, ok := next()
		if !ok {
			break
		}
		items = append(items, item)
	}
	return items
}

// yield gives the results to the body of a loop, or the error once for each item.
func (c *chunk) yield(yield func([]byte, error) bool) bool {
	results, err := c.results()
	for i := range c.size {
		var result []byte
		if err == nil {
			result = results[i]
		}
		if !yield(result, err) {
			return false
		}
	}
	return true
}

// mapWindow is the tasks that a loop has under way.
type mapWindow struct {
	line    []*chunk // in the order of the items
	chunks  map[*Task]*chunk
	over    chan *Task
	ordered bool
}

func (w *mapWindow) add(task *Task, size int) {
	c := &chunk{task: task, size: size}
	w.line = append(w.line, c)
	w.chunks[task] = c
}

// next waits for the chunk whose turn it is, and takes it out.
func (w *mapWindow) next(ctx context.Context) (*chunk, error) {
	for {
		if w.ordered {
			first := w.line[0]
			if _, underWay := w.chunks[first.task]; !underWay {
				w.line = w.line[1:]
				return first, nil
			}
		}
		select {
		case task := <-w.over:
			c := w.chunks[task]
			delete(w.chunks, task)
			if !w.ordered {
				w.line = w.line[1:] // only their number counts
				return c, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (w *mapWindow) cancel() {
	for task := range w.chunks {
		task.Cancel()
	}
}

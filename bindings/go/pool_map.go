package polyproc

import (
	"context"
	"iter"
	"time"

	"polyproc.dev/polyproc/internal/capi"
)

// MapOptions are the options of [Pool.Map], [Pool.Imap], [Pool.ImapUnordered] and their like.
type MapOptions struct {
	// Chunk is how many items make a task. Zero: Map makes four tasks for each worker, the others
	// make a task of each item. If the function fails for one item of a chunk, the whole chunk has
	// no results.
	Chunk int
	// Window is how many tasks of Imap may be under way at once. Zero: four for each worker.
	Window int
	// Timeout is the limit for each task, see TaskOptions.
	Timeout time.Duration
	// Progress is called whenever tasks are over, with the number of completed items and of all
	// items, or -1 if that is unknown. It is called in the goroutine of the call.
	Progress func(done, total int)
}

func (o *MapOptions) valid() bool { return o.Chunk >= 0 && o.Window >= 0 && o.Timeout >= 0 }

var errMapOptions = invalid("a number of the options is below 0")

// chunk is the task of a few items.
type chunk struct {
	task  *Task
	first int // which item is its first
	size  int
}

// results returns the results of the items.
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
		return nil, ErrCorrupt // the worker answered with something that is no chunk
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
	return p.submit(function, TaskOptions{Timeout: options.Timeout}, over, func(tag uint64) (capi.Object, capi.Status) {
		return capi.PoolSubmitChunk(p.object, function, packed, lens, int64(options.Timeout), tag)
	})
}

// Map calls a function for each of the items, on all workers, and returns the results in the order
// of the items. The first failure ends it and cancels the tasks that have not begun.
func (p *Pool) Map(ctx context.Context, function string, items [][]byte, options MapOptions) ([][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !options.valid() {
		return nil, errMapOptions
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

// Imap calls a function for each of the items, on all workers, and yields the results in the order
// of the items, each as soon as it and all earlier results are there. A failed item gives a round
// with an error, after which the loop may go on. The end of ctx gives the last round. A loop that
// ends early cancels the tasks that have not begun.
//
// A goroutine of its own takes the next item whenever fewer tasks than the window are under way. So
// items may wait for something, also for the results of earlier items. When the loop has ended, the
// goroutine leaves items at its next item. If items panics, the loop panics too, after it has
// yielded the results.
func (p *Pool) Imap(ctx context.Context, function string, items iter.Seq[[]byte], options MapOptions) iter.Seq2[[]byte, error] {
	return p.imap(ctx, function, items, options, true)
}

// ImapUnordered is Imap that yields each result as soon as it is there.
func (p *Pool) ImapUnordered(ctx context.Context, function string, items iter.Seq[[]byte], options MapOptions) iter.Seq2[[]byte, error] {
	return p.imap(ctx, function, items, options, false)
}

func (p *Pool) imap(ctx context.Context, function string, items iter.Seq[[]byte], options MapOptions, ordered bool) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if !options.valid() {
			yield(nil, errMapOptions)
			return
		}
		if options.Window == 0 {
			options.Window = 4 * p.workers
		}
		feed := newMapFeed(options.Window)
		go feed.run(items, max(1, options.Chunk), func(part [][]byte) (*Task, error) {
			return p.submitChunk(function, part, &options, feed.over)
		})
		w := &mapWindow{feed: feed, coming: feed.chunks, underWay: map[*Task]*chunk{}, ordered: ordered}
		defer w.leave()
		for done := 0; ; {
			c, err := w.next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if c == nil {
				break
			}
			if done += c.size; options.Progress != nil {
				options.Progress(done, -1)
			}
			if !c.yield(yield) {
				return
			}
		}
		if feed.panicked != nil {
			panic(feed.panicked)
		}
		if feed.err != nil {
			yield(nil, feed.err)
		}
	}
}

// yield passes the results to the body of a loop, or the error once for each item.
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

// mapFeed makes tasks of a loop's items, as far as its window has room.
type mapFeed struct {
	room   chan struct{} // holds one for each task that may be added
	chunks chan *chunk   // the tasks in the order of their items; closed after the last
	over   chan *Task    // the tasks that are over; has room for each that is under way
	quit   chan struct{} // closed when the loop has ended

	// Once chunks is closed:
	err      error // why the last items have no task
	panicked any   // the panic of the items
}

func newMapFeed(window int) *mapFeed {
	f := &mapFeed{
		room: make(chan struct{}, window), chunks: make(chan *chunk, window),
		over: make(chan *Task, window), quit: make(chan struct{}),
	}
	for range window {
		f.room <- struct{}{}
	}
	return f
}

// run submits the items in chunks until there are no more, or the loop has ended.
func (f *mapFeed) run(items iter.Seq[[]byte], size int, submit func([][]byte) (*Task, error)) {
	defer f.end()
	if !f.waitForRoom() {
		return
	}
	var part [][]byte
	add := func() bool {
		task, err := submit(part)
		if err != nil {
			f.err = err
			return false
		}
		f.chunks <- &chunk{task: task, size: len(part)} // never waits: it has room for the whole window
		part = nil
		return true
	}
	for item := range items {
		if part = append(part, item); len(part) < size {
			continue
		}
		if !add() || !f.waitForRoom() {
			return
		}
	}
	if len(part) > 0 {
		add()
	}
}

func (f *mapFeed) waitForRoom() bool {
	select {
	case <-f.quit:
		return false
	case <-f.room:
		return true
	}
}

// end closes chunks. If the loop has ended, it cancels the tasks that the loop has not seen.
func (f *mapFeed) end() {
	f.panicked = recover()
	close(f.chunks)
	<-f.quit
	for c := range f.chunks {
		c.task.Cancel()
	}
}

// mapWindow has the tasks that a loop has under way.
type mapWindow struct {
	feed     *mapFeed
	coming   <-chan *chunk // nil after the last
	line     []*chunk      // in the order of the items
	underWay map[*Task]*chunk
	ordered  bool
}

// next waits for the chunk whose turn it is, and takes it out; it returns nil after the last.
func (w *mapWindow) next(ctx context.Context) (*chunk, error) {
	for {
		if len(w.line) > 0 && w.ordered {
			first := w.line[0]
			if _, underWay := w.underWay[first.task]; !underWay {
				return w.takeOut(first), nil
			}
		}
		if len(w.line) == 0 && w.coming == nil {
			return nil, nil
		}
		select {
		case c, more := <-w.coming:
			w.add(c, more)
		case task := <-w.feed.over:
			for w.underWay[task] == nil {
				c, more := <-w.coming // the task was over before its chunk came
				w.add(c, more)
			}
			c := w.underWay[task]
			delete(w.underWay, task)
			if !w.ordered {
				return w.takeOut(c), nil // of the line only the length counts
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (w *mapWindow) add(c *chunk, more bool) {
	if !more {
		w.coming = nil
		return
	}
	w.line = append(w.line, c)
	w.underWay[c.task] = c
}

func (w *mapWindow) takeOut(c *chunk) *chunk {
	w.line = w.line[1:]
	w.feed.room <- struct{}{}
	return c
}

func (w *mapWindow) leave() {
	close(w.feed.quit)
	for task := range w.underWay {
		task.Cancel()
	}
}

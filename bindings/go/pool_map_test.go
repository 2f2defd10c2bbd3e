package polyproc_test

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"polyproc.dev/polyproc"
)

func TestPoolMap(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	numbers := make([]int, 1000)
	for i := range numbers {
		numbers[i] = i
	}
	var progress []int
	for _, chunk := range []int{0, 1, 7, 5000} {
		progress = nil
		squares := one(square.Map(within(t), pool, numbers, polyproc.MapOptions{Chunk: chunk, Progress: func(done, total int) {
			equal(t, total, len(numbers))
			progress = append(progress, done)
		}}))(t)
		for i, n := range squares {
			equal(t, n, i*i)
		}
		equal(t, progress[len(progress)-1], len(numbers))
		equal(t, slices.IsSorted(progress), true)
	}
	equal(t, len(one(square.Map(within(t), pool, nil, polyproc.MapOptions{}))(t)), 0)
	_, err := odd.Map(within(t), pool, []int{1, 3, 4, 5}, polyproc.MapOptions{Chunk: 1})
	wants(t, err, polyproc.ErrTaskFailed)
	equal(t, strings.Contains(err.Error(), "4 is even"), true)
	wants(t, second(pool.Map(within(t), "square", nil, polyproc.MapOptions{Chunk: -1})), polyproc.ErrInvalid)
	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	wants(t, second(sleep.Map(ctx, pool, []time.Duration{time.Second, time.Second, time.Second}, polyproc.MapOptions{Chunk: 1})),
		context.DeadlineExceeded)
}

func TestPoolImapKeepsOrderInAWindow(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	for _, chunk := range []int{0, 1, 3} {
		const items, window = 100, 5
		var rounds atomic.Int64
		numbers := func(yield func(int) bool) {
			for taken := range items {
				// The chunk of the present round has left the window.
				over := int(rounds.Load())/max(1, chunk) + 1
				if most := (over + window) * max(1, chunk); taken >= most {
					t.Errorf("item %d is taken when %d chunks are over", taken, over)
				}
				if !yield(taken) {
					return
				}
			}
		}
		got := 0
		for n, err := range square.Imap(within(t), pool, numbers, polyproc.MapOptions{Window: window, Chunk: chunk}) {
			must(t, err)
			equal(t, n, got*got)
			got++
			rounds.Add(1)
		}
		equal(t, got, items)
	}
}

// Both kinds of loop, for tests that hold for both.
var imaps = map[string]func(context.Context, *polyproc.Pool, iter.Seq[int], polyproc.MapOptions) iter.Seq2[int, error]{
	"Imap": square.Imap, "ImapUnordered": square.ImapUnordered,
}

func TestPoolImapOverASourceThatFollowsFromTheResults(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	for name, imap := range imaps {
		t.Run(name, func(t *testing.T) {
			ctx := within(t)
			found := make(chan int, 1)
			found <- 2
			links := func(yield func(int) bool) {
				for range 4 {
					select {
					case n := <-found:
						if !yield(n) {
							return
						}
					case <-ctx.Done(): // the test has failed, see the loop
						return
					}
				}
			}
			var pages []int
			for n, err := range imap(ctx, pool, links, polyproc.MapOptions{}) {
				must(t, err)
				pages = append(pages, n)
				found <- n
			}
			equal(t, slices.Equal(pages, []int{4, 16, 256, 65536}), true)
		})
	}
}

func TestPoolImapGivesTheResultsBeforeTheErrorOfTheSource(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	// The results of three items, then what the source does instead of a fourth.
	failing := func(yield func(any) bool) {
		for n := range 3 {
			if !yield(n) {
				return
			}
		}
		yield(make(chan int)) // cannot be encoded
	}
	squares := polyproc.FunctionNamed[any, int](square.Name())
	got, failures := 0, 0
	for n, err := range squares.Imap(within(t), pool, failing, polyproc.MapOptions{}) {
		if err != nil {
			failures++
			continue
		}
		equal(t, failures, 0)
		equal(t, n, got*got)
		got++
	}
	equal(t, got, 3)
	equal(t, failures, 1)

	got = 0
	panicking := func(yield func(int) bool) {
		for n := range 3 {
			if !yield(n) {
				return
			}
		}
		panic("the oven is cold")
	}
	func() {
		defer func() { equal(t, recover(), any("the oven is cold")) }()
		for n, err := range square.Imap(within(t), pool, panicking, polyproc.MapOptions{}) {
			must(t, err)
			equal(t, n, got*got)
			got++
		}
		t.Error("the panic of the source is gone")
	}()
	equal(t, got, 3)
}

func TestPoolImapGoesOnAfterAFailure(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	var good, bad int
	for n, err := range odd.Imap(within(t), pool, slices.Values([]int{1, 2, 3, 4, 5}), polyproc.MapOptions{}) {
		if err != nil {
			wants(t, err, polyproc.ErrTaskFailed)
			bad++
			continue
		}
		good += n
	}
	equal(t, good, 9)
	equal(t, bad, 2)
}

func TestPoolImapUnordered(t *testing.T) {
	pool := newPool(t, polyproc.PoolOptions{})
	seen := map[int]bool{}
	for n, err := range square.ImapUnordered(within(t), pool, maps.Keys(map[int]bool{1: true, 2: true, 3: true}), polyproc.MapOptions{}) {
		must(t, err)
		seen[n] = true
	}
	equal(t, maps.Equal(seen, map[int]bool{1: true, 4: true, 9: true}), true)

	// A slow task delays no other, and a loop that is left cancels the rest.
	naps := []time.Duration{limit, 0, 0, 0, limit, limit, limit, limit}
	count := 0
	for _, err := range sleep.ImapUnordered(within(t), pool, slices.Values(naps), polyproc.MapOptions{}) {
		must(t, err)
		if count++; count == 3 {
			break
		}
	}
	ctx, cancel := testContext(20 * time.Millisecond)
	defer cancel()
	for _, err := range sleep.Imap(ctx, pool, slices.Values(naps), polyproc.MapOptions{}) {
		wants(t, err, context.DeadlineExceeded)
	}
}

func TestPackedItemsAreThoseOfC(t *testing.T) {
	var chunk []byte
	items := [][]byte{nil, {1}, {1, 2, 3, 4}, bytes.Repeat([]byte{7}, 1001)}
	for _, item := range items {
		chunk = polyproc.Pack(chunk, item)
		equal(t, len(chunk)%4, 0)
	}
	rest := chunk
	for _, item := range items {
		got, after, ok := polyproc.Unpack(rest)
		equal(t, ok && bytes.Equal(got, item), true)
		rest = after
	}
	equal(t, len(rest), 0)
	for _, bad := range [][]byte{{1}, {9, 0, 0, 0, 1}, {255, 255, 255, 255}} {
		if _, _, ok := polyproc.Unpack(bad); ok {
			t.Errorf("%v is a chunk", bad)
		}
	}
}

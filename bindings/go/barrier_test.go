package polyproc_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"polyproc.dev/polyproc"
)

func newBarrier(t testing.TB, parties int) *polyproc.Barrier {
	t.Helper()
	b, err := polyproc.NewBarrier(parties)
	must(t, err)
	t.Cleanup(func() { b.Close() })
	return b
}

// outcome is the result of a party's wait.
type outcome struct {
	index int
	err   error
}

func startParties(n int, wait func() (int, error)) <-chan outcome {
	outcomes := make(chan outcome, n)
	for range n {
		go func() {
			index, err := wait()
			outcomes <- outcome{index, err}
		}()
	}
	return outcomes
}

func TestBarrierLetsAllGoTogetherRoundByRound(t *testing.T) {
	const parties = 4
	b := newBarrier(t, parties)
	equal(t, one(b.Parties())(t), parties)
	for range fewer(20) {
		outcomes := startParties(parties-1, func() (int, error) { return b.Wait(within(t)) })
		eventually(t, "all but one wait", func() bool { return one(b.Waiting())(t) == parties-1 })
		indices := []int{one(b.Wait(within(t)))(t)}
		for range parties - 1 {
			o := <-outcomes
			must(t, o.err)
			indices = append(indices, o.index)
		}
		slices.Sort(indices)
		equal(t, slices.Equal(indices, []int{0, 1, 2, 3}), true)
	}
	wants(t, second(polyproc.NewBarrier(0)), polyproc.ErrInvalid)
	wants(t, second(polyproc.NewBarrier(-1)), polyproc.ErrInvalid)
	wants(t, second(polyproc.NewBarrier(1025)), polyproc.ErrInvalid)
}

func TestBarrierAbortAndReset(t *testing.T) {
	b := newBarrier(t, 2)
	for _, how := range []func() error{b.Abort, b.Reset} {
		outcomes := startParties(1, func() (int, error) { return b.Wait(within(t)) })
		eventually(t, "it waits", func() bool { return one(b.Waiting())(t) == 1 })
		must(t, how())
		wants(t, (<-outcomes).err, polyproc.ErrBrokenBarrier)
		must(t, b.Reset())
		equal(t, one(b.IsBroken())(t), false)
	}
	must(t, b.Abort())
	equal(t, one(b.IsBroken())(t), true)
	wants(t, second(b.Wait(within(t))), polyproc.ErrBrokenBarrier)
}

func TestBarrierContextAndCloseBreakIt(t *testing.T) {
	b := newBarrier(t, 3)
	ctx, cancel := context.WithCancel(context.Background())
	gaveUp := startParties(1, func() (int, error) { return b.Wait(ctx) })
	others := startParties(1, func() (int, error) { return b.Wait(within(t)) })
	eventually(t, "both wait", func() bool { return one(b.Waiting())(t) == 2 })
	cancel()
	wants(t, (<-gaveUp).err, context.Canceled)
	wants(t, (<-others).err, polyproc.ErrBrokenBarrier)
	must(t, b.Reset())

	file := one(b.File())(t)
	defer file.Close()
	twin := one(polyproc.BarrierFromFile(file))(t)
	defer twin.Close()
	closed := startParties(1, func() (int, error) { return twin.Wait(within(t)) })
	others = startParties(1, func() (int, error) { return b.Wait(within(t)) })
	eventually(t, "both wait again", func() bool { return one(b.Waiting())(t) == 2 })
	must(t, twin.Close())
	wants(t, (<-closed).err, polyproc.ErrClosed)
	wants(t, (<-others).err, polyproc.ErrBrokenBarrier)
}

func TestBarrierActionRunsOnceWhileTheOthersAreHeld(t *testing.T) {
	const parties = 3
	b := newBarrier(t, parties)
	var actions, gone atomic.Int32
	action := func() error {
		actions.Add(1)
		if n := gone.Load(); n != 0 {
			t.Errorf("%d had gone on during the action", n)
		}
		return nil
	}
	outcomes := startParties(parties, func() (int, error) {
		index, err := b.WaitAction(within(t), action)
		gone.Add(1)
		return index, err
	})
	sum := 0
	for range parties {
		o := <-outcomes
		must(t, o.err)
		sum += o.index
	}
	equal(t, sum, 0+1+2)
	equal(t, actions.Load(), 1)
}

func TestBarrierActionThatFailsBreaksTheBarrier(t *testing.T) {
	b := newBarrier(t, 2)
	failure := errors.New("no flour")
	var failed, broken int
	outcomes := startParties(2, func() (int, error) {
		return b.WaitAction(within(t), func() error { return failure })
	})
	for range 2 {
		switch o := <-outcomes; {
		case errors.Is(o.err, failure):
			failed++
		case errors.Is(o.err, polyproc.ErrBrokenBarrier):
			broken++
		}
	}
	equal(t, failed, 1)
	equal(t, broken, 1)
	must(t, b.Reset())

	outcomes = startParties(2, func() (index int, err error) {
		defer func() {
			if recover() != nil {
				err = failure
			}
		}()
		return b.WaitAction(within(t), func() error { panic("burnt") })
	})
	a, z := <-outcomes, <-outcomes
	equal(t, errors.Is(a.err, failure) != errors.Is(z.err, failure), true)
	equal(t, errors.Is(a.err, polyproc.ErrBrokenBarrier) != errors.Is(z.err, polyproc.ErrBrokenBarrier), true)
}

func init() {
	children["waits at a barrier"] = func() error {
		b, err := polyproc.InheritedBarrier("barrier")
		if err != nil {
			return err
		}
		_, err = b.Wait(context.Background())
		return err
	}
}

func TestBarrierOfAKilledPartyIsBroken(t *testing.T) {
	name := uniqueName(t)
	b := one(polyproc.CreateBarrier(name, 3, polyproc.Options{}))(t)
	defer b.Close()
	twin := one(polyproc.OpenBarrier(name))(t)
	defer twin.Close()
	child := startChild(t, "waits at a barrier", polyproc.ProcessOptions{
		Handles: map[string]polyproc.Handle{"barrier": b}})
	outcomes := startParties(1, func() (int, error) { return twin.Wait(within(t)) })
	eventually(t, "both wait", func() bool { return one(b.Waiting())(t) == 2 })
	must(t, child.Kill())
	wants(t, (<-outcomes).err, polyproc.ErrBrokenBarrier)
}

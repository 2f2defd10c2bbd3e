//! The fast path of taking and settling: several messages under one hold of the head lock and with
//! one commit. If a precondition fails, it returns without side effects and `take` or `settle`
//! runs.

use std::sync::atomic::Ordering;

use super::chain::checked::{lower, raise};
use super::chain::consumer::Found;
use super::layout::position::Position;
use super::layout::record::{State, HEADER};
use super::take::{loan_of, Loan};
use super::view::View;
use crate::sync::owner::Owner;

impl<'a> View<'a> {
    #[inline]
    pub(super) fn take_fast(&self, me: Owner) -> Option<Loan> {
        self.keep_distance_from_producers();
        let head = self.messages().try_lock_head(me)?;
        let mut loan = None;
        let taken = self.claim_run(1, State::Taken, me, |_, found| loan = Some(loan_of(found)));
        self.loans.took(taken);
        drop(head);
        if loan.is_some() {
            self.after_get(1);
        }
        loan
    }

    /// Under the head lock: claim up to `max` messages from the cursor on. Return how many were
    /// claimed.
    ///
    /// If the process is killed before the commit, its claims stand ahead of the cursor. The
    /// consumer that reaches such a claim finds that its owner is dead and undoes it.
    #[inline]
    pub(super) fn claim_run(
        &self,
        max: usize,
        state: State,
        me: Owner,
        mut each: impl FnMut(usize, &Found<'a>),
    ) -> usize {
        let chain = self.messages();
        let behind = &chain.words.behind;
        if behind.available.load(Ordering::Relaxed) != 0 {
            return 0;
        }
        let from = chain.words.head.cursor();
        let seen = &chain.words.head.seen.count;
        let before = seen.load(Ordering::Relaxed);
        let (mut to, mut totals) = (from.position, from.totals);
        let mut claimed = 0;
        while claimed < max {
            let Some(found) = chain.ready_at(to, from) else {
                break;
            };
            found.record.set(found.word.with(state, Some(me)));
            each(claimed, &found);
            if claimed == 0 && seen.load(Ordering::Relaxed) != before {
                let tail = Position::from_bits(seen.load(Ordering::Relaxed));
                self.saw_messages(tail.at.saturating_sub(to.at), found.extent);
            }
            to.at += found.extent;
            totals.bytes = totals.bytes.wrapping_add(found.extent);
            claimed += 1;
        }
        if claimed > 0 {
            totals.count = totals.count.wrapping_add(claimed as u64);
            raise(&behind.in_flight, claimed as u64);
            raise(&behind.bytes, totals.bytes.wrapping_sub(from.totals.bytes));
            chain.words.head.commit(&from, to, totals);
        }
        claimed
    }

    /// Under the head lock: settle messages of `me` that are in one of `states` and lie in the
    /// head's ring. Return how many were settled, from the first on, and the sum of their extents.
    ///
    /// If the process is killed in between, the records marked DONE are over, and the next holder
    /// of the lock counts anew.
    pub(super) fn settle_run(
        &self,
        positions: impl Iterator<Item = Position>,
        states: fn(State) -> bool,
        me: Owner,
    ) -> (usize, u64) {
        let chain = self.messages();
        let head = chain.words.head.position();
        let Some(state) = self.body.rings.get(head.ring) else {
            return (0, 0);
        };
        let free = state.free.load(Ordering::Relaxed);
        let (mut settled, mut bytes, mut over) = (0, 0, free);
        for position in positions {
            if position.ring != head.ring || !(free..head.at).contains(&position.at) {
                break;
            }
            let Some((record, _)) = chain.rings.known(position.ring, position.at) else {
                break;
            };
            let word = record.word();
            let is_mine = word.state().is_some_and(states) && word.owner() == Some(me);
            let (_, extent) = record.size();
            if !is_mine || extent < HEADER || extent > head.at - position.at {
                break;
            }
            record.set(word.with(State::Done, None));
            // Most often messages are settled in the order in which they lie.
            if position.at == over {
                over += extent;
            }
            settled += 1;
            bytes += extent;
        }
        if settled > 0 {
            lower(&chain.words.behind.in_flight, settled as u64);
            lower(&chain.words.behind.bytes, bytes);
            self.free_run(free, over, head);
        }
        (settled, bytes)
    }

    /// Free the records from `free` on that are over. All records before `at` are known to be over.
    /// The walk ends where a precondition of the fast path fails.
    #[inline(always)]
    fn free_run(&self, free: u64, mut at: u64, head: Position) {
        let chain = self.messages();
        while at < head.at {
            let Some((record, _)) = chain.rings.known(head.ring, at) else {
                break;
            };
            let (_, extent) = record.size();
            let is_over = record.word().state().is_some_and(State::is_over);
            if !is_over || extent < HEADER || extent > head.at - at {
                break;
            }
            at += extent;
        }
        if let (true, Some(state)) = (at != free, self.body.rings.get(head.ring)) {
            // Release, pairs with the Acquire of a producer that writes there next.
            state.free.store(at, Ordering::Release);
        }
    }
}

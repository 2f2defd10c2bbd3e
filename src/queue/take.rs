//! Taking messages: they are read in place and settled afterwards.

use std::sync::atomic::Ordering;

use super::chain::checked::raise;
use super::chain::consumer::Found;
use super::chain::Chain;
use super::layout::record::State;
use super::view::View;
use super::Queue;
use crate::segment::Segment;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sync::wait::{LazyWait, Patience, Wait};

/// A message that belongs to this process until `done_raw` or `give_back_raw` settles it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Loan {
    /// Address of the payload in shared memory; valid until the loan is settled and while the queue
    /// is open.
    pub data: *const u8,
    /// Length of the payload in bytes.
    pub len: usize,
    /// The message's id: the same at every delivery of this message, and greater for later
    /// messages.
    pub id: u64,
    /// How many times the message was delivered, this delivery included.
    pub deliveries: u32,
    /// The ticket with which the loan is settled.
    pub ticket: u64,
}

impl Queue {
    /// Take the first message without copying it, waiting while there is none.
    ///
    /// If this process dies before it settles the message, another process gets it.
    ///
    /// # Errors
    /// `E_EMPTY`, `E_SHUTDOWN` (and no message is left), `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`:
    /// no message was taken. `E_TIMEOUT`: no message was taken, and a process that is stopped
    /// within a call kept this one from seeing whether there is a message.
    #[doc(hidden)]
    #[inline]
    pub fn take_raw(&self, wait: impl LazyWait) -> Result<Loan> {
        let mut taken = None;
        self.take_with(wait, |loan| taken = Some(loan))?;
        taken.ok_or(Status::E_INTERNAL)
    }

    /// As [`take_raw`](Self::take_raw), and pass the loan to `give`: so the fast path hands over
    /// its parts in registers.
    #[inline(always)]
    pub(crate) fn take_with(&self, wait: impl LazyWait, give: impl FnOnce(Loan)) -> Result<()> {
        match self.take_fast() {
            Some(found) => give(loan_of(&found)),
            None => give(wait.begin(|wait| self.take_slow(wait))?),
        }
        Ok(())
    }

    /// The fast path of a take: the lock is free, and the next message is ready in the usual place.
    /// `None`: nothing was done.
    #[inline(always)]
    fn take_fast(&self) -> Option<Found<'_>> {
        let segment: &Segment = &self.segment;
        let words = self.segment.words();
        let me = segment.me_if_attached()?;
        if !segment.may_go_on(me) {
            return None;
        }
        self.keep_distance_from_producers();
        let chain = Chain::of_messages(segment, words);
        let head = chain.try_lock_head(me)?;
        let found = chain.ready(|ahead, extent| self.saw_messages(ahead, extent))?;
        chain.claim(&found, State::Taken, me);
        segment.count_got(&words.accounts, 1);
        self.loans.took(1);
        head.release();
        self.after_get(words, 1);
        Some(found)
    }

    /// The rest of [`take_with`](Self::take_with), for every case that the fast path does not
    /// handle.
    #[cold]
    fn take_slow(&self, wait: Wait<'_>) -> Result<Loan> {
        let mut taken = None;
        self.take_some(1, &mut |_, loan| taken = Some(loan), wait)?;
        taken.ok_or(Status::E_INTERNAL)
    }

    /// Take up to `max` messages, waiting for the first one only. `each` receives them in order.
    /// Return how many were taken.
    ///
    /// # Errors
    /// Those of [`take_raw`](Self::take_raw), and `E_INVALID` if `max` is 0.
    #[doc(hidden)]
    pub fn take_many_raw(
        &self,
        max: usize,
        each: &mut dyn FnMut(usize, Loan),
        wait: impl LazyWait,
    ) -> Result<usize> {
        if max == 0 {
            return Err(because!(E_INVALID, "max is 0"));
        }
        wait.begin(|wait| self.take_some(max, each, wait))
    }

    fn take_some(
        &self,
        max: usize,
        each: &mut dyn FnMut(usize, Loan),
        wait: Wait<'_>,
    ) -> Result<usize> {
        let queue = self.at();
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        let taken = queue.until_item(&mut patience, me, || queue.try_take_many(max, each, me));
        self.tell_empty(taken)
    }
}

impl<'a> View<'a> {
    fn try_take_many(
        &self,
        max: usize,
        each: &mut dyn FnMut(usize, Loan),
        me: Caller<'_>,
    ) -> Result<Option<usize>> {
        let owner = me.owner;
        self.segment.reap_now_and_then(owner)?;
        self.keep_distance_from_producers();
        let chain = self.messages();
        let head = chain.lock_head(me)?;
        let mut taken = self.claim_run(max, owner, each);
        while taken == 0 || (taken < max && !chain.is_drained()) {
            let found = match chain.front() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                // The messages taken before stay taken. The next call meets this error again.
                Err(_) if taken > 0 => break,
                Err(status) => return Err(status),
            };
            chain.claim(&found, State::Taken, owner);
            each(taken, loan_of(&found));
            taken += 1;
        }
        self.segment.count_got(&self.words.accounts, taken);
        self.loans.took(taken);
        drop(head);
        if taken == 0 {
            return Ok(None);
        }
        self.after_get(u32::try_from(taken).unwrap_or(u32::MAX));
        Ok(Some(taken))
    }

    /// Under the head lock: claim up to `max` messages from the cursor on, with one commit. Return
    /// how many were claimed.
    ///
    /// If the process is killed before the commit, its claims stand ahead of the cursor. The
    /// consumer that reaches such a claim finds that its owner is dead and undoes it.
    #[inline]
    fn claim_run(&self, max: usize, me: Owner, each: &mut dyn FnMut(usize, Loan)) -> usize {
        let chain = self.messages();
        let behind = &chain.words.behind;
        if behind.available.load(Ordering::Relaxed) != 0 {
            return 0;
        }
        let from = chain.words.head.cursor();
        let (mut to, mut totals) = (from.position, from.totals);
        let mut claimed = 0;
        let mut tail = chain.seen_tail();
        let mut has_looked = false;
        while claimed < max {
            let ahead = match to.bytes_to(tail) {
                Some(ahead) => ahead,
                None => {
                    has_looked = true;
                    tail = chain.look_at_the_tail();
                    match to.bytes_to(tail) {
                        Some(ahead) => ahead,
                        None => break,
                    }
                }
            };
            let Some(found) = chain.ready_at(to, ahead) else {
                break;
            };
            found.record.set(found.word.with(State::Taken, Some(me)));
            each(claimed, loan_of(&found));
            if claimed == 0 && has_looked {
                self.saw_messages(ahead, found.extent);
            }
            to = to.forward(found.extent);
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
}

#[inline]
fn loan_of(found: &Found<'_>) -> Loan {
    Loan {
        data: found.payload.address(),
        len: found.len as usize,
        id: found.position.id(),
        deliveries: u32::from(found.word.deliveries()) + 1,
        ticket: found.position.bits(),
    }
}

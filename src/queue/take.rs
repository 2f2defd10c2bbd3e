//! Taking messages: they are read in place and settled afterwards.

use super::chain::consumer::Found;
use super::layout::record::State;
use super::view::View;
use super::Queue;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
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
        let me = self.segment.me()?;
        self.segment.reap_now_and_then(me)?;
        match self.at()?.take_fast(me) {
            Some(loan) => Ok(loan),
            None => wait.begin(|wait| self.take_slow(wait)),
        }
    }

    /// The rest of [`take_raw`](Self::take_raw), for every case that its fast path leaves.
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
        let queue = self.at()?;
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        let taken = queue.until_item(&mut patience, me, || queue.try_take_many(max, each, me));
        self.tell_empty(taken)
    }
}

impl View<'_> {
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
        let mut taken = self.claim_run(max, State::Taken, owner, |at, found| {
            each(at, loan_of(found))
        });
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
        self.loans.took(taken);
        drop(head);
        if taken == 0 {
            return Ok(None);
        }
        self.after_get(u32::try_from(taken).unwrap_or(u32::MAX));
        Ok(Some(taken))
    }
}

#[inline]
pub(super) fn loan_of(found: &Found<'_>) -> Loan {
    Loan {
        data: found.payload.address(),
        len: found.len as usize,
        id: found.position.id(),
        deliveries: u32::from(found.word.deliveries()) + 1,
        ticket: found.position.bits(),
    }
}

//! Who reads the workers' reports, and how the others wait.
//!
//! One thread at a time has the *lead*: it takes reports out of the queue and settles tasks, until what it waits
//! for itself has come. So reports are settled in the order in which they were put, and the common case, one
//! thread that waits for its result, needs no other thread. Who waits meanwhile sleeps on its own word and on the
//! lead's, and follows when that is given up. Where somebody asked for a descriptor, a thread of the pool
//! keeps the lead for good.
//!
//! What is to be settled for another reason than a report (a worker's death, say) is put into the
//! queue as well: behind the last report of that worker, and so that the leader wakes up for it. Where the queue has
//! no room, or a stopped worker has its lock, it waits in `late` until the queue has been seen empty.

use std::sync::atomic::{fence, Ordering};
use std::sync::Arc;

use super::tasks::{PoolState, Shared};
use crate::pool::protocol::bytes;
use crate::pool::protocol::message::ReportHead;
use crate::segment::WaitSet;
use crate::status::{Result, Status};
use crate::sync::eventcount::EventCount;
use crate::sync::wait::{Patience, Wait};
use crate::sys::{clock, poll, thread};

/// How long the collecting thread leaves the reports alone when it could not read one.
const PAUSE_NS: u64 = 20_000_000;

impl Shared {
    /// Wait until `is_so`, which somebody who settles a task makes true and then tells `event`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: it is not so.
    pub(crate) fn wait_until(
        &self,
        is_so: &dyn Fn() -> bool,
        event: &EventCount,
        wait: &Wait<'_>,
    ) -> Result<()> {
        if is_so() {
            return Ok(());
        }
        let mut patience = Patience::new(wait);
        let waited = loop {
            if let Some(_leading) = self.lead.try_take() {
                let led = self.settle_until(is_so, wait, &mut patience);
                break if is_so() { Ok(()) } else { led };
            }
            let words = [self.lead.followers.watch(), event.watch()];
            if is_so() {
                break Ok(());
            }
            if !self.lead.is_taken() {
                continue;
            }
            let slept = WaitSet::beside(&words, &[]).and_then(|bed| bed.sleep(&mut patience));
            if slept.is_err() {
                break if is_so() { Ok(()) } else { slept };
            }
        };
        // The offer that woke this thread may have been meant for another.
        if !self.lead.is_taken() {
            self.lead.offer();
        }
        waited
    }

    /// Settle reports as they come, with the lead.
    fn settle_until(
        &self,
        is_so: &dyn Fn() -> bool,
        wait: &Wait<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        let mut buffer = self.lead.buffer.lock();
        let nudges = [&self.lead.nudge];
        let wait = wait.or_any_closed(&nudges);
        while !is_so() {
            self.settle_late(&mut buffer);
            if is_so() {
                break;
            }
            let left = patience.deadline().map(|deadline| {
                let left = deadline.saturating_sub(clock::now_ns());
                i64::try_from(left).unwrap_or(i64::MAX)
            });
            match bytes::get(&self.reports, &mut buffer, wait.with_timeout(left)) {
                Ok(()) => self.settle(&buffer),
                Err(Status::E_EMPTY) => return Err(Status::E_TIMEOUT),
                Err(Status::E_CLOSED) if self.lead.nudge.is_fired() => {
                    // Before the next look: what is made so after it fires once more.
                    self.lead.nudge.reset();
                    // The caller's own tokens may have fired as well.
                    if let Err(status @ (Status::E_CLOSED | Status::E_CANCELED)) = patience.check()
                    {
                        return Err(status);
                    }
                }
                Err(status) => return Err(status),
            }
        }
        Ok(())
    }

    /// Settle what waits outside of the queue, once that has been seen empty: so each comes behind the
    /// reports that were put before it. Where the queue cannot be read for another reason than a lock
    /// that somebody has, out of turn is better than never.
    fn settle_late(&self, buffer: &mut Vec<u8>) {
        while !self.lead.late.lock().is_empty() {
            match bytes::get(&self.reports, buffer, Wait::TRY) {
                Ok(()) => self.settle(buffer),
                Err(Status::E_TIMEOUT) => return,
                Err(_) => {
                    let late = std::mem::take(&mut *self.lead.late.lock());
                    late.iter().for_each(|head| self.settle(&head.to_bytes()));
                }
            }
        }
    }

    /// Settle what has been reported, unless another thread is about to.
    pub(crate) fn settle_what_is_there(&self) {
        self.settle_while(&|| true);
    }

    /// The same, as long as `more` says so.
    pub(crate) fn settle_while(&self, more: &dyn Fn() -> bool) {
        if let Some(_leading) = self.lead.try_take() {
            let mut buffer = self.lead.buffer.lock();
            while more() && bytes::get(&self.reports, &mut buffer, Wait::TRY).is_ok() {
                self.settle(&buffer);
            }
            self.settle_late(&mut buffer);
        }
    }

    /// Put a report of the pool's own behind those of the workers, and see to it that it is settled when
    /// nobody waits.
    pub(crate) fn report(&self, head: ReportHead) {
        if bytes::put(&self.reports, &[&head.to_bytes()], Wait::TRY).is_err() {
            self.lead.late.lock().push(head);
            self.wake_leader();
        }
        self.settle_what_is_there();
    }

    /// Wake the leader: a task was settled without a report.
    pub(crate) fn wake_leader(&self) {
        fence(Ordering::SeqCst);
        if self.lead.is_taken() {
            self.lead.nudge.fire();
        }
    }

    /// From now on a thread of the pool settles reports as they come.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no thread left.
    pub(crate) fn collect_in_background(self: &Arc<Shared>) -> Result<()> {
        if self.lead.in_background.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let pool = Arc::clone(self);
        let started = thread::start_once(Box::new(move || {
            thread::set_name(c"polyproc-collect");
            let wait = Wait::FOREVER.or_closed(&pool.gone);
            let is_gone = || pool.gone.is_fired();
            loop {
                match pool.wait_until(&is_gone, &pool.quiet, &wait) {
                    Ok(()) | Err(Status::E_CLOSED) => break,
                    Err(Status::E_CORRUPT) => {
                        pool.advance(PoolState::Broken);
                        pool.end_all(Status::E_CORRUPT);
                        pool.kick_monitor();
                        break;
                    }
                    // There is no memory for a report at the moment, say.
                    Err(_) => drop(poll::readable(&[], Some(clock::now_ns() + PAUSE_NS))),
                }
            }
            pool.end_all(Status::E_CLOSED);
        }));
        started.inspect_err(|_| self.lead.in_background.store(false, Ordering::Release))
    }
}

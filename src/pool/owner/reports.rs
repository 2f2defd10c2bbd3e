//! Reading the workers' reports: one thread reads them, and the others wait.
//!
//! One thread at a time is the *leader*: it takes reports out of the queue and settles tasks, until
//! the condition that it waits for itself holds. So reports are settled in the order in which they
//! were put, and the common case, one thread that waits for its result, needs no other thread.
//! Other waiting threads sleep on their own word and on the leadership's word; when the
//! leader stops, one of them follows it. If a descriptor was requested, a thread of the pool is
//! the leader permanently.
//!
//! A change that does not come from a worker's report (a worker's death, for example) is put into
//! the queue as well, so that it is settled after the last report of that worker, and wakes the
//! leader. If the queue has no room, or a stopped worker holds its lock, the report waits in `late`
//! until the queue was seen empty.

use std::sync::atomic::{fence, Ordering};
use std::sync::Arc;

use super::tasks::{PoolState, Shared};
use crate::pace::REPORTS_PAUSE_NS;
use crate::pool::protocol::bytes;
use crate::pool::protocol::message::ReportHead;
use crate::segment::WaitSet;
use crate::status::{Result, Status};
use crate::sync::eventcount::EventCount;
use crate::sync::wait::{Patience, Wait};
use crate::sys::{clock, poll, thread};

impl Shared {
    /// Wait until `is_so` returns true. The thread that settles the task makes it true and then
    /// notifies `event`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: it did not become true.
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
            if let Some(_guard) = self.leadership.try_take() {
                let led = self.settle_until(is_so, wait, &mut patience);
                break if is_so() { Ok(()) } else { led };
            }
            let words = [self.leadership.followers.watch(), event.watch()];
            if is_so() {
                break Ok(());
            }
            if !self.leadership.is_taken() {
                continue;
            }
            let slept =
                WaitSet::beside(&words, &[]).and_then(|wait_set| wait_set.sleep(&mut patience));
            if slept.is_err() {
                break if is_so() { Ok(()) } else { slept };
            }
        };
        // The offer that woke this thread may have been meant for another thread.
        if !self.leadership.is_taken() {
            self.leadership.offer();
        }
        waited
    }

    /// Settle reports as they arrive. The caller is the leader.
    fn settle_until(
        &self,
        is_so: &dyn Fn() -> bool,
        wait: &Wait<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        let mut buffer = self.leadership.buffer.lock();
        let nudges = [&self.leadership.nudge];
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
                Err(Status::E_CLOSED) if self.leadership.nudge.is_fired() => {
                    // Reset before the next look: a later change fires the token again.
                    self.leadership.nudge.reset();
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

    /// Settle the reports in `late` once the queue was seen empty, so that each comes behind the
    /// reports put before it. If the queue cannot be read for another reason than a taken lock,
    /// settle them out of order.
    fn settle_late(&self, buffer: &mut Vec<u8>) {
        while !self.leadership.late.lock().is_empty() {
            match bytes::get(&self.reports, buffer, Wait::TRY) {
                Ok(()) => self.settle(buffer),
                Err(Status::E_TIMEOUT) => return,
                Err(_) => {
                    let late = std::mem::take(&mut *self.leadership.late.lock());
                    late.iter().for_each(|head| self.settle(&head.to_bytes()));
                }
            }
        }
    }

    /// Settle the reports in the queue, unless another thread is the leader.
    pub(crate) fn settle_what_is_there(&self) {
        self.settle_while(&|| true);
    }

    /// Settle reports while `more` returns true, unless another thread is the leader.
    pub(crate) fn settle_while(&self, more: &dyn Fn() -> bool) {
        if let Some(_guard) = self.leadership.try_take() {
            let mut buffer = self.leadership.buffer.lock();
            while more() && bytes::get(&self.reports, &mut buffer, Wait::TRY).is_ok() {
                self.settle(&buffer);
            }
            self.settle_late(&mut buffer);
        }
    }

    /// Put a report of the pool itself behind those of the workers, and have it settled even if no
    /// thread waits.
    pub(crate) fn report(&self, head: ReportHead) {
        if bytes::put(&self.reports, &[&head.to_bytes()], Wait::TRY).is_err() {
            self.leadership.late.lock().push(head);
            self.wake_leader();
        }
        self.settle_what_is_there();
    }

    /// Wake the leader: a task was settled without a report.
    pub(crate) fn wake_leader(&self) {
        fence(Ordering::SeqCst);
        if self.leadership.is_taken() {
            self.leadership.nudge.fire();
        }
    }

    /// From now on a thread of the pool settles reports as they arrive.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no thread left.
    pub(crate) fn collect_in_background(self: &Arc<Shared>) -> Result<()> {
        if self.leadership.in_background.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let pool = Arc::clone(self);
        let started = thread::start_once(Box::new(move || {
            thread::set_name(c"polyproc-collect");
            let wait = Wait::FOREVER.or_closed(&pool.gone);
            let is_gone = || pool.gone.is_fired();
            loop {
                match pool.wait_until(&is_gone, &pool.joins, &wait) {
                    Ok(()) | Err(Status::E_CLOSED) => break,
                    Err(Status::E_CORRUPT) => {
                        pool.advance(PoolState::Broken);
                        pool.end_all(Status::E_CORRUPT);
                        pool.kick_monitor();
                        break;
                    }
                    // For example, no memory is available for a report at the moment.
                    Err(_) => drop(poll::readable(
                        &[],
                        Some(clock::now_ns() + REPORTS_PAUSE_NS),
                    )),
                }
            }
            pool.end_all(Status::E_CLOSED);
        }));
        started.inspect_err(|_| {
            self.leadership
                .in_background
                .store(false, Ordering::Release)
        })
    }
}

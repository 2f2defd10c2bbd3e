//! Waiting for messages and for room.

use super::layout::body::Intake;
use super::view::View;
use crate::pace::spin::Spin;
use crate::pace::{ITEMS_ENOUGH, LULL_NS};
use crate::status::Result;
use crate::sync::cancel::Cancel;
use crate::sync::eventcount::WaitPoint;
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;
use crate::sys::clock;

impl View<'_> {
    /// Wait until there may be work for a consumer.
    ///
    /// # Errors
    /// The status that ended the wait. A wake-up that arrived at the same time is passed on.
    pub(super) fn wait_for_items(&self, me: Owner, patience: &mut Patience<'_>) -> Result<()> {
        let found = || self.may_have();
        patience.check()?;
        if self.spin(&self.pacing.items, ITEMS_ENOUGH, found, patience) {
            return Ok(());
        }
        let slept_ns = self.sleep(&self.body.items, &self.pacing.items, found, patience)?;
        if slept_ns >= LULL_NS {
            self.tidy(me)?;
        }
        Ok(())
    }

    /// Wait until `found` sees that there may be room. The wait prefers to return when there is
    /// room for `enough` records.
    ///
    /// # Errors
    /// As [`wait_for_items`](Self::wait_for_items).
    pub(super) fn wait_for_space(
        &self,
        found: impl Fn() -> u64,
        enough: u64,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        patience.check()?;
        if self.spin(&self.pacing.space, enough, &found, patience) {
            return Ok(());
        }
        self.sleep(&self.body.space, &self.pacing.space, found, patience)?;
        Ok(())
    }

    /// Spin until `found` sees something, or the limit of the spin is over. Return whether another
    /// attempt is worthwhile.
    fn spin(
        &self,
        spin: &Spin,
        enough: u64,
        found: impl Fn() -> u64,
        patience: &mut Patience<'_>,
    ) -> bool {
        let asked = self.body.spin_ns();
        if asked == 0 {
            return spin.spin(0, enough, found);
        }
        // The limit was chosen by a user or was read from shared memory: it must not outlast the
        // wait.
        let left = |end: u64| end.saturating_sub(clock::now_ns()).max(1);
        let left = patience.deadline().map_or(u64::MAX, left);
        let limit = u32::try_from(left).map_or(asked, |left| left.min(asked));
        spin.spin(limit, enough, || {
            match patience.tokens().any(Cancel::is_fired) {
                true => 1,
                false => found(),
            }
        })
    }

    /// Sleep until `found` may see something. Return how long the sleep took, in nanoseconds.
    fn sleep(
        &self,
        condition: &WaitPoint,
        spin: &Spin,
        found: impl Fn() -> u64,
        patience: &mut Patience<'_>,
    ) -> Result<u64> {
        let seen = condition.waiters.announce();
        if found() > 0 {
            return Ok(0);
        }
        let begin = clock::now_ns();
        let slept = condition.waiters.sleep(self.segment, seen, patience);
        self.segment.look_around_soon();
        if let Err(status) = slept {
            if found() > 0 {
                condition.waiters.notify(self.segment, 1);
            }
            return Err(status);
        }
        let slept_ns = clock::now_ns().saturating_sub(begin);
        spin.slept(self.body.spin_ns(), slept_ns);
        Ok(slept_ns)
    }

    /// Report whether a consumer has work: a message, or the end of the stream.
    pub(super) fn may_have_items(&self) -> bool {
        self.messages().has_more() || self.has_ended()
    }

    /// Approximate number of messages for a consumer, the first of which is prefetched; 1 at the
    /// end of the stream.
    fn may_have(&self) -> u64 {
        match self.messages().about_how_many() {
            0 => u64::from(self.has_ended()),
            some => {
                self.messages().fetch_first();
                some
            }
        }
    }

    /// After a recovery: wake a consumer for each message, and everybody else. A dead process may
    /// have consumed a wake-up or not sent one, but no message needs two. To wake a crowd would
    /// keep the cores busy for long, and the consumer that gets the message waits for them too.
    pub(super) fn notify_after_recovery(&self) {
        let body = self.body;
        match self.consumers_with_work() {
            0 => body.items.watchers.notify_all(self.segment),
            count => body.items.notify(self.segment, count),
        }
        for condition in [&body.space, &body.drained, &body.idle] {
            condition.notify_all(self.segment);
        }
    }

    /// For how many consumers there is something to do: one for each message, every one once the
    /// queue is shut down.
    fn consumers_with_work(&self) -> u32 {
        match self.body.phase() {
            Intake::Open => u32::try_from(self.messages().backlog()).unwrap_or(u32::MAX),
            _ => u32::MAX,
        }
    }

    /// Wake every waiter and watcher, after a shutdown.
    pub(super) fn notify_everybody(&self) {
        let body = self.body;
        for condition in [&body.items, &body.space, &body.drained, &body.idle] {
            condition.notify_all(self.segment);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Queue, QueueOptions, Wait};

    #[test]
    fn a_recovery_wakes_a_consumer_for_each_message_and_all_at_the_end() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        let work = || queue.at().consumers_with_work();
        assert_eq!(work(), 0);
        for _ in 0..3 {
            queue.try_put(b"work").unwrap();
        }
        assert_eq!(work(), 3);
        let taken = queue.take_raw(Wait::TRY).unwrap();
        assert_eq!(work(), 2);
        queue.give_back_raw(taken.ticket).unwrap();
        assert_eq!(work(), 3);
        queue.shutdown(true).unwrap();
        assert_eq!(work(), u32::MAX);
    }
}

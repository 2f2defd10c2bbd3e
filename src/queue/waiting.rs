//! Waiting for messages, for room, and until all is finished.

use super::layout::body::WaitPoint;
use super::view::View;
use crate::pace::spin::Spin;
use crate::pace::{ITEMS_ENOUGH, LULL_NS};
use crate::status::Result;
use crate::sync::cancel::Cancel;
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;
use crate::sys::clock;

impl View<'_> {
    /// Wait until there may be something for a consumer.
    ///
    /// # Errors
    /// What ends the wait for good; a wake-up that came together with it is passed on.
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

    /// Wait until `found` sees that there may be room, of which `enough` is worth coming back for.
    ///
    /// # Errors
    /// As above.
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

    /// Spin until `found` sees something, or the wait is over; whether it was worth looking again.
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
        // A number that somebody chose, or that stands in shared memory: it does not outlast the wait.
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

    /// Sleep until there may be what `found` looks for; how long that took.
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

    /// Whether a consumer has something to do: a message, or the end of the stream.
    pub(super) fn may_have_items(&self) -> bool {
        self.messages().has_more() || self.has_ended()
    }

    /// About how many messages a consumer has; 1 for the end of the stream.
    fn may_have(&self) -> u64 {
        match self.messages().about_how_many() {
            0 => u64::from(self.has_ended()),
            some => some,
        }
    }

    /// Tell consumers of `count` new messages.
    #[inline]
    pub(super) fn notify_items(&self, count: u32) {
        self.body.items.notify(self.segment, count);
    }

    /// Tell producers that there is room for `count` messages. So many, where their number is the only limit;
    /// all of them where they may wait for room of different sizes.
    #[inline]
    pub(super) fn notify_space(&self, count: u32) {
        if self.body.max_bytes() != 0 {
            self.body.space.notify_all(self.segment);
        } else if self.body.max_items() != 0 {
            self.body.space.notify(self.segment, count);
        }
    }

    /// After `count` messages were taken out: tell those who wait for room, and those who watch whether there is
    /// something left.
    #[inline]
    pub(super) fn after_get(&self, count: u32) {
        self.notify_space(count);
        if self.body.drained.watchers.has_sleepers() && !self.messages().has_more() {
            self.body.drained.notify_all(self.segment);
        }
    }

    /// Wake everybody: after a death, a shutdown.
    pub(super) fn notify_everybody(&self) {
        let body = self.body;
        for condition in [&body.items, &body.space, &body.drained, &body.idle] {
            condition.notify_all(self.segment);
        }
    }
}

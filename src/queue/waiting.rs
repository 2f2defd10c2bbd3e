//! Waiting for messages, for room, and until all is finished.

use super::body::{Condition, Phase};
use super::At;
use crate::status::Result;
use crate::sync::spin::Spin;
use crate::sync::wait::Patience;
use crate::sys::clock;

/// What this process's waits have learnt about when to look and how long to spin.
pub(super) struct Spins {
    items: Spin,
    space: Spin,
}

impl Spins {
    pub(super) const fn new() -> Spins {
        Spins {
            items: Spin::new(),
            space: Spin::new(),
        }
    }
}

impl At<'_> {
    /// Wait until there may be something for a consumer.
    ///
    /// # Errors
    /// What ends the wait for good; a wake-up that came together with it is passed on.
    pub(super) fn wait_for_items(&self, patience: &mut Patience<'_>) -> Result<()> {
        let found = || self.may_have();
        self.wait_for(&self.body.items, &self.spins.items, found, patience)
    }

    /// Wait until `found` sees that there may be room.
    ///
    /// # Errors
    /// As above.
    pub(super) fn wait_for_space(
        &self,
        found: impl Fn() -> u64,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        self.wait_for(&self.body.space, &self.spins.space, found, patience)
    }

    /// `found` gives about how much there is of what is waited for.
    fn wait_for(
        &self,
        condition: &Condition,
        spin: &Spin,
        found: impl Fn() -> u64,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        patience.check()?;
        let limit_ns = self.body.spin_ns();
        if spin.spin(limit_ns, &found) {
            return Ok(());
        }
        let seen = condition.waiters.announce();
        if found() > 0 {
            return Ok(());
        }
        let begin = clock::now_ns();
        let slept = condition.waiters.sleep(self.segment, seen, patience);
        if slept.is_err() {
            if found() > 0 {
                condition.waiters.notify(self.segment, 1);
            }
            return slept;
        }
        spin.slept(limit_ns, clock::now_ns().saturating_sub(begin));
        Ok(())
    }

    /// Whether a consumer has something to do: a message, or the end of the stream.
    pub(super) fn may_have_items(&self) -> bool {
        self.messages().has_more() || self.may_have_ended()
    }

    /// About how many messages a consumer has; 1 for the end of the stream.
    fn may_have(&self) -> u64 {
        match self.messages().about_how_many() {
            0 => u64::from(self.may_have_ended()),
            some => some,
        }
    }

    fn may_have_ended(&self) -> bool {
        self.body.phase() != Phase::Open && !self.has_reservations()
    }

    /// Tell consumers of `count` new messages.
    #[inline]
    pub(super) fn notify_items(&self, count: u32) {
        self.body.items.waiters.notify(self.segment, count);
    }

    /// Tell producers that there is room. All of them: they may wait for room of different sizes.
    #[inline]
    pub(super) fn notify_space(&self) {
        if self.body.is_limited() {
            self.body.space.waiters.notify_all(self.segment);
        }
    }

    /// After a message was taken out: tell those who wait for room, and those who watch whether there is
    /// something left.
    #[inline]
    pub(super) fn after_get(&self) {
        self.notify_space();
        if self.body.drained.waiters.has_sleepers() && !self.messages().has_more() {
            self.body.drained.waiters.notify_all(self.segment);
        }
    }

    /// Wake everybody: after a death, a shutdown.
    pub(super) fn notify_everybody(&self) {
        let body = self.body;
        for condition in [&body.items, &body.space, &body.drained, &body.idle] {
            condition.waiters.notify_all(self.segment);
        }
    }
}

//! Waiting for messages, for room, and until all is finished.

use std::hint::spin_loop;

use super::body::{Condition, Phase};
use super::At;
use crate::status::Result;
use crate::sync::wait::Patience;
use crate::sys::clock;

/// About what a futex wake costs: a wait that ends sooner is better spun.
const DEFAULT_SPIN_NS: u32 = 20_000;
/// Looks at the condition between two looks at the clock.
const LOOKS: u32 = 16;

impl At<'_> {
    /// Spin until `is_ready`, for as long as a wake-up would cost; whether it was.
    fn spin(&self, is_ready: &dyn Fn() -> bool) -> bool {
        let spin_ns = match self.body.spin_ns() {
            0 => DEFAULT_SPIN_NS,
            ns => ns,
        };
        let end = clock::now_ns() + u64::from(spin_ns);
        loop {
            for _ in 0..LOOKS {
                if is_ready() {
                    return true;
                }
                spin_loop();
            }
            if clock::now_ns() >= end {
                return false;
            }
        }
    }

    /// Wait on `condition` until `is_ready` may be true.
    ///
    /// # Errors
    /// What ends the wait for good; a wake-up that came together with it is passed on.
    pub(super) fn wait_for(
        &self,
        condition: &Condition,
        is_ready: &dyn Fn() -> bool,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        patience.check()?;
        if self.spin(is_ready) {
            return Ok(());
        }
        let seen = condition.waiters.announce();
        if is_ready() {
            return Ok(());
        }
        let slept = condition.waiters.sleep(self.segment, seen, patience);
        if slept.is_err() && is_ready() {
            condition.waiters.notify(self.segment, 1);
        }
        slept
    }

    /// Whether a consumer has something to do: a message, or the end of the stream.
    pub(super) fn may_have_items(&self) -> bool {
        self.messages().has_more() || (self.body.phase() != Phase::Open && !self.has_reservations())
    }

    /// Tell consumers of `count` new messages.
    #[inline]
    pub(super) fn notify_items(&self, count: u32) {
        self.body.items.waiters.notify(self.segment, count);
    }

    /// Tell producers that there is room. All of them: they may wait for room of different sizes.
    #[inline]
    pub(super) fn notify_space(&self) {
        if self.body.max_items() != 0 || self.body.max_bytes() != 0 {
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

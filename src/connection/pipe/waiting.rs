//! Waiting for the other end: for messages, for room, for its next step, until it is gone.

use std::cell::Cell;
use std::hint::spin_loop;

use super::body::Waiters;
use super::ends::{End, Ends, Standing};
use super::lane::Lane;
use crate::status::Result;
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;
use crate::sys::clock;

/// About what a futex wake costs: a wait that ends sooner is better spun.
const SPIN_NS: u64 = 20_000;
/// Looks at the condition between two looks at the clock.
const LOOKS: u32 = 16;
/// How soon to ask again whether an end that nobody uses is still claimed, and how seldom at last. A killed
/// process's descriptors go a moment after its life word says that it has ended.
const FIRST_DOUBT_NS: u64 = 50_000;
const LAST_DOUBT_NS: u64 = 20_000_000;

/// A pipe as one call at one of its ends works on it.
pub(super) struct At<'a> {
    ends: Ends<'a>,
    end: End,
    pub(super) me: Owner,
    /// The next sleep when the other end is claimed and not used.
    doubt_ns: Cell<u64>,
}

impl<'a> At<'a> {
    pub(super) fn new(ends: Ends<'a>, end: End, me: Owner) -> At<'a> {
        At {
            ends,
            end,
            me,
            doubt_ns: Cell::new(FIRST_DOUBT_NS),
        }
    }

    /// Whether the other end is still there.
    #[inline]
    pub(super) fn peer(&self) -> Result<Standing> {
        self.ends.standing(self.end.other())
    }

    /// Wait until `is_ready` may be true or the other end may be over: the caller looks itself.
    ///
    /// # Errors
    /// What ends the wait for good.
    pub(super) fn wait_for(
        &self,
        lane: &Lane<'_>,
        waiters: &Waiters,
        is_ready: &dyn Fn() -> bool,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        patience.check()?;
        if spin(is_ready) {
            return Ok(());
        }
        // Another handle of this process on this end may have been closed meanwhile.
        self.ends.hold(self.me, self.end)?;
        let seen = waiters.count.announce();
        if is_ready() {
            return Ok(());
        }
        match self.peer()? {
            Standing::Held => self.doubt_ns.set(FIRST_DOUBT_NS),
            Standing::Claimed => {
                let doubt_ns = self.doubt_ns.get();
                patience.look_again_within(doubt_ns);
                self.doubt_ns.set((doubt_ns * 2).min(LAST_DOUBT_NS));
            }
            Standing::Over => return Ok(()),
        }
        // A notification wakes everybody, so one that comes together with an error is nobody else's.
        waiters.count.sleep(lane.segment, seen, patience)
    }
}

/// Spin until `is_ready`, for as long as a wake-up would cost; whether it was.
fn spin(is_ready: &dyn Fn() -> bool) -> bool {
    let end = clock::now_ns() + SPIN_NS;
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

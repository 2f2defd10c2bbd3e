//! Whether the holder of a lock is stopped, as a call that waits for the lock finds out.
//!
//! A call that does not block looks at the holder's process now and then. The call gives up if it
//! sees that a signal or a container's freezer has stopped the process. None of the following is a
//! stop:
//!
//! - Nobody holds the lock, or another owner holds it than before.
//! - A thread of the process has a core or waits for one, or waits in the kernel for memory or for
//!   a disk.
//! - A thread of the process has run since the last look. A holder may sleep while it waits for a
//!   second lock, but it does not sleep for long.
//!
//! A process that shows nothing of this at several looks counts as stopped. So does a process that a
//! debugger has stopped: this stop lasts longer than the stops of a process that is only traced. A
//! process that cannot be seen, such as one in another pid namespace, counts as stopped too.

use std::cell::Cell;

use super::owner::Owner;
use crate::pace::{BUSY_STEP_NS, STILL_LOOKS};
use crate::sys::procfs::Activity;

/// The looks of one call.
pub(crate) struct Stops {
    /// The time of the next look.
    due: Cell<u64>,
    /// The last look at a process all of whose threads slept.
    still: Cell<Option<Still>>,
    has_found_one: Cell<bool>,
}

#[derive(Clone, Copy)]
struct Still {
    holder: Owner,
    switches: u64,
    /// Number of looks before this one that showed the same.
    looks: u32,
}

impl Stops {
    pub(super) const fn new() -> Stops {
        Stops {
            due: Cell::new(0),
            still: Cell::new(None),
            has_found_one: Cell::new(false),
        }
    }

    /// Make the first look at `due`.
    pub(super) fn begin_at(&self, due: u64) {
        self.due.set(due);
    }

    /// The time of the next look.
    pub(super) fn due(&self) -> u64 {
        self.due.get()
    }

    /// Report whether a holder was found stopped. The call waits for no lock any more.
    pub(super) fn has_found_one(&self) -> bool {
        self.has_found_one.get()
    }

    /// At the time `now`, report whether `holder` is stopped. `look` looks at its process.
    pub(super) fn finds_one(
        &self,
        now: u64,
        holder: Option<Owner>,
        look: impl FnOnce(Owner) -> Activity,
    ) -> bool {
        if self.has_found_one() {
            return true;
        }
        if now < self.due() {
            return false;
        }
        self.due.set(now.saturating_add(BUSY_STEP_NS));
        let Some(holder) = holder else {
            return false;
        };
        let is_stopped = match look(holder) {
            Activity::Busy => false,
            Activity::Stopped => true,
            Activity::Asleep(switches) => self.is_still(holder, switches),
        };
        self.has_found_one.set(is_stopped);
        is_stopped
    }

    fn is_still(&self, holder: Owner, switches: u64) -> bool {
        let looks = match self.still.get() {
            Some(last) if (last.holder, last.switches) == (holder, switches) => last.looks + 1,
            _ => 0,
        };
        self.still.set(Some(Still {
            holder,
            switches,
            looks,
        }));
        looks >= STILL_LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLDER: Option<Owner> = Some(Owner::new(1, 1));

    /// The answers of looks that are far enough apart.
    fn found(looks: &[Activity]) -> Vec<bool> {
        let stops = Stops::new();
        let times = (1..).map(|look| look * BUSY_STEP_NS);
        let looks = times.zip(looks);
        let found = looks.map(|(now, activity)| stops.finds_one(now, HOLDER, |_| *activity));
        found.collect()
    }

    #[test]
    fn only_a_process_that_does_not_run_at_all_is_stopped() {
        use Activity::{Asleep, Busy, Stopped};
        assert_eq!(found(&[Stopped, Busy]), [true, true]);
        assert_eq!(found(&[Busy; 50]), [false; 50]);
        assert_eq!(found(&[Asleep(7); 3]), [false, false, true]);
        let naps: Vec<_> = (0..50).map(Asleep).collect();
        assert_eq!(found(&naps), [false; 50]);
        assert_eq!(found(&[Asleep(7), Asleep(8), Asleep(8)]), [false; 3]);
    }

    #[test]
    fn a_lock_that_another_owner_holds_now_was_passed_on() {
        let stops = Stops::new();
        for look in 1..50 {
            let holder = Owner::new(look, 1);
            let now = u64::from(look) * BUSY_STEP_NS;
            assert!(!stops.finds_one(now, Some(holder), |_| Activity::Asleep(0)));
            assert!(!stops.finds_one(now + BUSY_STEP_NS / 2, HOLDER, |_| Activity::Stopped));
        }
        let now = 50 * BUSY_STEP_NS;
        assert!(!stops.finds_one(now, None, |_| Activity::Stopped));
        assert!(!stops.has_found_one());
    }
}

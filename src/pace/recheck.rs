//! Rechecks for a change that comes without a wake-up: soon at first, since the change may be about
//! to happen, and then less often.

use super::{FIRST_RECHECK_NS, LAST_RECHECK_NS};
/// The pauses between the rechecks of one wait.
pub(crate) struct Recheck {
    next_ns: u64,
}

impl Recheck {
    pub(crate) const fn new() -> Recheck {
        Recheck {
            next_ns: FIRST_RECHECK_NS,
        }
    }

    /// The limit of the next sleep if the last look could not determine the state (`is_doubtful`);
    /// otherwise `None`.
    pub(crate) fn limit(&mut self, is_doubtful: bool) -> Option<u64> {
        if !is_doubtful {
            self.next_ns = FIRST_RECHECK_NS;
            return None;
        }
        let now = self.next_ns;
        self.next_ns = (now * 2).min(LAST_RECHECK_NS);
        Some(now)
    }
}

//! Looking again for a change that nobody announces: soon at first, for what is about to happen, then less often.

use super::{FIRST_RECHECK_NS, LAST_RECHECK_NS};
/// The pauses between the looks of one wait.
pub(crate) struct Recheck {
    next_ns: u64,
}

impl Recheck {
    pub(crate) const fn new() -> Recheck {
        Recheck {
            next_ns: FIRST_RECHECK_NS,
        }
    }

    /// The longest that the next sleep may last after a look which did not tell; `None` after one that did.
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

//! What a look at something tells who would wait for it.

use super::wait::Patience;

/// Whether a wait is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Look {
    Ready,
    /// Not yet; a change wakes whoever has announced himself.
    Waits,
    /// Not yet, and the change may come without a word: look again before long.
    Doubtful,
}

impl From<bool> for Look {
    fn from(is_ready: bool) -> Look {
        if is_ready {
            Look::Ready
        } else {
            Look::Waits
        }
    }
}

/// How soon to look again for a change that nobody announces, and how seldom at last.
const FIRST_NS: u64 = 50_000;
const LAST_NS: u64 = 20_000_000;

/// The sleeps of one wait while it is in doubt: short at first, for what is about to happen.
pub(crate) struct Doubt {
    next_ns: u64,
}

impl Doubt {
    pub(crate) const fn new() -> Doubt {
        Doubt { next_ns: FIRST_NS }
    }

    /// Limit the next sleep when the last look was doubtful; else there is no doubt any more.
    pub(crate) fn limit(&mut self, is_doubtful: bool, patience: &mut Patience<'_>) {
        if !is_doubtful {
            self.next_ns = FIRST_NS;
            return;
        }
        patience.look_again_within(self.next_ns);
        self.next_ns = (self.next_ns * 2).min(LAST_NS);
    }
}

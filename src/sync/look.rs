//! The result of a look at a condition that a caller may want to wait for.

/// Whether the condition holds, so that a wait would end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Look {
    Ready,
    /// It does not hold. A change wakes the sleepers that have announced themselves.
    Waits,
    /// It could not be determined, or a change may come without a wake-up: look again soon.
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

//! The result of a look at something that a caller may want to wait for.

/// Whether a wait would be over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Look {
    Ready,
    /// Not yet. A change wakes the sleepers that have announced themselves.
    Waits,
    /// Not yet as far as is known. A change may come without a wake-up: look again before long.
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

//! What a look at something tells who would wait for it.

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

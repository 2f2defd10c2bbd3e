//! The services that the algorithms need from their environment.

use super::atomic::AtomicU32;
use super::owner::Owner;
use super::wait::Patience;
use crate::status::Result;

/// Sleeping, waking, and the knowledge which owners are alive. A segment implements this; a test
/// may do so too.
pub(crate) trait World {
    /// Sleep while `word` holds `value`. The call returns at any wake-up, and may return without
    /// one.
    ///
    /// A participant's death is a wake-up. Before the call returns, the dead are recovered.
    ///
    /// # Errors
    /// The status that ended the wait: `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`.
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()>;

    /// Wake at most `count` sleepers. Return how many were woken.
    fn wake(&self, word: &AtomicU32, count: u32) -> usize;

    /// Report whether this owner has died. A timeout never makes an owner dead.
    fn is_dead(&self, owner: Owner) -> bool;
}

impl<W: World> World for &W {
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()> {
        (**self).sleep(word, value, patience)
    }

    fn wake(&self, word: &AtomicU32, count: u32) -> usize {
        (**self).wake(word, count)
    }

    fn is_dead(&self, owner: Owner) -> bool {
        (**self).is_dead(owner)
    }
}

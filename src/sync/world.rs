//! What the algorithms need of the world around their words.

use super::atomic::AtomicU32;
use super::owner::Owner;
use super::wait::Patience;
use crate::status::Result;

/// Sleeping, waking and knowing who lives. A segment is one; a test can be another.
pub(crate) trait World {
    /// Sleep while `word` holds `value`; returns at any wake-up, also for no reason.
    ///
    /// A participant's death is a wake-up. Before this returns, the dead are recovered.
    ///
    /// # Errors
    /// What ends the wait for good: `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`.
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()>;

    /// Wake at most `count` sleepers; how many there were.
    fn wake(&self, word: &AtomicU32, count: u32) -> usize;

    /// Whether this owner has died. Nobody is dead because time has passed.
    fn is_dead(&self, owner: Owner) -> bool;
}

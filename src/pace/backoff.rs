//! Repeated attempts for a moment before a sleep, for locks that are held only briefly.

use std::hint::spin_loop;

use super::switches::{Heuristic, Switches};
use super::{BACKOFF_LONGEST, BACKOFF_LOOKS, BACKOFF_TURNS};
use crate::sys::thread;

/// Repeat the attempt until it succeeds or a sleep is due. Return whether it succeeded.
pub(crate) fn attempt(mut succeeds: impl FnMut() -> bool) -> bool {
    if !Switches::of_process().has(Heuristic::Backoff) {
        return false;
    }
    let mut pauses = 1;
    for look in 0..BACKOFF_LOOKS + BACKOFF_TURNS {
        if look < BACKOFF_LOOKS {
            (0..pauses).for_each(|_| spin_loop());
            pauses = (2 * pauses).min(BACKOFF_LONGEST);
        } else {
            thread::give_way();
        }
        if succeeds() {
            return true;
        }
    }
    false
}

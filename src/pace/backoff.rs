//! Trying again for a moment before a sleep, for what is held only briefly.

use std::hint::spin_loop;

use crate::sys::thread;

/// Looks before a sleep: a short critical section is over sooner than a sleep would be.
const LOOKS: u32 = 12;
/// Pauses between two looks double up to this: whoever has the cache line meanwhile can come and go several
/// times over, which costs each of them less than handing it to and fro.
const LONGEST: u32 = 32;
/// Then the core is given away so often: the one that is waited for may need it.
const TURNS: u32 = 4;

/// Attempt until it succeeds or a sleep is due; whether it did. A model checker tries every moment anyway.
pub(crate) fn attempt(mut succeeds: impl FnMut() -> bool) -> bool {
    if cfg!(loom) {
        return false;
    }
    let mut pauses = 1;
    for look in 0..LOOKS + TURNS {
        if look < LOOKS {
            (0..pauses).for_each(|_| spin_loop());
            pauses = (2 * pauses).min(LONGEST);
        } else {
            thread::give_way();
        }
        if succeeds() {
            return true;
        }
    }
    false
}

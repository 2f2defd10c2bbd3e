//! The messages that ended without being done: dead letters, and messages that were discarded.
//!
//! While a message has its record, the record says how the message stands. A record that is over
//! says nothing, and its memory may hold other messages by now. So the queue remembers here which
//! messages that are over were not done: the last [`ENDS`] of them one by one, and those that an
//! immediate shutdown discarded as a range. Every other message that is over was done, except that
//! nothing is known of those before `forgotten`.
//!
//! An entry is stored before the record of its message is over, and is never removed while a later
//! look could miss it: `forgotten` rises first. So a message that was not done is never taken for
//! done, whenever a process is killed.

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::shared::shared;

/// How many messages are remembered one by one. The whole table is read at each dead letter, so
/// it is not larger than what a processor reads in about a microsecond.
#[cfg(not(loom))]
pub(crate) const ENDS: usize = 1024;
#[cfg(loom)]
pub(crate) const ENDS: usize = 2;

const ENDING_BITS: u32 = 2;

/// How a message ended that was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// It became a dead letter.
    Dead = 1,
    /// It was discarded.
    Discarded = 2,
}

/// What is remembered of a message that is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Memory {
    /// Its end: it was not done.
    Ended(Ending),
    /// It was done.
    Done,
    /// The message is older than what is remembered.
    Forgotten,
}

shared! {
    /// What a queue remembers of the messages that ended without being done.
    #[repr(align(128))]
    pub(crate) struct Ends {
        /// Nothing is known of the messages whose ids are less than this.
        forgotten: AtomicU64,
        /// An immediate shutdown has discarded the messages from the first of these ids on, up to
        /// and without the second. Guarded by the messages' locks.
        discarded_from: AtomicU64,
        discarded_to: AtomicU64,
        _to_the_next_line: [AtomicU64; 13],
        /// The id of a message, and its [`Ending`] in the lowest bits. 0 is an entry that was never
        /// used; such entries follow the others.
        entries: [AtomicU64; ENDS],
    }
}

impl Ends {
    /// Remember how a message ended. Call this before its record says that it is over. A repeated
    /// call changes nothing.
    ///
    /// If the table is full, it forgets the least id. If the process is killed before the entry is
    /// stored, the message is not over yet, and the recovery of its owner comes here again.
    #[cold]
    pub(crate) fn remember(&self, id: u64, ending: Ending) {
        let entry = id << ENDING_BITS | ending as u64;
        // Another thread may take the place that was chosen: without the lock, when it gives a
        // message back that is discarded (`chain/unlocked.rs`).
        while id >= self.forgotten.load(Ordering::Acquire) {
            let Some((place, seen)) = self.place_for(id) else {
                return;
            };
            let least = id.min(seen >> ENDING_BITS);
            if seen != 0 {
                // Before the entry is gone: a look that misses it sees that it was forgotten.
                self.forgotten.fetch_max(least + 1, Ordering::AcqRel);
                if least == id {
                    return;
                }
            }
            let taken = place.compare_exchange(seen, entry, Ordering::AcqRel, Ordering::Relaxed);
            if taken.is_ok() {
                return;
            }
        }
    }

    /// The entry that a new one replaces, and its value: an unused one, or that of the least id.
    /// `None` if the message is remembered already.
    fn place_for(&self, id: u64) -> Option<(&AtomicU64, u64)> {
        let mut least: Option<(&AtomicU64, u64)> = None;
        for entry in &self.entries {
            let value = entry.load(Ordering::Acquire);
            if value == 0 {
                return Some((entry, 0));
            }
            if value >> ENDING_BITS == id {
                return None;
            }
            if least.is_none_or(|(_, least)| value < least) {
                least = Some((entry, value));
            }
        }
        least
    }

    /// What is remembered of a message that is over.
    pub(crate) fn of(&self, id: u64) -> Memory {
        let from = self.discarded_from.load(Ordering::Relaxed);
        let to = self.discarded_to.load(Ordering::Relaxed);
        if (from..to).contains(&id) {
            return Memory::Ended(Ending::Discarded);
        }
        for entry in &self.entries {
            match entry.load(Ordering::Acquire) {
                0 => break,
                value if value >> ENDING_BITS != id => {}
                value if value & ((1 << ENDING_BITS) - 1) == Ending::Dead as u64 => {
                    return Memory::Ended(Ending::Dead)
                }
                _ => return Memory::Ended(Ending::Discarded),
            }
        }
        // After the look at the entries, of which one may have been replaced meanwhile.
        match id < self.forgotten.load(Ordering::Acquire) {
            true => Memory::Forgotten,
            false => Memory::Done,
        }
    }

    /// Under both locks, at the beginning of an immediate shutdown: the first message ahead of the
    /// consumers has at least the id `head`. Return whether the messages that the caller discards
    /// there can be remembered as a range.
    ///
    /// They can, unless the process of an earlier shutdown was killed within it and messages behind
    /// its range have been delivered since.
    pub(crate) fn begin_range(&self, head: u64) -> bool {
        let from = self.discarded_from.load(Ordering::Relaxed);
        let to = self.discarded_to.load(Ordering::Relaxed);
        if from == to {
            // In this order the range is empty at each moment.
            self.discarded_from.store(head, Ordering::Relaxed);
            self.discarded_to.store(head, Ordering::Relaxed);
            return true;
        }
        (from..=to).contains(&head)
    }

    /// Under both locks, before a message ahead of the consumers is discarded: the range goes up to
    /// the id `to`.
    ///
    /// If the process is killed before it discards the message, this one message counts as
    /// discarded, also if it is delivered and done afterwards.
    pub(crate) fn extend_range(&self, to: u64) {
        self.discarded_to.store(to, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn fresh() -> Ends {
        Ends {
            forgotten: AtomicU64::new(0),
            discarded_from: AtomicU64::new(0),
            discarded_to: AtomicU64::new(0),
            _to_the_next_line: [const { AtomicU64::new(0) }; 13],
            entries: [const { AtomicU64::new(0) }; ENDS],
        }
    }

    #[test]
    fn the_least_ids_are_forgotten_first() {
        let ends = fresh();
        let dead = |id: &u64| id.is_multiple_of(3);
        // The ids come in some order: 7 and 4099 have no common divisor.
        let ids: Vec<u64> = (0..4099).map(|number| number * 7 % 4099).collect();
        for id in ids.iter().filter(|id| dead(id)) {
            ends.remember(*id, Ending::Dead);
        }
        let of = |id: u64| ends.of(id);
        let known = ids.iter().filter(|id| of(**id) != Memory::Forgotten);
        let known: Vec<&u64> = known.collect();
        for id in &known {
            let expected = match dead(id) {
                true => Memory::Ended(Ending::Dead),
                false => Memory::Done,
            };
            assert_eq!(of(**id), expected, "{id}");
        }
        // The table was filled with the greatest of these ids.
        assert_eq!(known.iter().filter(|id| dead(id)).count(), ENDS);
        assert!(known.iter().all(|id| **id >= 4099 - 3 * (ENDS as u64 + 1)));
    }

    #[test]
    fn a_message_is_remembered_once() {
        let ends = fresh();
        for _ in 0..2 * ENDS {
            ends.remember(5, Ending::Dead);
            ends.remember(5, Ending::Discarded);
            ends.remember(0, Ending::Discarded);
        }
        assert_eq!(ends.of(5), Memory::Ended(Ending::Dead));
        assert_eq!(ends.of(0), Memory::Ended(Ending::Discarded));
        assert_eq!(ends.of(1), Memory::Done);
    }

    #[test]
    fn a_range_is_not_extended_over_messages_that_were_delivered() {
        let ends = fresh();
        assert!(ends.begin_range(10));
        assert_eq!(ends.of(10), Memory::Done);
        ends.extend_range(12);
        assert_eq!(ends.of(11), Memory::Ended(Ending::Discarded));
        assert_eq!(ends.of(12), Memory::Done);
        assert!(ends.begin_range(11));
        assert!(ends.begin_range(12));
        assert!(!ends.begin_range(13));
        assert_eq!(ends.of(12), Memory::Done);
    }
}

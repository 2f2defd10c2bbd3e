//! Counts of the work of each participant of a queue, for people and tools. The library itself uses
//! them only to decide how soon a process looks around again (`look_around`).
//!
//! Each slot has an account, into which only the slot's occupant stores: plain stores, no
//! read-modify-write. `puts` is guarded by the queue's tail lock and `gets` by its head lock, so no
//! thread of the occupant overwrites the count of another one.
//!
//! The occupant can be killed at any of these stores:
//!
//! - Messages are counted after the commit that puts or gets them. If the process is killed between
//!   the two, the account of a dead process lacks the messages of its last call, and the totals of
//!   the queue do not.
//! - An occupant stores zeros after it has taken the slot and before it stores its process id. If
//!   it is killed before the id, the slot of a dead process shows the id of the occupant before it.
//!   A recovery frees the slot.
//! - A note is two words, and the second one says whether the first one belongs to it. A note that
//!   was begun and not ended is no note.

use std::sync::atomic::{AtomicU64, Ordering};

use super::kind::Kind;
use crate::sync::shared::shared;

shared! {
    /// What one participant has done.
    #[repr(align(32))]
    pub(crate) struct Account {
        /// Messages put, and room reserved. Under the tail lock.
        pub(crate) puts: AtomicU64,
        /// Messages got or taken, each time that they were. Under the head lock.
        pub(crate) gets: AtomicU64,
        /// A place in the queue.
        noted_place: AtomicU64,
        /// When the head was at that place: milliseconds, above the lowest bits of the place.
        noted_time: AtomicU64,
    }
}

/// Number of accounts of a queue.
pub(crate) const ACCOUNTS: usize = Kind::Queue.max_participants() as usize;

const _: () = assert!(size_of::<Account>() == 32 && ACCOUNTS.is_power_of_two());

/// The account of a slot. Four accounts share a pair of cache lines, which a processor fetches
/// together: those of slots that are a quarter of the table apart, so that only a crowd stores into
/// lines of others.
pub(crate) const fn index_of(slot: usize) -> usize {
    const QUARTER: usize = ACCOUNTS / 4;
    slot % QUARTER * 4 + slot / QUARTER % 4
}

/// Bits of the place beside the time.
const TAG_BITS: u32 = 16;
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;
/// The lowest bits of a place are 0.
const PLACE_SHIFT: u32 = 4;

/// Where the head of a queue was at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Note {
    /// Messages at or after this place had not been delivered ...
    pub(crate) place: u64,
    /// ... at this moment, in milliseconds of `clock::coarse_ms`.
    pub(crate) ms: u64,
}

fn tag_of(place: u64) -> u64 {
    place >> PLACE_SHIFT & TAG_MASK
}

impl Account {
    /// Note where the head is. If two threads do so at once, their words may not belong together;
    /// then there is no note until the next one.
    pub(crate) fn note(&self, note: Note) {
        self.noted_place.store(note.place, Ordering::Relaxed);
        let time = note.ms << TAG_BITS | tag_of(note.place);
        self.noted_time.store(time, Ordering::Release);
    }

    /// The last note.
    pub(crate) fn noted(&self) -> Option<Note> {
        let time = self.noted_time.load(Ordering::Acquire);
        let place = self.noted_place.load(Ordering::Relaxed);
        (time != 0 && tag_of(place) == time & TAG_MASK).then_some(Note {
            place,
            ms: time >> TAG_BITS,
        })
    }

    /// Begin the account of a new occupant.
    pub(super) fn reset(&self) {
        for word in [&self.puts, &self.gets, &self.noted_time] {
            word.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fresh() -> Account {
        let zero = || AtomicU64::new(0);
        Account {
            puts: zero(),
            gets: zero(),
            noted_place: zero(),
            noted_time: zero(),
        }
    }

    #[test]
    fn a_note_that_was_not_ended_is_no_note() {
        let account = fresh();
        assert_eq!(account.noted(), None);
        let note = Note {
            place: 0x1230,
            ms: 77,
        };
        account.note(note);
        assert_eq!(account.noted(), Some(note));
        // Killed between the two stores.
        account.noted_place.store(0x1240, Ordering::Relaxed);
        assert_eq!(account.noted(), None);
    }

    #[test]
    fn each_slot_has_an_account_and_neighbours_share_no_pair_of_lines() {
        let all: BTreeSet<usize> = (0..ACCOUNTS).map(index_of).collect();
        assert_eq!(all.len(), ACCOUNTS);
        assert!(all.iter().all(|index| *index < ACCOUNTS));
        for slot in 0..ACCOUNTS - 1 {
            assert_ne!(index_of(slot) / 4, index_of(slot + 1) / 4);
        }
    }
}

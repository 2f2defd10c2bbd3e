//! Who uses a segment: one slot per process, whose life word the kernel itself flips.
//!
//! `word` holds the slot's generation (high half) and its `life` (low half):
//!
//! ```text
//! 0                       free
//! TID | WAITERS           a process whose keeper thread has this id
//! OWNER_DIED | ...        it has ended, in whatever way; its traces are not recovered yet
//! ```
//!
//! The kernel knows only `life`, a futex on the robust list of the keeper. Both halves change
//! together in this library, so a slot's generation moves on exactly once per occupant.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::sync::owner::Owner;
use crate::sync::recursive::Holders;
use crate::sys::futex;
use crate::sys::robust_list::{Entry, OWNER_DIED, TID_MASK, WAITERS};
use crate::sys::shared::shared;

shared! {
    /// One slot. `word` and `entry` stay side by side: see `robust_list::FUTEX_OFFSET`.
    #[repr(align(64))]
    pub(crate) struct Participant {
        word: AtomicU64,
        pub(crate) entry: Entry,
        /// For people and tools.
        pub(crate) pid: AtomicU32,
        /// How many of the process's threads sleep in this segment.
        pub(crate) sleepers: AtomicU32,
        /// Queue: reservations that the process has not committed or given up yet.
        pub(crate) reservations: AtomicU32,
        _reserved: AtomicU32,
        /// Queue: no message that the process got and has not settled lies before this position.
        pub(crate) oldest_got: AtomicU64,
        /// Rlock: who of the process holds it.
        pub(crate) holders: Holders,
    }
}

const _: () = assert!(size_of::<Participant>() == 64);
const _: () = assert!(std::mem::offset_of!(Participant, word) == 0);
const _: () = assert!(std::mem::offset_of!(Participant, entry) == 8);

/// One reading of a slot's word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life(u64);

impl Life {
    fn new(generation: u32, life: u32) -> Life {
        Life(u64::from(generation) << 32 | u64::from(life))
    }

    /// A word that was read by other means.
    pub(super) fn of(word: u64) -> Life {
        Life(word)
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The half that the kernel knows.
    pub(crate) fn futex(self) -> u32 {
        self.0 as u32
    }

    pub(crate) fn is_free(self) -> bool {
        self.futex() == 0
    }

    pub(crate) fn is_dead(self) -> bool {
        self.futex() & OWNER_DIED != 0
    }

    pub(crate) fn is_alive(self) -> bool {
        !self.is_dead() && self.futex() & TID_MASK != 0
    }
}

impl Participant {
    pub(crate) fn life(&self) -> Life {
        Life(self.word.load(Ordering::Acquire))
    }

    /// The half of the word that is a futex.
    pub(crate) fn futex_address(&self) -> *const u32 {
        let half = if cfg!(target_endian = "little") { 0 } else { 1 };
        self.word
            .as_ptr()
            .cast_const()
            .cast::<u32>()
            .wrapping_add(half)
    }

    /// Take the slot for the process whose keeper is `tid`, if it is still as `seen`.
    ///
    /// A dead one's slot may be taken over when no other is left: its traces carry an older generation,
    /// which counts as dead, and the newcomer recovers before it does anything else.
    pub(crate) fn take(&self, seen: Life, tid: u32) -> Option<u32> {
        let generation = seen.generation().wrapping_add(u32::from(seen.is_dead()));
        let mine = Life::new(generation, tid & TID_MASK | WAITERS);
        self.word
            .compare_exchange(seen.0, mine.0, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        Some(generation)
    }

    /// Free the slot if it is still as `seen`; its traces are gone. A racing second recoverer fails here.
    pub(crate) fn release(&self, seen: Life) {
        let free = Life::new(seen.generation().wrapping_add(1), 0);
        let _ = self
            .word
            .compare_exchange(seen.0, free.0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Leave the slot as one who died leaves it: its traces are for the next one to recover.
    pub(crate) fn abandon(&self, seen: Life) {
        let dead = Life::new(seen.generation(), OWNER_DIED | WAITERS);
        let _ = self
            .word
            .compare_exchange(seen.0, dead.0, Ordering::AcqRel, Ordering::Relaxed);
        futex::wake_address(self.futex_address(), u32::MAX);
    }

    /// A fresh occupant begins without anything.
    pub(crate) fn reset(&self, pid: u32) {
        self.pid.store(pid, Ordering::Relaxed);
        self.sleepers.store(0, Ordering::Relaxed);
        self.reservations.store(0, Ordering::Relaxed);
        self.oldest_got.store(0, Ordering::Relaxed);
        self.holders.thread.store(0, Ordering::Relaxed);
        self.holders.task.store(0, Ordering::Relaxed);
    }

    /// Whether `owner`, said to hold this slot, does so and lives.
    pub(crate) fn is_held_by(&self, owner: Owner) -> bool {
        let life = self.life();
        life.is_alive() && owner.is_of_generation(life.generation())
    }
}

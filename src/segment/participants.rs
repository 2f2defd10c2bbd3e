//! Who uses a segment: one slot per process, whose life word the kernel itself flips.
//!
//! `word` holds the slot's generation (high half) and its `life` (low half):
//!
//! ```text
//! 0                       free
//! TID | WAITERS           a process whose keeper thread has this id
//! UNWATCHED | pid         a process without a keeper that the kernel watches: see below
//! OWNER_DIED | ...        it has ended, in whatever way; its traces are not recovered yet
//! ```
//!
//! The kernel knows only `life`, a futex on the robust list of the keeper. Both halves change
//! together in this library, so a slot's generation moves on exactly once per occupant.
//!
//! Where the kernel refuses robust lists, a process says in its slot who it is, and the others ask whether that
//! one has ended: whoever finds that it has sets OWNER_DIED in its place. Until it has said so, and for
//! whoever cannot tell, it lives.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::sync::owner::Owner;
use crate::sync::rlock::Holders;
use crate::sync::shared::shared;
use crate::sys::futex;
use crate::sys::procfs;
use crate::sys::procfs::Lifetime;
use crate::sys::robust_list::{OWNER_DIED, TID_MASK, WAITERS};

shared! {
    /// One slot.
    #[repr(align(64))]
    pub(crate) struct Participant {
        pub(super) word: AtomicU64,
        /// The kernel's list entry lay here before layout 2; now each process keeps its own in private
        /// memory (`sys::robust_list`).
        _unused: AtomicU64,
        /// For people and tools.
        pub(crate) pid: AtomicU32,
        /// How many of the process's threads sleep in this segment.
        pub(crate) sleepers: AtomicU32,
        /// Unwatched: the namespaces in which `pid` and `started` are to be understood.
        pub(super) namespaces: AtomicU32,
        /// Not 0: traces of an earlier occupant, who is dead, may be left, see [`haunt`](Self::haunt).
        pub(super) ghost: AtomicU32,
        /// Queue: no message that the process got and has not settled lies before this position.
        pub(crate) oldest_got: AtomicU64,
        /// Rlock: who of the process holds it.
        pub(crate) holders: Holders,
        /// Unwatched: when the process started, beside the generation that says so; 0 until it has.
        pub(super) started: AtomicU64,
    }
}

const _: () = assert!(size_of::<Participant>() == 64);
const _: () = assert!(std::mem::offset_of!(Participant, word) == 0);

/// A bit that no thread id has.
const UNWATCHED: u32 = 0x2000_0000;
const PID_MASK: u32 = UNWATCHED - 1;

/// How many bits of `started` hold the start; the generation is above them.
const STARTED_BITS: u32 = 40;
const STARTED_MASK: u64 = (1 << STARTED_BITS) - 1;

/// What a process puts into the slot that it takes.
#[derive(Clone, Copy)]
pub(super) enum Occupant {
    /// Its keeper's thread, which the kernel watches.
    Watched(u32),
    /// Its own number.
    Unwatched(u32),
}

impl Occupant {
    fn futex(self) -> u32 {
        match self {
            Occupant::Watched(tid) => tid & TID_MASK | WAITERS,
            Occupant::Unwatched(pid) => pid & PID_MASK | UNWATCHED | WAITERS,
        }
    }
}

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

    /// Alive as far as the word says, and the kernel does not change that.
    pub(crate) fn is_unwatched(self) -> bool {
        self.futex() & (UNWATCHED | OWNER_DIED) == UNWATCHED
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

    /// Take the slot if it is still as `seen`.
    ///
    /// A dead one's slot may be taken over when no other is left: its traces carry an older generation,
    /// which counts as dead, and the newcomer recovers before it does anything else.
    pub(super) fn take(&self, seen: Life, occupant: Occupant) -> Option<u32> {
        let generation = seen.generation().wrapping_add(u32::from(seen.is_dead()));
        let mine = Life::new(generation, occupant.futex());
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

    /// Before the slot of a dead one is taken: its traces stay to be recovered, and its life no longer says so.
    pub(super) fn haunt(&self, seen: Life) {
        self.ghost
            .store(seen.generation().wrapping_add(1).max(1), Ordering::SeqCst);
    }

    pub(super) fn ghost(&self) -> u32 {
        self.ghost.load(Ordering::Acquire)
    }

    /// Whether somebody has to recover an earlier occupant.
    pub(super) fn is_haunted(&self) -> bool {
        self.ghost() != 0
    }

    /// What `ghost` told of is recovered.
    pub(super) fn lay(&self, ghost: u32) {
        let _ = self
            .ghost
            .compare_exchange(ghost, 0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Say who the occupant is: from now on others can tell when it has ended.
    pub(super) fn introduce(&self, generation: u32, process: &Lifetime) {
        self.namespaces.store(process.namespaces, Ordering::Relaxed);
        let started = u64::from(generation) << STARTED_BITS | process.started & STARTED_MASK;
        // Release, pairs with the Acquire in `lifetime`.
        self.started.store(started, Ordering::Release);
    }

    /// Who occupies the slot without being watched, if it has said so.
    fn lifetime(&self, seen: Life) -> Option<Lifetime> {
        let started = self.started.load(Ordering::Acquire);
        // What an earlier occupant has said carries another generation.
        let generation = u64::from(seen.generation()) << STARTED_BITS;
        if started == 0 || started & !STARTED_MASK != generation {
            return None;
        }
        Some(Lifetime {
            pid: seen.futex() & PID_MASK,
            started: started & STARTED_MASK,
            namespaces: self.namespaces.load(Ordering::Relaxed),
        })
    }

    /// Do for an unwatched occupant what the kernel does for the others, if it has ended.
    pub(super) fn mark_if_ended(&self) {
        let seen = self.life();
        if !seen.is_unwatched()
            || !self
                .lifetime(seen)
                .is_some_and(|one| procfs::has_ended(&one))
        {
            return;
        }
        // Fails when it was marked or has left meanwhile: then what was found out is of no use.
        let dead = Life::new(seen.generation(), seen.futex() | OWNER_DIED);
        let _ = self
            .word
            .compare_exchange(seen.0, dead.0, Ordering::AcqRel, Ordering::Relaxed);
        futex::wake_address(self.futex_address(), u32::MAX);
    }

    /// A fresh occupant begins without anything.
    pub(crate) fn reset(&self, pid: u32) {
        self.pid.store(pid, Ordering::Relaxed);
        self.sleepers.store(0, Ordering::Relaxed);
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

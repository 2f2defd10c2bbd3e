//! The participants of a segment: one slot per process. The kernel itself changes the slot's life
//! word when the process ends.
//!
//! `word` holds the slot's generation (high half) and its `life` (low half):
//!
//! ```text
//! 0                       free
//! TID | WAITERS           a process whose keeper thread has this id
//! UNWATCHED | pid         a process without a keeper that the kernel watches: see below
//! OWNER_DIED | ...        the process has ended, in whatever way; its traces are not recovered yet
//! ```
//!
//! The kernel knows only `life`, a futex on the robust list of the keeper. This library changes
//! both halves together, so a slot's generation advances exactly once per occupant.
//!
//! If the kernel refuses robust lists, a process stores its identity in its slot, and the other
//! participants ask whether that process has ended. The first one that finds this out stores
//! OWNER_DIED on its behalf. A process counts as alive until it has stored its identity, and for a
//! participant that cannot tell.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::sync::owner::Owner;
use crate::sync::rlock::Holders;
use crate::sync::shared::shared;
use crate::sys::futex;
use crate::sys::procfs;
use crate::sys::procfs::Lifetime;
use crate::sys::robust_list::{OWNER_DIED, TID_MASK, WAITERS};

shared! {
    /// One slot of the participant table.
    #[repr(align(64))]
    pub(crate) struct Participant {
        pub(super) word: AtomicU64,
        /// For sleepers among many participants.
        pub(super) watch: Watch,
        /// The process id, for people and tools, and [`REACHED`].
        pub(super) pid: AtomicU32,
        /// Number of the process's threads that sleep in this segment.
        pub(crate) sleepers: AtomicU32,
        /// Unwatched: the namespaces to which `pid` and `started` refer.
        pub(super) namespaces: AtomicU32,
        /// Not 0 if there may be traces of an earlier occupant, which is dead, see
        /// [`haunt`](Self::haunt).
        pub(super) ghost: AtomicU32,
        /// Queue: every message that the process got and has not settled lies at or after this
        /// place.
        pub(crate) oldest_got: AtomicU64,
        /// Rlock: the holder within the process.
        pub(crate) holders: Holders,
        /// Unwatched: the start time of the process, with the generation that stored it; 0 until it
        /// is stored.
        pub(super) started: AtomicU64,
    }
}

const _: () = assert!(size_of::<Participant>() == 64);
const _: () = assert!(std::mem::offset_of!(Participant, word) == 0);

shared! {
    /// The part of a slot that sleepers among many participants use: see `crowd`.
    pub(super) struct Watch {
        /// How many threads of the occupant watch the slots after this one, below the lower half of
        /// the occupant's generation: a count of an earlier occupant is 0.
        watchers: AtomicU32,
        /// Changes when those threads have to look again.
        pub(super) nudge: AtomicU32,
    }
}

const COUNT_BITS: u32 = 16;
const COUNT: u32 = (1 << COUNT_BITS) - 1;

impl Watch {
    fn watchers(word: u32, generation: u32) -> u32 {
        match word >> COUNT_BITS == generation & COUNT {
            true => word & COUNT,
            false => 0,
        }
    }

    /// Change the number of watchers of the occupant with this generation.
    pub(super) fn change(&self, generation: u32, change: impl Fn(u32) -> u32) {
        let next = |word| {
            let watchers = change(Watch::watchers(word, generation)) & COUNT;
            Some(generation << COUNT_BITS | watchers)
        };
        let _ = self
            .watchers
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, next);
    }
}

/// The quick barriers of others reach the occupant (`sys::membarrier`). A bit that is 0 in every
/// process id. Cleared before a slot becomes free: so no occupant has the bit before it has noted
/// that itself. A bit that is missing makes a recovery slower, and nothing else.
const REACHED: u32 = 1 << 31;

/// A bit that is 0 in every thread id.
const UNWATCHED: u32 = 0x2000_0000;
const PID_MASK: u32 = UNWATCHED - 1;

/// The number of bits of `started` that hold the start time. The generation lies above them.
const STARTED_BITS: u32 = 40;
const STARTED_MASK: u64 = (1 << STARTED_BITS) - 1;

/// The occupant of a slot, as a process stores it when it takes the slot.
#[derive(Clone, Copy)]
pub(super) enum Occupant {
    /// The id of its keeper thread, which the kernel watches.
    Watched(u32),
    /// Its process id.
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

/// The value of a slot's word as it was read once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life(u64);

impl Life {
    fn new(generation: u32, life: u32) -> Life {
        Life(u64::from(generation) << 32 | u64::from(life))
    }

    /// A word that was not read through a `Participant`.
    pub(super) fn of(word: u64) -> Life {
        Life(word)
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The half of the word that the kernel knows.
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

    /// The id of the thread whose end the kernel reports, in the pid namespace of its process;
    /// `None` if there is none.
    pub(crate) fn keeper(self) -> Option<u32> {
        let tid = self.futex() & TID_MASK;
        (!self.is_unwatched() && tid != 0).then_some(tid)
    }

    /// Whether the word says alive and the kernel will not change it.
    pub(crate) fn is_unwatched(self) -> bool {
        self.futex() & (UNWATCHED | OWNER_DIED) == UNWATCHED
    }
}

impl Participant {
    pub(crate) fn life(&self) -> Life {
        Life(self.word.load(Ordering::Acquire))
    }

    /// Report whether the occupant lives and its threads watch the slots after this one.
    pub(super) fn has_watchers(&self, life: Life) -> bool {
        let word = self.watch.watchers.load(Ordering::SeqCst);
        life.is_alive() && Watch::watchers(word, life.generation()) != 0
    }

    /// The address of the half of the word that is a futex.
    pub(crate) fn futex_address(&self) -> *const u32 {
        let half = if cfg!(target_endian = "little") { 0 } else { 1 };
        self.word
            .as_ptr()
            .cast_const()
            .cast::<u32>()
            .wrapping_add(half)
    }

    /// Take the slot if its word is still `seen`. Return the new generation.
    ///
    /// A dead process's slot may be taken over if no other slot is left. The traces of the dead
    /// process carry an older generation, which counts as dead, and the new occupant recovers them
    /// before it does anything else.
    pub(super) fn take(&self, seen: Life, occupant: Occupant) -> Option<u32> {
        let generation = seen.generation().wrapping_add(u32::from(seen.is_dead()));
        let mine = Life::new(generation, occupant.futex());
        self.word
            .compare_exchange(seen.0, mine.0, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        Some(generation)
    }

    /// Free the slot if its word is still `seen`; its traces have been recovered. A second
    /// recoverer at the same time fails here.
    pub(crate) fn release(&self, seen: Life) {
        if self.life() != seen {
            return;
        }
        // If this process is killed here, the next recovery is slow.
        self.pid.fetch_and(!REACHED, Ordering::SeqCst);
        let free = Life::new(seen.generation().wrapping_add(1), 0);
        let _ = self
            .word
            .compare_exchange(seen.0, free.0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Leave the slot as a dead process leaves it: the next participant recovers its traces.
    pub(crate) fn abandon(&self, seen: Life) {
        let dead = Life::new(seen.generation(), OWNER_DIED | WAITERS);
        let _ = self
            .word
            .compare_exchange(seen.0, dead.0, Ordering::AcqRel, Ordering::Relaxed);
        futex::wake_address(self.futex_address(), u32::MAX);
    }

    /// Call this before the slot of a dead process is taken. Its traces still have to be recovered,
    /// but the life word will no longer say so.
    pub(super) fn haunt(&self, seen: Life) {
        self.ghost
            .store(seen.generation().wrapping_add(1).max(1), Ordering::SeqCst);
    }

    pub(super) fn ghost(&self) -> u32 {
        self.ghost.load(Ordering::Acquire)
    }

    /// Report whether an earlier occupant has to be recovered.
    pub(super) fn is_haunted(&self) -> bool {
        self.ghost() != 0
    }

    /// The earlier occupant that `ghost` stands for has been recovered.
    pub(super) fn lay(&self, ghost: u32) {
        let _ = self
            .ghost
            .compare_exchange(ghost, 0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Store the identity of the occupant. From now on the other participants can tell when it has
    /// ended.
    pub(super) fn introduce(&self, generation: u32, process: &Lifetime) {
        self.namespaces.store(process.namespaces, Ordering::Relaxed);
        let started = u64::from(generation) << STARTED_BITS | process.started & STARTED_MASK;
        // Release, pairs with the Acquire in `lifetime`.
        self.started.store(started, Ordering::Release);
    }

    /// The identity of an unwatched occupant, if it has been stored.
    fn lifetime(&self, seen: Life) -> Option<Lifetime> {
        let started = self.started.load(Ordering::Acquire);
        // An identity that an earlier occupant stored carries another generation.
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

    /// If an unwatched occupant has ended, mark its slot, as the kernel marks the slots that it
    /// watches.
    pub(super) fn mark_if_ended(&self) {
        let seen = self.life();
        if !seen.is_unwatched()
            || !self
                .lifetime(seen)
                .is_some_and(|one| procfs::has_ended(&one))
        {
            return;
        }
        // This fails if the slot was marked or freed meanwhile; then there is nothing to do.
        let dead = Life::new(seen.generation(), seen.futex() | OWNER_DIED);
        let _ = self
            .word
            .compare_exchange(seen.0, dead.0, Ordering::AcqRel, Ordering::Relaxed);
        futex::wake_address(self.futex_address(), u32::MAX);
    }

    /// The process id of the occupant.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed) & !REACHED
    }

    /// Note that the quick barriers of others reach this process, which is the occupant.
    pub(super) fn note_that_barriers_reach(&self) {
        self.pid.fetch_or(REACHED, Ordering::SeqCst);
    }

    /// Report whether the quick barriers reach whoever has died in this slot. Call this after the
    /// life word was seen dead.
    pub(super) fn is_reached_by_barriers(&self) -> bool {
        // In a haunted slot the bit may be that of a living occupant.
        self.pid.load(Ordering::SeqCst) & REACHED != 0 && !self.is_haunted()
    }

    /// Initialize the slot for a new occupant.
    pub(crate) fn reset(&self, pid: u32, is_reached: bool) {
        let reached = if is_reached { REACHED } else { 0 };
        self.pid.store(pid | reached, Ordering::SeqCst);
        self.sleepers.store(0, Ordering::Relaxed);
        self.oldest_got.store(0, Ordering::Relaxed);
        self.holders.thread.store(0, Ordering::Relaxed);
        self.holders.task.store(0, Ordering::Relaxed);
    }

    /// Report whether `owner`, which claims this slot, still has it and is alive.
    pub(crate) fn is_held_by(&self, owner: Owner) -> bool {
        let life = self.life();
        life.is_alive() && owner.is_of_generation(life.generation())
    }
}

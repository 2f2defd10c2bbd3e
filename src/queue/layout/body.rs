//! A queue's own words in shared memory.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::cursor::{Side, Totals};
use super::ends::Ends;
use super::ring::{RingState, RINGS};
use crate::queue::options::QueueOptions;
use crate::segment::{fixed_size, Account, Kind, ACCOUNTS};
use crate::sync::eventcount::WaitPoint;
use crate::sync::shared::shared;

shared! {
    /// The shared words of a chain.
    #[repr(align(128))]
    pub(crate) struct ChainWords {
        pub(crate) tail: Side,
        pub(crate) head: Side,
        pub(crate) behind: Behind,
    }
}

shared! {
    /// Counts of the records behind the head's cursor that are not over. Guarded by the head lock;
    /// a survey counts them anew.
    #[repr(align(64))]
    pub(crate) struct Behind {
        /// RETURNED records: available messages.
        pub(crate) available: AtomicU64,
        /// TAKEN and GOT records.
        pub(crate) in_flight: AtomicU64,
        /// PASSED records, which are still being written.
        pub(crate) passed: AtomicU64,
        /// Sum of the extents of the records that are not over.
        pub(crate) bytes: AtomicU64,
        /// Rings that the head has left and that still have memory to give back, as bits.
        pub(crate) lingering: AtomicU64,
        /// Records that never became a message, since the chain was made.
        pub(crate) voided: AtomicU64,
        /// Voided records whose owner died.
        pub(crate) abandoned: AtomicU64,
        /// Not 0 if there may be VOID records ahead of the cursor.
        pub(crate) voids_ahead: AtomicU64,
    }
}

shared! {
    /// All words of a queue except its rings. Words that different processes write lie on separate
    /// cache lines.
    #[repr(align(128))]
    pub(crate) struct Body {
        pub(crate) settings: Settings,
        pub(crate) messages: ChainWords,
        /// Consumers wait here for messages.
        pub(crate) items: WaitPoint,
        /// Producers wait here for room.
        pub(crate) space: WaitPoint,
        /// Watchers wait here for the queue to run empty.
        pub(crate) drained: WaitPoint,
        /// Calls of `join` wait here until no message is unfinished, and watchers for messages that
        /// are settled.
        pub(crate) idle: WaitPoint,
        pub(crate) counters: Counters,
        pub(crate) dead: ChainWords,
        pub(crate) rings: [RingState; RINGS],
        pub(crate) ends: Ends,
    }
}

shared! {
    /// All that lies before the rings. A look from outside copies `body` as a whole.
    #[repr(align(128))]
    pub(crate) struct Words {
        pub(crate) body: Body,
        /// What the participants have done, in the order of `account::index_of`.
        pub(crate) accounts: [Account; ACCOUNTS],
    }
}

const _: () = assert!(std::mem::offset_of!(Words, body) == 0);

impl Words {
    pub(crate) const ACCOUNTS_AT: usize = std::mem::offset_of!(Words, accounts);
}

/// Offset of the rings in the file.
pub(crate) const RINGS_AT: u64 = fixed_size(Kind::Queue, size_of::<Words>());

shared! {
    /// The options with which the queue was created, and whether it is shut down.
    #[repr(align(128))]
    pub(crate) struct Settings {
        max_items: AtomicU64,
        max_bytes: AtomicU64,
        joinable: AtomicU32,
        max_deliveries: AtomicU32,
        spin_ns: AtomicU32,
        pub(crate) shutdown: AtomicU32,
        format: [AtomicU64; 4],
        /// Random bits that tell this queue from every other one, also from an earlier one of the
        /// same name. They never change.
        identity: [AtomicU64; 2],
    }
}

shared! {
    /// Statistics for people: counts of rare events.
    #[repr(align(128))]
    pub(crate) struct Counters {
        pub(crate) redelivered: AtomicU64,
        pub(crate) discarded: AtomicU64,
    }
}

/// Whether a queue still takes messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Intake {
    /// It takes messages.
    Open = 0,
    /// Puts are refused; messages that are in the queue are still delivered.
    Draining = 1,
    /// Puts are refused, and the messages that were in the queue have been discarded.
    Discarded = 2,
}

impl Body {
    /// Report whether a thread may sleep that a settled message has to wake. The precondition is
    /// that of [`EventCount::has_sleepers_after_rmw`](crate::sync::eventcount::EventCount).
    #[inline(always)]
    pub(crate) fn has_sleepers_after_finish(&self) -> bool {
        self.space.has_sleepers_after_rmw() | self.idle.waiters.has_sleepers()
    }

    /// Report whether a thread may sleep that a get has to wake. The precondition is that of
    /// [`EventCount::has_sleepers_after_rmw`](crate::sync::eventcount::EventCount).
    #[inline(always)]
    pub(crate) fn has_sleepers_after_get(&self) -> bool {
        self.space.has_sleepers_after_rmw() | self.drained.watchers.has_sleepers()
    }

    pub(crate) fn fill(&self, options: &QueueOptions, identity: &[u8; 16]) {
        let settings = &self.settings;
        settings
            .max_items
            .store(options.max_items, Ordering::Relaxed);
        settings
            .max_bytes
            .store(options.max_bytes, Ordering::Relaxed);
        settings
            .joinable
            .store(u32::from(options.joinable), Ordering::Relaxed);
        settings
            .max_deliveries
            .store(options.max_deliveries, Ordering::Relaxed);
        settings.spin_ns.store(options.spin_ns, Ordering::Relaxed);
        for (word, bytes) in settings
            .format
            .iter()
            .zip(options.format.as_chunks::<8>().0)
        {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        for (word, bytes) in settings.identity.iter().zip(identity.as_chunks::<8>().0) {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
    }

    pub(crate) fn identity(&self) -> [u8; 16] {
        let mut identity = [0; 16];
        let words = self.settings.identity.iter();
        for (word, bytes) in words.zip(identity.as_chunks_mut::<8>().0) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        identity
    }

    /// Offset within `Body` of a word that is not 0 once the queue is shut down.
    pub(crate) const SHUT_DOWN_AT: usize =
        std::mem::offset_of!(Body, settings) + std::mem::offset_of!(Settings, shutdown);

    pub(crate) fn options(&self) -> QueueOptions {
        let settings = &self.settings;
        let mut format = [0; 32];
        for (word, bytes) in settings.format.iter().zip(format.as_chunks_mut::<8>().0) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        // A label always ends in NUL, even if the bytes in shared memory do not.
        format[31] = 0;
        QueueOptions {
            create: Default::default(),
            joinable: self.is_joinable(),
            max_items: self.max_items(),
            max_bytes: self.max_bytes(),
            max_deliveries: self.max_deliveries(),
            spin_ns: self.spin_ns(),
            format,
        }
    }

    #[inline]
    pub(crate) fn is_joinable(&self) -> bool {
        self.settings.joinable.load(Ordering::Relaxed) != 0
    }

    #[inline]
    pub(crate) fn max_items(&self) -> u64 {
        self.settings.max_items.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn max_bytes(&self) -> u64 {
        self.settings.max_bytes.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn is_limited(&self) -> bool {
        self.max_items() != 0 || self.max_bytes() != 0
    }

    /// Report whether the limits allow one more record of `extent` bytes. `totals` are the tail's
    /// totals; `count` records no longer wait, and `bytes` bytes of records are over.
    #[inline]
    pub(crate) fn allows(&self, totals: &Totals, extent: u64, count: u64, bytes: u64) -> bool {
        self.room(totals, extent, count, bytes) > 0
    }

    /// How many such records the limits allow.
    #[inline]
    pub(crate) fn room(&self, totals: &Totals, extent: u64, count: u64, bytes: u64) -> u64 {
        let of_items = match self.max_items() {
            0 => u64::MAX,
            max => max.saturating_sub(totals.count.saturating_sub(count)),
        };
        let of_bytes = match self.max_bytes() {
            0 => u64::MAX,
            max => max.saturating_sub(totals.bytes.saturating_sub(bytes)) / extent.max(1),
        };
        of_items.min(of_bytes)
    }

    pub(crate) fn max_deliveries(&self) -> u32 {
        self.settings.max_deliveries.load(Ordering::Relaxed)
    }

    pub(crate) fn spin_ns(&self) -> u32 {
        self.settings.spin_ns.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn phase(&self) -> Intake {
        match self.settings.shutdown.load(Ordering::Acquire) {
            0 => Intake::Open,
            1 => Intake::Draining,
            _ => Intake::Discarded,
        }
    }

    /// Under the tail lock. The phase of a queue never goes back.
    pub(crate) fn go_to(&self, phase: Intake) {
        self.settings
            .shutdown
            .fetch_max(phase as u32, Ordering::AcqRel);
    }
}

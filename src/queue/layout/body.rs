//! A queue's own words in shared memory.

use super::cursor::Side;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::cursor::Totals;
use super::ring::{RingState, RINGS};
use crate::queue::options::QueueOptions;
use crate::segment::{fixed_size, Kind, Segment};
use crate::sync::eventcount::EventCount;
use crate::sync::shared::shared;

shared! {
    /// The words of a chain, in shared memory.
    #[repr(align(128))]
    pub(crate) struct ChainWords {
        pub(crate) tail: Side,
        pub(crate) head: Side,
        pub(crate) behind: Behind,
    }
}

shared! {
    /// What lies behind the head's cursor and is not over. Under the head lock; a survey counts it anew.
    #[repr(align(64))]
    pub(crate) struct Behind {
        /// RETURNED: available.
        pub(crate) available: AtomicU64,
        /// TAKEN or GOT.
        pub(crate) in_flight: AtomicU64,
        /// PASSED: still being written.
        pub(crate) passed: AtomicU64,
        /// Extents of all that is not over.
        pub(crate) bytes: AtomicU64,
        /// Rings that the head has left, as bits.
        pub(crate) lingering: AtomicU64,
        /// Records that never became a message, since the chain was made.
        pub(crate) voided: AtomicU64,
        /// Those among them whose owner died.
        pub(crate) abandoned: AtomicU64,
        /// Not 0: there may be VOID records ahead of the cursor.
        pub(crate) voids_ahead: AtomicU64,
    }
}

shared! {
    /// Everything but the rings. Words that different processes write lie on cache lines of their own.
    #[repr(align(128))]
    pub(crate) struct Body {
        pub(super) settings: Settings,
        pub(crate) messages: ChainWords,
        /// Consumers wait here for messages.
        pub(crate) items: WaitPoint,
        /// Producers wait here for room.
        pub(crate) space: WaitPoint,
        /// Who watches the queue waits here for it to run empty.
        pub(crate) drained: WaitPoint,
        /// Joins wait here until nothing is unfinished.
        pub(crate) idle: WaitPoint,
        pub(crate) counters: Counters,
        pub(crate) dead: ChainWords,
        pub(crate) rings: [RingState; RINGS],
    }
}

/// Where the rings begin in the file.
pub(crate) const RINGS_AT: u64 = fixed_size(Kind::Queue, size_of::<Body>());

shared! {
    /// What a queue was made with, and whether it is shut down.
    #[repr(align(128))]
    pub(super) struct Settings {
        max_items: AtomicU64,
        max_bytes: AtomicU64,
        joinable: AtomicU32,
        max_deliveries: AtomicU32,
        spin_ns: AtomicU32,
        shutdown: AtomicU32,
        format: [AtomicU64; 4],
    }
}

shared! {
    /// Something that is waited for, on a cache line of its own.
    #[repr(align(128))]
    pub(crate) struct WaitPoint {
        /// Who waits to use it up: a wake-up goes to as many as it suffices for.
        pub(crate) waiters: EventCount,
        /// Who only looks whether it is there. They do not take a wake-up away from those.
        pub(crate) watchers: EventCount,
    }
}

impl WaitPoint {
    /// Tell at most `count` of those who wait. As [`EventCount::notify`], for what came before.
    #[inline]
    pub(crate) fn notify(&self, segment: &Segment, count: u32) {
        self.waiters.notify(segment, count);
        self.watchers.notify_all(segment);
    }

    /// Tell everybody.
    #[inline]
    pub(crate) fn notify_all(&self, segment: &Segment) {
        self.notify(segment, u32::MAX);
    }
}

shared! {
    /// For people: how often something out of the ordinary has happened.
    #[repr(align(128))]
    pub(crate) struct Counters {
        pub(crate) redelivered: AtomicU64,
        pub(crate) discarded: AtomicU64,
    }
}

/// Whether a queue still takes messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Intake {
    /// It does.
    Open = 0,
    /// Puts are refused; what is there is still delivered.
    Draining = 1,
    /// Puts are refused, and what was there has been thrown away.
    Discarded = 2,
}

impl Body {
    pub(crate) fn fill(&self, options: &QueueOptions) {
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
    }

    /// Where in it a number lies that is not 0 once the queue is shut down.
    pub(crate) const SHUT_DOWN_AT: usize =
        std::mem::offset_of!(Body, settings) + std::mem::offset_of!(Settings, shutdown);

    pub(crate) fn options(&self) -> QueueOptions {
        let settings = &self.settings;
        let mut format = [0; 32];
        for (word, bytes) in settings.format.iter().zip(format.as_chunks_mut::<8>().0) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        // A label always ends in NUL, whatever shared memory says.
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

    /// Whether the limits allow a record of `extent` bytes behind what the tail's `totals` count, when
    /// `count` records wait no more and `bytes` are over.
    #[inline]
    pub(crate) fn allows(&self, totals: &Totals, extent: u64, count: u64, bytes: u64) -> bool {
        self.room(totals, extent, count, bytes) > 0
    }

    /// How many of them the limits allow.
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

    /// Under the tail lock: a queue's phase only ever goes on.
    pub(crate) fn go_to(&self, phase: Intake) {
        self.settings
            .shutdown
            .fetch_max(phase as u32, Ordering::AcqRel);
    }
}

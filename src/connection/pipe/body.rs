//! A pipe's own words in shared memory.

use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::segment::{fixed_size, Kind};
use crate::sync::eventcount::EventCount;
use crate::sync::mutex::RobustMutex;
use crate::sync::shared::shared;

/// Bytes of a lane's ring, a power of two.
pub(super) const RING: u64 = 1 << 20;
/// One slot of [`Body::holders`] for each that the participant table has.
const SLOTS: usize = Kind::Connection.max_participants() as usize;
/// Where the rings begin in the file.
pub(super) const RINGS_AT: u64 = fixed_size(Kind::Connection, size_of::<Body>());

shared! {
    /// Everything but the rings.
    #[repr(align(128))]
    pub(super) struct Body {
        /// Not 0: both ends send and receive. 0: end A receives, end B sends.
        pub(super) duplex: AtomicU32,
        /// A bit per end that nobody has any more, and nobody will.
        pub(super) over: AtomicU32,
        _pad: [AtomicU32; 30],
        /// Per participant, the ends that its process uses: its owner and a bit per end.
        pub(super) holders: [AtomicU32; SLOTS],
        /// By the end that receives.
        pub(super) lanes: [LaneWords; 2],
    }
}

shared! {
    /// One direction of a pipe. What senders write and what receivers write lies on lines of its own.
    #[repr(align(128))]
    pub(super) struct LaneWords {
        pub(super) sender: SenderWords,
        pub(super) receiver: ReceiverWords,
        /// Receivers wait here for something to receive.
        pub(super) items: Waiters,
        /// Senders wait here until receivers have moved.
        pub(super) space: Waiters,
    }
}

shared! {
    /// Under the senders' lock, `offer` aside.
    #[repr(align(128))]
    pub(super) struct SenderWords {
        pub(super) mutex: RobustMutex,
        _pad: AtomicU32,
        /// Everything before it was sent. The store that commits a send.
        pub(super) tail: AtomicU64,
        /// A position after which the next message lies at the ring's beginning, see `stream`.
        pub(super) jump: AtomicU64,
        /// A message that is longer than the ring, see `transfer`.
        pub(super) offer: AtomicU64,
        pub(super) offered: AtomicU64,
        pub(super) given: AtomicU64,
    }
}

shared! {
    /// Under the receivers' lock.
    #[repr(align(128))]
    pub(super) struct ReceiverWords {
        pub(super) mutex: RobustMutex,
        _pad: AtomicU32,
        /// Everything before it was received. The store that commits a receive.
        pub(super) head: AtomicU64,
        /// How far a receiver is with a message that is longer than the ring, see `transfer`.
        pub(super) asked: AtomicU64,
    }
}

shared! {
    /// An eventcount on a cache line of its own.
    #[repr(align(128))]
    pub(super) struct Waiters {
        pub(super) count: EventCount,
    }
}

//! A pipe's own words in shared memory.

use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::segment::{fixed_size, Kind};
use crate::sync::eventcount::EventCount;
use crate::sync::mutex::RobustMutex;
use crate::sync::shared::shared;

/// Bytes of a lane's ring, a power of two.
pub(super) const RING: u64 = 1 << 20;
/// One slot in [`Body::holders`] for each slot of the participant table.
pub(super) const SLOTS: usize = Kind::Connection.max_participants() as usize;
/// Where the rings begin in the file.
pub(super) const RINGS_AT: u64 = fixed_size(Kind::Connection, size_of::<Body>());

shared! {
    /// Everything but the rings.
    #[repr(align(128))]
    pub(super) struct Body {
        /// Not 0: both ends send and receive. 0: end A receives, end B sends.
        pub(super) duplex: AtomicU32,
        /// A bit per end that no process has any more; such an end can never be used again.
        pub(super) over: AtomicU32,
        _pad: [AtomicU32; 30],
        /// For each participant, the ends that its process uses: its owner and a bit per end.
        pub(super) holders: [AtomicU32; SLOTS],
        /// Indexed by the end that receives.
        pub(super) lanes: [LaneWords; 2],
    }
}

shared! {
    /// One direction of a pipe. The words that senders write and those that receivers write lie on
    /// separate cache lines.
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
    /// Written under the senders' lock, except `offer`.
    #[repr(align(128))]
    pub(super) struct SenderWords {
        pub(super) mutex: RobustMutex,
        _pad: AtomicU32,
        /// All bytes before this position were sent. The store of this word commits a send.
        pub(super) tail: AtomicU64,
        /// A position after which the next message lies at the ring's beginning, see `lane`.
        pub(super) jump: AtomicU64,
        /// A message that is longer than the ring, see `transfer`.
        pub(super) offer: AtomicU64,
        pub(super) offered: AtomicU64,
        pub(super) given: AtomicU64,
    }
}

shared! {
    /// Written under the receivers' lock.
    #[repr(align(128))]
    pub(super) struct ReceiverWords {
        pub(super) mutex: RobustMutex,
        _pad: AtomicU32,
        /// All bytes before this position were received. The store of this word commits a receive.
        pub(super) head: AtomicU64,
        /// How much of a message longer than the ring the receiver has, see `transfer`.
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

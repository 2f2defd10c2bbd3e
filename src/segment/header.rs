//! The beginning of a segment: it says what the segment holds, and is checked before anything else
//! is used.
//!
//! ```text
//!         0  header
//!         0    magic: polyproc
//!         8    layout: the version of what lies here
//!        12    kind
//!        16    participants: how many slots
//!        20    body: its size
//!        24    mode: the permissions asked for
//!        28    used_slots: where a scan may stop
//!        32    recoveries
//!       256  participants, 64 bytes each
//!       256    life, the futex that the kernel marks, and generation
//!       264    watchers and nudge: of sleepers in a crowd
//!       272    pid
//!       276    sleepers
//!       280    namespaces of pid and started
//!       284    ghost: traces of an earlier occupant
//!       288    oldest_got: of a queue
//!       296    holders: of an rlock
//!       312    started: without a keeper
//!     15616  the object's own words: of a lock
//! ```

use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::kind::Kind;
use super::participants::Participant;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::shared::shared;
use crate::sys::memory::PAGE;
use crate::sys::mmap;

/// "polyproc" in memory order.
const MAGIC: u64 = u64::from_le_bytes(*b"polyproc");
/// The magic number while an object is made anew in the file of an object that is over.
const RENEWING: u64 = u64::from_le_bytes(*b"polyrenw");
/// Changes with every incompatible change of the layout of shared memory.
const LAYOUT: u32 = 5;

const _: () = assert!(offset_of!(Header, magic) == 0);

shared! {
    /// The first bytes of every segment.
    #[repr(align(64))]
    pub(crate) struct Header {
        pub(super) magic: AtomicU64,
        pub(super) layout: AtomicU32,
        pub(super) kind: AtomicU32,
        /// Number of slots of the participant table.
        pub(super) participants: AtomicU32,
        /// Size of the body in bytes.
        pub(super) body: AtomicU32,
        /// The mode that the creator asked for. The file must not grant more than that.
        pub(super) mode: AtomicU32,
        /// One more than the highest slot that was ever taken. A scan of the table may stop there.
        pub(crate) used_slots: AtomicU32,
        /// How many times dead participants were recovered.
        pub(crate) recoveries: AtomicU64,
    }
}

/// Offset of the participants.
pub(crate) const PARTICIPANTS_AT: usize = 256;
pub(super) const BODY_ALIGN: usize = 128;

/// Offset of a slot.
pub(crate) const fn slot_at(slot: usize) -> usize {
    PARTICIPANTS_AT + slot * size_of::<Participant>()
}

// Each slot's word has a private counterpart at the same offset.
const _: () = assert!(slot_at(Kind::Queue.max_participants() as usize) <= mmap::PRIVATE);

/// Offset of an object's own words.
pub(crate) const fn body_at(kind: Kind) -> usize {
    let end = slot_at(kind.max_participants() as usize);
    end.next_multiple_of(BODY_ALIGN)
}

/// Size of header, participants and body, rounded up to whole pages.
pub(crate) const fn fixed_size(kind: Kind, body: usize) -> u64 {
    ((body_at(kind) + body) as u64).next_multiple_of(PAGE)
}

impl Header {
    /// Initialize a new segment, before any other process can see it.
    pub(crate) fn fill(&self, kind: Kind, body: usize, mode: u32) {
        self.layout.store(LAYOUT, Ordering::Relaxed);
        self.kind.store(kind.code() as u32, Ordering::Relaxed);
        self.participants
            .store(kind.max_participants(), Ordering::Relaxed);
        self.body.store(body as u32, Ordering::Relaxed);
        self.mode.store(mode, Ordering::Relaxed);
        self.magic.store(MAGIC, Ordering::Release);
    }

    /// From now on there is no object in this file; a process that makes it anew may begin.
    pub(super) fn begin_anew(&self) {
        self.magic.store(RENEWING, Ordering::SeqCst);
        self.used_slots.store(0, Ordering::Relaxed);
        self.recoveries.store(0, Ordering::Relaxed);
    }

    /// Check that this is a segment with the layout of this version of the library.
    fn check_version(&self) -> Result<()> {
        let magic = self.magic.load(Ordering::Acquire);
        if magic == RENEWING {
            // A process was killed while it created the object again in this file.
            return Err(Status::E_CORRUPT);
        }
        if magic != MAGIC {
            return Err(because!(E_MISMATCH, "it is no object of polyproc"));
        }
        let layout = self.layout.load(Ordering::Relaxed);
        if layout != LAYOUT {
            return Err(because!(
                E_MISMATCH,
                "its memory has layout {layout}, and this version of the library knows {LAYOUT}"
            ));
        }
        Ok(())
    }

    /// The kind of the object in a file of `size` bytes.
    ///
    /// # Errors
    /// `E_MISMATCH`: it is no object that this version knows. `E_CORRUPT`.
    pub(super) fn kind_from_outside(&self, size: u64) -> Result<Kind> {
        if size < size_of::<Header>() as u64 {
            return Err(because!(
                E_MISMATCH,
                "the file is too short to be an object of polyproc"
            ));
        }
        if self.magic.load(Ordering::Acquire) == RENEWING {
            return Err(because!(
                E_CORRUPT,
                "the process that made it anew was killed, or is about to end"
            ));
        }
        self.check_version()?;
        let code = self.kind.load(Ordering::Relaxed);
        let kind = Kind::from_code(code as i32).ok_or_else(|| {
            because!(
                E_MISMATCH,
                "the object has kind {code}, which this version of the library does not know"
            )
        })?;
        let body = self.body.load(Ordering::Relaxed) as usize;
        let slots = self.participants.load(Ordering::Relaxed);
        if slots != kind.max_participants() {
            return Err(because!(
                E_CORRUPT,
                "its table of participants has {slots} slots"
            ));
        }
        let used = self.used_slots.load(Ordering::Relaxed);
        if used > slots {
            return Err(because!(
                E_CORRUPT,
                "{used} of {slots} participants are in use"
            ));
        }
        let least = fixed_size(kind, body);
        if size < least {
            return Err(because!(
                E_CORRUPT,
                "its file was cut: it has {size} bytes of at least {least}"
            ));
        }
        Ok(kind)
    }

    /// Check that this is a segment of `kind` with the layout of this version of the library.
    pub(crate) fn check(&self, kind: Kind, body: usize, file_mode: u32) -> Result<()> {
        self.check_version()?;
        let theirs = self.kind.load(Ordering::Relaxed);
        if theirs != kind.code() as u32 {
            return Err(kind.mismatch(theirs as i32));
        }
        if self.participants.load(Ordering::Relaxed) != kind.max_participants()
            || self.body.load(Ordering::Relaxed) as usize != body
        {
            return Err(Status::E_CORRUPT);
        }
        if file_mode & !self.mode.load(Ordering::Relaxed) & 0o777 != 0 {
            return Err(because!(
                E_PERMISSION,
                "its file is open to more users than it was made for"
            ));
        }
        Ok(())
    }
}

/// The kind of the object whose segment begins with these bytes; `None` if this version does not
/// know it.
pub(super) fn kind_of(head: &[u8; size_of::<Header>()]) -> Option<Kind> {
    kind_beside(MAGIC, head)
}

/// The kind of the object that a process began to create again in this file and has not finished.
pub(super) fn kind_of_half_made(head: &[u8; size_of::<Header>()]) -> Option<Kind> {
    kind_beside(RENEWING, head)
}

fn kind_beside(expected: u64, head: &[u8; size_of::<Header>()]) -> Option<Kind> {
    let magic = head.first_chunk().map(|magic| u64::from_ne_bytes(*magic));
    if magic != Some(expected) || number(head, offset_of!(Header, layout)) != LAYOUT {
        return None;
    }
    let kind = Kind::from_code(number(head, offset_of!(Header, kind)) as i32)?;
    let participants = number(head, offset_of!(Header, participants));
    (participants == kind.max_participants()).then_some(kind)
}

/// The number at an offset of a struct in shared memory that was read as bytes.
pub(super) fn number(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

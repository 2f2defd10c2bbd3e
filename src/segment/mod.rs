//! One object, one segment: a file of shared memory, who uses it, and how its users wait.
//!
//! ```text
//! create, renew     making and opening one; an object that is over, made anew
//! attach, recovery  becoming a participant and leaving; giving back what the dead held
//! participants      who uses it, dead or alive        keeper     the thread the kernel watches
//! sleep             sleeping beside the living        readiness  what an object's descriptor says
//! header, kind      how a segment begins              mapping    typed views of mapped memory
//! names, list       what a segment may be called, and which names there are
//! co_users          which users can change its file   methods    what every kind of object can do
//! registry          the segments that this process has open
//! ```

mod attach;
mod co_users;
mod create;
mod header;
pub(crate) mod keeper;
mod kind;
mod list;
#[allow(unsafe_code)]
mod mapping;
mod methods;
mod names;
mod participants;
#[cfg(test)]
pub(crate) mod picture;
mod readiness;
mod recovery;
mod registry;
mod renew;
mod sleep;

use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

pub use create::CreateOptions;
pub(crate) use header::fixed_size;
use header::Header;
pub use kind::Kind;
pub use list::{list, ObjectInfo};
pub(crate) use mapping::{LazyMapping, Mapping};
pub(crate) use methods::common_methods;
pub use names::unlink;
pub(crate) use participants::Participant;
pub(crate) use readiness::{changes, look_again, Raised, Readiness};
pub(crate) use sleep::{WaitSet, WithoutRecovery};

use crate::status::{Result, Status};
use crate::sync::at_fork::hold_across_forks;
use crate::sync::local_lock::LocalLock;
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::shared::Shared;
use crate::sys::descriptor;
use crate::sys::descriptor::OwnedFd;
use crate::sys::memory;
use crate::sys::robust_list::Entry;

/// Gives back what owners hold; the second argument is who recovers, the third says who is gone.
type Recover = fn(&Segment, Caller<'_>, &dyn Fn(Owner) -> bool) -> Result<()>;

/// Writes a new object's words.
type Fill<'a> = dyn Fn(&Segment) -> Result<()> + 'a;

/// What a segment must know of the kind of object that it holds.
pub(crate) struct ObjectType {
    pub(crate) kind: Kind,
    /// Size of the object's own words.
    pub(crate) body: usize,
    /// Further stretches of the file that it may use.
    pub(crate) extents: usize,
    /// Memory behind them that a new object starts with, in bytes.
    pub(crate) extra: u64,
    /// Where in the body a number (u32) lies that is not 0 once the object is over for good: see `renew`.
    pub(crate) over_at: Option<usize>,
    /// Give back what owners hold for whom `is_gone` says true, and wake who waits. Idempotent: a
    /// recoverer that is killed in turn is followed by the next. `E_TIMEOUT` where a stopped process keeps it from
    /// its locks: then it is the next one's.
    pub(crate) recover: Recover,
}

/// An object's shared memory, as this process sees it.
pub(crate) struct Segment {
    object: &'static ObjectType,
    fixed: Mapping,
    fd: OwnedFd,
    identity: (u64, u64),
    /// Epoch (high half) and owner of this process's slot; another epoch's is a parent's.
    me: AtomicU64,
    /// Calls since the last look for the dead; several threads may lose a count.
    calls: AtomicU32,
    /// When those were looked after whom the kernel does not watch.
    looked_closer: AtomicU64,
    /// Until then the locks of a recovery are only tried, 0: they are waited for.
    left_until: AtomicU64,
    /// Only touched under `attach::ATTACHING`.
    attachment: LocalLock<Option<attach::Attachment>>,
    pub(crate) extents: Box<[Extent]>,
}

/// A further stretch of the file, a queue's ring: mapped at its first use and until the segment goes.
#[derive(Default)]
pub(crate) struct Extent {
    pub(crate) mapping: LazyMapping,
    /// How many of its bytes the file is known to hold. Files never shrink.
    pub(crate) known: AtomicU64,
}

/// Have a fork find the tables of this layer whole: in the order in which they are locked.
///
/// Before any of them is locked: a fork that is under way holds them all.
fn hold_tables_across_forks() {
    hold_across_forks(&registry::OPEN);
    hold_across_forks(&attach::ATTACHING);
    hold_across_forks(&keeper::KEEPERS);
}

impl Segment {
    /// The object's own words.
    pub(crate) fn body<T: Shared>(&self) -> Result<&T> {
        debug_assert_eq!(size_of::<T>(), self.object.body);
        self.fixed.view(header::body_at(self.object.kind))
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// A second descriptor of the object, to hand to another process.
    pub(crate) fn share_fd(&self) -> Result<OwnedFd> {
        descriptor::duplicate(self.raw_fd())
    }

    fn header(&self) -> Result<&Header> {
        self.fixed.view(0)
    }

    /// The participant in a slot, `None` for a slot that the table does not have.
    pub(crate) fn participant(&self, slot: usize) -> Option<&Participant> {
        if slot >= self.object.kind.max_participants() as usize {
            return None;
        }
        self.fixed.view(header::slot_at(slot)).ok()
    }

    /// This process's list entry for a slot.
    fn entry(&self, slot: usize) -> Result<&Entry> {
        self.fixed.entry(header::slot_at(slot))
    }

    /// The slots that were ever taken.
    pub(crate) fn participants(&self) -> impl Iterator<Item = (u32, &Participant)> {
        let used = self
            .header()
            .map_or(0, |header| header.used_slots.load(Ordering::Acquire));
        (0..used).map_while(|slot| Some((slot, self.participant(slot as usize)?)))
    }

    /// Map a further stretch of the file.
    pub(crate) fn map(&self, offset: u64, length: u64) -> Result<Mapping> {
        Mapping::new(&self.fd, offset, length)
    }

    /// The size of the file: what shared memory claims is checked against this.
    pub(crate) fn file_size(&self) -> Result<u64> {
        Ok(memory::status_of(&self.fd)?.size)
    }

    /// Memory for a stretch of the file, before it is written.
    pub(crate) fn allocate(&self, offset: u64, length: u64) -> Result<()> {
        memory::allocate(&self.fd, offset, length)
    }

    /// Give a stretch of the file back to the system.
    pub(crate) fn punch(&self, offset: u64, length: u64) -> Result<()> {
        memory::punch(&self.fd, offset, length)
    }

    /// How many processes use the object, and how many of their threads sleep in it.
    pub(crate) fn population(&self) -> (u32, u32) {
        let living = self
            .participants()
            .filter(|(_, participant)| participant.life().is_alive());
        living.fold((0, 0), |(processes, threads), (_, participant)| {
            let sleepers = participant.sleepers.load(Ordering::Relaxed);
            (processes + 1, threads.saturating_add(sleepers))
        })
    }

    /// How often the dead were recovered.
    pub(crate) fn recoveries(&self) -> Result<u64> {
        Ok(self.header()?.recoveries.load(Ordering::Relaxed))
    }

    fn unattached(
        object: &'static ObjectType,
        fixed: Mapping,
        fd: OwnedFd,
        identity: (u64, u64),
    ) -> Segment {
        Segment {
            object,
            fixed,
            fd,
            identity,
            me: AtomicU64::new(0),
            calls: AtomicU32::new(0),
            looked_closer: AtomicU64::new(0),
            left_until: AtomicU64::new(0),
            attachment: LocalLock::new(None),
            extents: (0..object.extents).map(|_| Extent::default()).collect(),
        }
    }

    fn check_kind(&self, object: &'static ObjectType) -> Result<()> {
        if self.object.kind != object.kind {
            return Err(Status::E_MISMATCH);
        }
        Ok(())
    }
}

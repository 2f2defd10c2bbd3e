//! A segment is the shared memory of one object: a file, its participants, and the way they wait.
//!
//! ```text
//! create, renew     making and opening a segment; making an object anew that is over
//! attach, recovery  becoming a participant and leaving; recovering what the dead held
//! look_around       finding the dead without a sleep
//! participants      the participants, dead or alive
//! account           what each participant of a queue has done
//! keeper            the thread that the kernel watches for a process
//! sleep             sleeping on a word and on the lives of all others
//! crowd             sleeping among more participants than one sleep can watch
//! readiness         what an object's descriptor says
//! header, kind      the beginning of a segment
//! mapping           typed views of mapped memory
//! names, list       valid names and existing names
//! snapshot, copy    looking at an object without taking part
//! methods           what all handles have
//! co_users          the users that can change a file
//! registry          the segments that this process has open
//! ```

mod account;
mod attach;
mod co_users;
#[allow(unsafe_code)]
mod copy;
mod create;
mod crowd;
mod header;
pub(crate) mod keeper;
mod kind;
mod list;
mod look_around;
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
mod snapshot;

use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

pub(crate) use account::{Account, Note, ACCOUNTS};
pub use create::CreateOptions;
pub(crate) use header::fixed_size;
use header::Header;
pub use kind::Kind;
pub use list::{list, ObjectInfo};
pub(crate) use mapping::{Bytes, LazyMapping, Mapping};
use mapping::{Fixed, Kept};
pub(crate) use methods::common_methods;
pub use names::unlink;
pub(crate) use names::{of_file as name_of_file, path as path_of};
pub(crate) use participants::Participant;
pub(crate) use readiness::{changes, look_again, RaisedDescriptor, Readiness};
pub(crate) use sleep::{WaitSet, WithoutRecovery};
pub(crate) use snapshot::{CopiedAccounts, Snapshot};

use crate::status::Result;
use crate::sync::at_fork::hold_across_forks;
use crate::sync::local_lock::LocalLock;
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::shared::Shared;
use crate::sys::descriptor;
use crate::sys::descriptor::OwnedFd;
use crate::sys::membarrier;
use crate::sys::memory;
use crate::sys::robust_list::Entry;
use crate::sys::wiped::{Line, OWN_WORDS};

/// Recovers what owners hold. The second argument is the recoverer; the third tells whether an
/// owner is gone.
type Recover = fn(&Segment, Caller<'_>, &dyn Fn(Owner) -> bool) -> Result<()>;

/// Wakes those who wait at the object.
type Wake = fn(&Segment) -> Result<()>;

/// Writes a new object's words.
type Fill<'a> = dyn Fn(&Segment) -> Result<()> + 'a;

/// Notes in the account of this process where the object is at this moment, in milliseconds.
type TakeNote = fn(&Segment, u64) -> Result<()>;

/// The accounts of an object's participants: an array of [`Account`], in the order of
/// `account::index_of`.
pub(crate) struct Accounts {
    /// Its offset in the body.
    pub(crate) at: usize,
    /// Called now and then while this process uses the object: see `look_around`.
    pub(crate) take_note: TakeNote,
}

/// The properties of a kind of object that its segment needs.
pub(crate) struct ObjectType {
    pub(crate) kind: Kind,
    /// Size of the object's own words in bytes.
    pub(crate) body: usize,
    /// Memory after the body that a new object starts with, in bytes.
    pub(crate) extra: u64,
    /// Offset in the body of a number (u32) that is not 0 once the object is over for good: see
    /// `renew`.
    pub(crate) over_at: Option<usize>,
    /// The accounts of its participants.
    pub(crate) accounts: Option<Accounts>,
    /// Recover what owners hold for whom `is_gone` returns true. Idempotent: if a recoverer is
    /// killed, the next one repeats its steps. Returns `E_TIMEOUT` if a stopped process holds a
    /// lock that it needs: then the recovery is left to the next call.
    pub(crate) recover: Recover,
    /// After a recovery, when the dead have no slot any more: wake those who may wait for what was
    /// recovered, or for a wake-up that a dead process did not send. They find nobody dead, so they
    /// do not all recover anew.
    pub(crate) wake: Wake,
}

/// The most further ranges that an object has: those of a queue. A segment has room for so many,
/// since then the number of a queue's ring needs no check of its own.
pub(crate) const MOST_EXTENTS: usize = 64;

/// An object's shared memory, as this process has it open.
pub(crate) struct Segment {
    object: &'static ObjectType,
    fixed: Fixed,
    fd: OwnedFd,
    identity: (u64, u64),
    /// Two words: the owner of this process's slot, which is 0 until the process has one, as in
    /// every forked child; and the offset of its account in the table of accounts.
    own: &'static Line,
    /// Number of calls until the next look around, see `look_around`. Several threads may lose a
    /// count.
    calls_left: AtomicU32,
    /// The number that `calls_left` began with.
    calls_skipped: AtomicU32,
    /// How many messages this process had got when `look_around` last asked.
    gets_looked_at: AtomicU64,
    /// The time of the last look around, in milliseconds; 0 if the next look counts as far from it.
    looked_around: AtomicU64,
    /// The time of the last look around, if `calls_left` began with the largest number, else 0.
    /// Another look in the same millisecond would change nothing.
    quick_since: AtomicU64,
    /// The time of the last look at participants that the kernel does not watch.
    looked_closer: AtomicU64,
    /// Until this time a recovery only tries its locks; 0 if it waits for them.
    left_until: AtomicU64,
    /// Accessed only under `attach::ATTACHING`.
    attachment: LocalLock<Option<attach::Attachment>>,
    extents: Box<[LazyMapping; MOST_EXTENTS]>,
}

/// The segment of an object whose own words are a `T`. Their place and size are checked when the
/// object is opened, so that no call need check them again.
pub(crate) type Opened<T> = Kept<Segment, T>;

impl<T: Shared> Opened<T> {
    /// `E_CORRUPT` if the segment has fewer words.
    pub(crate) fn new(segment: Arc<Segment>) -> Result<Opened<T>> {
        Kept::within(segment, |segment| segment.body::<T>())
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        self.owner()
    }
}

/// Make forks lock the tables of this layer, in the order in which they are locked, so that a child
/// finds them consistent.
///
/// Call this before any of the tables is locked: a fork in progress holds them all.
fn hold_tables_across_forks() {
    hold_across_forks(&registry::OPEN);
    hold_across_forks(&attach::ATTACHING);
    hold_across_forks(&keeper::KEEPERS);
}

/// Begin to register this process for the barriers of recovery and of closes, unless it has begun.
/// It then notes in its slots that the barriers reach it. This may start a thread that soon ends.
pub(crate) fn register_for_barriers() {
    membarrier::register(|| registry::for_each(Segment::note_that_barriers_reach));
}

/// Add to a word that no other thread changes at this moment.
#[inline(always)]
fn add(word: &AtomicU64, by: u64) {
    let sum = word.load(Ordering::Relaxed).wrapping_add(by);
    word.store(sum, Ordering::Relaxed);
}

impl Segment {
    /// The object's own words.
    #[inline]
    pub(crate) fn body<T: Shared>(&self) -> Result<&T> {
        debug_assert_eq!(size_of::<T>(), self.object.body);
        self.fixed.body()
    }

    /// The owner that this process is in this segment. The first use of the object, also after a
    /// fork, makes the process a participant.
    ///
    /// # Errors
    /// `E_LIMIT` if the table is full of live processes, and the errors of starting a keeper.
    #[inline]
    pub(crate) fn me(&self) -> Result<Owner> {
        match self.me_if_attached() {
            Some(me) => Ok(me),
            None => self.attach(),
        }
    }

    /// The owner that this process is in this segment, if it is a participant already. For calls
    /// that must not make it one.
    #[inline]
    pub(crate) fn me_if_attached(&self) -> Option<Owner> {
        let [me, ..] = &self.own.words;
        // Acquire, pairs with the Release in `attach`: a thread that writes this owner into shared
        // memory does so after the slot is alive.
        match me.load(Ordering::Acquire) as u32 {
            0 => None,
            me => Some(Owner::of_own(me)),
        }
    }

    /// The `T` at place `at` of a further range of the file that is used as a ring, and the bytes
    /// from there to the end of the part that this process knows to exist. `None` if that ends
    /// before.
    #[inline]
    pub(crate) fn in_ring<T: Shared>(&self, range: usize, at: u64) -> Option<(&T, Bytes<'_>)> {
        self.extent(range)?.get()?.view_in_ring(at)
    }

    /// The `T` at place `at` of a further range of the file that is used as a ring; `None` if it is
    /// not of the last round, with `ahead` bytes from `at` to the ring's end of writing.
    #[inline]
    pub(crate) fn in_last_round<T: Shared>(&self, range: usize, at: u64, ahead: u64) -> Option<&T> {
        let mapping = self.extent(range)?.get()?;
        if ahead > mapping.round() {
            return None;
        }
        let (first, _) = mapping.view_in_ring(at)?;
        Some(first)
    }

    /// A further range of the file. The caller asks only for those that the object has.
    #[inline]
    pub(crate) fn extent(&self, range: usize) -> Option<&LazyMapping> {
        self.extents.get(range)
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

    /// The participant in a slot; `None` if the table has no such slot.
    pub(crate) fn participant(&self, slot: usize) -> Option<&Participant> {
        if slot >= self.object.kind.max_participants() as usize {
            return None;
        }
        self.fixed.view(header::slot_at(slot)).ok()
    }

    /// The account of a slot, if the object has accounts.
    fn account(&self, slot: usize) -> Option<&Account> {
        let accounts = self.object.accounts.as_ref()?;
        let at = header::body_at(self.object.kind) + accounts.at;
        let index = account::index_of(slot);
        self.fixed.view(at + index * size_of::<Account>()).ok()
    }

    /// The account of this process, once it is a participant.
    #[inline(always)]
    pub(crate) fn own_account<'a>(&self, all: &'a [Account; ACCOUNTS]) -> Option<&'a Account> {
        let [_, account_at, ..] = &self.own.words;
        let index = account_at.load(Ordering::Relaxed) / size_of::<Account>();
        // Every index is in the table. The mask tells this to the compiler, which then leaves out
        // the case that there is no account.
        all.get(index & (ACCOUNTS - 1))
    }

    /// Count messages that this process has put, or room that it has reserved. Under the queue's
    /// tail lock, after the commit.
    #[inline(always)]
    pub(crate) fn count_put(&self, all: &[Account; ACCOUNTS], count: usize) {
        if let Some(account) = self.own_account(all) {
            add(&account.puts, count as u64);
        }
    }

    /// Count messages that this process has got or taken. Under the queue's head lock, after the
    /// commit.
    #[inline(always)]
    pub(crate) fn count_got(&self, all: &[Account; ACCOUNTS], count: usize) {
        if let Some(account) = self.own_account(all) {
            add(&account.gets, count as u64);
        }
    }

    /// This process's list entry for a slot.
    fn entry(&self, slot: usize) -> Result<&Entry> {
        self.fixed.entry(header::slot_at(slot))
    }

    /// The number of slots that were ever taken.
    fn slots_in_use(&self) -> usize {
        let used = self
            .header()
            .map_or(0, |header| header.used_slots.load(Ordering::SeqCst));
        used.min(self.object.kind.max_participants()) as usize
    }

    /// The slots that were ever taken, with their numbers.
    pub(crate) fn participants(&self) -> impl Iterator<Item = (u32, &Participant)> {
        let used = self
            .header()
            .map_or(0, |header| header.used_slots.load(Ordering::Acquire));
        (0..used).map_while(|slot| Some((slot, self.participant(slot as usize)?)))
    }

    /// Map a further range of the file.
    pub(crate) fn map(&self, offset: u64, length: u64) -> Result<Mapping> {
        Mapping::new(&self.fd, offset, length)
    }

    /// The size of the file. Sizes that shared memory claims are checked against it.
    pub(crate) fn file_size(&self) -> Result<u64> {
        Ok(memory::status_of(&self.fd)?.size)
    }

    /// Allocate memory for a range of the file, before the range is written.
    pub(crate) fn allocate(&self, offset: u64, length: u64) -> Result<()> {
        memory::allocate(&self.fd, offset, length)
    }

    /// Give the memory of a range of the file back to the system.
    pub(crate) fn punch(&self, offset: u64, length: u64) -> Result<()> {
        memory::punch(&self.fd, offset, length)
    }

    /// The number of processes that use the object, and of their threads that sleep in it.
    pub(crate) fn population(&self) -> (u32, u32) {
        let living = self
            .participants()
            .filter(|(_, participant)| participant.life().is_alive());
        living.fold((0, 0), |(processes, threads), (_, participant)| {
            let sleepers = participant.sleepers.load(Ordering::Relaxed);
            (processes + 1, threads.saturating_add(sleepers))
        })
    }

    /// How many times dead participants were recovered.
    pub(crate) fn recoveries(&self) -> Result<u64> {
        Ok(self.header()?.recoveries.load(Ordering::Relaxed))
    }

    fn unattached(
        object: &'static ObjectType,
        fixed: Mapping,
        fd: OwnedFd,
        identity: (u64, u64),
    ) -> Result<Segment> {
        Ok(Segment {
            object,
            fixed: Fixed::new(fixed, header::body_at(object.kind), object.body)?,
            fd,
            identity,
            own: OWN_WORDS.take()?,
            calls_left: AtomicU32::new(0),
            calls_skipped: AtomicU32::new(0),
            gets_looked_at: AtomicU64::new(0),
            looked_around: AtomicU64::new(0),
            quick_since: AtomicU64::new(0),
            looked_closer: AtomicU64::new(0),
            left_until: AtomicU64::new(0),
            attachment: LocalLock::new(None),
            extents: Box::new([const { LazyMapping::new() }; MOST_EXTENTS]),
        })
    }

    fn check_kind(&self, object: &'static ObjectType) -> Result<()> {
        if self.object.kind != object.kind {
            return Err(object.kind.mismatch(self.object.kind.code()));
        }
        Ok(())
    }
}

//! An object as a process sees it that takes no part: copies of its header, its participants and
//! its own words.
//!
//! The file is opened for reading only and is read, never mapped. So a file that another process
//! cuts at this moment causes no fault, and a hole in it takes no memory when it is read.

use std::sync::atomic::Ordering;

use super::account::{index_of, Account, ACCOUNTS};
use super::copy;
use super::header::{body_at, slot_at, Header};
use super::kind::Kind;
use super::participants::Participant;
use crate::status::detail::because;
use crate::status::Result;
use crate::sync::owner::Owner;
use crate::sync::shared::Shared;
use crate::sys::descriptor::OwnedFd;
use crate::sys::memory::{self, FileStatus};

/// An object's file, whose header was checked.
pub(crate) struct Snapshot {
    fd: OwnedFd,
    kind: Kind,
    body: u32,
    /// How many times dead participants were recovered.
    pub(crate) recoveries: u64,
}

/// Copies of the accounts of the slots that were ever taken.
pub(crate) struct CopiedAccounts(Vec<Account>);

impl CopiedAccounts {
    /// The account of a slot.
    pub(crate) fn of(&self, slot: u32) -> Option<&Account> {
        self.0.get(index_of(slot as usize))
    }
}

impl Snapshot {
    /// Check the object in this file.
    ///
    /// # Errors
    /// `E_MISMATCH`: it is no object that this version knows. `E_CORRUPT`.
    pub(crate) fn of(fd: OwnedFd, status: &FileStatus) -> Result<Snapshot> {
        let header: Header = copy::one(&fd, 0)?;
        let kind = header.kind_from_outside(status.size)?;
        Ok(Snapshot {
            fd,
            kind,
            body: header.body.load(Ordering::Relaxed),
            recoveries: header.recoveries.load(Ordering::Relaxed),
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Copies of the participants, dead or alive, with their slots. Free slots are left out.
    pub(crate) fn participants(&self) -> Result<Vec<(u32, Participant)>> {
        let used = self.used_slots()?;
        let slots = copy::many::<Participant>(&self.fd, slot_at(0) as u64, used)?;
        let taken = |(_, one): &(u32, Participant)| !one.life().is_free();
        Ok((0..).zip(slots).filter(taken).collect())
    }

    /// The number of slots that were ever taken.
    fn used_slots(&self) -> Result<usize> {
        let header: Header = copy::one(&self.fd, 0)?;
        let used = header.used_slots.load(Ordering::Relaxed);
        Ok(used.min(self.kind.max_participants()) as usize)
    }

    /// Report whether an owner that was named in the object has ended or left by now.
    pub(crate) fn is_gone(&self, owner: Owner) -> bool {
        if owner.slot() >= self.kind.max_participants() as usize {
            return true;
        }
        let participant = copy::one::<Participant>(&self.fd, slot_at(owner.slot()) as u64);
        !participant.is_ok_and(|one| one.is_held_by(owner))
    }

    /// What `read` returns, and whether the owner that it names has died. An owner that has only
    /// left since it was read is no longer named at the second look.
    pub(crate) fn holder<T: PartialEq>(
        &self,
        read: impl Fn(&Snapshot) -> Result<Option<T>>,
        owner: impl Fn(&T) -> Owner,
    ) -> Result<(Option<T>, bool)> {
        let mut looks = 16;
        loop {
            let holder = read(self)?;
            let is_gone = |holder: &T| self.is_gone(owner(holder));
            if !holder.as_ref().is_some_and(is_gone) {
                return Ok((holder, false));
            }
            looks -= 1;
            if looks == 0 || read(self)? == holder {
                return Ok((holder, true));
            }
        }
    }

    /// A fresh copy of the object's own words.
    ///
    /// # Errors
    /// `E_CORRUPT` if the object does not have the size of `T`.
    pub(crate) fn words<T: Shared>(&self) -> Result<T> {
        self.first_words::<T, T>()
    }

    /// A fresh copy of the first of the object's own words, which are a `T` altogether.
    ///
    /// # Errors
    /// `E_CORRUPT` if the object does not have the size of `T`.
    pub(crate) fn first_words<T: Shared, First: Shared>(&self) -> Result<First> {
        const { assert!(size_of::<First>() <= size_of::<T>()) };
        let at = body_at(self.kind) as u64;
        let end = at + size_of::<T>() as u64;
        let body = self.body;
        if body as usize != size_of::<T>() {
            return Err(because!(E_CORRUPT, "its own words have {body} bytes"));
        }
        if memory::status_of(&self.fd)?.size < end {
            return Err(because!(E_CORRUPT, "its file was cut"));
        }
        copy::one(&self.fd, at)
    }

    /// Copies of the accounts, which begin `offset` bytes after the beginning of the object's own
    /// words.
    pub(crate) fn accounts(&self, offset: usize) -> Result<CopiedAccounts> {
        let at = (body_at(self.kind) + offset) as u64;
        let last = (0..self.used_slots()?).map(index_of).max();
        let count = last.map_or(0, |last| last + 1).min(ACCOUNTS);
        Ok(CopiedAccounts(copy::many(&self.fd, at, count)?))
    }

    /// A fresh copy of a part of the object's own words, `offset` bytes from their beginning.
    pub(crate) fn part<T: Shared>(&self, offset: usize) -> Result<T> {
        copy::one(&self.fd, (body_at(self.kind) + offset) as u64)
    }

    /// Copies of the `count` `T`s at `offset` of the file.
    pub(crate) fn many<T: Shared>(&self, offset: u64, count: usize) -> Result<Vec<T>> {
        copy::many(&self.fd, offset, count)
    }

    /// Copy bytes of the file.
    pub(crate) fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        memory::read_at(&self.fd, bytes, offset)
    }
}

//! Making an object anew that is over: a named queue that is shut down and that no process uses.
//!
//! Each process that has a named object open holds a claim (`sys/ofd_lock.rs`) on its file. The
//! kernel drops the claim with the last descriptor of that open file, including descriptors that a
//! child has inherited or that are on their way through a socket. So a process that gets the
//! *exclusive* claim knows that no process uses the object, and excludes all others while it makes
//! the object anew in the same file. The name stays with this file, so an unlink meanwhile removes
//! no other object.
//!
//! The process may be killed at any point. Before the mark (`Header::begin_anew`) the old object is
//! unchanged. Between the mark and the end of `fill` there is no object, and the next process that
//! asks for it begins again. The claim ends with its process.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::header::{self, body_at, fixed_size, Header, PARTICIPANTS_AT};
use super::mapping::Mapping;
use super::participants::Participant;
use super::Fill;
use super::{registry, ObjectType, Segment};
use crate::status::{Result, Status};
use crate::sys::descriptor::OwnedFd;
use crate::sys::memory::{self, FileStatus};
use crate::sys::ofd_lock;

/// The byte that is claimed. It need not exist in the file, and pipes do not use it.
const USERS: i64 = 1 << 40;

/// How long an open waits for a process that makes the object anew. This takes microseconds, but
/// that process may be stopped.
pub(super) const PATIENCE_NS: u64 = 50_000_000;
pub(super) const LOOK_NS: u64 = 500_000;

/// Count this process as a user from now on. Return false while another process makes the object
/// anew.
pub(super) fn be_a_user(fd: &OwnedFd) -> bool {
    // If the kernel has no such claims (some sandboxes), nobody can know that an object is not
    // used.
    ofd_lock::try_claim(fd, USERS, false).unwrap_or(true)
}

/// Report whether the object is over and no process uses it. If so, no other process can use it
/// until `fd` is closed.
pub(super) fn may_begin(object: &ObjectType, fd: &OwnedFd) -> Result<bool> {
    // Check again once no other process can change it: another process may have been faster.
    let is_alone = || ofd_lock::try_claim(fd, USERS, true).unwrap_or(false);
    Ok(
        is_over(object, fd)?
            && is_alone()
            && is_over(object, fd)?
            && !has_participants(object, fd)?,
    )
}

/// Report whether a process without a claim uses the object: the kernel may have refused it the
/// claim.
fn has_participants(object: &ObjectType, fd: &OwnedFd) -> Result<bool> {
    let fixed = fixed_size(object.kind, object.body);
    if memory::status_of(fd)?.size < fixed {
        return Err(Status::E_CORRUPT);
    }
    let memory = Mapping::new(fd, 0, fixed)?;
    let used = memory.view::<Header>(0)?.used_slots.load(Ordering::Acquire);
    for slot in 0..used.min(object.kind.max_participants()) {
        let participant: &Participant = memory.view(header::slot_at(slot as usize))?;
        participant.mark_if_ended();
        if participant.life().is_alive() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_over(object: &ObjectType, fd: &OwnedFd) -> Result<bool> {
    let Some(over_at) = object.over_at else {
        return Ok(false);
    };
    let mut head = [0; size_of::<Header>()];
    memory::read_at(fd, &mut head, 0)?;
    if header::kind_of_half_made(&head) == Some(object.kind) {
        return Ok(true);
    }
    let mut over = [0; 4];
    memory::read_at(fd, &mut over, (body_at(object.kind) + over_at) as u64)?;
    Ok(header::kind_of(&head) == Some(object.kind) && over != [0; 4])
}

/// Make a new object in a file to which this process has exclusive access.
pub(super) fn make_anew(
    object: &'static ObjectType,
    fd: OwnedFd,
    old: &FileStatus,
    mode: u32,
    fill: &Fill<'_>,
) -> Result<Arc<Segment>> {
    let size = fixed_size(object.kind, object.body) + object.extra;
    // Every step that can fail comes before the mark, while the old object still exists.
    memory::allocate(&fd, 0, size)?;
    let memory = Mapping::new(&fd, 0, size)?;
    memory.view::<Header>(0)?.begin_anew();
    // A file of another user keeps its mode.
    let mode = if old.owner == memory::effective_user() {
        memory::set_mode(&fd, mode)?;
        mode
    } else {
        old.mode & 0o666
    };
    memory::cut(&fd, size)?;
    clear(&memory, PARTICIPANTS_AT, size)?;
    let segment = Segment::build(object, fd, mode, fill)?;
    be_a_user(&segment.fd);
    registry::find_or(segment.identity, || Ok(segment))
}

fn clear(memory: &Mapping, from: usize, size: u64) -> Result<()> {
    let zeros = [0; 4096];
    let mut at = from;
    while (at as u64) < size {
        let piece = zeros.get(..(size - at as u64) as usize).unwrap_or(&zeros);
        memory.write(at, piece)?;
        at += piece.len();
    }
    Ok(())
}

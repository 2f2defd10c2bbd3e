//! The list of named objects, for a person who cleans up or looks for a leak.
//!
//! Listing maps nothing and makes no process a participant: it reads each file as it is at that
//! moment.

use std::mem::offset_of;

use super::header::number;
use super::header::{self, Header, PARTICIPANTS_AT};
use super::kind::Kind;
use super::names;
use super::participants::{Life, Participant};
use crate::status::{Result, Status};
use crate::sys::memory;

/// A named object of this user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectInfo {
    /// The name of the object.
    pub name: String,
    /// The kind of the object.
    pub kind: Kind,
    /// The permission bits of the object.
    pub mode: u32,
    /// Number of processes that use the object.
    pub processes: u32,
    /// Number of threads of these processes that wait at the object.
    pub waiting: u32,
    /// Memory that the object occupies, in bytes.
    pub bytes: u64,
}

/// The named objects of this user, ordered by name. An object that is created or removed meanwhile
/// may be listed or not.
///
/// # Errors
/// Those of reading the directory.
pub fn list() -> Result<Vec<ObjectInfo>> {
    let files = memory::names_in_directory()?;
    let names = files.iter().filter_map(|file| names::of_file(file));
    // A file that cannot be opened or that is no object of this library is not listed.
    let mut objects: Vec<_> = names.filter_map(|name| look_at(name).ok()).collect();
    objects.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(objects)
}

fn look_at(name: &str) -> Result<ObjectInfo> {
    let fd = memory::open_named(&names::path(name)?)?;
    let status = memory::status_of(&fd)?;
    if !status.is_file || status.owner != memory::effective_user() {
        return Err(Status::E_MISMATCH);
    }
    let mut head = [0; size_of::<Header>()];
    memory::read_at(&fd, &mut head, 0)?;
    let kind = header::kind_of(&head).ok_or(Status::E_MISMATCH)?;
    let used = number(&head, offset_of!(Header, used_slots)).min(kind.max_participants());
    let mut slots = vec![0; used as usize * size_of::<Participant>()];
    memory::read_at(&fd, &mut slots, PARTICIPANTS_AT as u64)?;
    let living = slots.chunks(size_of::<Participant>()).filter(|slot| {
        let word = slot
            .first_chunk()
            .map_or(0, |word| u64::from_ne_bytes(*word));
        Life::of(word).is_alive()
    });
    let (mut processes, mut waiting) = (0, 0u32);
    for slot in living {
        processes += 1;
        waiting = waiting.saturating_add(number(slot, offset_of!(Participant, sleepers)));
    }
    Ok(ObjectInfo {
        name: name.to_owned(),
        kind,
        mode: status.mode,
        processes,
        waiting,
        bytes: status.bytes,
    })
}

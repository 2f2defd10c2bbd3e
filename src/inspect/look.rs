//! Looking at objects: one, or all of them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::letters;
use super::object::{Depth, Object, State, Verdict};
use super::participant::{Hold, WaitsFor};
use super::queue::Lease;
use super::records;
use crate::object::{barrier, condition, event, lock, rlock, semaphore};
use crate::segment::{name_of_file, path_of, Kind, Snapshot};
use crate::status::{detail, Result, Status};
use crate::sys::futex;
use crate::sys::memory;

/// How long to wait before a second look at what seems damaged.
const PAUSE_NS: u64 = 200_000;

/// All objects, ordered by name, those of other users included. What is created or removed
/// meanwhile may be among them or not. Messages are not looked at: what a process holds of a queue
/// is found by [`object`].
///
/// # Errors
/// Those of reading the directory.
pub fn objects() -> Result<Vec<Object>> {
    let files = memory::names_in_directory()?;
    let names = files.iter().filter_map(|file| name_of_file(file));
    let mut objects: Vec<_> = names
        .filter_map(|name| look_at(name, Depth::Words).ok())
        .collect();
    objects.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(objects)
}

/// One object whole: also each message of a queue is looked at, up to a million of them.
///
/// # Errors
/// `E_INVALID` if the name is not valid, `E_NOT_FOUND` if nothing has it.
pub fn object(name: &str) -> Result<Object> {
    look_at(name, Depth::Records).map_err(|status| detail::at(status, "look at", "", Some(name)))
}

/// The file of the object with this name, whether it exists or not.
///
/// # Errors
/// `E_INVALID` if the name is not valid.
pub fn file(name: &str) -> Result<PathBuf> {
    Ok(PathBuf::from(OsStr::from_bytes(path_of(name)?.to_bytes())))
}

/// The message in flight of a queue that was put first: less than [`object`] looks at.
///
/// # Errors
/// `E_NOT_FOUND`, `E_PERMISSION`, `E_MISMATCH` if it is no queue, `E_CORRUPT`.
pub fn oldest_lease(name: &str) -> Result<Option<Lease>> {
    letters::open(name)
        .and_then(|snapshot| records::oldest_lease(&snapshot))
        .map_err(|status| detail::at(status, "look at", "queue", Some(name)))
}

fn look_at(name: &str, depth: Depth) -> Result<Object> {
    let object = look_once(name, depth)?;
    match object.verdict {
        Verdict::Damaged(_) => {
            // An object that is being made anew is damaged for a moment.
            futex::sleep(PAUSE_NS);
            look_once(name, depth)
        }
        _ => Ok(object),
    }
}

fn look_once(name: &str, depth: Depth) -> Result<Object> {
    let path = path_of(name)?;
    let mut object = Object::named(name, &memory::status_by_name(&path)?);
    let snapshot = memory::open_to_read(&path).and_then(|fd| {
        let status = memory::status_of(&fd)?;
        if !status.is_file {
            return Err(Status::E_MISMATCH);
        }
        object = Object::named(name, &status);
        Snapshot::of(fd, &status)
    });
    match snapshot.and_then(|snapshot| read(&mut object, &snapshot, depth)) {
        Ok(()) => {}
        // It was removed between the two looks.
        Err(Status::E_NOT_FOUND) => return Err(Status::E_NOT_FOUND),
        Err(status) => object.verdict = Verdict::of(status),
    }
    Ok(object)
}

fn read(object: &mut Object, snapshot: &Snapshot, depth: Depth) -> Result<()> {
    object.kind = Some(snapshot.kind());
    object.recoveries = snapshot.recoveries;
    object.meet(snapshot)?;
    match snapshot.kind() {
        Kind::Lock => read_lock(object, snapshot),
        Kind::Rlock => read_rlock(object, snapshot),
        Kind::Semaphore => read_semaphore(object, snapshot),
        Kind::Event => read_event(object, snapshot),
        Kind::Queue => records::read(object, snapshot, depth),
        Kind::Condition => read_condition(object, snapshot),
        Kind::Barrier => read_barrier(object, snapshot),
        // These have no names, unless somebody gave a name to their file.
        Kind::Connection | Kind::Pool => Ok(()),
    }
}

fn read_lock(object: &mut Object, snapshot: &Snapshot) -> Result<()> {
    let (holder, owner_died) = snapshot.holder(lock::holder_in, |owner| *owner)?;
    object.state = Some(State::Lock {
        is_held: holder.is_some(),
        owner_died,
    });
    object.meet(snapshot)?;
    object.give(holder.map(|owner| (owner, Hold::Lock(1))));
    object.let_wait(&[WaitsFor::Lock]);
    Ok(())
}

fn read_rlock(object: &mut Object, snapshot: &Snapshot) -> Result<()> {
    let (holder, owner_died) = snapshot.holder(rlock::holder_in, |(owner, _)| *owner)?;
    object.state = Some(State::Rlock {
        depth: holder.map_or(0, |(_, depth)| depth.max(1)),
        owner_died,
    });
    object.meet(snapshot)?;
    object.give(holder.map(|(owner, depth)| (owner, Hold::Lock(depth.max(1)))));
    object.let_wait(&[WaitsFor::Lock]);
    Ok(())
}

fn read_semaphore(object: &mut Object, snapshot: &Snapshot) -> Result<()> {
    let permits = semaphore::permits_in(snapshot)?;
    object.state = Some(State::Semaphore {
        value: permits.value,
        maximum: permits.maximum,
        owned: permits.owned.is_some(),
    });
    object.meet(snapshot)?;
    let owned = permits.owned.into_iter().flatten();
    object.give(owned.map(|(owner, count)| (owner, Hold::Permits(count))));
    object.let_wait(&[WaitsFor::Permit]);
    Ok(())
}

fn read_event(object: &mut Object, snapshot: &Snapshot) -> Result<()> {
    let is_set = event::is_set_in(snapshot)?;
    object.state = Some(State::Event { is_set });
    object.let_wait(&[WaitsFor::Event]);
    Ok(())
}

fn read_condition(object: &mut Object, snapshot: &Snapshot) -> Result<()> {
    let mut waiting = condition::waiting_in(snapshot)?;
    waiting.retain(|owner| !snapshot.is_gone(*owner));
    object.state = Some(State::Condition {
        waiting: waiting.len() as u32,
    });
    object.meet(snapshot)?;
    object.let_wait_as(&waiting, WaitsFor::Notification);
    Ok(())
}

fn read_barrier(object: &mut Object, snapshot: &Snapshot) -> Result<()> {
    let mut parties = barrier::parties_in(snapshot)?;
    let waiting = &mut parties.waiting;
    waiting.retain(|owner| !snapshot.is_gone(*owner));
    object.state = Some(State::Barrier {
        parties: parties.all,
        waiting: waiting.len() as u32,
        is_broken: parties.is_broken,
    });
    object.meet(snapshot)?;
    object.let_wait_as(&parties.waiting, WaitsFor::Parties);
    Ok(())
}

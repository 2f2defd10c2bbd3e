//! The processes that use an object.

use std::fmt;
use std::sync::atomic::Ordering;

use super::process::{self, Whereabouts};
use crate::segment::{self, Snapshot};
use crate::status::Result;
use crate::sync::owner::Owner;

/// A process that uses an object, or that has died and was not recovered yet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Participant {
    /// Its slot in the object's table.
    pub slot: u32,
    /// Its process id, in its own pid namespace.
    pub pid: u32,
    /// Whether it lives.
    pub liveness: Liveness,
    /// Number of its threads that sleep in the object.
    pub asleep: u32,
    /// What it holds of the object.
    pub holds: Vec<Hold>,
    /// For what its sleeping threads may wait. A queue does not store which of its threads waits
    /// for what, so there may be several.
    pub waits_for: Vec<WaitsFor>,
    /// How much it has put and got, if the object is a queue.
    pub so_far: Option<SoFar>,
    generation: u32,
    keeper: Option<u32>,
}

/// How much a participant of a queue has put and got since it became one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SoFar {
    /// Messages that it has put, and room that it has reserved for messages.
    pub puts: u64,
    /// Messages that were delivered to it: one that came back and was delivered to it again counts
    /// twice.
    pub gets: u64,
}

/// Whether a participant lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Liveness {
    /// It lives; the kernel will mark its end.
    Alive,
    /// It has ended. The next process that uses the object recovers what it held.
    Dead,
    /// It counts as alive until another participant finds that it has ended: the kernel refused
    /// robust lists to it.
    Unwatched,
}

/// Something that a process holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// The lock, or the rlock this many times.
    Lock(u32),
    /// Permits of the semaphore.
    Permits(u32),
    /// Messages that it got or took and has not settled.
    Messages(u64),
    /// Room for messages that it has not committed.
    Reservations(u64),
    /// Dead letters that it took and has not settled.
    DeadLetters(u64),
}

/// Something for which a thread waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitsFor {
    /// The lock or the rlock.
    Lock,
    /// A permit of the semaphore.
    Permit,
    /// The event, to be set or to be cleared.
    Event,
    /// A message.
    Message,
    /// Room for a message.
    Room,
    /// The end of all unfinished messages, in `join`.
    Join,
    /// A notification of the condition.
    Notification,
    /// The other parties of the barrier.
    Parties,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counted = |count: u64, what: &str| {
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "{count} {what}{plural}")
        };
        match *self {
            Hold::Lock(0 | 1) => f.write_str("the lock"),
            Hold::Lock(depth) => write!(f, "the lock, {depth} times"),
            Hold::Permits(count) => counted(u64::from(count), "permit"),
            Hold::Messages(count) => counted(count, "message"),
            Hold::Reservations(count) => counted(count, "reservation"),
            Hold::DeadLetters(count) => counted(count, "dead letter"),
        }
    }
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WaitsFor::Lock => "the lock",
            WaitsFor::Permit => "a permit",
            WaitsFor::Event => "the event",
            WaitsFor::Message => "a message",
            WaitsFor::Room => "room",
            WaitsFor::Join => "join",
            WaitsFor::Notification => "a notification",
            WaitsFor::Parties => "the other parties",
        })
    }
}

impl Participant {
    pub(super) fn all(snapshot: &Snapshot) -> Result<Vec<Participant>> {
        let seen = snapshot.participants()?;
        let all = seen.iter().map(|(slot, one)| Participant::of(*slot, one));
        Ok(all.collect())
    }

    fn of(slot: u32, seen: &segment::Participant) -> Participant {
        let life = seen.life();
        let liveness = match (life.is_dead(), life.is_unwatched()) {
            (true, _) => Liveness::Dead,
            (false, true) => Liveness::Unwatched,
            (false, false) => Liveness::Alive,
        };
        let sleepers = match liveness {
            Liveness::Dead => 0,
            _ => seen.sleepers.load(Ordering::Relaxed),
        };
        Participant {
            slot,
            pid: seen.pid(),
            liveness,
            asleep: sleepers,
            holds: Vec::new(),
            waits_for: Vec::new(),
            so_far: None,
            generation: life.generation(),
            keeper: life.keeper(),
        }
    }

    /// Whether it is not dead.
    pub fn is_alive(&self) -> bool {
        self.liveness != Liveness::Dead
    }

    /// Look for its process in /proc, as it is now.
    pub fn process(&self) -> Whereabouts {
        match self.is_alive() {
            true => process::find(self.pid, self.keeper),
            false => Whereabouts::Ended,
        }
    }

    /// Report whether this is the participant that an owner names.
    pub(super) fn is(&self, owner: Owner) -> bool {
        self.slot as usize == owner.slot() && owner.is_of_generation(self.generation)
    }
}

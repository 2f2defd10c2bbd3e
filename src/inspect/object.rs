//! Objects, one entry for each name.

use super::participant::{Hold, Participant, WaitsFor};
use super::queue::QueueState;
use crate::segment::{Kind, Snapshot};
use crate::status::{Error, Result, Status};
use crate::sync::owner::Owner;
use crate::sys::memory::{self, FileStatus};

/// A named object, or what else has the name of one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Object {
    /// The name.
    pub name: String,
    /// The kind; `None` if that could not be read.
    pub kind: Option<Kind>,
    /// The number of the user to whom it belongs.
    pub user: u32,
    /// Whether it belongs to the user of this process.
    pub is_own: bool,
    /// The permission bits.
    pub mode: u32,
    /// Memory that it occupies, in bytes.
    pub memory: u64,
    /// Whether it could be read, and is as it should be.
    pub verdict: Verdict,
    /// How many times dead participants were recovered.
    pub recoveries: u64,
    /// The processes that use it.
    pub participants: Vec<Participant>,
    /// What its own words say; `None` if they could not be read.
    pub state: Option<State>,
}

/// Whether an object could be read, and is as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing wrong was found.
    Sound,
    /// Its memory is damaged, and how.
    Damaged(String),
    /// It cannot be read, and why. So are most objects of other users.
    Unreadable(String),
    /// It is no object that this version of the library knows, and why.
    Unknown(String),
}

/// The state of an object, by its kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum State {
    /// A lock.
    Lock {
        /// Whether a process holds it, dead or alive.
        is_held: bool,
        /// Whether that process has died: the next one gets the lock and learns it.
        owner_died: bool,
    },
    /// An rlock.
    Rlock {
        /// How many times its holder has acquired it; 0 if it is free.
        depth: u32,
        /// Whether its holder has died: the next one gets it and learns that.
        owner_died: bool,
    },
    /// A semaphore.
    Semaphore {
        /// Permits that are free.
        value: i64,
        /// The most permits that can be free; 0 if there is no maximum.
        maximum: i64,
        /// Whether a permit belongs to the process that acquired it.
        owned: bool,
    },
    /// An event.
    Event {
        /// Whether it is set.
        is_set: bool,
    },
    /// A queue.
    Queue(QueueState),
    /// A condition.
    Condition {
        /// Threads that wait for a notification.
        waiting: u32,
    },
    /// A barrier.
    Barrier {
        /// How many parties it waits for.
        parties: u32,
        /// How many have arrived and wait.
        waiting: u32,
        /// Whether it is broken.
        is_broken: bool,
    },
}

/// How closely to look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// At the words of the object, for a list.
    Words,
    /// Also at each record of a queue: who has it.
    Records,
}

impl Verdict {
    pub(super) fn of(status: Status) -> Verdict {
        let why = reason(status);
        match status {
            Status::E_CORRUPT => Verdict::Damaged(why),
            Status::E_MISMATCH => Verdict::Unknown(why),
            _ => Verdict::Unreadable(why),
        }
    }

    /// Whether nothing wrong was found.
    pub fn is_sound(&self) -> bool {
        *self == Verdict::Sound
    }
}

/// The cause of a status in words.
fn reason(status: Status) -> String {
    let error = Error::from(status);
    match (status, error.detail()) {
        (Status::E_PERMISSION, _) => "its user lets nobody else read it".to_owned(),
        (Status::E_MISMATCH, "") => "what has that name is no file".to_owned(),
        (_, "") => status.to_string(),
        (_, detail) => detail.to_owned(),
    }
}

impl Object {
    pub(super) fn named(name: &str, status: &FileStatus) -> Object {
        let is_own = status.owner == memory::effective_user();
        let verdict = match status.is_file {
            true => Verdict::Sound,
            false => Verdict::of(Status::E_MISMATCH),
        };
        Object {
            name: name.to_owned(),
            kind: None,
            user: status.owner,
            is_own,
            mode: status.mode,
            memory: status.bytes,
            verdict,
            recoveries: 0,
            participants: Vec::new(),
            state: None,
        }
    }

    /// Number of processes that use the object and live.
    pub fn users(&self) -> usize {
        let living = self.participants.iter().filter(|one| one.is_alive());
        living.count()
    }

    /// Number of threads that sleep in the object.
    pub fn asleep(&self) -> u64 {
        let asleep = self.participants.iter().map(|one| u64::from(one.asleep));
        asleep.sum()
    }

    /// Look at the participants. Those that a copy of the words names were there by then: so this
    /// comes after that copy.
    pub(super) fn meet(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.participants = Participant::all(snapshot)?;
        Ok(())
    }

    /// Note what owners hold.
    pub(super) fn give(&mut self, held: impl IntoIterator<Item = (Owner, Hold)>) {
        for (owner, hold) in held {
            let mut participants = self.participants.iter_mut();
            if let Some(holder) = participants.find(|one| one.is(owner)) {
                holder.holds.push(hold);
            }
        }
    }

    /// Note for what the threads that sleep may wait.
    pub(super) fn let_wait(&mut self, reasons: &[WaitsFor]) {
        for one in self.participants.iter_mut().filter(|one| one.asleep > 0) {
            one.waits_for = reasons.to_vec();
        }
    }

    /// Note for what the threads of these owners wait, one owner for each thread.
    pub(super) fn let_wait_as(&mut self, waiting: &[Owner], reason: WaitsFor) {
        for one in &mut self.participants {
            let threads = waiting.iter().filter(|owner| one.is(**owner)).count();
            if threads > 0 {
                one.waits_for = vec![reason];
                one.asleep = one.asleep.max(threads as u32);
            }
        }
    }
}

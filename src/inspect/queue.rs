//! The state of a queue.

use std::time::Duration;

use crate::queue::QueueOptions;

/// The numbers of a queue.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueueState {
    /// The options with which it was created.
    pub options: QueueOptions,
    /// Random bits that were chosen when it was created: see [`Queue::identity`](crate::Queue).
    pub identity: [u8; 16],
    /// Whether it takes messages.
    pub intake: Intake,
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that a process has got or taken and not settled.
    pub in_flight: u64,
    /// Bytes of all messages that are not over, headers included.
    pub bytes: u64,
    /// Messages put since the queue was made.
    pub puts: u64,
    /// Messages got since the queue was made, without those that came back.
    pub gets: u64,
    /// Messages that came back because they were returned or their consumer died.
    pub redelivered: u64,
    /// Messages discarded by an immediate shutdown, and puts whose process died within the call.
    pub discarded: u64,
    /// Dead letters that no process has taken.
    pub dead_letters: u64,
    /// The message that was put first of those in flight. Only [`object`](super::object) looks for
    /// it.
    pub oldest_lease: Option<Lease>,
    /// Whether [`object`](super::object) has looked at every message. It looks at no more than a
    /// million, and it gives up when other processes put and get faster than it reads.
    pub is_complete: bool,
}

/// A message that a process has got or taken and not settled.
///
/// A look at the clock costs a part of what a get costs, so not every get looks there. Instead a
/// participant notes now and then, before a get, the time and how far the queue has been delivered:
/// at every get if its gets are far apart, at the first one after it found no message or waited for
/// one, and in a run of quick gets ever more rarely, in the end at one in 32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Lease {
    /// The id of the message.
    pub id: u64,
    /// How often it has been delivered, this delivery included.
    pub deliveries: u32,
    /// The slot of the participant that has it.
    pub slot: u32,
    /// The participant has had the message at most this long, as its last note says. `None` if it
    /// has made a note since then, as a process may whose other threads go on.
    pub at_most: Option<Duration>,
    pub(super) place: u64,
}

impl Lease {
    /// Whether both are the same message at the same delivery.
    pub fn is_same(&self, other: &Lease) -> bool {
        (self.id, self.deliveries, self.slot) == (other.id, other.deliveries, other.slot)
    }
}

/// Whether a queue takes messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intake {
    /// It takes messages.
    Open,
    /// It is shut down: puts are refused, and what is in it is still delivered.
    Draining,
    /// It is shut down, and what was in it was discarded.
    Discarded,
}

impl QueueState {
    /// Messages that wait or are in flight.
    pub fn unfinished(&self) -> u64 {
        self.waiting.saturating_add(self.in_flight)
    }

    /// The label that says what its messages are.
    pub fn format(&self) -> String {
        let label = self.options.format.split(|byte| *byte == 0).next();
        String::from_utf8_lossy(label.unwrap_or_default()).into_owned()
    }
}

//! Reading messages where they are, without consuming them.

use crate::queue::snapshot::{Chain, Found, Intake, QueueSnapshot, Walk};
use crate::segment::{path_of, Kind, Snapshot};
use crate::status::detail::{self, because};
use crate::status::Result;
use crate::sys::memory;

/// Bytes before the payload of a dead letter: the id of its message, and its deliveries.
const PREFIX: usize = 16;
/// How often a peek begins anew when the others are faster.
const WALKS: u32 = 5;

/// One step of a [`Tail`] reads at most this many messages, so that it does not need much memory.
const STEP: usize = 1000;

/// Where in a queue to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Messages that wait, in the order in which they will be delivered.
    Waiting,
    /// Messages that a process has got or taken and not settled.
    InFlight,
    /// Dead letters that no process has taken.
    DeadLetters,
}

/// A message that was read and not consumed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Letter {
    /// Its id.
    pub id: u64,
    /// How often it has been delivered. If a participant has it now, that delivery included.
    pub deliveries: u64,
    /// Its length in bytes.
    pub length: u64,
    /// Its bytes, as many as were asked for.
    pub bytes: Vec<u8>,
    /// The slot of the participant that has it; `None` if it waits.
    pub slot: Option<u32>,
}

/// Read the first `count` messages of a place, and at most `most` bytes of each.
///
/// # Errors
/// `E_NOT_FOUND`, `E_PERMISSION`, `E_MISMATCH` if it is no queue, `E_CORRUPT`.
pub fn peek(name: &str, place: Place, count: usize, most: usize) -> Result<Vec<Letter>> {
    let failed = |status| detail::at(status, "look at", "queue", Some(name));
    let snapshot = open(name).map_err(failed)?;
    let mut looks = WALKS;
    loop {
        looks -= 1;
        let (letters, is_whole) = peek_once(&snapshot, place, count, most).map_err(failed)?;
        // In a queue that moves that fast the messages are others at the next look anyway.
        if is_whole || looks == 0 {
            return Ok(letters);
        }
    }
}

/// The queue with this name.
pub(super) fn open(name: &str) -> Result<Snapshot> {
    let fd = memory::open_to_read(&path_of(name)?)?;
    let status = memory::status_of(&fd)?;
    if !status.is_file {
        return Err(because!(E_MISMATCH, "what has that name is no file"));
    }
    let snapshot = Snapshot::of(fd, &status)?;
    match snapshot.kind() {
        Kind::Queue => Ok(snapshot),
        other => Err(Kind::Queue.mismatch(other.code())),
    }
}

/// Return the letters, and whether none was overwritten meanwhile.
fn peek_once(
    snapshot: &Snapshot,
    place: Place,
    count: usize,
    most: usize,
) -> Result<(Vec<Letter>, bool)> {
    let queue = QueueSnapshot::of(snapshot)?;
    let chain = match place {
        Place::DeadLetters => Chain::DeadLetters,
        Place::Waiting | Place::InFlight => Chain::Messages,
    };
    let mut letters = Vec::new();
    let mut is_whole = true;
    let walk = queue.walk(chain, 0, &mut |found| {
        let is_wanted = match place {
            Place::InFlight => found.is_in_flight(),
            Place::Waiting | Place::DeadLetters => found.waits(),
        };
        if letters.len() < count && is_wanted {
            match letter(&queue, chain, found, most)? {
                Some(letter) => letters.push(letter),
                None => is_whole = false,
            }
        }
        Ok(letters.len() >= count)
    })?;
    Ok((letters, is_whole && walk != Walk::Overtaken))
}

/// Read a message; `None` if it was overwritten meanwhile.
fn letter(
    queue: &QueueSnapshot<'_>,
    chain: Chain,
    found: &Found,
    most: usize,
) -> Result<Option<Letter>> {
    let is_in_flight = found.is_in_flight();
    let owner = is_in_flight.then(|| found.word.owner()).flatten();
    let slot = owner.map(|owner| owner.slot() as u32);
    if chain == Chain::Messages {
        let bytes = queue.payload(chain, found, 0, most)?;
        return Ok(bytes.map(|bytes| Letter {
            id: found.position.id(),
            deliveries: u64::from(found.word.deliveries()) + u64::from(is_in_flight),
            length: found.len,
            bytes,
            slot,
        }));
    }
    let length = found.len.checked_sub(PREFIX as u64);
    let length = length.ok_or_else(|| because!(E_CORRUPT, "a dead letter is too short"))?;
    let head = queue.payload(chain, found, 0, PREFIX)?;
    let bytes = queue.payload(chain, found, PREFIX as u64, most)?;
    let (Some(head), Some(bytes)) = (head, bytes) else {
        return Ok(None);
    };
    let mut numbers = head.as_chunks::<8>().0.iter();
    let mut number = || numbers.next().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
    Ok(Some(Letter {
        id: number(),
        deliveries: number(),
        length,
        bytes,
        slot,
    }))
}

/// Follows the messages that are put into a queue, without consuming them.
pub struct Tail {
    snapshot: Snapshot,
    /// The place from which on records are new.
    next: u64,
    /// How many of all puts were read or skipped.
    accounted: u64,
}

/// What came since the last look.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The messages that came, in their order, as far as they could be read.
    pub letters: Vec<Letter>,
    /// About how many more came, and were overwritten before they could be read.
    pub skipped: u64,
    /// Whether the queue is shut down, so that nothing more comes.
    pub is_over: bool,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tail").finish_non_exhaustive()
    }
}

impl Tail {
    /// Begin behind the last message that is in the queue now.
    ///
    /// # Errors
    /// Those of [`peek`].
    pub fn open(name: &str) -> Result<Tail> {
        Tail::begin(name, |queue| (queue.tail(), 0))
    }

    /// Begin with the first message that waits and was not delivered before.
    ///
    /// # Errors
    /// Those of [`peek`].
    pub fn open_at_head(name: &str) -> Result<Tail> {
        Tail::begin(name, |queue| queue.head())
    }

    /// `place` tells where to begin, and how many records lie from there on.
    fn begin(name: &str, place: impl Fn(&QueueSnapshot<'_>) -> (u64, u64)) -> Result<Tail> {
        let begin = || {
            let snapshot = open(name)?;
            let queue = QueueSnapshot::of(&snapshot)?;
            let (next, ahead) = place(&queue);
            let accounted = queue.counts().puts.saturating_sub(ahead);
            Ok(Tail {
                snapshot,
                next,
                accounted,
            })
        };
        begin().map_err(|status| detail::at(status, "look at", "queue", Some(name)))
    }

    /// Read what came since the last look, and at most `most` bytes of each message. It does not
    /// wait: call it again after a while.
    ///
    /// # Errors
    /// `E_CORRUPT`
    pub fn step(&mut self, most: usize) -> Result<Step> {
        let queue = QueueSnapshot::of(&self.snapshot)?;
        let counts = queue.counts();
        let mut letters = Vec::new();
        let mut next = self.next;
        let walk = queue.walk(Chain::Messages, self.next, &mut |found| {
            if found.position.at() < self.next {
                return Ok(false);
            }
            if found.is_being_written() {
                // The next step reads it.
                return Ok(true);
            }
            next = found.end();
            if found.is_message() {
                letters.extend(letter(&queue, Chain::Messages, found, most)?);
            }
            Ok(letters.len() >= STEP)
        })?;
        if walk == Walk::Overtaken {
            // Others are faster than this walk: go on with what they put from now on.
            next = queue.tail();
        }
        self.next = next;
        self.accounted = self.accounted.saturating_add(letters.len() as u64);
        let mut skipped = 0;
        if next == queue.tail() {
            skipped = counts.puts.saturating_sub(self.accounted);
            self.accounted = counts.puts;
        }
        Ok(Step {
            letters,
            skipped,
            is_over: counts.intake != Intake::Open,
        })
    }
}

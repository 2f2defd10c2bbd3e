//! Reading a queue: its numbers, who holds its messages and since when, and who has put and got how
//! much.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::object::{Depth, Object, State};
use super::participant::{Hold, SoFar, WaitsFor};
use super::queue::{Intake, Lease, QueueState};
use crate::queue::snapshot::{self, Chain, Found, QueueSnapshot, Walk};
use crate::segment::{Account, CopiedAccounts, Snapshot};
use crate::status::Result;
use crate::sync::owner::Owner;
use crate::sys::clock;

/// How often a queue is walked anew when the others are faster.
const WALKS: u32 = 5;

pub(super) fn read(object: &mut Object, snapshot: &Snapshot, depth: Depth) -> Result<()> {
    let queue = QueueSnapshot::of(snapshot)?;
    let mut state = state_of(&queue);
    let sleepers = queue.sleepers();
    let (mut damage, mut held) = (Ok(()), Vec::new());
    if depth == Depth::Records {
        match census(snapshot, queue) {
            Ok((queue, census)) => {
                state = state_of(&queue);
                state.is_complete = census.is_complete;
                state.oldest_lease = census.oldest;
                if census.is_complete {
                    state.waiting = state.waiting.saturating_sub(census.no_messages);
                    state.puts = state.puts.saturating_sub(census.writing);
                }
                held = census.held;
            }
            Err(status) => damage = Err(status),
        }
    }
    let is_empty = state.waiting == 0;
    let mut reasons = Vec::new();
    // A queue with messages lets no consumer sleep, and an empty one no producer: such a bit is an
    // old one.
    if sleepers.for_items && (is_empty || !sleepers.for_room) {
        reasons.push(WaitsFor::Message);
    }
    if sleepers.for_room && !(is_empty && sleepers.for_items) {
        reasons.push(WaitsFor::Room);
    }
    if sleepers.in_join && state.unfinished() > 0 {
        reasons.push(WaitsFor::Join);
    }
    object.meet(snapshot)?;
    let accounts = snapshot::accounts(snapshot)?;
    if let Some(lease) = &mut state.oldest_lease {
        date(lease, &accounts);
    }
    for one in &mut object.participants {
        let account = accounts.of(one.slot);
        one.so_far = account.map(|account| SoFar {
            puts: account.puts.load(Ordering::Relaxed),
            gets: account.gets.load(Ordering::Relaxed),
        });
    }
    object.give(held);
    object.let_wait(&reasons);
    object.state = Some(State::Queue(state));
    damage
}

/// Find out since when the lease lasts, from the last note of the participant that has it. By the
/// time of the note no message at or after its place had been delivered.
fn date(lease: &mut Lease, accounts: &CopiedAccounts) {
    let note = accounts.of(lease.slot).and_then(Account::noted);
    let note = note.filter(|note| note.place <= lease.place);
    let age = note.and_then(|note| clock::coarse_ms().checked_sub(note.ms));
    lease.at_most = age.map(Duration::from_millis);
}

/// The message that was put first of those in flight.
pub(super) fn oldest_lease(snapshot: &Snapshot) -> Result<Option<Lease>> {
    for _ in 0..WALKS {
        let queue = QueueSnapshot::of(snapshot)?;
        if queue.counts().in_flight == 0 {
            return Ok(None);
        }
        let mut oldest = None;
        let walk = queue.walk(Chain::Messages, 0, &mut |found| {
            oldest = lease_of(found);
            Ok(oldest.is_some())
        })?;
        if let Some(mut lease) = oldest {
            date(&mut lease, &snapshot::accounts(snapshot)?);
            return Ok(Some(lease));
        }
        if walk != Walk::Overtaken {
            break;
        }
    }
    Ok(None)
}

fn lease_of(found: &Found) -> Option<Lease> {
    let owner = found.word.owner().filter(|_| found.is_in_flight())?;
    Some(Lease {
        id: found.position.id(),
        deliveries: u32::from(found.word.deliveries()) + 1,
        slot: owner.slot() as u32,
        at_most: None,
        place: found.position.at(),
    })
}

fn state_of(queue: &QueueSnapshot<'_>) -> QueueState {
    let counts = queue.counts();
    QueueState {
        options: queue.options(),
        identity: queue.identity(),
        intake: match counts.intake {
            snapshot::Intake::Open => Intake::Open,
            snapshot::Intake::Draining => Intake::Draining,
            snapshot::Intake::Discarded => Intake::Discarded,
        },
        waiting: counts.items,
        in_flight: counts.in_flight,
        bytes: counts.bytes,
        puts: counts.puts,
        gets: counts.gets,
        redelivered: counts.redelivered,
        discarded: counts.discarded,
        dead_letters: counts.dead_letters,
        oldest_lease: None,
        is_complete: false,
    }
}

/// What a look at each record finds.
#[derive(Default)]
struct Census {
    held: Vec<(Owner, Hold)>,
    oldest: Option<Lease>,
    /// Records ahead of the consumers that are being written or were given up.
    no_messages: u64,
    /// Those of them that are being written.
    writing: u64,
    is_complete: bool,
}

fn census<'a>(
    snapshot: &'a Snapshot,
    mut queue: QueueSnapshot<'a>,
) -> Result<(QueueSnapshot<'a>, Census)> {
    for _ in 0..WALKS {
        let mut census = Census::default();
        let walks = [
            census.walk(&queue, Chain::Messages)?,
            census.walk(&queue, Chain::DeadLetters)?,
        ];
        census.is_complete = walks == [Walk::Complete; 2];
        if !walks.contains(&Walk::Overtaken) {
            return Ok((queue, census));
        }
        queue = QueueSnapshot::of(snapshot)?;
    }
    Ok((queue, Census::default()))
}

impl Census {
    fn walk(&mut self, queue: &QueueSnapshot<'_>, chain: Chain) -> Result<Walk> {
        let mut held: Vec<(Owner, u64)> = Vec::new();
        let mut reserved: Vec<(Owner, u64)> = Vec::new();
        let walk = queue.walk(chain, 0, &mut |found| {
            if chain == Chain::Messages && !found.is_behind {
                self.no_messages += u64::from(found.is_being_written() || found.is_void());
                self.writing += u64::from(found.is_being_written());
            }
            let Some(owner) = found.word.owner() else {
                return Ok(false);
            };
            if found.is_in_flight() {
                count(&mut held, owner);
                if chain == Chain::Messages && self.oldest.is_none() {
                    self.oldest = lease_of(found);
                }
            } else if found.is_being_written() {
                count(&mut reserved, owner);
            }
            Ok(false)
        })?;
        for (owner, count) in held {
            self.held.push(match chain {
                Chain::Messages => (owner, Hold::Messages(count)),
                Chain::DeadLetters => (owner, Hold::DeadLetters(count)),
            });
        }
        for (owner, count) in reserved {
            self.held.push((owner, Hold::Reservations(count)));
        }
        Ok(walk)
    }
}

fn count(counts: &mut Vec<(Owner, u64)>, owner: Owner) {
    match counts.iter_mut().find(|(one, _)| *one == owner) {
        Some((_, count)) => *count += 1,
        None => counts.push((owner, 1)),
    }
}

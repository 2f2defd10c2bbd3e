//! Walks over the records of a chain, while others put and get.
//!
//! A record that is read here may be overwritten at the same moment. The walk reads it, and then
//! whether the ring was free up to a later place: only then can a producer have written there. So a
//! record that looks damaged is damaged only if it is still in use after it was read.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Chain, Ends, QueueSnapshot};
use crate::queue::layout::body::{Body, Words, RINGS_AT};
use crate::queue::layout::cursor::Position;
use crate::queue::layout::record::{Record, State, Word, ALIGN, HEADER};
use crate::queue::layout::ring::{self, RingState, OPEN_END, RINGS};
use crate::segment::Snapshot;
use crate::status::detail::because;
use crate::status::{Result, Status};

/// A walk ends after this many records.
const MOST: u64 = 1 << 20;
/// Headers are read this many at a time, 4 KiB: small messages have several in that space.
const PIECE: u64 = 256;

/// A record, as it was when it was read.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) position: Position,
    pub(crate) word: Word,
    pub(crate) state: State,
    pub(crate) len: u64,
    extent: u64,
    /// Whether the consumers have gone past it.
    pub(crate) is_behind: bool,
}

impl Found {
    /// The place behind it.
    pub(crate) fn end(&self) -> u64 {
        self.position.at() + self.extent
    }

    /// Report whether it is a message that waits.
    pub(crate) fn waits(&self) -> bool {
        match self.is_behind {
            true => self.state == State::Returned,
            false => matches!(self.state, State::Ready | State::Returned),
        }
    }

    /// Report whether it is or was a message. Padding, reservations and what was given up are none.
    pub(crate) fn is_message(&self) -> bool {
        use State::*;
        matches!(self.state, Ready | Taken | Got | Returned | Done)
    }

    /// Report whether it is a reservation that was given up.
    pub(crate) fn is_void(&self) -> bool {
        self.state == State::Void
    }

    /// Report whether it is a reservation that is not committed yet.
    pub(crate) fn is_being_written(&self) -> bool {
        matches!(self.state, State::Writing | State::Passed)
    }

    /// Report whether it is a message that a process has and has not settled.
    pub(crate) fn is_in_flight(&self) -> bool {
        self.state.is_in_flight()
    }
}

/// How a walk ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Walk {
    /// At the last record, or when the visitor had enough.
    Complete,
    /// The consumers and the producers were faster: records that were to come are overwritten.
    Overtaken,
    /// There are more records than a walk visits.
    Cut,
}

/// A part of a ring: its records from `from` to `to`.
struct Stretch {
    ring: usize,
    from: u64,
    to: u64,
    is_behind: bool,
}

/// A copy of a part of a ring, which begins at the place `from`.
#[derive(Default)]
struct Piece {
    from: u64,
    units: Vec<Record>,
}

impl Piece {
    /// The header that begins at this place, if it is in this piece.
    fn header(&self, at: u64) -> Option<&Record> {
        let distance = at.checked_sub(self.from)?;
        self.units.get(usize::try_from(distance / HEADER).ok()?)
    }
}

impl QueueSnapshot<'_> {
    /// Call `each` for the records of a chain that may be in use and that lie at or after the place
    /// `from`, in their order, until it returns true.
    ///
    /// # Errors
    /// `E_CORRUPT`
    pub(crate) fn walk(
        &self,
        chain: Chain,
        from: u64,
        each: &mut dyn FnMut(&Found) -> Result<bool>,
    ) -> Result<Walk> {
        let mut left = MOST;
        let Some(stretches) = self.stretches(chain)? else {
            return Ok(Walk::Overtaken);
        };
        for stretch in stretches {
            let mut at = match stretch.from < from && from < stretch.to {
                true => from,
                false => stretch.from,
            };
            if stretch.to <= from {
                continue;
            }
            let mut piece = Piece::default();
            while at < stretch.to {
                let position = Position::new(stretch.ring, at);
                let found = match self.record(&mut piece, position, &stretch) {
                    Ok(found) => found,
                    Err(_) if self.was_overwritten(chain, position)? => return Ok(Walk::Overtaken),
                    Err(status) => return Err(status),
                };
                if left == 0 {
                    return Ok(Walk::Cut);
                }
                left -= 1;
                at += found.extent;
                if each(&found)? {
                    return Ok(Walk::Complete);
                }
            }
        }
        Ok(Walk::Complete)
    }

    /// Copy bytes of a message, beginning `skip` bytes after its first one; `None` if the message
    /// was overwritten meanwhile.
    pub(crate) fn payload(
        &self,
        chain: Chain,
        found: &Found,
        skip: u64,
        most: usize,
    ) -> Result<Option<Vec<u8>>> {
        let length = found.len.saturating_sub(skip).min(most as u64);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let at = offset_of_record(found.position) + HEADER + skip;
        self.segment.read(at, &mut bytes)?;
        let is_lost = self.was_overwritten(chain, found.position)?;
        Ok((!is_lost).then_some(bytes))
    }

    /// The parts of the rings whose records may be in use, in the order of their records; `None` if
    /// the rings or the ends changed while they were copied. Only two equal copies show a damage: a
    /// busy queue takes a ring anew between the copy of one word and the copy of another.
    fn stretches(&self, chain: Chain) -> Result<Option<Vec<Stretch>>> {
        let rings = Rings::copy(self.segment, chain)?;
        let stretches = rings.stretches(chain, &self.ends(chain));
        let is_still = || -> Result<bool> {
            Ok(Ends::copy(self.segment, chain)? == self.ends(chain)
                && Rings::copy(self.segment, chain)? == rings)
        };
        if stretches.is_ok() || is_still()? {
            return stretches.map(Some);
        }
        Ok(None)
    }

    /// Read a record, from `piece` if it is there.
    fn record(&self, piece: &mut Piece, position: Position, stretch: &Stretch) -> Result<Found> {
        let at = position.at();
        let limit = stretch.to.saturating_sub(at);
        if piece.header(at).is_none() {
            let in_ring = ring::size(position.ring()).saturating_sub(in_ring(position));
            let units = (limit.min(in_ring) / HEADER).clamp(1, PIECE) as usize;
            let units = self.segment.many(offset_of_record(position), units)?;
            *piece = Piece { from: at, units };
        }
        let record = piece.header(at).ok_or(Status::E_INTERNAL)?;
        let (word, (len, extent)) = (record.word(), record.size());
        let Some(state) = word.state() else {
            return Err(because!(E_CORRUPT, "the record at {at} has no valid state"));
        };
        let fits = extent >= HEADER && extent % ALIGN == 0 && len <= extent - HEADER;
        let end = in_ring(position).saturating_add(extent);
        if !fits || extent > limit || end > ring::size(position.ring()) {
            return Err(because!(
                E_CORRUPT,
                "the record at {at} has no valid length"
            ));
        }
        Ok(Found {
            position,
            word,
            state,
            len,
            extent,
            is_behind: stretch.is_behind,
        })
    }

    /// Report whether a producer may have written where this record was, before this call.
    fn was_overwritten(&self, chain: Chain, position: Position) -> Result<bool> {
        let head = Ends::copy(self.segment, chain)?.head.position;
        let is_left = head.ring() != position.ring() && position.at() < head.at();
        if !is_left {
            return Ok(self.free(position.ring())? > position.at());
        }
        // A ring that the consumers have left, with every record over, gives its memory back.
        let end = self.end(position.ring())?;
        let free = self.free(position.ring())?;
        Ok(free > position.at() || free == end)
    }

    pub(super) fn free(&self, ring: usize) -> Result<u64> {
        let free: AtomicU64 = self
            .segment
            .part(state_at(ring) + offset_of!(RingState, free))?;
        Ok(free.load(Ordering::Relaxed))
    }

    /// The place at which the records of a ring end, once the producers have moved on.
    fn end(&self, ring: usize) -> Result<u64> {
        let end: AtomicU64 = self
            .segment
            .part(state_at(ring) + offset_of!(RingState, end))?;
        Ok(end.load(Ordering::Relaxed))
    }
}

/// A copy of the words that say where the records of a chain are.
#[derive(PartialEq, Eq)]
struct Rings {
    lingering: u64,
    links: Vec<Links>,
}

/// The numbers of a ring's state that say where its records are.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Links {
    start: u64,
    end: u64,
    next: usize,
    free: u64,
}

impl Rings {
    fn copy(segment: &Snapshot, chain: Chain) -> Result<Rings> {
        let body = segment.first_words::<Words, Body>()?;
        let links = body.rings.iter().map(|state| Links {
            start: state.start.load(Ordering::Relaxed),
            end: state.end.load(Ordering::Relaxed),
            next: state.next.load(Ordering::Relaxed) as usize,
            free: state.free.load(Ordering::Relaxed),
        });
        let behind = &chain.words(&body).behind;
        Ok(Rings {
            lingering: behind.lingering.load(Ordering::Relaxed),
            links: links.collect(),
        })
    }

    fn links(&self, ring: usize) -> Result<Links> {
        self.links.get(ring).copied().ok_or(Status::E_INTERNAL)
    }

    fn stretches(&self, chain: Chain, ends: &Ends) -> Result<Vec<Stretch>> {
        let (head, tail) = (ends.head.position, ends.tail.position);
        let mut stretches = Vec::new();
        for ring in (0..RINGS).filter(|ring| chain.has_ring(*ring)) {
            let links = self.links(ring)?;
            let to = match ring == head.ring() {
                true => head.at(),
                false if self.lingering & (1 << ring) != 0 => links.end,
                false => continue,
            };
            stretches.push(checked(ring, links.free, to, true)?);
        }
        stretches.sort_by_key(|stretch| stretch.from);
        let (mut ring, mut from) = (head.ring(), head.at());
        for _ in 0..RINGS {
            if ring == tail.ring() {
                stretches.push(checked(ring, from, tail.at(), false)?);
                return Ok(stretches);
            }
            let links = self.links(ring)?;
            stretches.push(checked(ring, from, links.end, false)?);
            ring = links.next;
            if !chain.has_ring(ring) {
                return Err(because!(E_CORRUPT, "a ring is followed by ring {ring}"));
            }
            from = self.links(ring)?.start;
        }
        Err(because!(E_CORRUPT, "its rings form a circle"))
    }
}

fn checked(ring: usize, from: u64, to: u64, is_behind: bool) -> Result<Stretch> {
    if from > to || to - from > ring::size(ring) || to == OPEN_END || !from.is_multiple_of(ALIGN) {
        return Err(because!(
            E_CORRUPT,
            "the records of ring {ring} reach from {from} to {to}"
        ));
    }
    Ok(Stretch {
        ring,
        from,
        to,
        is_behind,
    })
}

/// Offset of a ring's state in `Body`. The ring's number was checked.
fn state_at(ring: usize) -> usize {
    offset_of!(Body, rings) + ring * size_of::<RingState>()
}

/// Offset of a position in its ring.
fn in_ring(position: Position) -> u64 {
    position.at() & (ring::size(position.ring()) - 1)
}

fn offset_of_record(position: Position) -> u64 {
    RINGS_AT + ring::offset(position.ring()) + in_ring(position)
}

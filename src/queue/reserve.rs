//! Reserving room for a message that is written in place.
//!
//! A reservation lies in the ring as a WRITING record with its owner. Consumers wait for it while
//! it is the last record, and go past it when another record follows. So a slow or stopped writer
//! blocks no consumer; its message takes its place in line when it is committed.

use super::chain::producer::Room;
use super::chain::{Chain, Held};
use super::layout::body::{Intake, Words};
use super::layout::cursor::Side;
use super::layout::record::{extent_of, State, Word, MAX_PAYLOAD};
use super::loans::Loans;
use super::put::room_at;
use super::room::{Attempt, Growth};
use super::view::View;
use super::Queue;
use crate::segment::Segment;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sync::wait::{LazyWait, Patience, Wait};

/// Room for a message. It belongs to this process until it is committed or aborted.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Reservation {
    /// Address of the room in shared memory; valid until commit or abort and while the queue is
    /// open.
    pub data: *mut u8,
    /// Length of the room in bytes.
    pub len: usize,
    /// The ticket with which the reservation is committed or aborted.
    pub ticket: u64,
}

impl Reservation {
    fn of(place: &Room<'_>, len: usize) -> Reservation {
        Reservation {
            data: place.payload.address(),
            len,
            ticket: place.position.bits(),
        }
    }
}

impl Queue {
    /// Reserve room for a message of up to `len` bytes, waiting while the queue is full.
    ///
    /// # Errors
    /// Those of [`put_raw`](Self::put_raw).
    #[doc(hidden)]
    #[inline]
    pub fn reserve_raw(&self, len: usize, wait: impl LazyWait) -> Result<Reservation> {
        let mut reserved = None;
        self.reserve_with(len, wait, |reservation| reserved = Some(reservation))?;
        reserved.ok_or(Status::E_INTERNAL)
    }

    /// As [`reserve_raw`](Self::reserve_raw), and pass the reservation to `give`: so the fast path
    /// hands over its parts in registers.
    ///
    /// The fast path is that of [`put_raw`](Self::put_raw).
    #[inline(always)]
    pub(crate) fn reserve_with(
        &self,
        len: usize,
        wait: impl LazyWait,
        give: impl FnOnce(Reservation),
    ) -> Result<()> {
        let segment: &Segment = &self.segment;
        let words = self.segment.words();
        if let (Some(me), true) = (segment.me_if_attached(), len as u64 <= MAX_PAYLOAD) {
            self.keep_distance_from_consumers(extent_of(len as u64));
            let chain = Chain::of_messages(segment, words);
            if let Some(tail) = chain.try_lock_tail(me) {
                if let Some(room) = reserve_within(segment, words, &self.loans, len as u64, me) {
                    tail.release();
                    give(Reservation::of(&room, len));
                    return Ok(());
                }
                if let Some(reservation) = self.reserve_after_a_look(tail, len, me) {
                    give(reservation);
                    return Ok(());
                }
            }
        }
        wait.begin(|wait| self.reserve_slow(len, wait)).map(give)
    }

    /// See [`View::reserve_after_a_look`].
    #[cold]
    #[inline(never)]
    fn reserve_after_a_look<'a>(
        &'a self,
        tail: Held<'a>,
        len: usize,
        me: Owner,
    ) -> Option<Reservation> {
        let room = self.at().reserve_after_a_look(tail, len as u64, me)?;
        Some(Reservation::of(&room, len))
    }

    /// The rest of [`reserve_with`](Self::reserve_with), for every case that the fast path does not
    /// handle.
    #[cold]
    fn reserve_slow(&self, len: usize, wait: Wait<'_>) -> Result<Reservation> {
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        let place = self.at().reserve_room(len, &mut patience, me)?;
        Ok(Reservation::of(&place, len))
    }
}

/// Under the tail lock: reserve room for `len` bytes, at most [`MAX_PAYLOAD`], within the limits
/// that the tail knows.
#[inline(always)]
fn reserve_within<'a>(
    segment: &'a Segment,
    words: &Words,
    loans: &Loans,
    len: u64,
    me: Owner,
) -> Option<Room<'a>> {
    let tail = &words.body.messages.tail;
    let extent = extent_of(len);
    // The limits of a queue that is shut down admit nothing.
    let room = room_at(segment, tail.place_within(extent)?, extent)?;
    note_reservation(tail, loans, &room, len, me);
    tail.step_over(extent);
    segment.count_put(&words.accounts, 1);
    Some(room)
}

/// Under the tail lock: write the record of a reservation, before the tail's commit.
///
/// If the process is killed before the commit, there is no record. If it is killed after the
/// commit, the record is WRITING with a dead owner, and the process that reaches it gives it up.
#[inline]
fn note_reservation(tail: &Side, loans: &Loans, room: &Room<'_>, len: u64, me: Owner) {
    let word = Word::new(State::Writing, 0, Some(me));
    room.record.write(word, len, extent_of(len));
    tail.note_reservation(room.position);
    loans.reserved();
}

impl<'a> View<'a> {
    /// Reserve room for a message of `len` bytes, waiting while the queue is full.
    pub(super) fn reserve_room(
        &self,
        len: usize,
        patience: &mut Patience<'_>,
        me: Caller<'_>,
    ) -> Result<Room<'a>> {
        self.check_length(len)?;
        let len = len as u64;
        self.until_room(extent_of(len), patience, me, |growth| {
            self.try_reserve(len, me, growth)
        })
    }

    /// Reserve room if the lock is free and the queue has room, as the fast path of
    /// [`reserve_with`](Queue::reserve_with) does.
    pub(super) fn reserve_at_once(&self, len: u64, me: Owner) -> Option<Room<'a>> {
        if len > MAX_PAYLOAD {
            return None;
        }
        self.keep_distance_from_consumers(extent_of(len));
        let tail = self.messages().try_lock_tail(me)?;
        match reserve_within(self.segment, self.words, self.loans, len, me) {
            Some(room) => Some(room),
            None => self.reserve_after_a_look(tail, len, me),
        }
    }

    /// The rest of the fast path, under the tail lock: look at the head.
    fn reserve_after_a_look(&self, _tail: Held<'a>, len: u64, me: Owner) -> Option<Room<'a>> {
        if self.body.phase() != Intake::Open {
            return None;
        }
        let chain = self.messages();
        let mut pen = chain.words.tail.pen();
        let room = self.place_after_a_look(&chain, &mut pen, extent_of(len))?;
        note_reservation(&chain.words.tail, self.loans, &room, len, me);
        chain.publish(&mut pen);
        self.segment.count_put(&self.words.accounts, 1);
        Some(room)
    }

    fn try_reserve(&self, len: u64, me: Caller<'_>, growth: Growth) -> Result<Attempt<Room<'a>>> {
        let chain = self.messages();
        let _tail = chain.lock_tail(me)?;
        self.check_open()?;
        let mut pen = chain.words.tail.pen();
        let place = self.place(&chain, &mut pen, extent_of(len), me, growth)?;
        if let Attempt::Done(room) = &place {
            note_reservation(&chain.words.tail, self.loans, room, len, me.owner);
            chain.publish(&mut pen);
            self.segment.count_put(&self.words.accounts, 1);
        }
        Ok(place)
    }
}

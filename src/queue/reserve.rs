//! Writing a message in place: reserve, then commit or abort.
//!
//! A reservation lies in the ring as a WRITING record with its owner. Consumers wait for it while
//! it is the last record, and go past it when another record follows. So a slow or stopped writer
//! blocks no consumer; its message takes its place in line when it is committed.

use std::sync::atomic::Ordering;

use super::chain::checked::{lower, raise, Checked};
use super::chain::producer::Room;
use super::chain::{Chain, Held};
use super::layout::body::{Intake, Words};
use super::layout::cursor::{Position, Side};
use super::layout::record::{extent_of, Record, State, Word, MAX_PAYLOAD};
use super::layout::ring::size;
use super::loans::Loans;
use super::put::room_at;
use super::room::{Attempt, Growth};
use super::view::View;
use super::Queue;
use crate::pace::copies::Way;
use crate::segment::Segment;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sync::wait::{LazyWait, Patience, Wait};
use crate::sys::clock;

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

    /// The rest of [`reserve`](Self::reserve), for every case that the fast path does not handle.
    #[cold]
    fn reserve_slow(&self, len: usize, wait: Wait<'_>) -> Result<Reservation> {
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        let place = self.at().reserve_room(len, &mut patience, me)?;
        Ok(Reservation::of(&place, len))
    }

    /// Commit a reserved message of `len` bytes, at most the reserved length.
    ///
    /// A reservation made before a shutdown is still delivered, unless the shutdown was immediate.
    ///
    /// # Errors
    /// `E_SHUTDOWN`: the reservation was given up. `E_TOO_LARGE`: the reservation stands.
    /// `E_TIMEOUT`: the reservation stands; a process that is stopped within a call holds a lock.
    /// `E_INVALID` if it is settled already, `E_NOT_OWNER` if it belongs to another process.
    #[doc(hidden)]
    #[inline(always)]
    pub fn commit_raw(&self, reservation: &Reservation, len: usize) -> Result<()> {
        if len > reservation.len {
            return Err(Status::E_TOO_LARGE);
        }
        let position = Position::from_bits(reservation.ticket);
        match self.commit_fast(position, len as u64) {
            true => Ok(()),
            false => self.commit_slow(position, len as u64),
        }
    }

    /// The fast path of a commit: the record is as its reservation left it, and it lies in the last
    /// round of the tail's ring. Return whether it was committed. If it was not, nothing was done.
    #[inline(always)]
    fn commit_fast(&self, position: Position, len: u64) -> bool {
        let segment: &Segment = &self.segment;
        let words = self.segment.words();
        let Some(me) = segment.me_if_attached() else {
            return false;
        };
        let tail = words.body.messages.tail.position();
        let Some(ahead) = position.bytes_to(tail) else {
            return false;
        };
        let at = position.at_and_more();
        let Some(record) = segment.in_last_round::<Record>(position.ring(), at, ahead) else {
            return false;
        };
        if words.body.phase() == Intake::Discarded {
            return false;
        }
        let reserved = Word::new(State::Writing, 0, Some(me));
        if record.word() != reserved {
            return false;
        }
        // If the process is killed before the change, the record has no message, whatever its
        // length says.
        record.shorten(len);
        if !record.change(reserved, Word::new(State::Ready, 0, None)) {
            return false;
        }
        self.loans.settled_apart();
        self.after_commit(words);
        true
    }

    /// The rest of [`commit_raw`](Self::commit_raw), for every case that the fast path does not
    /// handle.
    #[cold]
    fn commit_slow(&self, position: Position, len: u64) -> Result<()> {
        let queue = self.at();
        let locks = LockWait::brief();
        let me = Caller::new(self.segment.me()?, &locks);
        let checked = queue.reserved(position, me.owner)?;
        checked.record.shorten(len);
        queue.commit(position, &checked, me)
    }

    /// Give up a reservation.
    ///
    /// # Errors
    /// `E_INVALID` if it is settled already, `E_NOT_OWNER` if it belongs to another process.
    #[doc(hidden)]
    pub fn abort_raw(&self, reservation: &Reservation) -> Result<()> {
        let queue = self.at();
        let locks = LockWait::brief();
        let me = Caller::new(self.segment.me()?, &locks);
        let position = Position::from_bits(reservation.ticket);
        let checked = queue.reserved(position, me.owner)?;
        queue.abort(position, &checked, me)
    }
}

/// Under the tail lock: reserve room for `len` bytes, at most [`MAX_PAYLOAD`], within the limits that
/// the tail knows.
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
    fn reserve_room(
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

    /// Put a message, copying it outside of the lock.
    pub(super) fn put_large(
        &self,
        data: &[u8],
        patience: &mut Patience<'_>,
        me: Caller<'_>,
    ) -> Result<()> {
        self.put_large_at(data, patience, me).map(|_| ())
    }

    /// As [`put_large`](Self::put_large). Return the position of the message.
    #[inline]
    pub(super) fn put_large_at(
        &self,
        data: &[u8],
        patience: &mut Patience<'_>,
        me: Caller<'_>,
    ) -> Result<Position> {
        let place = match self.reserve_at_once(data.len() as u64, me.owner) {
            Some(place) => place,
            None => self.reserve_room(data.len(), patience, me)?,
        };
        self.copy_in(&place, data)?;
        let checked = self.reserved(place.position, me.owner)?;
        let put = self.commit(place.position, &checked, me);
        if put.is_err_and(Status::ends_a_wait) {
            // Consumers have gone past the reservation, and a process that is stopped within a call
            // holds a lock. The reservation cannot become a message now.
            self.abort(place.position, &checked, me)?;
        }
        put.map(|()| place.position)
    }

    /// Copy a long message into its place. If the process is killed meanwhile, its reservation is
    /// given up.
    fn copy_in(&self, place: &Room<'a>, data: &[u8]) -> Result<()> {
        let copies = &self.pacing.copies;
        let way = copies.choose(data.len());
        let begin = clock::now_ns();
        match way {
            Way::Plain => place.payload.write(data)?,
            Way::Streaming => place.payload.write_past_caches(data)?,
        }
        let ns = clock::now_ns().saturating_sub(begin);
        copies.learn(way, data.len(), ns);
        Ok(())
    }

    /// As the fast path of a reservation.
    fn reserve_at_once(&self, len: u64, me: Owner) -> Option<Room<'a>> {
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

    /// The record of a reservation of `me`, ahead of or behind the cursor.
    pub(super) fn reserved(&self, position: Position, me: Owner) -> Result<Checked<'a>> {
        let chain = self.messages();
        let state = chain
            .state(position.ring())
            .map_err(|_| because!(E_INVALID, "the loan is settled already"))?;
        let tail = chain.words.tail.position();
        let limit = match tail.ring() == position.ring() {
            true => tail.at(),
            false => state.end.load(Ordering::Acquire),
        };
        let is_within = position.at() >= state.start.load(Ordering::Acquire)
            && position.at() < limit
            && limit.wrapping_sub(position.at()) <= size(position.ring());
        if !is_within {
            return Err(because!(E_INVALID, "the loan is settled already"));
        }
        let checked = chain
            .checked(position, limit)
            .map_err(|_| because!(E_INVALID, "the loan is settled already"))?;
        if !matches!(checked.state, State::Writing | State::Passed) {
            return Err(because!(E_INVALID, "the loan is settled already"));
        }
        if checked.word.owner() != Some(me) {
            return Err(Status::E_NOT_OWNER);
        }
        Ok(checked)
    }

    /// Commit a reservation that consumers have not gone past. Return false if they have, or if an
    /// immediate shutdown has discarded the messages.
    fn commit_ahead(&self, checked: &Checked<'a>) -> bool {
        let ready = checked.word.with(State::Ready, None);
        let is_ahead = self.body.phase() != Intake::Discarded
            && checked.state == State::Writing
            && checked.record.change(checked.word, ready);
        if is_ahead {
            self.loans.settled_apart();
            self.after_commit();
        }
        is_ahead
    }

    fn commit(&self, position: Position, checked: &Checked<'a>, me: Caller<'_>) -> Result<()> {
        if self.body.phase() == Intake::Discarded {
            self.abort(position, checked, me)?;
            return Err(Status::E_SHUTDOWN);
        }
        if !self.commit_ahead(checked) {
            self.commit_behind(position, me)?;
            self.loans.settled_apart();
            self.after_commit();
        }
        Ok(())
    }

    /// Wake consumers for a message that was committed.
    pub(super) fn after_commit(&self) {
        // A consumer that waits for the end of the stream waited for this commit too.
        self.notify_items(match self.body.phase() {
            Intake::Open => 1,
            _ => u32::MAX,
        });
    }

    /// Commit a reservation that consumers have gone past: it becomes available behind the cursor,
    /// first in line.
    #[cold]
    fn commit_behind(&self, position: Position, me: Caller<'_>) -> Result<()> {
        let chain = self.messages();
        let _both = chain.lock_both(me)?;
        let checked = self.reserved(position, me.owner)?;
        if position.at() >= chain.words.head.position().at() {
            // A consumer was killed after it marked the record as PASSED and before the cursor's
            // commit.
            checked.record.set(checked.word.with(State::Ready, None));
            return Ok(());
        }
        checked.record.set(checked.word.with(State::Returned, None));
        lower(&chain.words.behind.passed, 1);
        raise(&chain.words.behind.available, 1);
        chain.forget_head();
        Ok(())
    }

    fn abort(&self, position: Position, checked: &Checked<'a>, me: Caller<'_>) -> Result<()> {
        let chain = self.messages();
        let head = match chain.lock_head(me) {
            Ok(head) => head,
            Err(status) if status.ends_a_wait() => {
                self.abort_without_lock(position, me.owner)?;
                return self.after_abort(me);
            }
            Err(status) => return Err(status),
        };
        let void = checked.word.with(State::Void, None);
        chain.words.behind.voids_ahead.store(1, Ordering::Release);
        raise(&chain.words.behind.voided, 1);
        let is_ahead = checked.state == State::Writing && checked.record.change(checked.word, void);
        if !is_ahead {
            let checked = self.reserved(position, me.owner)?;
            checked.record.set(checked.word.with(State::Void, None));
            if position.at() < chain.words.head.position().at() {
                lower(&chain.words.behind.passed, 1);
                lower(&chain.words.behind.bytes, checked.extent);
                chain.free_behind(position.ring())?;
            }
        }
        drop(head);
        self.after_abort(me)
    }

    fn after_abort(&self, me: Caller<'_>) -> Result<()> {
        self.loans.settled_apart();
        // A consumer that waits for the end of the stream waited for this abort too.
        self.notify_items(u32::MAX);
        self.after_finish(me.owner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::segment::WithoutRecovery;
    use crate::sync::world::World;
    use crate::QueueOptions;

    /// A commit that needs both locks waited 20 ms for the two, although no process was stopped.
    /// On a busy machine it then had to be repeated by the program.
    #[test]
    fn a_commit_that_got_one_lock_in_its_time_waits_for_the_other() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        let reserved = queue.reserve_raw(8, Wait::TRY).unwrap();
        queue.try_put(b"next").unwrap();
        // Now the reservation lies behind the cursor.
        queue.get().unwrap();
        let view = queue.at();
        let chain = view.messages();
        let owner = queue.segment.me().unwrap();
        let locks = LockWait::brief();
        let head = chain.lock_head(Caller::new(owner, &locks)).unwrap();
        let committed = std::thread::scope(|scope| {
            let committed = scope.spawn(|| {
                let locks = LockWait::brief_since(30_000_000);
                let me = Caller::new(owner, &locks);
                let position = Position::from_bits(reserved.ticket);
                let checked = queue.at().reserved(position, owner).unwrap();
                queue.at().commit(position, &checked, me)
            });
            while !chain.words.head.mutex.has_sleepers() && !committed.is_finished() {
                std::thread::yield_now();
            }
            drop(head);
            committed.join().unwrap()
        });
        assert_eq!(committed, Ok(()));
        assert_eq!(queue.len(), Ok(1));
    }

    /// A call that does not block failed when its time was over at a moment when nobody held the
    /// mutex: it was kept for those who slept, or its holder had just released it.
    #[test]
    fn a_mutex_that_nobody_holds_is_waited_for() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        let world = WithoutRecovery(&queue.segment);
        let seen_starving = 1 << 30;
        let seen_held = Owner::new(1000, 1).bits();
        for seen in [seen_starving, seen_held] {
            let released = AtomicU32::new(0);
            let locks = LockWait::brief_since(30_000_000);
            let slept = world.sleep(&released, seen, &mut locks.patience());
            assert_eq!(slept, Ok(()));
        }
    }
}

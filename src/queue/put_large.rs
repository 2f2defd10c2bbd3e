//! Putting a long message: it is copied outside of the lock, as the writer of a reservation does.

use super::chain::producer::Room;
use super::layout::cursor::Position;
use super::layout::record::{State, Word};
use super::view::View;
use crate::pace::copies::{Plan, Way};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::wait::Patience;
use crate::sys::clock;

impl<'a> View<'a> {
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
        let ready = self.copy_in(&place, data)?;
        let checked = self.reserved(place.position, me.owner)?;
        let put = self.commit(place.position, &checked, ready, me);
        if put.is_err_and(Status::ends_a_wait) {
            // Consumers have gone past the reservation, and a process that is stopped within a call
            // holds a lock. The reservation cannot become a message now.
            self.abort(place.position, &checked, me)?;
        }
        put.map(|()| place.position)
    }

    /// Copy a long message into its place. Return the word that its record gets at the commit,
    /// unless consumers have gone past it. If the process is killed meanwhile, its reservation is
    /// given up.
    fn copy_in(&self, place: &Room<'a>, data: &[u8]) -> Result<Word> {
        let copies = &self.pacing.copies;
        let Plan { way, leaves_lines } = copies.plan(data.len());
        let begin = clock::now_ns();
        match way {
            Way::Plain => place.payload.write(data)?,
            Way::Streaming => place.payload.write_past_caches(data)?,
        }
        let ns = clock::now_ns().saturating_sub(begin);
        copies.learn(way, data.len(), ns);
        let ready = Word::new(State::Ready, 0, None);
        Ok(match leaves_lines {
            true => ready.leaving_lines(),
            false => ready,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::pace::copies::Way;
    use crate::{Queue, QueueOptions};

    #[test]
    fn a_message_that_went_past_the_caches_can_be_got_taken_and_returned() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        let message: Vec<u8> = (0..65_000u32).map(|at| (at % 251) as u8).collect();
        let copies = &queue.pacing.copies;
        for _ in 0..2 {
            let streams = (0..1000).any(|_| {
                copies.learn(Way::Plain, message.len(), 900_000_000);
                copies.learn(Way::Streaming, message.len(), 1);
                copies.plan(message.len()).leaves_lines
            });
            assert!(streams, "POLYPROC_PACE is set?");
            queue.put(&message).unwrap();
            let chain = queue.at().messages();
            let first = chain.front().unwrap().unwrap();
            assert!(first.word.leaves_lines());
            assert_eq!(first.word.deliveries(), 0);
        }
        let taken = queue.take().unwrap();
        assert_eq!(*taken, message);
        taken.give_back().unwrap();
        assert_eq!(queue.get().unwrap(), message);
        assert_eq!(queue.get().unwrap(), message);
        assert!(queue.is_empty().unwrap());
    }
}

//! Recovery of what dead participants held. A process that sleeps or finds nothing looks for the
//! dead each time (`reap`), a busy one now and then (`look_around`).

use std::sync::atomic::{fence, Ordering};

use super::participants::Participant;
use super::Segment;
use crate::pace::{LEFT_NS, LOOK_EVERY_NS};
use crate::status::Result;
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sys::{clock, membarrier};

impl Segment {
    /// Recover every participant that has died since the last look. One load per slot if there is
    /// none.
    pub(crate) fn reap(&self, me: Owner) -> Result<()> {
        let needs_a_look = |participant: &Participant| {
            let life = participant.life();
            life.is_dead() || life.is_unwatched() || participant.is_haunted()
        };
        if self
            .participants()
            .any(|(_, participant)| needs_a_look(participant))
        {
            return self.look_closer(me);
        }
        if self.has_left_the_dead() {
            // Another participant has recovered them.
            self.left_until.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    #[cold]
    fn look_closer(&self, me: Owner) -> Result<()> {
        let now = clock::now_ns();
        let last = self.looked_closer.load(Ordering::Relaxed);
        if now.saturating_sub(last) >= LOOK_EVERY_NS {
            self.looked_closer.store(now, Ordering::Relaxed);
            self.mark_ended();
        }
        let needs_recovery =
            |participant: &Participant| participant.life().is_dead() || participant.is_haunted();
        let mut participants = self.participants();
        let is_any = participants.any(|(_, participant)| needs_recovery(participant));
        if !is_any {
            return Ok(());
        }
        // A lock for which a recovery has just waited in vain is only tried.
        let is_left = now < self.left_until.load(Ordering::Relaxed);
        self.recover_dead(
            me,
            &match is_left {
                true => LockWait::at_once(),
                false => LockWait::of_recovery(),
            },
        )
    }

    /// Mark the participants that have ended and that the kernel does not watch.
    pub(super) fn mark_ended(&self) {
        self.participants()
            .for_each(|(_, participant)| participant.mark_if_ended());
    }

    #[cold]
    pub(super) fn recover_dead(&self, me: Owner, locks: &LockWait<'_>) -> Result<()> {
        let seen = self
            .participants()
            .map(|(slot, one)| (slot, one, one.life(), one.ghost()));
        let dead: Vec<_> = seen
            .filter(|(_, _, life, ghost)| life.is_dead() || *ghost != 0)
            .collect();
        let quickly = dead.iter().all(|(_, one, ..)| one.is_reached_by_barriers());
        membarrier::wait_for_killed_threads(quickly);
        // The generation excludes a process that took the slot after the look above, and died too.
        let was_marked = |owner: Owner| {
            dead.iter().any(|(slot, _, life, _)| {
                *slot as usize == owner.slot()
                    && life.is_dead()
                    && owner.is_of_generation(life.generation())
            })
        };
        let is_gone =
            |owner| self.is_gone_unmarked(owner) || was_marked(owner) && self.is_gone(owner);
        let me = Caller::new(me, locks);
        match (self.object.recover)(self, me, &is_gone) {
            Ok(()) => self.left_until.store(0, Ordering::Relaxed),
            Err(status) if status.ends_a_wait() => {
                // The dead stay marked, so a later call recovers them.
                if locks.has_waited() {
                    let until = clock::now_ns().saturating_add(LEFT_NS);
                    self.left_until.store(until, Ordering::Relaxed);
                }
                return Ok(());
            }
            Err(status) => return Err(status),
        }
        for (slot, participant, life, ghost) in dead {
            // Free the slot only now, when every trace of the dead process is gone. (If the table
            // is full, a process takes the slot before that, and `ghost` records the traces.)
            if life.is_dead() {
                self.close_gap(slot as usize);
                participant.release(life);
            }
            participant.lay(ghost);
        }
        self.header()?.recoveries.fetch_add(1, Ordering::Relaxed);
        // If this process is killed before this, a sleeper recovers it, and that wakes the others.
        (self.object.wake)(self)
    }

    /// Report whether a dead participant could not be recovered recently.
    pub(super) fn has_left_the_dead(&self) -> bool {
        self.left_until.load(Ordering::Relaxed) != 0
    }

    /// Report whether the owner is gone and none of its threads can still store, so that what it
    /// held can be taken.
    pub(crate) fn is_gone_for_good(&self, owner: Owner) -> bool {
        let participant = self.participant(owner.slot());
        if let Some(participant) = participant {
            participant.mark_if_ended();
        }
        self.is_gone(owner) && {
            // In a slot that has another occupant by now, its owner was recovered after a barrier.
            let quickly = participant.is_none_or(Participant::is_reached_by_barriers);
            membarrier::wait_for_killed_threads(quickly);
            // Everything that the process did before it wrote the owner is visible here now.
            self.is_gone(owner)
        }
    }

    /// Report whether an owner is gone and its slot is not marked dead. A recovery leaves a process
    /// that it saw dead only after its barrier to the next recovery: on a virtual core that was
    /// taken away, a thread of that process may still have stores to do.
    pub(super) fn is_gone_unmarked(&self, owner: Owner) -> bool {
        self.is_gone(owner)
            && self.participant(owner.slot()).is_none_or(|participant| {
                let life = participant.life();
                !life.is_dead() || !owner.is_of_generation(life.generation())
            })
    }

    /// Report whether an owner's process has ended or left the segment.
    pub(crate) fn is_gone(&self, owner: Owner) -> bool {
        // The owner was read from shared memory, often with a relaxed load, and the life word of
        // its slot must be read after it. Pairs with the Release in `attach`. Without the two, an
        // owner could be seen before its slot is alive, and a live process would be taken for dead.
        fence(Ordering::Acquire);
        match self.participant(owner.slot()) {
            Some(participant) => !participant.is_held_by(owner),
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::participants::Participant;
    use crate::segment::{CreateOptions, Kind, ObjectType};
    use crate::sys::robust_list::{OWNER_DIED, WAITERS};
    use std::sync::atomic::AtomicUsize;

    /// The slot of a process that has died before the recovery.
    const DEAD: usize = 5;

    /// The slot of a process that dies during the recovery.
    const LATE: usize = 6;

    /// An event, with a recovery and a wake-up of the test's.
    const fn an_object(recover: crate::segment::Recover, wake: crate::segment::Wake) -> ObjectType {
        ObjectType {
            kind: Kind::Event,
            body: 128,
            extra: 0,
            over_at: None,
            accounts: None,
            recover,
            wake,
        }
    }

    fn segment_of(object: &'static ObjectType) -> std::sync::Arc<Segment> {
        let options = CreateOptions::default();
        Segment::create(object, None, &options, &|_| Ok(()), &|_| Ok(())).unwrap()
    }

    fn occupy(segment: &Segment, slot: usize, generation: u64, life: u32) -> &Participant {
        let participant = segment.participant(slot).unwrap();
        let word = generation << 32 | u64::from(life | WAITERS);
        participant.word.store(word, Ordering::SeqCst);
        let used = &segment.header().unwrap().used_slots;
        used.fetch_max(slot as u32 + 1, Ordering::SeqCst);
        participant
    }

    /// A segment in which a participant has died, after a recovery.
    fn recovered(object: &'static ObjectType) -> std::sync::Arc<Segment> {
        let segment = segment_of(object);
        let me = segment.me().unwrap();
        occupy(&segment, DEAD, 1, OWNER_DIED);
        assert_eq!(number_of_dead(&segment), 1);
        segment.reap(me).unwrap();
        segment
    }

    fn number_of_dead(segment: &Segment) -> usize {
        let is_dead = |(_, one): &(u32, &Participant)| one.life().is_dead();
        segment.participants().filter(is_dead).count()
    }

    /// While the dead had their slots still, each of a crowd that a recovery woke recovered them
    /// once more, under the locks of a queue.
    #[test]
    fn whoever_a_recovery_wakes_finds_nobody_dead() {
        static LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);
        static TYPE: ObjectType = an_object(
            |_, _, _| Ok(()),
            |segment| {
                LEFT.store(number_of_dead(segment), Ordering::SeqCst);
                Ok(())
            },
        );
        let segment = recovered(&TYPE);
        assert_eq!(LEFT.load(Ordering::SeqCst), 0);
        assert_eq!(segment.recoveries(), Ok(1));
    }

    /// Otherwise a process that dies before it has registered could store after its recovery.
    #[test]
    fn no_occupant_of_a_slot_is_reached_by_barriers_before_it_says_so() {
        static TYPE: ObjectType = an_object(|_, _, _| Ok(()), |_| Ok(()));
        let segment = segment_of(&TYPE);
        let me = segment.me().unwrap();
        let dead = occupy(&segment, DEAD, 1, OWNER_DIED);
        assert!(!dead.is_reached_by_barriers());
        dead.reset(1, true);
        assert!(dead.is_reached_by_barriers());
        assert_eq!(dead.pid(), 1);
        segment.reap(me).unwrap();
        assert!(dead.life().is_free() && !dead.is_reached_by_barriers());
        // Of a slot that was taken over from a dead process, nobody knows whose mark it has.
        dead.reset(1, true);
        dead.haunt(dead.life());
        assert!(!dead.is_reached_by_barriers());
    }

    /// The barrier was issued before it had died, so a store of one of its threads could have come
    /// after the recovery.
    #[test]
    fn who_dies_during_a_recovery_is_left_to_the_next_one() {
        static GONE: AtomicUsize = AtomicUsize::new(usize::MAX);
        static TYPE: ObjectType = an_object(
            |segment, _, is_gone| {
                occupy(segment, LATE, 1, OWNER_DIED);
                let gone = [DEAD, LATE].map(|slot| is_gone(Owner::new(slot as u32, 1)));
                GONE.store(
                    gone.iter().filter(|is_gone| **is_gone).count(),
                    Ordering::SeqCst,
                );
                Ok(())
            },
            |_| Ok(()),
        );
        let segment = recovered(&TYPE);
        assert_eq!(
            (GONE.load(Ordering::SeqCst), number_of_dead(&segment)),
            (1, 1)
        );
        occupy(&segment, DEAD, 1, OWNER_DIED);
        segment.reap(segment.me().unwrap()).unwrap();
        assert_eq!(
            (GONE.load(Ordering::SeqCst), number_of_dead(&segment)),
            (2, 0)
        );
    }

    /// The recovery saw the slot dead before its barrier, with the occupant before this one. It took
    /// the later occupant for one that the barrier had covered.
    #[test]
    fn who_takes_a_slot_of_the_dead_and_dies_during_a_recovery_is_left_to_the_next_one() {
        static GONE: AtomicUsize = AtomicUsize::new(usize::MAX);
        static TYPE: ObjectType = an_object(
            |segment, _, is_gone| {
                occupy(segment, DEAD, 2, OWNER_DIED);
                let gone = [1, 2].map(|generation| is_gone(Owner::new(DEAD as u32, generation)));
                assert!(
                    gone[0],
                    "its traces were recovered before the slot was taken"
                );
                GONE.store(usize::from(gone[1]), Ordering::SeqCst);
                Ok(())
            },
            |_| Ok(()),
        );
        let segment = recovered(&TYPE);
        assert_eq!(GONE.load(Ordering::SeqCst), 0);
        assert_eq!(number_of_dead(&segment), 1);
    }
}

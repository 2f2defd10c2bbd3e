//! Sleeping in a segment: on a word, and on the life words of all other participants.
//!
//! There is one rule: a thread that sleeps here also sleeps on the life word of each other
//! participant, or sees to it that another sleeper does (`crowd`). So a death wakes a sleeper,
//! which recovers what the dead process held and sends the wake-ups that it did not send. The
//! kernel wakes one sleeper of a life word; this sleeper recovers, and recovery wakes those who
//! have something to do.

use std::sync::atomic::{AtomicU32, Ordering};

use super::crowd::Watcher;
use super::participants::Participant;
use super::{keeper, Segment};
use crate::pace::{LAST_SLICE_NS, LEFT_NS};
use crate::status::{Result, Status};
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;
use crate::sync::world::World;
use crate::sys::futex::{self, Wakeup, WordList};
use crate::sys::procfs::{self, Activity};

impl World for Segment {
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()> {
        let me = self.me()?;
        self.reap(me)?;
        patience.check()?;
        patience.look_for_signals()?;
        let own = self.participant(me.slot());
        if let Some(own) = own {
            own.sleepers.fetch_add(1, Ordering::Relaxed);
        }
        let leaves_them = self.has_left_the_dead();
        if leaves_them {
            patience.look_again_within(LEFT_NS);
        }
        let watcher = self.watch_window(me);
        let turns_back = |has_dead| has_dead && !leaves_them;
        let wakeup = self.sleep_once(word, value, me, watcher.as_ref(), &turns_back, patience);
        drop(watcher);
        if let Some(own) = own {
            own.sleepers.fetch_sub(1, Ordering::Relaxed);
        }
        self.reap(me)?;
        match wakeup {
            Wakeup::Interrupted => patience.interrupted(),
            _ => Ok(()),
        }
    }

    fn wake(&self, word: &AtomicU32, count: u32) -> usize {
        futex::wake(word, count)
    }

    fn is_dead(&self, owner: Owner) -> bool {
        self.is_gone_for_good(owner)
    }
}

/// A segment whose sleepers leave recovery to others, for the locks that recovery itself takes.
///
/// The mutex itself handles a dead holder: every word on which threads sleep here is a mutex's.
pub(crate) struct WithoutRecovery<'a>(pub(crate) &'a Segment);

impl World for WithoutRecovery<'_> {
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()> {
        let holder = Owner::from_bits(value);
        match patience.check() {
            Err(Status::E_TIMEOUT)
                if patience.goes_on(holder, |holder| self.0.activity_of(holder, word)) => {}
            other => other?,
        }
        let me = self.0.me()?;
        // The life words are read before this check. A holder that was alive then is among them, so
        // its death ends the sleep. A holder that had died before is not among them, and this check
        // finds that it is gone.
        let holder_is_gone = |_| holder.is_some_and(|holder| self.0.is_gone(holder));
        match self
            .0
            .sleep_once(word, value, me, None, &holder_is_gone, patience)
        {
            Wakeup::Interrupted => patience.interrupted(),
            _ => Ok(()),
        }
    }

    fn wake(&self, word: &AtomicU32, count: u32) -> usize {
        futex::wake(word, count)
    }

    fn is_dead(&self, owner: Owner) -> bool {
        self.0.is_gone_for_good(owner)
    }
}

impl Segment {
    /// Sleep once. `watcher` is this sleeper among many participants. `turns_back` is called after
    /// the life words have been read; its argument says whether a participant is dead already. If
    /// it returns true, there is no sleep.
    fn sleep_once(
        &self,
        word: &AtomicU32,
        value: u32,
        me: Owner,
        watcher: Option<&Watcher<'_>>,
        turns_back: &dyn Fn(bool) -> bool,
        patience: &mut Patience<'_>,
    ) -> Wakeup {
        if !futex::has_wait_any() {
            let end = next_slice_alone(patience);
            return futex::wait(word, value, Some(end));
        }
        let mut words = WordList::new();
        words.add(word.as_ptr(), value);
        add_tokens(&mut words, patience);
        let has_dead = match watcher {
            Some(watcher) => watcher.add_words(&mut words, patience),
            None => {
                patience.limit_slices(LAST_SLICE_NS);
                self.add_lives(me, &mut words)
            }
        };
        if turns_back(has_dead) {
            return Wakeup::Woken;
        }
        sleep_on(&words, patience)
    }

    /// The activity of the process of `holder`, which held the mutex `word`.
    fn activity_of(&self, holder: Owner, word: &AtomicU32) -> Activity {
        let is_own = |me: Owner| me.slot() == holder.slot();
        let activity = match self.me_if_attached().is_some_and(is_own) {
            true => Activity::Busy,
            false => self
                .pid_in_proc(holder)
                .map_or(Activity::UNKNOWN, procfs::activity),
        };
        // A process may stop or sleep after it has released the mutex.
        match Owner::from_bits(word.load(Ordering::Relaxed)) == Some(holder) {
            true => activity,
            false => Activity::Busy,
        }
    }

    /// The process id of another participant, if that names it here: the participant may live in
    /// another pid namespace, where another process has the same id. `None` also if the participant
    /// cannot be told from a second one with that id. An error here only makes a call give up too
    /// early, or wait a while longer.
    fn pid_in_proc(&self, owner: Owner) -> Option<u32> {
        let participant = self.participant(owner.slot())?;
        let pid = participant.pid();
        let has_this_id = |one: &Participant| one.life().is_alive() && one.pid() == pid;
        let twins = self.participants().filter(|(_, one)| has_this_id(one));
        let is_known = procfs::shows_own_namespace()
            && pid != std::process::id()
            && twins.count() == 1
            && keeper::is_in_proc(pid, participant.life());
        is_known.then_some(pid)
    }

    /// Add the life words of all other participants. Return whether a participant is dead already.
    fn add_lives(&self, me: Owner, words: &mut WordList) -> bool {
        let mut has_dead = false;
        for (slot, participant) in self.participants() {
            let life = participant.life();
            has_dead |= life.is_dead();
            if life.is_alive() && slot as usize != me.slot() {
                words.add(participant.futex_address(), life.futex());
            }
        }
        has_dead
    }
}

/// All words on which one sleep among several objects waits.
pub(crate) struct WaitSet {
    words: WordList,
    /// A participant died just now: do not sleep.
    has_dead: bool,
    /// A participant is dead and could not be recovered yet: do not sleep for long.
    leaves_dead: bool,
}

impl WaitSet {
    /// A sleep on `words`, with the values that they had when their sleeper announced itself, and
    /// on the life words of all users of `segments`. The dead of these segments are recovered
    /// first.
    pub(crate) fn beside(words: &[(*const u32, u32)], segments: &[&Segment]) -> Result<WaitSet> {
        let mut wait_set = WaitSet {
            words: WordList::new(),
            has_dead: false,
            leaves_dead: false,
        };
        for (address, value) in words {
            wait_set.words.add(*address, *value);
        }
        for segment in segments {
            let me = segment.me()?;
            segment.reap(me)?;
            let has_dead = segment.add_lives(me, &mut wait_set.words);
            let leaves_them = segment.has_left_the_dead();
            wait_set.has_dead |= has_dead && !leaves_them;
            wait_set.leaves_dead |= leaves_them;
        }
        Ok(wait_set)
    }

    /// Sleep once. The objects may be gone by now.
    ///
    /// # Errors
    /// The status that ended the wait.
    pub(crate) fn sleep(mut self, patience: &mut Patience<'_>) -> Result<()> {
        patience.check()?;
        if self.has_dead {
            return Ok(());
        }
        if self.leaves_dead {
            patience.look_again_within(LEFT_NS);
        }
        let wakeup = match self.words.first() {
            // Sleep on the first word only; because slices are short, the other words are looked at
            // often.
            Some((address, value)) if !futex::has_wait_any() => {
                patience.stay_alert();
                futex::wait_address(address, value, Some(patience.slice_end()))
            }
            _ => {
                add_tokens(&mut self.words, patience);
                sleep_on(&self.words, patience)
            }
        };
        match wakeup {
            Wakeup::Interrupted => patience.interrupted(),
            _ => Ok(()),
        }
    }
}

fn add_tokens(words: &mut WordList, patience: &Patience<'_>) {
    for token in patience.tokens() {
        words.add(token.word().as_ptr(), 0);
    }
}

fn sleep_on(words: &WordList, patience: &mut Patience<'_>) -> Wakeup {
    if words.overflowed {
        // There are more words than one call takes. Because slices are short, the others are looked
        // at often.
        patience.stay_alert();
    }
    let end = patience.slice_end();
    futex::wait_any(words.as_slice(), Some(end))
}

/// The end of the next slice of a sleep on one word, if the kernel cannot sleep on several.
fn next_slice_alone(patience: &mut Patience<'_>) -> u64 {
    if patience.tokens().next().is_some() {
        // A token that fires cannot wake a sleep on another word.
        patience.stay_alert();
    }
    patience.slice_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{CreateOptions, Kind, ObjectType};
    use crate::sync::lock_wait::LockWait;

    static TYPE: ObjectType = ObjectType {
        kind: Kind::Event,
        body: 128,
        extra: 0,
        over_at: None,
        accounts: None,
        recover: |_, _, _| Ok(()),
        wake: |_| Ok(()),
    };

    /// A call that does not block failed if its time was over at a moment when nobody held the
    /// mutex: the mutex was kept for those who slept, or its holder had just released it.
    #[test]
    fn a_mutex_that_nobody_holds_is_waited_for() {
        let options = CreateOptions::default();
        let segment = Segment::create(&TYPE, None, &options, &|_| Ok(()), &|_| Ok(())).unwrap();
        let world = WithoutRecovery(&segment);
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

//! Sleeping among more participants than one sleep can watch.
//!
//! The kernel lets one sleep watch 128 words, so a sleeper cannot watch the life words of a whole
//! *crowd*. There the sleepers share the work: each one watches the [`WINDOW`] slots after its own,
//! the last slot being followed by the first. A sleeper whose window holds the next sleeper is
//! *linked*. If every sleeper is linked, every life is watched by the sleeper before it; the kernel
//! wakes a watcher of a life that ends, which recovers what the dead process held, and that wakes
//! the others. A sleeper that is not linked looks at all lives at short intervals instead, on
//! behalf of the lives up to the next sleeper. So one process sleeps lightly for each gap, and all
//! others sleep.
//!
//! A window consists of slots, free ones included, so a process that takes a free slot is watched
//! from its first moment.
//!
//! When a sleeper leaves, the sleeper before it may lose its link without noticing. So the sleeper
//! that leaves looks for the next sleepers on both sides of its slot, and nudges the first of the
//! two if they are too far apart ([`Segment::close_gap`]). A recovery does the same for a dead
//! process, before it frees the slot. So does a process that is the first one in its slot, since
//! the new slot lies between two sleepers too.
//!
//! Each side writes first and reads afterwards (Dekker's): a sleeper counts itself, and then reads
//! its nudge and the counts in its window; a sleeper that leaves uncounts itself, and then reads
//! the counts beside its slot. A nudge that comes before the sleep changes the value that the sleep
//! expects.
//!
//! If a process is killed after it uncounted itself and before its nudge, its life is still watched
//! by the sleeper before it, which recovers it and nudges in its place.
//!
//! The kernel wakes one watcher. If that watcher is stopped, the death is noticed at another
//! sleeper's next look at all lives. Together the linked sleepers of a crowd look about
//! [`CROWD_LOOKS`] times a second, however many of the users sleep. The length of the slices
//! differs from slot to slot, the first one too, so these looks are spread over time even if all
//! sleepers fell asleep at the same moment.
//!
//! A wait for several objects at once takes no part: if it cannot watch all lives, it looks at
//! short intervals.
//!
//! The numbers come from shared memory. A wrong one costs a needless look or a late one, and
//! nothing else.

use std::sync::atomic::{fence, Ordering};

use super::participants::Participant;
use super::Segment;
use crate::pace::{CROWD_LOOKS, FIRST_SLICE_NS, LAST_SLICE_NS};
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;
use crate::sys::futex::{self, WordList};

/// Up to this many lives, each sleeper watches all of them: with the words of a wait they fit into
/// one sleep.
const FEW: usize = 120;
/// How many slots a sleeper of a crowd watches. Half of what fits: with every word a sleep and a
/// wake-up get slower, and with fewer words there are more gaps.
const WINDOW: usize = 64;

/// A sleeper in a crowd, which counts until it is dropped.
pub(super) struct Watcher<'a> {
    segment: &'a Segment,
    own: &'a Participant,
    slot: usize,
    generation: u32,
}

impl Segment {
    /// Count this sleeper among the watchers, if there is a crowd.
    pub(super) fn watch_window(&self, me: Owner) -> Option<Watcher<'_>> {
        let is_alive = |(_, participant): &(u32, &Participant)| participant.life().is_alive();
        if !futex::has_wait_any() {
            return None;
        }
        if self.slots_in_use() <= FEW || self.participants().filter(is_alive).nth(FEW).is_none() {
            return None;
        }
        let own = self.participant(me.slot())?;
        let generation = own.life().generation();
        own.watch
            .change(generation, |count| count.saturating_add(1));
        Some(Watcher {
            segment: self,
            own,
            slot: me.slot(),
            generation,
        })
    }

    /// If the sleepers on both sides of a slot are too far apart for a link, tell the first.
    pub(super) fn close_gap(&self, slot: usize) {
        let slots = self.slots_in_use();
        if slots <= FEW {
            return;
        }
        // The caller's store comes before these loads: see the module.
        fence(Ordering::SeqCst);
        let watcher = |slot: usize| {
            let participant = self.participant(slot)?;
            participant
                .has_watchers(participant.life())
                .then_some(participant)
        };
        let before = (1..=WINDOW).find_map(|distance| {
            let before = watcher((slot + slots - distance) % slots)?;
            Some((distance, before))
        });
        // A sleeper that is further away is not linked.
        let Some((distance, before)) = before else {
            return;
        };
        let reach = WINDOW - distance;
        if (1..=reach).all(|distance| watcher((slot + distance) % slots).is_none()) {
            before.watch.nudge.fetch_add(1, Ordering::SeqCst);
            futex::wake(&before.watch.nudge, u32::MAX);
        }
    }
}

impl Watcher<'_> {
    /// Add the words of the window, and choose how long to sleep. Return whether a participant in
    /// the window is dead already.
    pub(super) fn add_words(&self, words: &mut WordList, patience: &mut Patience<'_>) -> bool {
        let nudge = &self.own.watch.nudge;
        words.add(nudge.as_ptr(), nudge.load(Ordering::SeqCst));
        let slots = self.segment.slots_in_use();
        let (mut sleepers, mut has_dead, mut has_unwatched) = (0, false, false);
        for distance in 1..=WINDOW {
            let slot = (self.slot + distance) % slots.max(1);
            let Some(participant) = self.segment.participant(slot) else {
                break;
            };
            let life = participant.life();
            has_dead |= life.is_dead();
            has_unwatched |= life.is_unwatched();
            sleepers += u64::from(participant.has_watchers(life));
            words.add(participant.futex_address(), life.futex());
        }
        match (sleepers, has_unwatched) {
            (0, _) => patience.stay_alert(),
            (_, true) => patience.limit_slices(LAST_SLICE_NS),
            (_, false) => {
                let (first_ns, ns) = slices_ns(self.slot, slots, sleepers);
                patience.share_looks(first_ns, ns);
            }
        }
        has_dead
    }
}

/// A number of 16 bits for each slot. Those of neighbours are far apart, and those of any slots in
/// a row are spread evenly: Weyl's sequence of the golden ratio.
fn share(slot: usize) -> u16 {
    ((slot as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u16
}

/// The first slice of a sleeper that has so many `sleepers` in its window, and each later one, so
/// that all sleepers together look [`CROWD_LOOKS`] times a second. They look half as often at
/// first: a sleeper that falls asleep while the crowd gathers counts only a part of it, so its
/// slices are too short until its first look. The slices differ from slot to slot, so that the
/// sleepers do not look all at once.
fn slices_ns(slot: usize, slots: usize, sleepers: u64) -> (u64, u64) {
    let all = slots as u64 * sleepers / WINDOW as u64;
    let mean = all.max(1) * 1_000_000_000 / CROWD_LOOKS;
    let part = (mean * u64::from(share(slot))) >> 16;
    (FIRST_SLICE_NS.max(2 * part), mean / 2 + part)
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        let uncount = |count: u32| count.saturating_sub(1);
        self.own.watch.change(self.generation, uncount);
        self.segment.close_gap(self.slot);
    }
}

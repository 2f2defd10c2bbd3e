//! How a producer copies a long message into a ring: through the caches, or past them.
//!
//! The consumer read the ring's lines last, so they are in its core's cache, and a plain store
//! waits until they have left it. Where cores have caches of their own this takes several times as
//! long as the copy; where two threads share a core it takes no time. Streaming stores go to memory
//! at the same speed everywhere, but the consumer then reads from memory too, which takes about
//! twice as long as those stores.
//!
//! So each handle measures its copies: it streams while a plain copy takes more than twice as long.
//! One copy in many goes the other way for trial, since cores, rings and backlogs change. After a
//! change of the way the trials come sooner, in case that it was a mistake: copies into new memory
//! are slow in both ways.
//!
//! A consumer takes over the lines that it has read, see `Bytes::take_over`, which makes the next
//! plain copy quicker. It leaves those of a message that went past the caches: taking them over
//! costs a consumer on a far core a quarter of its time. But then a plain copy for trial would
//! always be slow. So during the round before such a trial, and while trials are frequent, the
//! consumer takes over the lines of streamed messages too.

use std::sync::atomic::{AtomicU32, Ordering};

use super::switches::{Heuristic, Switches};
use super::{
    STREAM_CLASSES, STREAM_LEAST_ROUND, STREAM_ROUND, STREAM_SHORTEST, STREAM_SURE,
    STREAM_TRIAL_EVERY, STREAM_TRIAL_SOON, STREAM_WORTH,
};

/// How one copy goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Plain,
    Streaming,
}

/// How one copy goes, and whether its consumer leaves the cache lines alone.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) way: Way,
    pub(crate) leaves_lines: bool,
}

impl Plan {
    const PLAIN: Plan = Plan {
        way: Way::Plain,
        leaves_lines: false,
    };
}

/// The speed of a handle's copies, for each class of lengths. If several threads use the handle
/// at once, only the accuracy suffers.
pub(crate) struct Copies {
    classes: [Class; STREAM_CLASSES],
    learns: bool,
}

/// Lengths from a power of two up to the next one; the last class has no end.
struct Class {
    /// Number of copies since the last trial, ...
    copies: AtomicU32,
    /// ... and how many there are between two trials.
    interval: AtomicU32,
    /// The picoseconds that a byte takes, as the last copies of each way tell; 0 if unknown.
    plain: AtomicU32,
    streaming: AtomicU32,
}

impl Copies {
    pub(super) const fn new(switches: Switches) -> Copies {
        Copies {
            classes: [const { Class::new() }; STREAM_CLASSES],
            learns: switches.has(Heuristic::Stream),
        }
    }

    fn class(&self, len: usize) -> Option<&Class> {
        let doublings = (len / STREAM_SHORTEST).checked_ilog2()?;
        self.classes
            .get((doublings as usize).min(STREAM_CLASSES - 1))
    }

    /// Choose the way of a copy of `len` bytes.
    pub(crate) fn plan(&self, len: usize) -> Plan {
        match self.class(len) {
            Some(class) if self.learns => class.plan(round_of(len)),
            _ => Plan::PLAIN,
        }
    }

    /// Learn that a copy of `len` bytes took `ns`.
    pub(crate) fn learn(&self, way: Way, len: usize, ns: u64) {
        if let Some(class) = self.class(len) {
            let ps = ns.saturating_mul(1000) / len as u64;
            class.learn(way, u32::try_from(ps).unwrap_or(u32::MAX));
        }
    }
}

/// How many messages of the same class of lengths a ring in the caches has room for.
fn round_of(len: usize) -> u32 {
    let shortest = 1 << len.max(1).ilog2();
    ((STREAM_ROUND / shortest) as u32).max(STREAM_LEAST_ROUND)
}

impl Class {
    const fn new() -> Class {
        Class {
            copies: AtomicU32::new(0),
            interval: AtomicU32::new(1),
            plain: AtomicU32::new(0),
            streaming: AtomicU32::new(0),
        }
    }

    /// `round`: see [`round_of`].
    fn plan(&self, round: u32) -> Plan {
        let better = self.better();
        let copies = self.copies.load(Ordering::Relaxed);
        let interval = self.interval.load(Ordering::Relaxed);
        let leaves_lines = better == Way::Streaming && interval >= STREAM_SURE;
        // The lines of the last round before a trial are taken over.
        let round = if leaves_lines { round } else { 0 };
        let is_trial = copies >= interval + round;
        if is_trial {
            self.copies.store(0, Ordering::Relaxed);
            let longer = (2 * interval).min(STREAM_TRIAL_EVERY);
            self.interval.store(longer, Ordering::Relaxed);
        } else {
            self.copies.store(copies + 1, Ordering::Relaxed);
        }
        let way = match (better, is_trial) {
            (Way::Plain, false) | (Way::Streaming, true) => Way::Plain,
            (Way::Streaming, false) | (Way::Plain, true) => Way::Streaming,
        };
        let leaves_lines = leaves_lines && copies < interval;
        Plan { way, leaves_lines }
    }

    fn better(&self) -> Way {
        let plain = u64::from(self.plain.load(Ordering::Relaxed));
        let streaming = u64::from(self.streaming.load(Ordering::Relaxed));
        match streaming != 0 && plain > STREAM_WORTH * streaming {
            true => Way::Streaming,
            false => Way::Plain,
        }
    }

    /// A quick copy counts for more than a slow one, which may be slow for another reason than its
    /// way: its memory is new, or the thread lost its core. But one quick copy alone does not make
    /// a slow way the better one.
    fn learn(&self, way: Way, ps: u32) {
        let average = match way {
            Way::Plain => &self.plain,
            Way::Streaming => &self.streaming,
        };
        let better = self.better();
        let ps = ps.max(1);
        let next = match average.load(Ordering::Relaxed) {
            0 => ps,
            before if ps < before => before / 4 + (ps - ps / 4),
            before => before - before / 4 + ps.min(before.saturating_mul(4)) / 4,
        };
        average.store(next.max(1), Ordering::Relaxed);
        if self.better() != better {
            self.copies.store(0, Ordering::Relaxed);
            self.interval.store(STREAM_TRIAL_SOON, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ways of `n` copies, each of which takes as long as its way does.
    fn copies(copies: &Copies, n: u32, plain_ns: u64, streaming_ns: u64) -> (u32, u32) {
        let mut count = (0, 0);
        for _ in 0..n {
            let way = copies.plan(STREAM_SHORTEST).way;
            let (ways, ns) = match way {
                Way::Plain => (&mut count.0, plain_ns),
                Way::Streaming => (&mut count.1, streaming_ns),
            };
            *ways += 1;
            copies.learn(way, STREAM_SHORTEST, ns);
        }
        count
    }

    /// Long enough for trials to be rare.
    const LONG: u32 = 4 * STREAM_TRIAL_EVERY;

    #[test]
    fn a_copy_streams_while_a_plain_one_takes_more_than_twice_as_long() {
        let one = Copies::new(Switches::ALL_ON);
        copies(&one, LONG, 7_000, 2_000);
        let before_a_trial = STREAM_TRIAL_EVERY + round_of(STREAM_SHORTEST);
        let rounds = 10 * (before_a_trial + 1);
        assert_eq!(copies(&one, rounds, 7_000, 2_000), (10, rounds - 10));
        // The plain copies become quick, and after the next trial all copies are plain.
        copies(&one, LONG, 1_500, 2_000);
        let rounds = 10 * (STREAM_TRIAL_EVERY + 1);
        assert_eq!(copies(&one, rounds, 1_500, 2_000), (rounds - 10, 10));
        // They become slow again, which is seen at once.
        let (plain, _) = copies(&one, STREAM_TRIAL_EVERY / 2, 27_000, 2_000);
        assert!(plain < 8, "{plain}");
    }

    #[test]
    fn a_copy_that_lost_its_core_changes_nothing() {
        let one = Copies::new(Switches::ALL_ON);
        copies(&one, LONG, 2_000, 2_000);
        one.learn(Way::Plain, STREAM_SHORTEST, 4_000_000);
        let (plain, _) = copies(&one, STREAM_TRIAL_EVERY / 2, 2_000, 2_000);
        assert!(plain >= STREAM_TRIAL_EVERY / 2 - 1, "{plain}");
    }

    /// After a ring had grown, a stream of long messages ran at half its speed for a thousand
    /// messages: its copies went past the caches, because plain ones into new memory had been slow.
    #[test]
    fn copies_into_new_memory_change_the_way_for_a_moment_only() {
        let one = Copies::new(Switches::ALL_ON);
        copies(&one, LONG, 2_000, 2_000);
        copies(&one, 16, 50_000, 50_000);
        let (_, streaming) = copies(&one, STREAM_TRIAL_EVERY, 2_000, 2_000);
        assert!(streaming <= STREAM_TRIAL_EVERY / 8, "{streaming}");
        // The same between far cores.
        copies(&one, LONG, 27_000, 2_000);
        copies(&one, 16, 50_000, 50_000);
        let (plain, _) = copies(&one, STREAM_TRIAL_EVERY, 27_000, 2_000);
        assert!(plain <= STREAM_TRIAL_EVERY / 8, "{plain}");
    }

    /// A ring as the caches see it: which of its places the consumer has taken over.
    struct Ring {
        taken_over: Vec<bool>,
        next: usize,
    }

    impl Ring {
        fn of(places: usize) -> Ring {
            Ring {
                taken_over: vec![false; places],
                next: 0,
            }
        }

        /// Copy `n` messages into the ring, of these lengths in turn. A plain copy into a place
        /// that was taken over takes `plain_ps` a byte, elsewhere three times as long, a streaming
        /// one 30. Return how many copies were plain, and how many leave their lines.
        fn copies(&mut self, copies: &Copies, n: u32, lens: &[usize], plain_ps: u64) -> (u32, u32) {
            let mut count = (0, 0);
            for (_, len) in (0..n).zip(lens.iter().cycle()) {
                let plan = copies.plan(*len);
                let place = &mut self.taken_over[self.next];
                let ps = match (plan.way, *place) {
                    (Way::Streaming, _) => 30,
                    (Way::Plain, true) => plain_ps,
                    (Way::Plain, false) => 3 * plain_ps,
                };
                *place = !plan.leaves_lines;
                self.next = (self.next + 1) % self.taken_over.len();
                count.0 += u32::from(plan.way == Way::Plain);
                count.1 += u32::from(plan.leaves_lines);
                copies.learn(plan.way, *len, *len as u64 * ps / 1000);
            }
            count
        }
    }

    /// Between far cores the consumers took over lines that no core had, which cost a quarter of
    /// the speed. They must not leave them all: then plain copies for trial would always be slow,
    /// and would not come back when the cores are near again.
    #[test]
    fn lines_are_left_while_copies_stream_except_before_a_trial() {
        const KIB: usize = 1024;
        // Messages, and how many of them the ring holds that they get.
        let rings: [(&[usize], usize); 5] = [
            (&[64 * KIB], 15),
            (&[20 * KIB, 28 * KIB], 42),
            (&[256 * KIB], 7),
            (&[400 * KIB], 5),
            (&[512 * KIB], 7),
        ];
        for (lens, places) in rings {
            let one = Copies::new(Switches::ALL_ON);
            let mut ring = Ring::of(places);
            ring.copies(&one, LONG, lens, 105);
            let (plain, left) = ring.copies(&one, LONG, lens, 105);
            assert!(plain <= 4 && left > LONG / 4 * 3, "{lens:?} {plain} {left}");
            ring.copies(&one, 2 * STREAM_TRIAL_EVERY, lens, 30);
            let (plain, left) = ring.copies(&one, LONG, lens, 30);
            assert!(
                plain > LONG / 10 * 9 && left == 0,
                "{lens:?} {plain} {left}"
            );
        }
    }

    #[test]
    fn short_copies_and_those_of_a_heuristic_that_is_off_are_plain() {
        let one = Copies::new(Switches::ALL_ON);
        one.learn(Way::Plain, STREAM_SHORTEST - 1, 1);
        assert_eq!(one.plan(STREAM_SHORTEST - 1).way, Way::Plain);
        assert!(one.class(usize::MAX).is_some());
        let off = Copies {
            classes: [const { Class::new() }; STREAM_CLASSES],
            learns: false,
        };
        assert_eq!(copies(&off, LONG, 7_000, 1), (LONG, 0));
    }
}

//! The watcher: one thread per process that keeps descriptors in step with what they stand for.
//!
//! It runs only where somebody asked for a descriptor. It sleeps on the words of every object at once whose
//! descriptor is lowered, beside the life of everybody who uses them, and holds none of them while it
//! sleeps: a closed object goes at once. An object whose descriptor is raised is not watched, which would
//! cost those who use it: a try of this process that finds nothing lowers it, or the watcher on its rounds.

use std::sync::{Arc, Weak};

use super::source::WatchedWord;
use super::watch::{Watch, PLACING};
use crate::pace::recheck::Recheck;
use crate::segment::{changes, look_again, Segment, WaitSet};
use crate::status::Result;
use crate::sync::at_fork::hold_across_forks;
use crate::sync::local_lock::LocalLock;
use crate::sync::look::Look;
use crate::sync::wait::{Patience, Wait};
use crate::sys::{fork, futex, thread};

/// What is watched. A forked child finds its parent's here, and no watcher.
struct Watches {
    epoch: u32,
    watches: Vec<Weak<Watch>>,
}

static WATCHES: LocalLock<Watches> = LocalLock::new(Watches {
    epoch: 0,
    watches: Vec::new(),
});

pub(super) fn hold_tables_across_forks() {
    hold_across_forks(&PLACING);
    hold_across_forks(&WATCHES);
}

/// Watch one more; the first one starts the watcher.
pub(super) fn add(watch: &Arc<Watch>) -> Result<()> {
    hold_tables_across_forks();
    let epoch = fork::epoch();
    {
        let mut table = WATCHES.lock();
        if table.epoch != epoch {
            table.watches.clear();
            thread::start(&Watcher)?;
            table.epoch = epoch;
        }
        table.watches.push(Arc::downgrade(watch));
    }
    look_again();
    Ok(())
}

struct Watcher;

/// While a descriptor is raised nobody is asked to say that it should not be: it is looked after in such
/// steps, the first and the longest.
const FIRST_LOOK_NS: u64 = 1_000_000;
const LAST_LOOK_NS: u64 = 250_000_000;

impl thread::Body for Watcher {
    fn run(&'static self) {
        thread::set_name(c"polyproc-watch");
        let mut look_ns = FIRST_LOOK_NS;
        let mut recheck = Recheck::new();
        let mut patience = Patience::new(&Wait::FOREVER);
        loop {
            let (word, changes) = changes();
            let round = prepare((word.as_ptr().cast_const(), changes));
            look_ns = if round.is_new {
                FIRST_LOOK_NS
            } else {
                (look_ns * 2).min(LAST_LOOK_NS)
            };
            if round.has_raised {
                patience.look_again_within(look_ns);
            }
            patience.recheck(&mut recheck, round.is_doubtful);
            match round.bed {
                // What ends such a sleep is a wake-up or the end of its slice.
                Ok(bed) => drop(bed.sleep(&mut patience)),
                // Somebody cannot be slept beside: look at everything again and again.
                Err(_) => {
                    patience.stay_alert();
                    futex::wait(word, changes, Some(patience.slice_end()));
                }
            }
        }
    }
}

/// What the watcher found on its round.
struct Round {
    bed: Result<WaitSet>,
    /// Descriptors are raised.
    has_raised: bool,
    /// Some were not before, or no longer are.
    is_new: bool,
    /// Something may become ready without a word.
    is_doubtful: bool,
}

/// Bring every descriptor in step, and gather what changes those that are lowered.
fn prepare(changes: WatchedWord) -> Round {
    let watches: Vec<Arc<Watch>> = {
        let mut table = WATCHES.lock();
        table.watches.retain(|watch| watch.strong_count() > 0);
        table.watches.iter().filter_map(Weak::upgrade).collect()
    };
    let mut words = vec![changes];
    let mut segments: Vec<&Segment> = Vec::new();
    let (mut has_raised, mut is_new, mut is_doubtful) = (false, false, false);
    for watch in &watches {
        let was_raised = watch.is_raised();
        if was_raised && watch.bring_in_step() == Look::Ready {
            has_raised = true;
            continue;
        }
        let others = words.len();
        // A damaged object is not slept on, and its descriptor is raised for good.
        let _announced = watch.source().watch(&mut words);
        // After the announcement: a change since then ends the sleep at once.
        let look = watch.bring_in_step();
        if look == Look::Ready {
            words.truncate(others);
            (has_raised, is_new) = (true, true);
            continue;
        }
        is_new |= was_raised;
        is_doubtful |= look == Look::Doubtful;
        let segment: &Segment = watch.source().segment();
        if !segments.iter().any(|other| std::ptr::eq(*other, segment)) {
            segments.push(segment);
        }
    }
    Round {
        bed: WaitSet::beside(&words, &segments),
        has_raised,
        is_new,
        is_doubtful,
    }
}

//! The watcher: one thread per process that keeps descriptors up to date.
//!
//! It runs only in a process that asked for a descriptor. It sleeps on the words of all objects
//! whose descriptor is not readable, and on the life words of their participants. While it sleeps
//! it holds no reference to an object, so that a close frees the object at once. It does not watch
//! an object whose descriptor is readable, since that would slow the object's users. Such a
//! descriptor becomes unreadable when a try of this process finds nothing, or when the watcher
//! looks at it in its rounds.

use std::sync::{Arc, Weak};

use super::source::WatchedWord;
use super::watch::{Watch, PLACING};
use crate::pace::recheck::Recheck;
use crate::pace::{FIRST_LOWERING_NS, LAST_LOWERING_NS};
use crate::segment::{changes, look_again, Segment, WaitSet};
use crate::status::Result;
use crate::sync::at_fork::hold_across_forks;
use crate::sync::local_lock::LocalLock;
use crate::sync::look::Look;
use crate::sync::wait::{Patience, Wait};
use crate::sys::{fork, futex, thread};

/// The watched descriptors. In a forked child the table holds the parent's watches, and no watcher
/// runs.
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

/// Add a watch; the first one starts the watcher.
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

impl thread::Body for Watcher {
    fn run(&'static self) {
        thread::set_name(c"polyproc-watch");
        let mut look_ns = FIRST_LOWERING_NS;
        let mut recheck = Recheck::new();
        let mut patience = Patience::new(&Wait::FOREVER);
        loop {
            let (word, changes) = changes();
            let round = prepare((word.as_ptr().cast_const(), changes));
            look_ns = if round.is_new {
                FIRST_LOWERING_NS
            } else {
                (look_ns * 2).min(LAST_LOWERING_NS)
            };
            if round.has_raised {
                patience.look_again_within(look_ns);
            }
            patience.recheck(&mut recheck, round.is_doubtful);
            match round.wait_set {
                // A wake-up or the end of the slice ends this sleep.
                Ok(wait_set) => drop(wait_set.sleep(&mut patience)),
                // The watcher cannot sleep on the life word of some participant, so it looks at
                // everything at intervals.
                Err(_) => {
                    patience.stay_alert();
                    futex::wait(word, changes, Some(patience.slice_end()));
                }
            }
        }
    }
}

/// The outcome of one round of the watcher.
struct Round {
    wait_set: Result<WaitSet>,
    /// At least one descriptor is readable.
    has_raised: bool,
    /// At least one descriptor has changed in this round.
    is_new: bool,
    /// At least one look was `Doubtful`: its object may become ready without a wake-up.
    is_doubtful: bool,
}

/// Bring every descriptor up to date, and collect the words to sleep on for those that are not
/// readable.
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
        // A damaged object adds no words to sleep on, and its descriptor stays readable.
        let _announced = watch.source().watch(&mut words);
        // After the announcement, so that a change since then ends the sleep at once.
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
        wait_set: WaitSet::beside(&words, &segments),
        has_raised,
        is_new,
        is_doubtful,
    }
}

//! The watcher: one thread per process that keeps descriptors in step with what they stand for.
//!
//! It runs only where somebody asked for a descriptor. It sleeps on the words of every watched object at
//! once, beside the life of everybody who uses them, and holds none of them while it sleeps: a closed
//! object goes at once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use super::descriptor::{Watch, PLACING};
use crate::segment::{Bed, Segment};
use crate::status::{Result, Status};
use crate::sync::wait::{Patience, Wait};
use crate::sys::local_lock::LocalLock;
use crate::sys::{fork, futex, thread};

/// What is watched. A forked child finds its parent's here, and no watcher.
struct Table {
    epoch: u32,
    watches: Vec<Weak<Watch>>,
}

static TABLE: LocalLock<Table> = LocalLock::new(Table {
    epoch: 0,
    watches: Vec::new(),
});

/// Changes when the table has.
static CHANGES: AtomicU32 = AtomicU32::new(0);

pub(super) fn hold_tables_across_forks() {
    fork::hold_across_forks(&PLACING);
    fork::hold_across_forks(&TABLE);
}

/// Watch one more; the first one starts the watcher.
pub(super) fn add(watch: &Arc<Watch>) -> Result<()> {
    hold_tables_across_forks();
    let epoch = fork::epoch();
    {
        let mut table = TABLE.lock();
        if table.epoch != epoch {
            table.watches.clear();
            thread::start(&Watcher).map_err(Status::from_errno)?;
            table.epoch = epoch;
        }
        table.watches.push(Arc::downgrade(watch));
    }
    look_again();
    Ok(())
}

/// Have the watcher look at the table.
pub(super) fn look_again() {
    CHANGES.fetch_add(1, Ordering::SeqCst);
    futex::wake(&CHANGES, 1);
}

struct Watcher;

impl thread::Body for Watcher {
    fn run(&'static self) {
        thread::set_name(c"polyproc-watch");
        let mut patience = Patience::new(&Wait::FOREVER);
        loop {
            let changes = CHANGES.load(Ordering::SeqCst);
            match prepare(changes) {
                // What ends such a sleep is a wake-up or the end of its slice.
                Ok(bed) => drop(bed.sleep(&mut patience)),
                // A damaged object: its descriptor is readable, and it is not slept on.
                Err(_) => drop(futex::wait(&CHANGES, changes, Some(patience.slice_end()))),
            }
        }
    }
}

/// Bring every descriptor in step, and gather what changes that.
fn prepare(changes: u32) -> Result<Bed> {
    let watches: Vec<Arc<Watch>> = {
        let mut table = TABLE.lock();
        table.watches.retain(|watch| watch.strong_count() > 0);
        table.watches.iter().filter_map(Weak::upgrade).collect()
    };
    let mut words = vec![(CHANGES.as_ptr().cast_const(), changes)];
    let mut segments: Vec<&Segment> = Vec::new();
    for watch in &watches {
        watch.source().watch(&mut words)?;
        let segment: &Segment = watch.source().segment();
        if !segments.iter().any(|other| std::ptr::eq(*other, segment)) {
            segments.push(segment);
        }
    }
    // After the announcements: a change since then ends the sleep at once.
    watches.iter().for_each(|watch| watch.bring_in_step());
    Bed::beside(&words, &segments)
}

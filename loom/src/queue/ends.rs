//! The table of the messages that were not done: none of them is ever taken for done, although
//! threads store there without a lock and die.

use loom::sync::Arc;
use loom::thread;

use super::layout::ends::{Ending, Ends, Memory, ENDS};
use crate::model::{check, check_deaths, Preemptions};
use crate::sys::Zero;

/// A full table, of the ids from 1 to `ENDS`.
fn full() -> Arc<Ends> {
    let ends = Arc::new(Ends::zero());
    for id in 1..=ENDS as u64 {
        ends.remember(id, Ending::Dead);
    }
    ends
}

fn none_is_done(ends: &Ends, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        assert_ne!(ends.of(id), Memory::Done, "{id}");
    }
}

#[test]
fn an_entry_is_replaced_under_a_look() {
    check("table of ends, a look", Preemptions::AtMost(3), || {
        let ends = full();
        let other = Arc::clone(&ends);
        let other = thread::spawn(move || other.remember(7, Ending::Discarded));
        none_is_done(&ends, 1..=ENDS as u64);
        other.join().expect("no panic");
        assert_eq!(ends.of(7), Memory::Ended(Ending::Discarded));
        none_is_done(&ends, 1..=ENDS as u64);
    });
}

#[test]
fn two_threads_store_at_the_same_time() {
    check("table of ends, two stores", Preemptions::AtMost(3), || {
        let ends = full();
        let other = Arc::clone(&ends);
        let other = thread::spawn(move || other.remember(7, Ending::Discarded));
        ends.remember(8, Ending::Dead);
        other.join().expect("no panic");
        none_is_done(&ends, (1..=ENDS as u64).chain([7, 8]));
        assert_eq!(ends.of(9), Memory::Done);
    });
}

#[test]
fn a_thread_that_dies_leaves_none_that_counts_as_done() {
    check_deaths(
        "table of ends, a death",
        Preemptions::AtMost(2),
        |mortality| {
            let ends = full();
            let other = Arc::clone(&ends);
            let other = thread::spawn(move || other.remember(7, Ending::Discarded));
            let lived = mortality.run(|| ends.remember(8, Ending::Dead));
            if lived.is_none() {
                // The recovery of its process comes there again.
                ends.remember(8, Ending::Dead);
            }
            other.join().expect("no panic");
            none_is_done(&ends, (1..=ENDS as u64).chain([7, 8]));
        },
    );
}

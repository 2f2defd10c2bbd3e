//! The operations, by their object.

mod getting;
mod large_rings;
pub mod lifecycles;
mod locks;
pub mod meetings;
mod memory;
pub mod pipes;
mod putting;
pub mod queues;
pub mod recoveries;
mod semaphores;

use crate::case::{Case, Operation};
use crate::stops::Others;

/// An operation's name, and its constructor.
pub type Named = (&'static str, Box<dyn Fn() -> Box<dyn Operation>>);

/// All of them.
pub fn operations() -> Vec<Named> {
    let mut all = Vec::new();
    putting::add_to(&mut all);
    getting::add_to(&mut all);
    locks::add_to(&mut all);
    semaphores::add_to(&mut all);
    meetings::add_to(&mut all);
    pipes::add_to(&mut all);
    memory::add_to(&mut all);
    lifecycles::add_to(&mut all);
    recoveries::add_to(&mut all);
    large_rings::add_to(&mut all);
    all
}

/// Adds one to the list.
fn add<T: Others + 'static>(
    all: &mut Vec<Named>,
    name: &'static str,
    case: impl Fn() -> Case<T> + 'static,
) {
    all.push((name, Box::new(move || Box::new(case()))));
}

/// Longer than any call takes.
pub fn in_time() -> polyproc::Wait<'static> {
    polyproc::Wait::for_ns(crate::page::DEADLINE.as_nanos() as i64)
}

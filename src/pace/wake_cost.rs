//! The cost of a sleep and a wake-up on this machine. A wait that ends sooner is cheaper as a spin.
//!
//! `POLYPROC_SPIN_NS` overrides the measurement.

use std::sync::atomic::{AtomicU32, Ordering};

use super::switches::{Heuristic, Switches};
use super::{LEAST_WAKE_NS, MOST_WAKE_NS, ROUND_TRIPS, USUAL_WAKE_NS};
use crate::sys::{clock, thread};

const UNKNOWN: u32 = u32::MAX;

static COST_NS: AtomicU32 = AtomicU32::new(UNKNOWN);

/// Approximate cost of one wake-up in nanoseconds.
pub(crate) fn wake_cost_ns() -> u32 {
    match COST_NS.load(Ordering::Relaxed) {
        UNKNOWN => from_environment().unwrap_or(USUAL_WAKE_NS),
        known => known,
    }
}

/// Measure the cost, once for a process and its children. `call` wakes a sleeping thread to run a
/// job, and sleeps until that thread has run it.
///
/// The two threads run on different cores meanwhile, as threads that wait for each other's messages
/// do. The scheduler would have put them on one core, where a wake-up is cheap.
pub(crate) fn measure(call: impl Fn(&mut (dyn FnMut() + Send))) {
    if COST_NS.load(Ordering::Relaxed) != UNKNOWN {
        return;
    }
    let is_measured = Switches::of_process().has(Heuristic::WakeCost);
    let given = from_environment().or((!is_measured).then_some(USUAL_WAKE_NS));
    let cost = given.unwrap_or_else(|| {
        let (mine, mut moved) = (thread::core(), None);
        call(&mut || moved = thread::leave_core(mine));
        let mut costs = [0; ROUND_TRIPS].map(|_: u64| {
            let begin = clock::now_ns();
            call(&mut || ());
            clock::now_ns().saturating_sub(begin) / 2
        });
        call(&mut || {
            if let Some(cores) = &moved {
                cores.restore();
            }
        });
        costs.sort_unstable();
        let median = costs.get(ROUND_TRIPS / 2).copied().unwrap_or_default();
        u32::try_from(median)
            .unwrap_or(MOST_WAKE_NS)
            .clamp(LEAST_WAKE_NS, MOST_WAKE_NS)
    });
    COST_NS.store(cost, Ordering::Relaxed);
}

fn from_environment() -> Option<u32> {
    if crate::sys::is_secure() {
        return None;
    }
    let text = std::env::var("POLYPROC_SPIN_NS").ok()?;
    Some(text.parse::<u32>().ok()?.min(UNKNOWN - 1))
}

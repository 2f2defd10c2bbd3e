//! What it costs to sleep and be woken on this machine: a wait that ends sooner is better spun.
//!
//! `POLYPROC_SPIN_NS` says it instead of the measurement.

use std::sync::atomic::{AtomicU32, Ordering};

use super::clock;

/// Until it is known. On virtual machines an idle core takes about this long to come back.
const USUAL_NS: u32 = 20_000;
/// A measurement on a busy machine says more than it should, one between near cores less.
const LEAST_NS: u32 = 5_000;
const MOST_NS: u32 = 50_000;
const ROUND_TRIPS: usize = 3;
const UNKNOWN: u32 = u32::MAX;

static COST_NS: AtomicU32 = AtomicU32::new(UNKNOWN);

/// About what one wake-up costs, in nanoseconds.
pub(crate) fn wake_cost_ns() -> u32 {
    match COST_NS.load(Ordering::Relaxed) {
        UNKNOWN => from_environment().unwrap_or(USUAL_NS),
        known => known,
    }
}

/// Measure it, once for a process and its children: `round_trip` wakes a thread that sleeps and sleeps until
/// that one has answered.
pub(crate) fn measure(mut round_trip: impl FnMut()) {
    if COST_NS.load(Ordering::Relaxed) != UNKNOWN {
        return;
    }
    let cost = from_environment().unwrap_or_else(|| {
        let mut costs = [0; ROUND_TRIPS].map(|_: u64| {
            let begin = clock::now_ns();
            round_trip();
            clock::now_ns().saturating_sub(begin) / 2
        });
        costs.sort_unstable();
        let median = costs.get(ROUND_TRIPS / 2).copied().unwrap_or_default();
        u32::try_from(median)
            .unwrap_or(MOST_NS)
            .clamp(LEAST_NS, MOST_NS)
    });
    COST_NS.store(cost, Ordering::Relaxed);
}

fn from_environment() -> Option<u32> {
    if super::is_secure() {
        return None;
    }
    let text = std::env::var("POLYPROC_SPIN_NS").ok()?;
    Some(text.parse::<u32>().ok()?.min(UNKNOWN - 1))
}

//! Rates of queues, from two looks at their totals.

use std::collections::HashMap;
use std::time::Instant;

use polyproc::inspect::{Object, State};

/// Messages in a second.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Rate {
    pub puts: f64,
    pub gets: f64,
}

/// The totals of all queues at the last look, and the rates since the look before it.
#[derive(Default)]
pub struct Rates {
    last: HashMap<String, (u64, u64)>,
    at: Option<Instant>,
    rates: HashMap<String, Rate>,
}

impl Rates {
    /// Note the totals of a look.
    pub fn add(&mut self, objects: &[Object], now: Instant) {
        let totals = objects.iter().filter_map(|object| match &object.state {
            Some(State::Queue(queue)) => Some((object.name.clone(), (queue.puts, queue.gets))),
            _ => None,
        });
        let totals: HashMap<_, _> = totals.collect();
        let seconds = self.at.map(|at| (now - at).as_secs_f64());
        let seconds = seconds.filter(|seconds| *seconds > 0.0);
        self.rates.clear();
        if let Some(seconds) = seconds {
            for (name, (puts, gets)) in &totals {
                let Some(before) = self.last.get(name) else {
                    continue;
                };
                // A queue of the same name that was made anew begins at 0.
                let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
                let rate = Rate {
                    puts: rate(*puts, before.0),
                    gets: rate(*gets, before.1),
                };
                self.rates.insert(name.clone(), rate);
            }
        }
        self.last = totals;
        self.at = Some(now);
    }

    /// The rate of a queue; `None` before its second look.
    pub fn of(&self, name: &str) -> Option<Rate> {
        self.rates.get(name).copied()
    }
}

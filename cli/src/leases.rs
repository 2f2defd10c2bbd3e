//! Since when messages are in flight, for the commands that look again and again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use polyproc::inspect::{self, Lease, Object, State};

/// The oldest lease of each queue, and since when it lasts.
#[derive(Default)]
pub struct Leases {
    seen: HashMap<String, (Lease, Instant)>,
}

impl Leases {
    /// The age of the oldest lease of each queue with messages in flight. It begins with what the
    /// notes of the process say, and without them with the first look that finds the lease.
    pub fn ages(&mut self, objects: &[Object]) -> HashMap<String, Duration> {
        let now = Instant::now();
        let mut seen = HashMap::new();
        for object in objects {
            match &object.state {
                Some(State::Queue(queue)) if queue.in_flight > 0 => {}
                _ => continue,
            }
            let Ok(Some(lease)) = inspect::oldest_lease(&object.name) else {
                continue;
            };
            let since = match self.seen.get(&object.name) {
                Some((known, since)) if known.is_same(&lease) => *since,
                _ => lease
                    .at_most
                    .and_then(|age| now.checked_sub(age))
                    .unwrap_or(now),
            };
            seen.insert(object.name.clone(), (lease, since));
        }
        self.seen = seen;
        let ages = self.seen.iter();
        ages.map(|(name, (_, since))| (name.clone(), now - *since))
            .collect()
    }
}

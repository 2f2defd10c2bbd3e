//! The signals that end the pipeline.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use polyproc::{Cancel, Event, Wait};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::Failure;

/// Ends waits when a signal comes.
pub struct Stop {
    token: Cancel,
    last: AtomicI32,
    count: AtomicU32,
    /// An event that is never set, for a wait that only a signal ends.
    never: Event,
}

impl Stop {
    /// From now on SIGINT, SIGTERM and SIGHUP do not end this process.
    pub fn install() -> Result<Arc<Stop>, Failure> {
        let stop = Arc::new(Stop {
            token: Cancel::new(),
            last: AtomicI32::new(0),
            count: AtomicU32::new(0),
            never: Event::create(None, Default::default())?,
        });
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let heard = Arc::clone(&stop);
        std::thread::spawn(move || {
            for signal in signals.forever() {
                heard.last.store(signal, Ordering::Relaxed);
                // Release, pairs with the Acquire in `count`.
                heard.count.fetch_add(1, Ordering::Release);
                heard.token.fire();
            }
        });
        Ok(stop)
    }

    pub fn token(&self) -> &Cancel {
        &self.token
    }

    /// How many signals have come.
    pub fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// The last signal, if one has come.
    pub fn signal(&self) -> Option<i32> {
        (self.count() > 0).then(|| self.last.load(Ordering::Relaxed))
    }

    /// Lets waits wait again. Look at the count after this.
    pub fn reset(&self) {
        self.token.reset();
    }

    /// Sleeps until the time is over or a signal comes.
    pub fn sleep(&self, time: Duration) {
        let _ = self
            .never
            .wait_timeout(Wait::from(time).or_cancel(&self.token));
    }
}

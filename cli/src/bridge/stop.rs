//! SIGINT, SIGTERM and SIGHUP: the first one lets a bridge finish, the second one ends it.

use tokio::signal::unix::{signal, Signal, SignalKind};

use crate::failure::Failure;

pub struct Stop {
    signals: [Signal; 3],
    /// How many signals have come.
    count: u32,
}

impl Stop {
    /// From here on the signals do not end this process.
    pub fn new() -> Result<Stop, Failure> {
        Ok(Stop {
            signals: [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ],
            count: 0,
        })
    }

    /// Waits for the next signal.
    pub async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        self.count += 1;
    }

    /// Whether the bridge finishes what it has begun, and begins nothing.
    pub fn is_ending(&self) -> bool {
        self.count > 0
    }

    /// Whether the bridge ends now.
    pub fn is_now(&self) -> bool {
        self.count > 1
    }
}

//! `polyproc lock NAME -- CMD`

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use polyproc::{CreateOptions, Lock, Status, Wait};

use crate::child;
use crate::failure::{Failure, Outcome, NOTHING};
use crate::span;

/// Run a program while holding a lock, as flock(1). Makes the lock if it does not exist.
///
/// The exit code is the program's. If this process is killed, the program is killed too, and the
/// lock goes to the next that waits.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc lock printer -- echo alone
  polyproc lock printer -n -- echo at once or not at all
  polyproc lock printer --timeout 5s -- sh -c 'echo alone; exit 0'")]
pub struct LockArgs {
    name: String,
    /// Exit with 3 at once if the lock is held
    #[arg(short = 'n', long, conflicts_with = "timeout")]
    nonblock: bool,
    /// How long to wait: 5s, 1m; without it for ever
    #[arg(long, value_name = "TIME", value_parser = span::duration, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl LockArgs {
    pub fn run(self) -> Outcome {
        let lock = Lock::create(Some(&self.name), CreateOptions::OPEN_OR_CREATE)?;
        let wait = match self.nonblock {
            true => Wait::TRY,
            false => self.timeout.into(),
        };
        let guard = lock.lock_timeout(wait).map_err(|status| match status {
            Status::E_TIMEOUT => Failure::new(NOTHING, format_args!("{}: it is held", self.name)),
            other => Failure::from(other).about(&self.name),
        })?;
        if guard.owner_died() {
            eprintln!(
                "polyproc: {}: its last holder died while it held the lock",
                self.name
            );
        }
        child::run(&self.command)
    }
}

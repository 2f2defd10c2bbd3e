//! `polyproc sem NAME -- CMD`

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use polyproc::{CreateOptions, Semaphore, SemaphoreOptions, Status, Wait};

use crate::child;
use crate::failure::{Failure, Outcome, NOTHING, NO_SUCH_OBJECT};
use crate::span;

/// Run a program while holding a permit of a semaphore: so many at the same time.
///
/// The exit code is the program's. With --permits the semaphore is made if it does not exist, and a
/// permit comes back when its holder is killed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc sem downloads --permits 4 -- echo one of four
  polyproc sem downloads --permits 4 -n -- echo at once or not at all")]
pub struct Sem {
    name: String,
    /// Make a semaphore with so many permits if it does not exist
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    permits: Option<i64>,
    /// Exit with 3 at once if there is no permit
    #[arg(short = 'n', long, conflicts_with = "timeout")]
    nonblock: bool,
    /// How long to wait: 5s, 1m; without it for ever
    #[arg(long, value_name = "TIME", value_parser = span::duration, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl Sem {
    pub fn run(self) -> Outcome {
        let semaphore = match self.permits {
            Some(permits) => Semaphore::create(Some(&self.name), &of(permits))?,
            None => Semaphore::open(&self.name).map_err(|status| {
                Failure::from(status).hint(NO_SUCH_OBJECT, "--permits N makes it")
            })?,
        };
        let wait = match self.nonblock {
            true => Wait::TRY,
            false => self.timeout.into(),
        };
        let _permit = semaphore
            .permit_timeout(wait)
            .map_err(|status| match status {
                Status::E_TIMEOUT => {
                    Failure::new(NOTHING, format_args!("{}: no permit is free", self.name))
                }
                other => Failure::from(other).about(&self.name),
            })?;
        child::run(&self.command)
    }
}

fn of(permits: i64) -> SemaphoreOptions {
    SemaphoreOptions {
        create: CreateOptions::OPEN_OR_CREATE,
        initial: permits,
        maximum: permits,
        owned: true,
    }
}

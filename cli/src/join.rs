//! `polyproc join NAME`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::failure::{Failure, Outcome, USAGE};
use crate::queues;
use crate::span;

/// Wait until all messages of a queue are done.
#[derive(Args)]
#[command(after_help = "\
Example:
  polyproc take jobs -- echo {} && polyproc join jobs --timeout 1m")]
pub struct Join {
    name: String,
    /// How long to wait: 5s, 1m; without it for ever
    #[arg(long, value_name = "TIME", value_parser = span::duration, allow_negative_numbers = true)]
    timeout: Option<Duration>,
}

impl Join {
    pub fn run(self) -> Outcome {
        let joined = queues::open(&self.name)?.join_timeout(self.timeout);
        joined.map_err(|status| {
            let failure = Failure::from(status).about(&self.name);
            failure.hint(
                USAGE,
                "`polyproc put --create --joinable` makes one that is",
            )
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

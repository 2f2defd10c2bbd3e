//! `polyproc join NAME`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::failure::Outcome;
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
    #[arg(long, value_name = "TIME", value_parser = span::duration)]
    timeout: Option<Duration>,
}

impl Join {
    pub fn run(self) -> Outcome {
        queues::open(&self.name)?.join_timeout(self.timeout)?;
        Ok(ExitCode::SUCCESS)
    }
}

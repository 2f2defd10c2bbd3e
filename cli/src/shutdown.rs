//! `polyproc shutdown NAME`

use std::process::ExitCode;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::queues;

/// End a queue's stream: puts are refused, and gets return what is left, then the end.
#[derive(Args)]
#[command(after_help = "Example:\n  polyproc shutdown letters")]
pub struct Shutdown {
    name: String,
    /// Discard the messages that wait
    #[arg(long)]
    now: bool,
}

impl Shutdown {
    pub fn run(self) -> Outcome {
        let ended = queues::open(&self.name)?.shutdown(self.now);
        ended.map_err(|status| Failure::from(status).about(&self.name))?;
        Ok(ExitCode::SUCCESS)
    }
}

//! `polyproc event set|clear|wait NAME`

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use polyproc::{CreateOptions, Event};

use crate::failure::{Failure, Outcome, NO_SUCH_OBJECT};
use crate::span;

/// Set an event, clear it, or wait until it is set.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc event set ready --create
  polyproc event set ready --create && polyproc event wait ready --timeout 5s")]
pub struct EventArgs {
    action: Action,
    name: String,
    /// Make the event if it does not exist
    #[arg(long)]
    create: bool,
    /// How long to wait: 5s, 1m; without it for ever
    #[arg(long, value_name = "TIME", value_parser = span::duration, allow_negative_numbers = true)]
    timeout: Option<Duration>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Action {
    /// Set the event: all that wait go on
    Set,
    /// Clear it
    Clear,
    /// Wait until it is set
    Wait,
}

impl EventArgs {
    pub fn run(self) -> Outcome {
        let event = match self.create {
            true => Event::create(Some(&self.name), CreateOptions::OPEN_OR_CREATE)?,
            false => Event::open(&self.name).map_err(|status| {
                Failure::from(status).hint(NO_SUCH_OBJECT, "--create makes it")
            })?,
        };
        let done = match self.action {
            Action::Set => event.set(),
            Action::Clear => event.clear(),
            Action::Wait => event.wait_timeout(self.timeout),
        };
        done.map_err(|status| Failure::from(status).about(&self.name))?;
        Ok(ExitCode::SUCCESS)
    }
}

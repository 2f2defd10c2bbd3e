//! `polyproc rm NAME…`

use std::process::ExitCode;

use clap::Args;

use crate::failure::{Failure, Outcome};

/// Remove names. Processes that have the object open keep it.
#[derive(Args)]
#[command(after_help = "Example:\n  polyproc rm letters jobs")]
pub struct Rm {
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

impl Rm {
    /// Removes what it can, and fails when a name could not be removed.
    pub fn run(self) -> Outcome {
        let mut outcome = Ok(ExitCode::SUCCESS);
        for name in &self.names {
            if let Err(status) = polyproc::unlink(name) {
                let failure = Failure::from(status);
                // Only one failure can be the exit code: the others are reported now.
                if let Err(earlier) = std::mem::replace(&mut outcome, Err(failure)) {
                    earlier.report();
                }
            }
        }
        outcome
    }
}

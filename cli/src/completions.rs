//! `polyproc completions SHELL`

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::{generate, Shell};

use crate::failure::Outcome;
use crate::{streams, Cli};

/// Print a shell's completions.
#[derive(Args)]
#[command(
    after_help = "Example:\n  polyproc completions bash > polyproc.bash && source polyproc.bash"
)]
pub struct Completions {
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Outcome {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "polyproc", &mut script);
        streams::print(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}

//! `polyproc man`

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;

use crate::failure::Outcome;
use crate::Cli;

/// Print the manual page, or write a page for each command into a directory.
#[derive(Args)]
#[command(after_help = "Examples:\n  polyproc man > polyproc.1\n  polyproc man --directory .")]
pub struct Man {
    /// Write polyproc.1 and polyproc-COMMAND.1 into this directory.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl Man {
    pub fn run(self) -> Outcome {
        match self.directory {
            Some(directory) => clap_mangen::generate_to(Cli::command(), directory)?,
            None => {
                let mut page = Vec::new();
                Page::new(Cli::command()).render(&mut page)?;
                io::stdout().write_all(&page)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

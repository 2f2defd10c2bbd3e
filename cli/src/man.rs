//! `polyproc man`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;

use crate::failure::{Failure, Outcome};
use crate::{streams, Cli};

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
            Some(directory) => clap_mangen::generate_to(Cli::command(), &directory)
                .map_err(|error| Failure::from(error).about(directory.display()))?,
            None => {
                let mut page = Vec::new();
                Page::new(Cli::command()).render(&mut page)?;
                streams::print(&page)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

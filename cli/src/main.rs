//! The command `polyproc`: named objects from the shell. docs/command.md describes it.
//!
//! One file per command, each with a struct of its arguments and a method `run`.

#![deny(unsafe_code)]

mod completions;
mod failure;
mod man;
mod rm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Outcome;

/// See inside queues and locks in shared memory, and use them from the shell.
#[derive(Parser)]
#[command(name = "polyproc", version, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 ok, 1 error, 2 usage, 3 nothing there or timed out, 4 no such object, 5 damaged.
`polyproc COMMAND --help` has an example of each command.";

#[derive(Subcommand)]
enum Command {
    Rm(rm::Rm),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    fn run(self) -> Outcome {
        match self {
            Command::Rm(rm) => rm.run(),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
        }
    }
}

fn main() -> ExitCode {
    let outcome = Cli::parse().command.run();
    outcome.unwrap_or_else(|failure| failure.report())
}

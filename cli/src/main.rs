//! The command `polyproc`: named objects from the shell. docs/book/command.md describes it.
//!
//! One file per command, each with a struct of its arguments and a method `run`.

#![deny(unsafe_code)]

mod bench;
#[cfg(feature = "bridge")]
mod bridge;
mod child;
mod completions;
mod dead;
mod doctor;
mod event;
mod exporter;
mod failure;
mod form;
mod get;
mod http;
mod join;
mod leases;
mod lock;
mod ls;
mod man;
mod msgpack;
mod opened;
mod page;
mod peek;
mod prune;
mod put;
mod queues;
mod rates;
mod rm;
mod run;
mod sem;
mod shutdown;
mod span;
mod stat;
mod streams;
mod tail;
mod take;
mod top;
mod view;

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
    Ls(ls::Ls),
    Stat(stat::Stat),
    Doctor(doctor::Doctor),
    Top(top::Top),
    Peek(peek::Peek),
    Tail(tail::Tail),
    Exporter(exporter::Exporter),
    Page(page::Page),
    Put(put::Put),
    Get(get::Get),
    Take(take::Take),
    Dead(dead::Dead),
    Join(join::Join),
    Shutdown(shutdown::Shutdown),
    Lock(lock::LockArgs),
    Sem(sem::Sem),
    Event(event::EventArgs),
    Rm(rm::Rm),
    Prune(prune::Prune),
    Run(run::Run),
    Bench(bench::Bench),
    #[cfg(feature = "bridge")]
    Bridge(bridge::Bridge),
    BenchProcess(bench::BenchProcess),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    fn run(self) -> Outcome {
        match self {
            Command::Ls(command) => command.run(),
            Command::Stat(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Top(command) => command.run(),
            Command::Peek(command) => command.run(),
            Command::Tail(command) => command.run(),
            Command::Exporter(command) => command.run(),
            Command::Page(command) => command.run(),
            Command::Put(command) => command.run(),
            Command::Get(command) => command.run(),
            Command::Take(command) => command.run(),
            Command::Dead(command) => command.run(),
            Command::Join(command) => command.run(),
            Command::Shutdown(command) => command.run(),
            Command::Lock(command) => command.run(),
            Command::Sem(command) => command.run(),
            Command::Event(command) => command.run(),
            Command::Rm(command) => command.run(),
            Command::Prune(command) => command.run(),
            Command::Run(command) => command.run(),
            Command::Bench(command) => command.run(),
            #[cfg(feature = "bridge")]
            Command::Bridge(command) => command.run(),
            Command::BenchProcess(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
        }
    }
}

fn main() -> ExitCode {
    run::end_with_it();
    let outcome = match Cli::try_parse() {
        Ok(cli) => cli.command.run(),
        Err(error) => streams::explain(&error),
    };
    outcome.unwrap_or_else(|failure| failure.report())
}

//! `polyproc prune`

use std::fs;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{ArgGroup, Args};
use polyproc::inspect::{self, Liveness, Object, State};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::form::json_line;
use crate::opened::Opened;
use crate::{span, streams};

/// Remove the names of objects that no process has open.
///
/// Each name that is removed is printed. Objects of other users, and those that cannot be read, are
/// left alone: `polyproc rm` removes them. A process that opens an object at that moment keeps it,
/// without a name. So does one in another container that has opened an object and not used it yet.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc prune --unused --dry-run
  polyproc prune --unused --older 1h
  polyproc prune --older 7d")]
#[command(group = ArgGroup::new(WHICH).required(true).multiple(true))]
pub struct Prune {
    /// Those that no process has open and that have no message in them
    #[arg(long, group = WHICH)]
    unused: bool,
    /// Those that no process has open and that were made so long ago: 30m, 1d. Their messages are
    /// lost
    #[arg(long, value_name = "TIME", value_parser = span::duration, group = WHICH)]
    older: Option<Duration>,
    /// Remove nothing, and print what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Print an object a line: name, kind, removed
    #[arg(long)]
    json: bool,
}

const WHICH: &str = "which";

impl Prune {
    pub fn run(self) -> Outcome {
        let mut out = streams::stdout()?;
        let mut outcome = Ok(ExitCode::SUCCESS);
        let objects = inspect::objects()?;
        let opened = Opened::now();
        for object in objects {
            if !self.takes(&object) || opened.has(&object) {
                continue;
            }
            if !self.dry_run {
                match polyproc::unlink(&object.name) {
                    Ok(()) => {}
                    // Somebody else has removed it.
                    Err(polyproc::Status::E_NOT_FOUND) => continue,
                    Err(status) => {
                        Failure::from(status).report();
                        outcome = Err(Failure::silent(crate::failure::ERROR));
                        continue;
                    }
                }
            }
            let kind = object.kind.map(|kind| kind.name());
            let (name, removed) = (&object.name, !self.dry_run);
            match self.json {
                true => {
                    let row = json!({ "name": name, "kind": kind, "removed": removed });
                    writeln!(out, "{}", json_line(&row))
                }
                false => writeln!(out, "{name}"),
            }
            .map_err(streams::not_written)?;
        }
        outcome
    }

    fn takes(&self, object: &Object) -> bool {
        let is_used = |participant: &inspect::Participant| participant.liveness != Liveness::Dead;
        object.is_own
            && object.verdict.is_sound()
            && !object.participants.iter().any(is_used)
            && !(self.unused && has_messages(object))
            && self
                .older
                .is_none_or(|older| age(&object.name).is_some_and(|age| age >= older))
    }
}

/// Whether something is in a queue that its removal loses.
pub fn has_messages(object: &Object) -> bool {
    match &object.state {
        Some(State::Queue(queue)) => queue.waiting + queue.in_flight + queue.dead_letters > 0,
        _ => false,
    }
}

/// How long ago an object was made. Puts into it do not change the time of its file.
fn age(name: &str) -> Option<Duration> {
    let file = fs::metadata(inspect::file(name).ok()?).ok()?;
    let made = file.created().or_else(|_| file.modified()).ok()?;
    // A clock that was set back does not make it older.
    Some(SystemTime::now().duration_since(made).unwrap_or_default())
}

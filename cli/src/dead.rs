//! `polyproc dead NAME`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use polyproc::inspect::Place;
use polyproc::{Queue, Status};

use crate::failure::{Failure, Outcome, NOTHING};
use crate::peek::Look;
use crate::queues;

/// Deal with dead letters: messages that were delivered as often as their queue allows.
///
/// A message that is retried or moved is put first, and then removed from the dead letters. After a
/// kill in between it is in both places.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc dead jobs
  polyproc dead jobs list --json
  polyproc dead jobs retry
  polyproc dead jobs move letters
  polyproc dead jobs drop")]
pub struct Dead {
    name: String,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Show dead letters, and take none, as `polyproc peek --from dead`
    List {
        #[command(flatten)]
        look: Look,
    },
    /// Put dead letters into their queue again
    Retry {
        #[command(flatten)]
        which: Which,
    },
    /// Discard dead letters
    Drop {
        #[command(flatten)]
        which: Which,
    },
    /// Put dead letters into another queue
    Move {
        /// The other queue
        other: String,
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Args)]
struct Which {
    /// The ids of messages
    #[arg(value_name = "ID")]
    ids: Vec<u64>,
    /// All of them, as without an id
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

impl Which {
    fn includes(&self, id: u64) -> bool {
        self.all || self.ids.is_empty() || self.ids.contains(&id)
    }
}

impl Dead {
    pub fn run(self) -> Outcome {
        let list = || Action::List {
            look: Look::default(),
        };
        let action = self.action.unwrap_or_else(list);
        let (which, other) = match action {
            Action::List { look } => return look.show(&self.name, Place::DeadLetters, usize::MAX),
            Action::Retry { which } => (which, Some(self.name.clone())),
            Action::Drop { which } => (which, None),
            Action::Move { other, which } => (which, Some(other)),
        };
        let queue = queues::open(&self.name)?;
        let other = other.map(|other| queues::open(&other)).transpose()?;
        settle(&queue, &which, other.as_ref()).map_err(|failure| failure.about(&self.name))
    }
}

/// Puts dead letters into another queue, if there is one, and removes them.
fn settle(queue: &Queue, which: &Which, other: Option<&Queue>) -> Outcome {
    let mut settled = 0;
    // The others are given back at the end, or the next look would find them again.
    let mut others = Vec::new();
    // Those that become dead letters meanwhile are left alone: a retry need not end otherwise.
    for _ in 0..queue.info()?.dead_letters {
        let message = match queue.take_dead() {
            Ok(message) => message,
            Err(Status::E_EMPTY) => break,
            Err(other) => return Err(other.into()),
        };
        if which.includes(message.id()) {
            if let Some(other) = other {
                other.put(&message)?;
            }
            message.done()?;
            settled += 1;
        } else {
            others.push(message);
        }
    }
    match settled {
        0 => Err(Failure::new(NOTHING, "no such dead letter")),
        _ => Ok(ExitCode::SUCCESS),
    }
}

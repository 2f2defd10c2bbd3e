//! `polyproc dead NAME`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use polyproc::{Message, Queue, Status};

use crate::failure::{Failure, Outcome, NOTHING};
use crate::queues;

/// Deal with dead letters: messages that were delivered as often as their queue allows.
///
/// A message that is retried or moved is put first, and then removed from the dead letters. After a
/// kill in between it is in both places.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc dead jobs retry
  polyproc dead jobs move letters
  polyproc dead jobs drop")]
pub struct Dead {
    name: String,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
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
        let queue = queues::open(&self.name)?;
        match &self.action {
            Action::Retry { which } => settle(&queue, which, |message| queue.put(message)),
            Action::Drop { which } => settle(&queue, which, |_| Ok(())),
            Action::Move { other, which } => {
                let other = queues::open(other)?;
                settle(&queue, which, |message| other.put(message))
            }
        }
    }
}

/// Does something with dead letters, and removes them.
fn settle(
    queue: &Queue,
    which: &Which,
    act: impl Fn(&Message<'_>) -> polyproc::Result<()>,
) -> Outcome {
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
            act(&message)?;
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

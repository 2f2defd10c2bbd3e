//! `polyproc tail NAME`

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use polyproc::inspect::{self, Step, Tail as Follower};
use serde_json::json;

use crate::failure::{Failure, Outcome, NOTHING};
use crate::peek::{LetterView, Look};
use crate::{span, streams};

/// How often to look.
const PAUSE: Duration = Duration::from_millis(20);

/// Show messages as they are put, and take none.
///
/// Messages that others got before they could be read are counted. It ends when the queue is shut
/// down. Exit code 3 if it showed nothing.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc tail jobs --all --timeout 1s
  polyproc tail jobs --json --timeout 1s || [ $? = 3 ]")]
pub struct Tail {
    name: String,
    /// Begin with the messages that wait already
    #[arg(short, long)]
    all: bool,
    /// End when nothing was put for this long: 5s, 1m
    #[arg(long, value_name = "TIME", value_parser = span::duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    look: Look,
}

impl Tail {
    pub fn run(self) -> Outcome {
        let mut follower = match self.all {
            true => Follower::open_at_head(&self.name)?,
            false => Follower::open(&self.name)?,
        };
        let object = inspect::object(&self.name)?;
        let view = self.look.view(&object).without_pids();
        let mut has_shown = false;
        let mut last = Instant::now();
        loop {
            let step = follower.step(self.look.most)?;
            let came = !step.letters.is_empty() || step.skipped > 0;
            print(&step, &view)?;
            has_shown |= came;
            if came {
                last = Instant::now();
            }
            let is_over = self.timeout.is_some_and(|limit| last.elapsed() >= limit);
            if is_over || (step.is_over && !came) {
                return match has_shown {
                    true => Ok(ExitCode::SUCCESS),
                    false => Err(Failure::silent(NOTHING)),
                };
            }
            if !came {
                sleep(PAUSE);
            }
        }
    }
}

fn print(step: &Step, view: &LetterView<'_>) -> Result<(), Failure> {
    let mut lines: Vec<_> = step.letters.iter().map(|one| view.line(one)).collect();
    match (step.skipped, view.is_json) {
        (0, _) => {}
        (count, true) => lines.push(json!({ "skipped": count }).to_string()),
        (count, false) => lines.push(format!("({count} more were too fast to be read)")),
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    streams::print(text.as_bytes())
}

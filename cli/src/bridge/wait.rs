//! `polyproc bridge wait`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use polyproc::{Queue, Status};
use tokio::time::Instant;

use super::connect::{Attempt, Credentials};
use super::status::Numbers;
use super::target::Target;
use super::trouble::Trouble;
use crate::failure::{Failure, Outcome, NOTHING};
use crate::queues;
use crate::span;

/// Nothing tells a client that a stream is empty, so the command asks for it: soon again at first,
/// then less often.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Wait until a stream is empty, and the queues that are named.
///
/// All that was put before is done then, or is a dead letter. Name the queues of this machine from
/// which bridges publish; with `--ack on-arrival` also those into which they put.
#[derive(Args)]
#[command(after_help = "\
Example:
  polyproc bridge wait nats://127.0.0.1/JOBS jobs --timeout 1m")]
pub struct WaitArgs {
    #[arg(value_name = "nats://HOST/STREAM")]
    target: Target,
    #[arg(value_name = "QUEUE")]
    queues: Vec<String>,
    /// How long to wait: 5s, 1m; without it for ever
    #[arg(long, value_name = "TIME", value_parser = span::duration, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    #[command(flatten)]
    credentials: Credentials,
}

impl WaitArgs {
    pub async fn run(self) -> Outcome {
        let end = self
            .timeout
            .and_then(|timeout| Instant::now().checked_add(timeout));
        let opened = self.queues.iter().map(|name| queues::open(name));
        let queues = opened.collect::<Result<Vec<_>, _>>()?;
        let context = self.credentials.connect(&self.target).await?;
        let mut pause = FIRST_PAUSE;
        let mut trouble = Trouble::new(&self.target.stream);
        // The order matters: a message is in the stream before it leaves the first queue, and in
        // the last queue before it leaves the stream.
        loop {
            let numbers = Numbers::read(&context, &self.target);
            if are_finished(&queues)? {
                match numbers.await {
                    Ok(numbers) if numbers.messages == 0 && are_finished(&queues)? => {
                        if numbers.dead_letters > 0 {
                            eprintln!("polyproc: {} dead letters", numbers.dead_letters);
                        }
                        return Ok(ExitCode::SUCCESS);
                    }
                    Ok(_) => trouble.is_over(),
                    // The server may be away, or the servers choose a leader.
                    Err(Attempt::Again(why)) => pause = trouble.pause(why),
                    Err(Attempt::Failed(failure)) => return Err(failure),
                }
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(Failure::new(NOTHING, "timed out").about(&self.target.stream));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Whether no message of the queues waits or is in flight.
fn are_finished(queues: &[Queue]) -> Result<bool, Failure> {
    for queue in queues {
        match queue.info() {
            Ok(info) if info.unfinished == 0 => {}
            Ok(_) | Err(Status::E_TIMEOUT) => return Ok(false),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(true)
}

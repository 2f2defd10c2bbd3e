//! `polyproc bridge in nats://HOST/STREAM QUEUE`
//!
//! ```text
//! flow   messages arrive and are put
//! ends   messages are done, and the server is told
//! pull   requests for messages
//! held   the messages that are here
//! tell   what the server is told when one is over
//! ```

mod ends;
mod flow;
mod held;
mod pull;
mod tell;

use std::process::ExitCode;
use std::time::Duration;

use async_nats::jetstream::consumer::pull as config;
use async_nats::jetstream::Context;
use clap::{Args, ValueEnum};
use tokio::time::{interval, timeout, MissedTickBehavior};

use super::answers::Answers;
use super::connect::{Attempt, Credentials};
use super::local::Local;
use super::setup::is_no_consumer;
use super::stop::Stop;
use super::target::{Target, CONSUMER};
use crate::failure::Outcome;
use crate::queues::{self, Create};
use flow::Flow;
use pull::Pulls;

/// Put the messages of a stream into a queue: each is acknowledged when it is done there.
///
/// The command takes as many messages as there is room for, and tells the server that they are in
/// work. A message that becomes a dead letter of the queue goes to the stream of dead letters. When
/// the queue is shut down, or at a signal, the command takes no more messages and ends when those
/// that it has put are done; at a second signal it ends at once, and the server delivers them again
/// after its ack-wait.
#[derive(Args)]
#[command(after_help = "\
Example:
  polyproc bridge in nats://127.0.0.1/JOBS jobs")]
pub struct In {
    #[arg(value_name = "nats://HOST/STREAM")]
    target: Target,
    queue: String,
    /// When the server forgets a message
    #[arg(long, value_name = "WHEN", default_value = "done")]
    ack: Ack,
    /// Acknowledge messages only when this queue is empty after they were done: what a worker has
    /// put there before has left this machine then
    #[arg(long, value_name = "QUEUE")]
    after: Option<String>,
    /// How many messages may be here and not done
    #[arg(long, value_name = "N", default_value_t = 512)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    window: u16,
    #[command(flatten)]
    create: Create,
    #[command(flatten)]
    credentials: Credentials,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Ack {
    /// When it is done
    Done,
    /// When it is in the queue: faster, and lost with this machine
    OnArrival,
}

impl In {
    pub async fn run(self) -> Outcome {
        let mut stop = Stop::new()?;
        let local = Local::new(self.create.open(&self.queue)?)?;
        let stream = &self.target.stream;
        let find = |context: Context| async move {
            let found = context
                .get_consumer_from_stream::<config::Config, _, _>(CONSUMER, stream)
                .await;
            found.map_err(|error| {
                let missing = "no such stream and consumer; `polyproc bridge setup` makes them";
                Attempt::to_find(is_no_consumer(error.kind()), missing, error)
            })
        };
        let reached = self.credentials.reach(&self.target, &mut stop, find);
        let Some((link, consumer)) = reached.await? else {
            return Ok(ExitCode::SUCCESS);
        };
        let ack_wait = consumer.cached_info().config.ack_wait;
        let mut progress = interval((ack_wait / 3).max(Duration::from_millis(1)));
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let client = link.context.client();
        let after = self
            .after
            .as_ref()
            .map(|name| Local::new(queues::open(name)?))
            .transpose()?;
        let pulls = Pulls::new(&link.context, consumer).await?;
        let confirmations = Answers::new(&client).await?;
        let server = (link, pulls, confirmations);
        let mut flow = Flow::new(&self, server, (local, after), progress)?;
        flow.run(&mut stop)
            .await
            .map_err(|failure| failure.about(&self.queue))?;
        // The last answers may still be in this process.
        let _ = timeout(Duration::from_secs(1), client.flush()).await;
        Ok(ExitCode::SUCCESS)
    }
}

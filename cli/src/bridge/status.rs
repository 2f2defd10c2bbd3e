//! `polyproc bridge status`

use std::process::ExitCode;

use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::Context;
use clap::Args;
use serde::Serialize;

use super::connect::{Attempt, Credentials};
use super::setup::is_missing;
use super::target::{Target, CONSUMER};
use crate::failure::{Failure, Outcome};
use crate::streams;
use crate::view;

/// Show how many messages are in a stream, and where; or the dead letters.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc bridge status nats://127.0.0.1/JOBS
  polyproc bridge status nats://127.0.0.1/JOBS --dead 10")]
pub struct StatusArgs {
    #[arg(value_name = "nats://HOST/STREAM")]
    target: Target,
    /// Show the first N dead letters, and the reason of each
    #[arg(long, value_name = "N")]
    dead: Option<usize>,
    /// Print an object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    credentials: Credentials,
}

/// The numbers of a stream. The fields are those of `--json`.
#[derive(Serialize)]
pub struct Numbers {
    stream: String,
    /// Messages that are not acknowledged.
    pub messages: u64,
    bytes: u64,
    max_messages: i64,
    max_bytes: i64,
    /// Of `messages`: no bridge has had them.
    waiting: u64,
    /// Of `messages`: a bridge has them.
    in_flight: usize,
    /// Of `in_flight`: they were delivered more than once.
    redelivered: usize,
    pub dead_letters: u64,
    replicas: usize,
    /// The server that leads, in a cluster.
    leader: Option<String>,
}

impl StatusArgs {
    pub async fn run(self) -> Outcome {
        let context = self.credentials.connect(&self.target).await?;
        if let Some(count) = self.dead {
            return self.show_letters(&context, count).await;
        }
        let numbers = Numbers::read(&context, &self.target).await?;
        let text = match self.json {
            true => serde_json::to_string(&numbers)? + "\n",
            false => numbers.text(),
        };
        streams::print(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn show_letters(&self, context: &Context, count: usize) -> Outcome {
        let stream = context.get_stream(self.target.dead_stream()).await;
        let stream = stream.map_err(Failure::remote)?;
        let state = &stream.cached_info().state;
        let mut left = count.min(state.messages as usize);
        for sequence in state.first_sequence..=state.last_sequence {
            if left == 0 {
                break;
            }
            // Some may have been removed.
            let Ok(letter) = stream.get_raw_message(sequence).await else {
                continue;
            };
            left -= 1;
            let header = |name: &str| {
                let value = letter.headers.get(name);
                value.map(ToString::to_string).unwrap_or_default()
            };
            let letter = Letter {
                sequence,
                id: header("Nats-Msg-Id"),
                reason: header("Polyproc-Reason"),
                queue: header("Polyproc-Queue"),
                host: header("Polyproc-Host"),
                length: letter.payload.len(),
                text: String::from_utf8_lossy(&letter.payload).into_owned(),
            };
            let text = match self.json {
                true => serde_json::to_string(&letter)? + "\n",
                false => letter.text(),
            };
            streams::print(text.as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A dead letter. The fields are those of `--json`.
#[derive(Serialize)]
struct Letter {
    sequence: u64,
    id: String,
    reason: String,
    queue: String,
    host: String,
    length: usize,
    text: String,
}

impl Letter {
    fn text(&self) -> String {
        let Letter {
            sequence,
            reason,
            host,
            ..
        } = self;
        let text = view::short(&self.text.escape_debug().to_string(), 60);
        format!("{sequence}  {host}: {reason}\n    {text}\n")
    }
}

impl Numbers {
    /// It may fail for a while: when the server is away, or the servers choose a leader.
    pub async fn read(context: &Context, target: &Target) -> Result<Numbers, Attempt> {
        let get = |name: String| async move {
            context.get_stream(&name).await.map_err(|error| {
                let missing = format!("{name}: no such stream");
                Attempt::to_find(is_missing(&error), &missing, format!("{name}: {error}"))
            })
        };
        let stream = get(target.stream.clone()).await?;
        let dead = get(target.dead_stream()).await?;
        let consumer = stream.consumer_info(CONSUMER).await;
        let consumer = consumer.map_err(|error| {
            let missing = format!("{}: no such consumer: {CONSUMER}", target.stream);
            let is_missing = error.kind() == ConsumerInfoErrorKind::NotFound;
            Attempt::to_find(is_missing, &missing, error)
        })?;
        let info = stream.cached_info();
        Ok(Numbers {
            stream: target.stream.clone(),
            messages: info.state.messages,
            bytes: info.state.bytes,
            max_messages: info.config.max_messages,
            max_bytes: info.config.max_bytes,
            waiting: consumer.num_pending,
            in_flight: consumer.num_ack_pending,
            redelivered: consumer.num_redelivered,
            dead_letters: dead.cached_info().state.messages,
            replicas: info.config.num_replicas,
            leader: info
                .cluster
                .as_ref()
                .and_then(|cluster| cluster.leader.clone()),
        })
    }

    fn text(&self) -> String {
        let Numbers {
            stream,
            waiting,
            in_flight,
            redelivered,
            dead_letters,
            ..
        } = self;
        let leader = self.leader.as_ref().map(|name| format!(", led by {name}"));
        format!(
            "{stream}\n\n  waiting       {waiting}\n  in flight     {in_flight}, {redelivered} of \
             them delivered again\n  dead letters  {dead_letters}\n  limits        {} messages, {}\n  \
             bytes         {}\n  replicas      {}{}\n",
            self.max_messages,
            view::size(self.max_bytes.try_into().unwrap_or(0)),
            view::size(self.bytes),
            self.replicas,
            leader.unwrap_or_default(),
        )
    }
}

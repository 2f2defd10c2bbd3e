//! `polyproc bridge setup`

use std::process::ExitCode;
use std::time::Duration;

use async_nats::jetstream::consumer::{pull, AckPolicy};
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind};
use async_nats::jetstream::stream::{
    Config, ConsumerErrorKind, DiscardPolicy, RetentionPolicy, StorageType,
};
use async_nats::jetstream::{Context, ErrorCode};
use clap::{Args, ValueEnum};

use super::connect::Credentials;
use super::target::{Target, CONSUMER};
use crate::failure::{Failure, Outcome, ERROR};
use crate::span;
use crate::streams;

/// Make the stream, the stream of its dead letters, and the consumer of the bridges.
///
/// An existing stream or consumer stays as it is. If it differs, the command says how, and exits
/// with 1.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc bridge setup nats://127.0.0.1/JOBS
  polyproc bridge setup nats://a,b,c/JOBS --replicas 3 --max-messages 100000")]
pub struct Setup {
    #[arg(value_name = "nats://HOST/STREAM")]
    target: Target,
    /// How many servers have each message
    #[arg(long, value_name = "N", default_value = "1")]
    replicas: Replicas,
    /// How many messages the stream may have; `out` waits while it is full
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    max_messages: i64,
    /// How many bytes the stream may have
    #[arg(long, value_name = "N", default_value_t = 1 << 30)]
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    max_bytes: i64,
    /// After so long without a sign of a message's bridge it is delivered to another one
    #[arg(long, value_name = "TIME", value_parser = span::duration, default_value = "30s")]
    ack_wait: Duration,
    /// How long the stream remembers the ids of messages, at least 2m: what is published twice
    /// within it is stored once
    #[arg(long, value_name = "TIME", value_parser = window, default_value = "2m")]
    duplicate_window: Duration,
    /// Where the messages are
    #[arg(long, value_name = "WHERE", default_value = "file")]
    storage: Storage,
    #[command(flatten)]
    credentials: Credentials,
}

#[derive(Clone, Copy, ValueEnum)]
enum Storage {
    File,
    /// Lost when the server ends, unless there are replicas
    Memory,
}

/// Two servers cannot choose a leader when one of them is lost.
#[derive(Clone, Copy, ValueEnum)]
enum Replicas {
    #[value(name = "1")]
    One = 1,
    #[value(name = "3")]
    Three = 3,
}

/// A bridge that was cut off, or its successor, publishes again what it got no answer for. The
/// server must remember those ids until then.
const SHORTEST_WINDOW: Duration = Duration::from_secs(120);

fn window(text: &str) -> Result<Duration, String> {
    let window = span::duration(text)?;
    match window < SHORTEST_WINDOW {
        true => Err("it is at least 2m, so that a bridge that was away can publish again".into()),
        false => Ok(window),
    }
}

impl Setup {
    pub async fn run(self) -> Outcome {
        let context = self.credentials.connect(&self.target).await?;
        let mut report = Report::default();
        for config in [self.stream(), self.dead_stream()] {
            let made = stream(&context, &config, &mut report).await;
            made.map_err(|failure| failure.about(&config.name))?;
        }
        let made = consumer(&context, &self.target.stream, &self.consumer(), &mut report).await;
        made.map_err(|failure| failure.about(CONSUMER))?;
        streams::print(report.text.as_bytes())?;
        match report.differs {
            true => Err(Failure::silent(ERROR)),
            false => Ok(ExitCode::SUCCESS),
        }
    }

    /// A message stays until its acknowledgement, and a full stream refuses new ones.
    fn stream(&self) -> Config {
        Config {
            name: self.target.stream.clone(),
            subjects: vec![self.target.subject()],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_messages: self.max_messages,
            max_bytes: self.max_bytes,
            duplicate_window: self.duplicate_window,
            storage: match self.storage {
                Storage::File => StorageType::File,
                Storage::Memory => StorageType::Memory,
            },
            num_replicas: self.replicas as usize,
            description: Some("polyproc bridge".into()),
            ..Config::default()
        }
    }

    /// Dead letters stay until somebody removes them, and are not replaced by later ones.
    fn dead_stream(&self) -> Config {
        Config {
            name: self.target.dead_stream(),
            subjects: vec![self.target.dead_subject()],
            retention: RetentionPolicy::Limits,
            description: Some("polyproc bridge: dead letters".into()),
            ..self.stream()
        }
    }

    fn consumer(&self) -> pull::Config {
        pull::Config {
            durable_name: Some(CONSUMER.into()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            // A message that fails is a dead letter of the queue that delivered it.
            max_deliver: -1,
            // Each bridge bounds how many messages it has.
            max_ack_pending: -1,
            ..pull::Config::default()
        }
    }
}

#[derive(Default)]
struct Report {
    text: String,
    differs: bool,
}

impl Report {
    fn made(&mut self, what: &str) {
        self.text += &format!("{what}: made\n");
    }

    /// Compares what is there with what was asked for.
    fn compare(&mut self, what: &str, fields: &[(&str, String, String)]) {
        let mut is_same = true;
        for (field, is, asked) in fields.iter().filter(|(_, is, asked)| is != asked) {
            self.text += &format!("{what}: {field} is {is}, asked for as {asked}\n");
            is_same = false;
        }
        if is_same {
            self.text += &format!("{what}: there\n");
        }
        self.differs |= !is_same;
    }
}

/// Whether a stream is not there, as against not to be reached.
pub fn is_missing(error: &GetStreamError) -> bool {
    match error.kind() {
        GetStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NOT_FOUND,
        _ => false,
    }
}

async fn stream(context: &Context, asked: &Config, report: &mut Report) -> Result<(), Failure> {
    let found = match context.get_stream(&asked.name).await {
        Ok(stream) => stream.cached_info().config.clone(),
        Err(error) if is_missing(&error) => {
            context
                .create_stream(asked)
                .await
                .map_err(Failure::remote)?;
            report.made(&asked.name);
            return Ok(());
        }
        Err(error) => return Err(Failure::remote(error)),
    };
    let fields = |config: &Config| {
        let window = humantime::format_duration(config.duplicate_window).to_string();
        [
            ("subjects", config.subjects.join(" ")),
            ("retention", format!("{:?}", config.retention)),
            ("discard", format!("{:?}", config.discard)),
            ("max-messages", config.max_messages.to_string()),
            ("max-bytes", config.max_bytes.to_string()),
            ("duplicate-window", window),
            ("storage", format!("{:?}", config.storage)),
            ("replicas", config.num_replicas.to_string()),
            (
                "max age",
                humantime::format_duration(config.max_age).to_string(),
            ),
        ]
    };
    compare(report, &asked.name, fields(&found), fields(asked));
    Ok(())
}

async fn consumer(
    context: &Context,
    stream: &str,
    asked: &pull::Config,
    report: &mut Report,
) -> Result<(), Failure> {
    let what = format!("{stream}: consumer {CONSUMER}");
    let found = context.get_consumer_from_stream::<pull::Config, _, _>(CONSUMER, stream);
    let found = match found.await {
        Ok(consumer) => consumer.cached_info().config.clone(),
        Err(error) if is_no_consumer(error.kind()) => {
            let made = context.create_consumer_on_stream(asked.clone(), stream);
            made.await.map_err(Failure::remote)?;
            report.made(&what);
            return Ok(());
        }
        Err(error) => return Err(Failure::remote(error)),
    };
    let fields = |policy: AckPolicy, wait, deliver: i64, pending: i64| {
        [
            ("acknowledgement", format!("{policy:?}")),
            ("ack-wait", humantime::format_duration(wait).to_string()),
            ("max deliver", deliver.to_string()),
            ("max ack pending", pending.to_string()),
        ]
    };
    let found = fields(
        found.ack_policy,
        found.ack_wait,
        found.max_deliver,
        found.max_ack_pending,
    );
    let asked = fields(
        asked.ack_policy,
        asked.ack_wait,
        asked.max_deliver,
        asked.max_ack_pending,
    );
    compare(report, &what, found, asked);
    Ok(())
}

/// Whether a consumer is not there, as against not to be reached.
pub fn is_no_consumer(kind: ConsumerErrorKind) -> bool {
    match kind {
        ConsumerErrorKind::JetStream(error) => {
            let code = error.error_code();
            code == ErrorCode::CONSUMER_NOT_FOUND || code == ErrorCode::STREAM_NOT_FOUND
        }
        _ => false,
    }
}

fn compare<const N: usize>(
    report: &mut Report,
    what: &str,
    found: [(&'static str, String); N],
    asked: [(&'static str, String); N],
) {
    let pairs = found.into_iter().zip(asked);
    let fields: Vec<_> = pairs
        .map(|((field, is), (_, asked))| (field, is, asked))
        .collect();
    report.compare(what, &fields);
}

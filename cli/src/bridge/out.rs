//! `polyproc bridge out QUEUE nats://HOST/STREAM`
//!
//! A message stays leased until the stream has it. So its id is published again after each failure,
//! by this process or, if this one is killed, by the next one; the server stores an id once.

use std::collections::VecDeque;
use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_nats::client::PublishErrorKind;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, HeaderMap, Message, StatusCode, Subject};
use clap::Args;
use polyproc::{AsyncQueue, OwnedMessage, Queue, Status, Wait};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{timeout, Instant};

use super::answers::{Answer, Answers};
use super::connect::{Attempt, Credentials, ANSWER};
use super::local;
use super::setup::is_missing;
use super::stop::Stop;
use super::target::Target;
use super::trouble::{at, Trouble};
use crate::failure::{Failure, Outcome};
use crate::queues::Create;

/// Publish the messages of a queue: each is done when the stream has it.
///
/// While the server is away or the stream is full, messages stay in the queue, and puts wait when
/// the queue is full. The command ends when the queue is shut down and empty. A signal ends it when
/// the messages that it has published are acknowledged.
#[derive(Args)]
#[command(after_help = "\
Example:
  polyproc bridge out jobs nats://127.0.0.1/JOBS")]
pub struct Out {
    queue: String,
    #[arg(value_name = "nats://HOST/STREAM")]
    target: Target,
    /// How many messages are on their way at the same time
    #[arg(long, value_name = "N", default_value_t = 512)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    window: u16,
    #[command(flatten)]
    create: Create,
    #[command(flatten)]
    credentials: Credentials,
}

/// A message that cannot be published as it is. It is kept for a pause and given back, so that the
/// queue's limit of deliveries makes it a dead letter.
struct Refused {
    message: OwnedMessage,
    due: Instant,
}

/// Why a message is not stored.
struct NotStored {
    why: String,
    /// The message can never be published as it is.
    is_permanent: bool,
}

/// The answer to a publication.
#[derive(Deserialize)]
struct Stored {
    error: Option<jetstream::Error>,
    /// The message's number in the stream.
    seq: Option<u64>,
}

struct Flow {
    messages: AsyncQueue,
    client: Client,
    connections: watch::Receiver<u64>,
    subject: Subject,
    /// The queue's identity.
    prefix: String,
    window: usize,
    /// To be published, in their order.
    waiting: VecDeque<OwnedMessage>,
    published: Answers<OwnedMessage>,
    /// Not stored, with the numbers of their publications; published again after a pause.
    failed: Vec<(u64, OwnedMessage)>,
    refused: Vec<Refused>,
    /// How many are published at the same time: one after a failure.
    limit: usize,
    trouble: Trouble,
    /// No message is published before.
    resume: Option<Instant>,
    /// Whether the queue is shut down and empty.
    is_over: bool,
}

impl Out {
    pub async fn run(self) -> Outcome {
        let mut stop = Stop::new()?;
        let queue = Arc::new(self.create.open(&self.queue)?);
        let stream = &self.target.stream;
        let find = |context: Context| async move {
            let found = context.get_stream(stream).await;
            found.map_err(|error| {
                let missing = "no such stream; `polyproc bridge setup` makes it";
                Attempt::to_find(is_missing(&error), missing, error)
            })
        };
        let reached = self.credentials.reach(&self.target, &mut stop, find);
        let Some((link, _)) = reached.await? else {
            return Ok(ExitCode::SUCCESS);
        };
        let client = link.context.client();
        let mut flow = Flow {
            prefix: local::identity(&queue)?,
            messages: AsyncQueue::new(queue)?,
            subject: self.target.subject().into(),
            window: self.window.into(),
            waiting: VecDeque::new(),
            published: Answers::new(&client).await?,
            failed: Vec::new(),
            refused: Vec::new(),
            limit: self.window.into(),
            trouble: Trouble::new(stream),
            resume: None,
            is_over: false,
            client,
            connections: link.connections,
        };
        flow.run(&mut stop)
            .await
            .map_err(|failure| failure.about(&self.queue))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Flow {
    /// Messages that are not stored when this returns go back to the queue.
    async fn run(&mut self, stop: &mut Stop) -> Result<(), Failure> {
        loop {
            if self.resume.is_none() {
                self.publish().await;
            }
            let is_idle = self.waiting.is_empty() && self.published.is_empty();
            if is_idle && self.failed.is_empty() && self.is_over && self.refused.is_empty() {
                return Ok(());
            }
            if stop.is_now() || (stop.is_ending() && self.published.is_empty()) {
                return Ok(());
            }
            let takes = !self.is_over
                && !stop.is_ending()
                && self.resume.is_none()
                && self.waiting.is_empty()
                && self.published.len() < self.limit;
            let wake = self
                .resume
                .into_iter()
                .chain(self.refused.iter().map(|one| one.due))
                .min();
            tokio::select! {
                biased;
                () = stop.asked() => {}
                Ok(()) = self.connections.changed() => self.is_connected_again(),
                answer = self.published.next() => self.learn(answer)?,
                taken = self.messages.take(), if takes => self.took(taken).await?,
                () = at(wake), if wake.is_some() => self.wake()?,
            }
        }
    }

    /// Publishes what waits, as far as the limit allows.
    async fn publish(&mut self) {
        while self.published.len() < self.limit && self.resume.is_none() {
            let Some(message) = self.waiting.pop_front() else {
                return;
            };
            match self.send(&message).await {
                Ok(()) => self.published.expect(message),
                Err(error) => self.failed(self.published.next_number(), message, error),
            }
        }
    }

    async fn send(&self, message: &OwnedMessage) -> Result<(), NotStored> {
        let id = format!("{}.{}", self.prefix, message.id());
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, id);
        let (subject, answer) = (self.subject.clone(), self.published.subject());
        let payload = message.to_vec().into();
        let sent = self
            .client
            .publish_with_reply_and_headers(subject, answer, headers, payload);
        match timeout(ANSWER, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(NotStored {
                is_permanent: error.kind() == PublishErrorKind::MaxPayloadExceeded,
                why: error.to_string(),
            }),
            Err(_) => Err(NotStored::for_now("not sent in time")),
        }
    }

    /// Deals with an answer, and with those behind it that are there.
    fn learn(&mut self, mut answer: Answer<OwnedMessage>) -> Result<(), Failure> {
        let mut stored = Vec::new();
        loop {
            match is_stored(answer.message.as_ref()) {
                Ok(()) => stored.push(answer.of),
                Err(error) => self.failed(answer.number, answer.of, error),
            }
            match self.published.at_hand() {
                Some(next) => answer = next,
                None => break,
            }
        }
        if !stored.is_empty() {
            OwnedMessage::done_many(stored)?;
            if self.failed.is_empty() {
                self.trouble.is_over();
                self.limit = self.window;
            }
        }
        self.retry();
        Ok(())
    }

    /// No answers come on a new connection to what was published on the last one: all of it is
    /// published again.
    fn is_connected_again(&mut self) {
        self.failed.extend(self.published.expect_none());
        self.resume = None;
        self.retry();
    }

    fn failed(&mut self, number: u64, message: OwnedMessage, error: NotStored) {
        let NotStored { why, is_permanent } = error;
        if !is_permanent {
            self.fails_for_now(number, message, why);
            return;
        }
        let (id, size) = (message.id(), message.len());
        eprintln!("polyproc: message {id} of {size} bytes goes back to its queue: {why}");
        let due = Instant::now() + Duration::from_secs(u64::from(message.deliveries()).min(10));
        self.refused.push(Refused { message, due });
    }

    /// After a failure the other published messages are waited for; then, after a pause, the failed
    /// ones are published again, before all others.
    fn fails_for_now(&mut self, number: u64, message: OwnedMessage, why: String) {
        if self.failed.is_empty() {
            let pause = self.trouble.pause(why);
            self.resume = Some(Instant::now() + pause);
            self.limit = 1;
        }
        self.failed.push((number, message));
        self.retry();
    }

    fn retry(&mut self) {
        if self.published.is_empty() && !self.failed.is_empty() {
            self.failed.sort_by_key(|(number, _)| *number);
            let failed = self.failed.drain(..).rev().map(|(_, message)| message);
            failed.for_each(|message| self.waiting.push_front(message));
        }
    }

    async fn took(&mut self, taken: Result<OwnedMessage, Status>) -> Result<(), Failure> {
        match taken {
            Ok(message) => self.waiting.push_back(message),
            Err(Status::E_SHUTDOWN) => {
                self.is_over = true;
                return Ok(());
            }
            // A stopped process holds a lock.
            Err(Status::E_TIMEOUT) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                return Ok(());
            }
            Err(other) => return Err(other.into()),
        }
        let more = self.limit - self.published.len() - 1;
        if more > 0 {
            let queue: &Arc<Queue> = self.messages.queue();
            if let Ok(messages) = queue.take_many_owned_timeout(more, Wait::TRY) {
                self.waiting.extend(messages);
            }
        }
        Ok(())
    }

    fn wake(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        self.resume = self.resume.filter(|resume| *resume > now);
        while let Some(place) = self.refused.iter().position(|one| one.due <= now) {
            self.refused.remove(place).message.give_back()?;
            // It may come again: the queue is not over.
            self.is_over = false;
        }
        Ok(())
    }
}

impl NotStored {
    fn for_now(why: impl Display) -> NotStored {
        NotStored {
            why: why.to_string(),
            is_permanent: false,
        }
    }
}

/// Whether the stream has a message, according to the server's answer.
fn is_stored(answer: Option<&Message>) -> Result<(), NotStored> {
    let answer = answer.ok_or_else(|| NotStored::for_now("no answer from the server"))?;
    if answer.status == Some(StatusCode::NO_RESPONDERS) {
        return Err(NotStored::for_now("no stream has this subject"));
    }
    match serde_json::from_slice(&answer.payload) {
        Ok(Stored {
            error: None,
            seq: Some(_),
        }) => Ok(()),
        Ok(Stored {
            error: Some(error), ..
        }) => Err(NotStored {
            is_permanent: error.error_code() == ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM,
            why: error.to_string(),
        }),
        Ok(_) => Err(NotStored::for_now("an answer without a number")),
        Err(error) => Err(NotStored::for_now(error)),
    }
}

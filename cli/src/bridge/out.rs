//! `polyproc bridge out QUEUE nats://HOST/STREAM`
//!
//! A message stays leased until the stream has it. So its id is published again after each failure,
//! by this process or, if this one is killed, by the next one; the server stores an id once.

use std::collections::VecDeque;
use std::fmt::Display;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::Subject;
use clap::Args;
use futures_util::FutureExt;
use polyproc::{AsyncQueue, OwnedMessage, Queue, Status, Wait};
use tokio::sync::watch;
use tokio::time::{timeout_at, Instant};

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

type Acknowledgement = Pin<Box<dyn Future<Output = Result<PublishAck, PublishError>> + Send>>;

/// A message that was published and is not acknowledged.
struct Published {
    message: OwnedMessage,
    answer: Acknowledgement,
    /// From then on no answer is expected. The client counts only from when it is asked for the answer,
    /// which is when those before this one have come.
    deadline: Instant,
}

/// A message that cannot be published as it is. It is kept for a pause and given back, so that the
/// queue's limit of deliveries makes it a dead letter.
struct Refused {
    message: OwnedMessage,
    due: Instant,
}

/// The server's answer about the oldest published message.
enum News {
    Stored,
    Failed(PublishError),
    /// The server has not answered in time.
    Missing,
}

struct Flow {
    messages: AsyncQueue,
    context: Context,
    connections: watch::Receiver<u64>,
    subject: Subject,
    /// The queue's identity.
    prefix: String,
    window: usize,
    /// To be published, in their order.
    waiting: VecDeque<OwnedMessage>,
    /// In their order.
    published: VecDeque<Published>,
    /// Not stored, in their order; published again after a pause.
    failed: VecDeque<OwnedMessage>,
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
        let mut flow = Flow {
            prefix: local::identity(&queue)?,
            messages: AsyncQueue::new(queue)?,
            subject: self.target.subject().into(),
            window: self.window.into(),
            waiting: VecDeque::new(),
            published: VecDeque::new(),
            failed: VecDeque::new(),
            refused: Vec::new(),
            limit: self.window.into(),
            trouble: Trouble::new(stream),
            resume: None,
            is_over: false,
            context: link.context,
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
                news = news(&mut self.published), if !self.published.is_empty() => self.learn(news)?,
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
            let publish = PublishMessage::build()
                .message_id(format!("{}.{}", self.prefix, message.id()))
                .payload(message.to_vec().into());
            match self
                .context
                .send_publish(self.subject.clone(), publish)
                .await
            {
                Ok(stored) => self.published.push_back(Published {
                    message,
                    answer: stored.into_future(),
                    deadline: Instant::now() + ANSWER,
                }),
                Err(error) => self.failed(message, &error),
            }
        }
    }

    /// Deals with the oldest published message, and with those behind it whose answers are there.
    fn learn(&mut self, mut news: News) -> Result<(), Failure> {
        let mut stored = Vec::new();
        while let Some(Published { message, .. }) = self.published.pop_front() {
            match news {
                News::Stored => stored.push(message),
                News::Failed(error) => self.failed(message, &error),
                News::Missing => self.fails_for_now(message, "no answer from the server"),
            }
            match self::news(&mut self.published).now_or_never() {
                Some(next) => news = next,
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
        let unanswered = self.published.drain(..).map(|one| one.message);
        self.failed.extend(unanswered);
        self.resume = None;
        self.retry();
    }

    fn failed(&mut self, message: OwnedMessage, error: &PublishError) {
        if !is_permanent(error) {
            self.fails_for_now(message, error);
            return;
        }
        let (id, size) = (message.id(), message.len());
        eprintln!("polyproc: message {id} of {size} bytes goes back to its queue: {error}");
        let due = Instant::now() + Duration::from_secs(u64::from(message.deliveries()).min(10));
        self.refused.push(Refused { message, due });
    }

    /// After a failure the other published messages are waited for; then, after a pause, the failed
    /// ones are published again, before all others.
    fn fails_for_now(&mut self, message: OwnedMessage, why: impl Display) {
        if self.failed.is_empty() {
            let pause = self.trouble.pause(why);
            self.resume = Some(Instant::now() + pause);
            self.limit = 1;
        }
        self.failed.push_back(message);
        self.retry();
    }

    fn retry(&mut self) {
        if self.published.is_empty() && !self.failed.is_empty() {
            self.failed.append(&mut self.waiting);
            std::mem::swap(&mut self.failed, &mut self.waiting);
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

/// Whether a message can never be published as it is.
fn is_permanent(error: &PublishError) -> bool {
    use std::error::Error;
    let told = error
        .source()
        .and_then(|source| source.downcast_ref::<jetstream::Error>());
    error.kind() == PublishErrorKind::MaxPayloadExceeded
        || told.is_some_and(|told| told.error_code() == ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM)
}

/// Waits until the server has answered for the oldest published message, which stays where it is.
async fn news(published: &mut VecDeque<Published>) -> News {
    match published.front_mut() {
        Some(oldest) => match timeout_at(oldest.deadline, &mut oldest.answer).await {
            Ok(Ok(_)) => News::Stored,
            Ok(Err(error)) => News::Failed(error),
            Err(_) => News::Missing,
        },
        None => std::future::pending().await,
    }
}

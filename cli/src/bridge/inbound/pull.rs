//! Requests for messages. Each one asks for a number of messages, and the server answers it until
//! it has sent so many or the request is too old. All answers come to one inbox, so in the order in
//! which the server has sent them.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::{BatchConfig, Config};
use async_nats::jetstream::consumer::Consumer;
use async_nats::jetstream::Context;
use async_nats::{Message, StatusCode, Subject, Subscriber};
use futures_util::{FutureExt, StreamExt};
use tokio::time::{sleep_until, Instant};

use crate::failure::Failure;

/// How long the server keeps a request.
const AGE: Duration = Duration::from_secs(1);
/// When no answer has come for that long, none is expected any more: the connection was made anew,
/// for example.
const DEADLINE: Duration = Duration::from_millis(1500);
/// The most that one request asks for.
const MOST: usize = 256;

pub enum Answer {
    Message(Box<Message>),
    /// A request has ended.
    Over,
    Failed(String),
}

pub struct Pulls {
    consumer: Consumer<Config>,
    inbox: Subject,
    answers: Subscriber,
    /// How many messages may still come. More may come than that: those that were not expected any
    /// more. They are taken in, or the server would deliver them again only after the ack-wait.
    expected: usize,
    deadline: Instant,
}

impl Pulls {
    pub async fn new(context: &Context, consumer: Consumer<Config>) -> Result<Pulls, Failure> {
        let inbox = Subject::from(context.client().new_inbox());
        let answers = context.client().subscribe(inbox.clone()).await;
        Ok(Pulls {
            answers: answers.map_err(Failure::remote)?,
            consumer,
            inbox,
            expected: 0,
            deadline: Instant::now(),
        })
    }

    /// How many messages may still come.
    pub fn expected(&self) -> usize {
        self.expected
    }

    /// Asks for up to `room` messages in all. A request for a few is made only when no other is
    /// open, or each message would cost one.
    pub async fn ask(&mut self, room: usize) -> Result<(), String> {
        let more = room.saturating_sub(self.expected).min(MOST);
        if more == 0 || (self.expected > 0 && more < MOST.min(room / 2)) {
            return Ok(());
        }
        let request = BatchConfig {
            batch: more,
            expires: Some(AGE),
            ..BatchConfig::default()
        };
        let asked = self.consumer.request_batch(request, self.inbox.clone());
        asked.await.map_err(|error| error.to_string())?;
        self.expected += more;
        self.deadline = Instant::now() + DEADLINE;
        Ok(())
    }

    /// Waits for the next answer. `None`: the connection is closed.
    pub async fn next(&mut self) -> Option<Answer> {
        tokio::select! {
            biased;
            answer = self.answers.next() => {
                self.deadline = Instant::now() + DEADLINE;
                Some(self.learn(answer?))
            }
            () = sleep_until(self.deadline), if self.is_open() => {
                self.expected = 0;
                Some(Answer::Over)
            }
        }
    }

    /// The next answer, if one is there.
    pub fn at_hand(&mut self) -> Option<Answer> {
        let message = self.answers.next().now_or_never()??;
        Some(self.learn(message))
    }

    fn learn(&mut self, message: Message) -> Answer {
        let (answer, fewer) = match message.status {
            None | Some(StatusCode::OK) => (Answer::Message(Box::new(message)), 1),
            Some(StatusCode::IDLE_HEARTBEAT) => (Answer::Over, 0),
            // It has sent less than was asked for.
            Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => {
                (Answer::Over, left_of(&message).unwrap_or(0))
            }
            Some(status) => {
                let why = message.description.as_deref().unwrap_or("no messages");
                let answer = Answer::Failed(format!("{why} ({status})"));
                (answer, left_of(&message).unwrap_or(self.expected))
            }
        };
        self.expected = self.expected.saturating_sub(fewer);
        answer
    }

    /// No answers are expected any more to what was asked.
    pub fn expect_none(&mut self) {
        self.expected = 0;
    }

    /// Whether messages are expected.
    pub fn is_open(&self) -> bool {
        self.expected > 0
    }
}

/// How many of the messages that were asked for do not come, at the end of a request.
fn left_of(end: &Message) -> Option<usize> {
    let headers = end.headers.as_ref()?;
    headers.get("Nats-Pending-Messages")?.as_str().parse().ok()
}

//! Requests for messages. Each one asks for a number of messages, and the server answers it until
//! it has sent so many or the request is too old.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::consumer::{pull, Consumer};
use async_nats::jetstream::Message;
use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::StreamExt;
use tokio::time::{timeout_at, Instant};

/// How long the server keeps a request.
const AGE: Duration = Duration::from_secs(1);
/// After that long the answer to a request has not come: the connection was made anew, for example.
const DEADLINE: Duration = Duration::from_millis(1500);
/// The most that one request asks for.
const MOST: usize = 256;

pub enum Answer {
    Message(Box<Message>),
    /// The request has ended.
    Over,
    Failed(String),
}

pub struct Pulls {
    consumer: Consumer<pull::Config>,
    answers: SelectAll<BoxStream<'static, (u64, Answer)>>,
    /// How many messages each request may still bring.
    open: HashMap<u64, usize>,
    last: u64,
}

impl Pulls {
    pub fn new(consumer: Consumer<pull::Config>) -> Pulls {
        Pulls {
            consumer,
            answers: SelectAll::new(),
            open: HashMap::new(),
            last: 0,
        }
    }

    /// How many messages may still come.
    pub fn expected(&self) -> usize {
        self.open.values().sum()
    }

    /// Asks for up to `room` messages in all. A request for a few is made only when no other is
    /// open, or each message would cost one.
    pub async fn ask(&mut self, room: usize) -> Result<(), String> {
        let expected = self.expected();
        let more = room.saturating_sub(expected).min(MOST);
        if more == 0 || (expected > 0 && more < MOST.min(room / 2)) {
            return Ok(());
        }
        let batch = self
            .consumer
            .batch()
            .max_messages(more)
            .expires(AGE)
            .messages();
        let batch = batch.await.map_err(|error| error.to_string())?;
        self.last += 1;
        let (id, deadline) = (self.last, Instant::now() + DEADLINE);
        self.open.insert(id, more);
        let answers = stream::unfold(Some(batch), move |batch| async move {
            let mut batch = batch?;
            Some(match timeout_at(deadline, batch.next()).await {
                Ok(Some(Ok(message))) => ((id, Answer::Message(Box::new(message))), Some(batch)),
                Ok(Some(Err(error))) => ((id, Answer::Failed(error.to_string())), None),
                Ok(None) | Err(_) => ((id, Answer::Over), None),
            })
        });
        self.answers.push(answers.boxed());
        Ok(())
    }

    /// Waits for the next answer. `None`: nothing was asked for.
    pub async fn next(&mut self) -> Option<Answer> {
        let (id, answer) = self.answers.next().await?;
        match &answer {
            Answer::Message(_) => {
                if let Some(left) = self.open.get_mut(&id) {
                    *left = left.saturating_sub(1);
                }
            }
            Answer::Over | Answer::Failed(_) => {
                self.open.remove(&id);
            }
        }
        Some(answer)
    }

    /// No answers come any more to what was asked.
    pub fn forget(&mut self) {
        self.answers.clear();
        self.open.clear();
    }

    pub fn is_open(&self) -> bool {
        !self.answers.is_empty()
    }
}

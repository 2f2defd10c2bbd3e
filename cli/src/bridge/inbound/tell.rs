//! Telling the server what became of a message, until it has answered.

use std::sync::Arc;

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::Context;
use async_nats::{Client, HeaderMap, Message, Request, Subject};
use futures_util::future::BoxFuture;
use futures_util::FutureExt;

use super::held::Key;
use crate::bridge::connect::ANSWER;
use crate::bridge::target::Target;

pub const DONE: &str = "+ACK";
pub const BACK: &str = "-NAK";
pub const IN_PROGRESS: &str = "+WPI";

/// A dead letter on its way to its stream, after which the server is told the end of the message.
pub type Telling = BoxFuture<'static, (Key, Result<(), String>)>;

/// The parts that the answer of a dead letter needs.
pub struct Teller {
    pub client: Client,
    context: Context,
    target: Target,
    queue: String,
}

impl Teller {
    pub fn new(context: Context, target: Target, queue: String) -> Arc<Teller> {
        Arc::new(Teller {
            client: context.client(),
            context,
            target,
            queue,
        })
    }

    /// Stores a dead letter in its stream, then tells the server the end of the message.
    pub fn tell_dead(self: &Arc<Self>, key: Key, message: &Message, reason: &str) -> Telling {
        let teller = Arc::clone(self);
        let (message, reason) = (message.clone(), reason.to_owned());
        let told = async move {
            teller.bury(key, &message, &reason).await?;
            let text = format!("+TERM {reason}");
            teller.confirm(message.reply, text).await
        };
        told.map(move |told| (key, told)).boxed()
    }

    async fn confirm(&self, reply: Option<Subject>, text: String) -> Result<(), String> {
        let reply = reply.ok_or("no reply subject")?;
        let request = Request::new().payload(text.into()).timeout(Some(ANSWER));
        let answer = self.client.send_request(reply, request).await;
        answer.map(drop).map_err(|error| error.to_string())
    }

    /// Stores a dead letter with its reason. Its id is that of the message, so that it is stored
    /// once.
    async fn bury(&self, key: Key, message: &Message, reason: &str) -> Result<(), String> {
        let Teller {
            context,
            target,
            queue,
            ..
        } = self;
        let own = own_headers(message);
        let id = message.headers.as_ref();
        let id = id.and_then(|headers| headers.get("Nats-Msg-Id"));
        let of_stream = || format!("{}.{}.{}", target.stream, key.sequence, key.published);
        let letter_id = id.map_or_else(of_stream, ToString::to_string);
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let mut headers = own.clone();
        headers.insert("Polyproc-Reason", reason);
        headers.insert("Polyproc-Queue", queue.as_str());
        headers.insert("Polyproc-Host", host.trim());
        let letter = PublishMessage::build().headers(headers);
        let letter = letter.message_id(&letter_id);
        let letter = letter.payload(message.payload.clone());
        let stored = match store(context, target, letter).await {
            // The message alone is not too large, or it would not have been published.
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                let stream = target.dead_stream();
                eprintln!(
                    "polyproc: {stream}: {letter_id} is stored without its reason: {reason} ({error})"
                );
                let mut letter = PublishMessage::build().payload(message.payload.clone());
                if !own.is_empty() {
                    letter = letter.headers(own);
                }
                if let Some(id) = id {
                    letter = letter.message_id(id);
                }
                store(context, target, letter).await
            }
            stored => stored,
        };
        stored.map_err(|error| format!("{}: {error}", target.dead_stream()))
    }
}

/// The headers that the message was published with, except those that the server reads: some belong
/// to the first publication alone.
fn own_headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let all = message.headers.iter().flat_map(HeaderMap::iter);
    for (name, values) in all.filter(|(name, _)| !name.to_string().starts_with("Nats-")) {
        for value in values {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

async fn store(
    context: &Context,
    target: &Target,
    letter: PublishMessage,
) -> Result<(), PublishError> {
    let stored = context.send_publish(target.dead_subject(), letter).await?;
    stored.await.map(drop)
}

//! Telling the server what became of a message, until it has answered.

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::Context;
use async_nats::{HeaderMap, Message, Request};

use super::held::{End, Key};
use crate::bridge::connect::ANSWER;
use crate::bridge::target::Target;

pub const DONE: &str = "+ACK";
const BACK: &str = "-NAK";
pub const IN_PROGRESS: &str = "+WPI";

/// Tells the server the end of a message. A dead letter is stored in its stream before.
pub async fn tell(
    context: Context,
    target: Target,
    queue: String,
    key: Key,
    message: Message,
    end: End,
) -> (Key, Result<(), String>) {
    let told = async {
        let text = match &end {
            End::Done => DONE.into(),
            End::Back => BACK.into(),
            End::Dead { reason, .. } => {
                bury(&context, &target, &queue, key, &message, reason).await?;
                format!("+TERM {reason}")
            }
        };
        let reply = message.reply.ok_or("no reply subject")?;
        let request = Request::new().payload(text.into()).timeout(Some(ANSWER));
        let answer = context.client().send_request(reply, request).await;
        answer.map(drop).map_err(|error| error.to_string())
    };
    (key, told.await)
}

/// Stores a dead letter with its reason. Its id is that of the message, so that it is stored once.
async fn bury(
    context: &Context,
    target: &Target,
    queue: &str,
    key: Key,
    message: &Message,
    reason: &str,
) -> Result<(), String> {
    let own = own_headers(message);
    let id = message.headers.as_ref();
    let id = id.and_then(|headers| headers.get("Nats-Msg-Id"));
    let of_stream = || format!("{}.{}.{}", target.stream, key.sequence, key.published);
    let letter_id = id.map_or_else(of_stream, ToString::to_string);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let mut headers = own.clone();
    headers.insert("Polyproc-Reason", reason);
    headers.insert("Polyproc-Queue", queue);
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

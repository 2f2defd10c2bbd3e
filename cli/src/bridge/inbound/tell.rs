//! Telling the server what became of a message, until it has answered.

use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::Context;
use async_nats::{HeaderMap, Message, Request};

use super::held::{End, Key};
use crate::bridge::target::Target;

const ANSWER: Duration = Duration::from_secs(5);

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
    let mut headers = HeaderMap::new();
    let own = message.headers.iter().flat_map(HeaderMap::iter);
    // The server reads those of its own: some belong to the first publication alone.
    for (name, values) in own.filter(|(name, _)| !name.to_string().starts_with("Nats-")) {
        values
            .iter()
            .for_each(|value| headers.append(name.clone(), value.clone()));
    }
    let id = message
        .headers
        .as_ref()
        .and_then(|headers| headers.get("Nats-Msg-Id"));
    let of_stream = || format!("{}.{}.{}", target.stream, key.sequence, key.published);
    let id = id.map_or_else(of_stream, ToString::to_string);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    headers.insert("Polyproc-Reason", reason);
    headers.insert("Polyproc-Queue", queue);
    headers.insert("Polyproc-Host", host.trim());
    let letter = PublishMessage::build().headers(headers).message_id(id);
    let letter = letter.payload(message.payload.clone());
    let stored = context.send_publish(target.dead_subject(), letter).await;
    let stored = match stored {
        Ok(stored) => stored.await,
        Err(error) => Err(error),
    };
    stored
        .map(drop)
        .map_err(|error| format!("{}: {error}", target.dead_stream()))
}

//! A program without a queue: it publishes to a stream, or pulls from it. `make
//! bench-bridge` compares the bridges with it.
//!
//! ```text
//! plain_nats out SERVER STREAM COUNT SIZE
//! plain_nats in  SERVER STREAM COUNT
//! ```

use std::collections::VecDeque;
use std::error::Error;
use std::future::IntoFuture;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context};
use futures_util::StreamExt;

/// As many as a bridge has under way.
const WINDOW: usize = 512;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let connect = |server: &str| {
        let server = server.to_owned();
        async move { async_nats::connect(server).await.map(jetstream::new) }
    };
    match arguments[..] {
        [_, "out", server, stream, count, size] => {
            publish(
                connect(server).await?,
                stream,
                count.parse()?,
                size.parse()?,
            )
            .await
        }
        [_, "in", server, stream, count] => {
            consume(connect(server).await?, stream, count.parse()?).await
        }
        _ => Err("usage: plain_nats out|in SERVER STREAM COUNT [SIZE]".into()),
    }
}

/// Publishes messages with ids, `WINDOW` at a time, until all are stored.
async fn publish(
    context: Context,
    stream: &str,
    count: usize,
    size: usize,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut published = VecDeque::new();
    // As long as a queue's identity.
    let started = format!("{:032x}", std::process::id());
    for number in 0..count {
        if published.len() == WINDOW {
            if let Some(stored) = published.pop_front() {
                IntoFuture::into_future(stored).await?;
            }
        }
        let message = PublishMessage::build()
            .message_id(format!("{started}.{number}"))
            .payload(vec![b'x'; size].into());
        published.push_back(context.send_publish(stream.to_owned(), message).await?);
    }
    for stored in published {
        stored.await?;
    }
    Ok(())
}

/// Pulls messages, and acknowledges each until the server has answered, `WINDOW` at a time.
async fn consume(
    context: Context,
    stream: &str,
    count: usize,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let consumer = context.get_consumer_from_stream::<pull::Config, _, _>("polyproc", stream);
    let consumer = consumer.await?;
    let messages = consumer.stream().max_messages_per_batch(WINDOW).messages();
    let acknowledged = messages
        .await?
        .take(count)
        .for_each_concurrent(WINDOW, |message| async {
            match message {
                Ok(message) => message.double_ack().await.expect("an answer"),
                Err(error) => panic!("{error}"),
            }
        });
    acknowledged.await;
    Ok(())
}

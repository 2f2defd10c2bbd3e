//! Opening a queue, and the options with which `put` and `run` make one.

use std::borrow::Cow;

use clap::Args;
use polyproc::{inherited, CreateOptions, Kind, Queue, QueueOptions};

use crate::failure::{Failure, NO_SUCH_OBJECT, USAGE};

/// The queue of this name: the one that this process inherited, as a program of `polyproc run`
/// does, or the object with that name.
pub fn open(name: &str) -> Result<Queue, Failure> {
    let queue = match inherited(name, Kind::Queue) {
        Ok(descriptor) => Queue::from_fd(descriptor),
        Err(_) => Queue::open(name),
    };
    Ok(queue?)
}

/// Flags of a command that may make its queue.
#[derive(Args)]
pub struct Create {
    /// Make the queue if it does not exist. If it does, its options must be the same
    #[arg(long)]
    create: bool,
    /// Messages stay unfinished until they are done, and `polyproc join` waits for them
    #[arg(long, requires = "create")]
    joinable: bool,
    /// How many messages may wait; without it there is no limit
    #[arg(
        long,
        value_name = "N",
        requires = "create",
        allow_negative_numbers = true,
        default_value_t = 0,
        hide_default_value = true
    )]
    max_items: u64,
    /// How many bytes of messages there may be; without it there is no limit
    #[arg(
        long,
        value_name = "N",
        requires = "create",
        allow_negative_numbers = true,
        default_value_t = 0,
        hide_default_value = true
    )]
    max_bytes: u64,
    /// How often a message is delivered before it is a dead letter; without it there is no limit
    #[arg(
        long,
        value_name = "N",
        requires = "create",
        allow_negative_numbers = true,
        default_value_t = 0,
        hide_default_value = true
    )]
    max_deliveries: u32,
    /// What the messages are: `msgpack`, or a label of your own
    #[arg(long, value_name = "LABEL", requires = "create")]
    format: Option<String>,
}

impl Create {
    /// Opens the queue, or makes it if it may.
    pub fn open(&self, name: &str) -> Result<Queue, Failure> {
        if !self.create {
            return open(name).map_err(|failure| failure.hint(NO_SUCH_OBJECT, "--create makes it"));
        }
        let options = QueueOptions {
            create: CreateOptions::OPEN_OR_CREATE,
            joinable: self.joinable,
            max_items: self.max_items,
            max_bytes: self.max_bytes,
            max_deliveries: self.max_deliveries,
            format: label(self.format.as_deref().unwrap_or_default())?,
            ..QueueOptions::default()
        };
        Ok(Queue::create(Some(name), &options)?)
    }
}

/// The label of a queue: what its messages are.
pub fn format(options: &QueueOptions) -> Cow<'_, str> {
    let label = options.format.split(|byte| *byte == 0).next();
    String::from_utf8_lossy(label.unwrap_or_default())
}

/// A label of up to 31 bytes, as the library stores it.
pub fn label(text: &str) -> Result<[u8; 32], Failure> {
    let mut label = [0; 32];
    match label.get_mut(..text.len()) {
        Some(start) if text.len() < 32 => start.copy_from_slice(text.as_bytes()),
        _ => return Err(Failure::new(USAGE, "a format has at most 31 bytes")),
    }
    Ok(label)
}

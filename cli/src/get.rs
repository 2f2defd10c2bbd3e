//! `polyproc get NAME`

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use polyproc::{Message, Status, Wait};
use serde_json::{json, Value};

use crate::failure::{Failure, Outcome, NOTHING};
use crate::form::{clean_except, json_line, Form};
use crate::queues;
use crate::span;
use crate::streams;

/// Take messages from a queue and print them. A message is done once it has been written.
///
/// If no message is there, it waits for one, for ever without `--timeout`. With `--all` it exits
/// with 3 at once, as `polyproc take` does. Messages that could not be written go back to the queue.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc get letters
  polyproc get jobs --all --json
  polyproc get jobs -n 2 --timeout 5s")]
pub struct Get {
    name: String,
    /// So many messages
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1)]
    #[arg(conflicts_with_all = ["all", "follow"])]
    count: u64,
    /// All messages that are there, without waiting
    #[arg(long, conflicts_with = "follow")]
    all: bool,
    /// Messages until the queue is shut down
    #[arg(long)]
    follow: bool,
    /// How to show a message; without it as the queue's format says
    #[arg(long = "as", value_name = "FORM")]
    form: Option<Form>,
    /// Print an object a line: id, deliveries, length, and text, hex or value
    #[arg(long)]
    json: bool,
    /// End each message with a NUL instead of a newline
    #[arg(short = '0', long)]
    null: bool,
    /// How long to wait for each message: 5s, 1m; without it for ever
    #[arg(long, value_name = "TIME", value_parser = span::duration, allow_negative_numbers = true, conflicts_with = "all")]
    timeout: Option<Duration>,
}

/// How many messages are written at once.
const BATCH: u64 = 64;

impl Get {
    pub fn run(self) -> Outcome {
        let queue = queues::open(&self.name)?;
        let printer = self.printer(&queues::format(&queue.options()?));
        let mut out = BufWriter::new(streams::stdout()?);
        let mut left = match self.all || self.follow {
            true => u64::MAX,
            false => self.count,
        };
        let wait = match self.all {
            true => Wait::TRY,
            false => self.timeout.into(),
        };
        let mut has_got = false;
        while left > 0 {
            let messages = match queue.take_many_timeout(left.min(BATCH) as usize, wait) {
                Ok(messages) => messages,
                Err(status) => return self.end(status, has_got),
            };
            has_got = true;
            left -= messages.len() as u64;
            deliver(messages, &printer, &mut out)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn printer(&self, format: &str) -> Printer {
        Printer {
            form: self.form.unwrap_or_else(|| Form::of_label(format)),
            json: self.json,
            end: if self.null { b"\0" } else { b"\n" },
            is_terminal: io::stdout().is_terminal(),
        }
    }

    /// There are no more messages.
    fn end(&self, status: Status, has_got: bool) -> Outcome {
        match status {
            Status::E_SHUTDOWN if self.follow => Ok(ExitCode::SUCCESS),
            Status::E_SHUTDOWN | Status::E_EMPTY if self.all && has_got => Ok(ExitCode::SUCCESS),
            Status::E_SHUTDOWN => Err(Failure::new(NOTHING, status).about(&self.name)),
            _ => Err(Failure::from(status).about(&self.name)),
        }
    }
}

/// Prints the messages. Those that are written are done, the others go back to the queue.
fn deliver(
    mut messages: Vec<Message<'_>>,
    printer: &Printer,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut result = Ok(());
    let mut written = 0;
    for message in &messages {
        result = printer.print(out, message);
        if result.is_err() {
            break;
        }
        written += 1;
    }
    out.flush().map_err(streams::not_written)?;
    let others = messages.split_off(written);
    Message::done_many(messages)?;
    drop(others);
    result.map_err(streams::not_written)
}

/// Prints the messages of one queue.
struct Printer {
    form: Form,
    json: bool,
    end: &'static [u8],
    is_terminal: bool,
}

impl Printer {
    fn print(&self, out: &mut impl Write, message: &Message<'_>) -> io::Result<()> {
        match (self.json, self.form) {
            (true, form) => out.write_all(json_line(&object(message, form)).as_bytes())?,
            (false, Form::Text) => out.write_all(&self.text(message))?,
            (false, form) => out.write_all(form.line(message).as_bytes())?,
        }
        out.write_all(self.end)
    }

    /// The bytes as they are; a terminal gets no characters that command it.
    fn text<'m>(&self, bytes: &'m [u8]) -> Cow<'m, [u8]> {
        if !self.is_terminal {
            return bytes.into();
        }
        let text = clean_except(&String::from_utf8_lossy(bytes), &['\n', '\t']);
        text.into_bytes().into()
    }
}

fn object(message: &Message<'_>, form: Form) -> Value {
    let (field, value) = form.field(message);
    json!({
        "id": message.id(),
        "deliveries": message.deliveries(),
        "length": message.len(),
        field: value,
    })
}

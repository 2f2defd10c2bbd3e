//! `polyproc put NAME`

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use polyproc::{Queue, Status};

use crate::failure::{Failure, Outcome, ERROR, USAGE};
use crate::msgpack;
use crate::queues::{self, Create};
use crate::span::{self, Pacer, Rate};
use crate::streams;

/// Put messages into a queue: each TEXT, each line, a file, or all of standard input.
///
/// In a queue of format msgpack a message is given as JSON.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc put letters hello
  polyproc put news 'to be read' --create --max-items 100
  ls / | polyproc put files --lines --create --joinable
  polyproc put values '[\"hello\", 88]' --create --format msgpack")]
pub struct Put {
    name: String,
    /// A message
    text: Vec<OsString>,
    /// Put the contents of a file, as one message or, with --lines, line by line
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// Put each line as a message
    #[arg(long, conflicts_with = "text")]
    lines: bool,
    /// Put what ends with a NUL, not each line
    #[arg(short = '0', long, conflicts_with_all = ["text", "lines"])]
    null: bool,
    #[command(flatten)]
    create: Create,
    /// What each message is; without it JSON in a queue of format msgpack, and bytes in others
    #[arg(long = "as", value_name = "FORM")]
    form: Option<Form>,
    /// How long to wait for room: 5s, 1m; without it for ever
    #[arg(long, value_name = "TIME", value_parser = span::duration, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    /// At most so many messages: 100/s, 30/m, 6/h
    #[arg(long)]
    rate: Option<Rate>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A value in JSON, put as MessagePack
    Json,
    /// A string, put as MessagePack in a queue of format msgpack
    Text,
    /// The bytes as they are
    Bytes,
}

impl Form {
    /// The form for a queue of this format, when `asked` is what the person has asked for.
    fn of(asked: Option<Form>, format: &str) -> Result<Form, Failure> {
        match (format, asked) {
            (_, Some(Form::Bytes)) => Ok(Form::Bytes),
            ("msgpack", asked) => Ok(asked.unwrap_or(Form::Json)),
            ("pickle", _) => Err(Failure::new(
                USAGE,
                "the queue has values of Python's pickle; make it with format=\"msgpack\" or \
                 format=\"bytes\", or put pickled bytes with --as bytes",
            )),
            (_, Some(Form::Json)) => Err(Failure::new(
                USAGE,
                "--as json is for queues of format msgpack: without --as the bytes are put",
            )),
            _ => Ok(Form::Bytes),
        }
    }
}

impl Put {
    pub fn run(self) -> Outcome {
        let queue = self.create.open(&self.name)?;
        let mut sink = Sink {
            name: &self.name,
            form: Form::of(self.form, &queues::format(&queue.options()?))?,
            queue,
            timeout: self.timeout,
            pacer: Pacer::new(self.rate),
            count: 0,
        };
        if self.lines || self.null {
            let end = if self.null { b'\0' } else { b'\n' };
            self.put_each(end, &mut sink)?;
        } else if self.text.is_empty() {
            let mut all = Vec::new();
            let read = self.input()?.read_to_end(&mut all);
            read.map_err(|error| self.not_read(error))?;
            sink.put(&all)?;
        }
        for text in &self.text {
            sink.put(text.as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn input(&self) -> Result<Box<dyn Read>, Failure> {
        let named = self.file.as_deref().filter(|path| *path != Path::new("-"));
        let Some(path) = named else {
            return Ok(Box::new(streams::stdin()?));
        };
        match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(self.not_read(error)),
        }
    }

    fn not_read(&self, error: io::Error) -> Failure {
        let named = self.file.as_deref().unwrap_or(Path::new("standard input"));
        Failure::from(error).about(named.display())
    }

    /// Puts what stands before each `end`, and what stands behind the last one if it is not empty.
    fn put_each(&self, end: u8, sink: &mut Sink<'_>) -> Result<(), Failure> {
        let mut input = BufReader::new(self.input()?);
        let progress = progress();
        let mut line = Vec::new();
        while input
            .read_until(end, &mut line)
            .map_err(|error| self.not_read(error))?
            > 0
        {
            if line.last() == Some(&end) {
                line.pop();
            }
            sink.put(&line)?;
            progress.inc(1);
            line.clear();
        }
        progress.finish_and_clear();
        Ok(())
    }
}

/// A count on the terminal, unless a person types the lines there.
fn progress() -> ProgressBar {
    if io::stdin().is_terminal() {
        return ProgressBar::hidden();
    }
    let progress = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} put, {per_sec}") {
        progress.set_style(style);
    }
    progress
}

/// Where the messages go.
struct Sink<'n> {
    name: &'n str,
    queue: Queue,
    form: Form,
    timeout: Option<Duration>,
    pacer: Pacer,
    count: u64,
}

impl Sink<'_> {
    fn put(&mut self, text: &[u8]) -> Result<(), Failure> {
        let message = self.message(text)?;
        self.pacer.wait();
        let put = self.queue.put_timeout(&message, self.timeout);
        put.map_err(|status| self.refused(status))?;
        self.count += 1;
        Ok(())
    }

    fn refused(&self, status: Status) -> Failure {
        let failure = Failure::from(status);
        match self.count {
            0 => failure.about(self.name),
            count => failure.about(format_args!("{}: after {count} messages", self.name)),
        }
    }

    fn message<'t>(&self, bytes: &'t [u8]) -> Result<Cow<'t, [u8]>, Failure> {
        let value = match self.form {
            Form::Bytes => return Ok(Cow::Borrowed(bytes)),
            Form::Text => std::str::from_utf8(bytes)
                .map(serde_json::Value::from)
                .map_err(|error| self.unfit(bytes, "UTF-8", error, "--as bytes puts it as it is")),
            Form::Json => serde_json::from_slice(bytes)
                .map_err(|error| self.unfit(bytes, "JSON", error, "--as text puts it as a string")),
        };
        let message = msgpack::from_json(&value?).map_err(|why| Failure::new(ERROR, why))?;
        Ok(Cow::Owned(message))
    }

    fn unfit(&self, bytes: &[u8], form: &str, why: impl Display, hint: &str) -> Failure {
        /// So much of the message is quoted.
        const QUOTED: usize = 60;
        let quoted = bytes[..bytes.len().min(QUOTED)].escape_ascii();
        let rest = if bytes.len() > QUOTED { "…" } else { "" };
        let place = match self.count {
            0 => String::new(),
            count => format!("after {count} messages: "),
        };
        Failure::new(
            USAGE,
            format_args!("{place}\"{quoted}{rest}\" is no {form}: {why}; {hint}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_fits_the_format() {
        let of = |asked, format| Form::of(asked, format).map_err(|_| ());
        assert!(of(None, "") == Ok(Form::Bytes) && of(None, "msgpack") == Ok(Form::Json));
        assert!(of(None, "pickle").is_err() && of(Some(Form::Text), "pickle").is_err());
        assert!(of(Some(Form::Bytes), "pickle") == Ok(Form::Bytes));
        assert!(of(Some(Form::Json), "").is_err() && of(Some(Form::Text), "") == Ok(Form::Bytes));
    }
}

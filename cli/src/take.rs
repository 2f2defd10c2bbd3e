//! `polyproc take NAME -- CMD`

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use polyproc::{wait_any_timeout, Message, Process, Queue, Status, Waitable};
use rustix::fs::{memfd_create, MemfdFlags};
use rustix::io::Errno;
use rustix::process::Signal;

use crate::child;
use crate::failure::{Failure, Outcome, ERROR};
use crate::queues;
use crate::span;
use crate::streams;

/// Run a program for each message: xargs that survives a kill.
///
/// `{}` in an argument stands for the message; without it the program reads the message from its
/// standard input. A message is done when its program exits with 0. Otherwise it goes back to the
/// queue after a pause, and so do the messages of a `take` that is killed, whose programs get
/// SIGTERM. The program sees the message's id in POLYPROC_MESSAGE_ID, and in POLYPROC_DELIVERIES
/// how often the message was delivered.
///
/// The command ends when the queue is empty and no program of its own runs. Unlike `polyproc get`
/// it waits for a message only with `--timeout` or `--follow`. It exits with 3 if there was no
/// message, and with 1 if a message became a dead letter.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc take jobs -- echo {}
  polyproc take jobs -P 4 -- wc -c
  polyproc take jobs -P 4 --timeout 1s -- sh -c 'echo \"$1\"' sh {}")]
pub struct Take {
    name: String,
    /// How many programs run at the same time
    #[arg(short = 'P', long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    processes: u16,
    /// Run the program at most so often
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<u64>,
    /// How long to wait for another message: 5s, 1m
    #[arg(long, value_name = "TIME", value_parser = span::duration, allow_negative_numbers = true, default_value = "0s")]
    timeout: Duration,
    /// Wait for messages until the queue is shut down
    #[arg(long, conflicts_with = "timeout")]
    follow: bool,
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// What stands for the message.
const PLACE: &[u8] = b"{}";

impl Take {
    pub fn run(self) -> Outcome {
        // The programs would write to /dev/null.
        drop(streams::stdout()?);
        let queue = queues::open(&self.name)?;
        Crew {
            max_deliveries: queue.options()?.max_deliveries,
            queue: &queue,
            take: &self,
            running: Vec::new(),
            most: usize::from(self.processes),
            next: None,
            failed: Vec::new(),
            started: 0,
            dead: 0,
            is_over: false,
            last: Instant::now(),
        }
        .work()
    }

    /// The program's arguments for a message. `None`: the message is not one of them.
    fn arguments(&self, message: &[u8]) -> Option<Vec<OsString>> {
        let places = |word: &OsString| find(word.as_bytes(), PLACE).is_some();
        if !self.command.iter().any(places) {
            return None;
        }
        let fill = |word: &OsString| OsString::from_vec(replace(word.as_bytes(), message));
        Some(self.command.iter().map(fill).collect())
    }
}

/// A program that runs, and its message.
struct Job<'q> {
    process: Process,
    message: Message<'q>,
}

/// A message whose program failed. It is kept for a pause, so that the other messages have their
/// turn: what is given back is first in line.
struct Failed<'q> {
    message: Message<'q>,
    due: Instant,
}

struct Crew<'q> {
    queue: &'q Queue,
    take: &'q Take,
    max_deliveries: u32,
    running: Vec<Job<'q>>,
    /// How many programs run at the same time. Less than asked for where the system has no room.
    most: usize,
    /// A message that waits for room.
    next: Option<Message<'q>>,
    failed: Vec<Failed<'q>>,
    started: u64,
    /// How many messages became dead letters.
    dead: u64,
    /// Whether the queue is shut down, and has no message now.
    is_over: bool,
    /// When a message was taken or a program ended.
    last: Instant,
}

impl<'q> Crew<'q> {
    fn work(mut self) -> Outcome {
        loop {
            self.collect()?;
            self.give_back_what_is_due()?;
            if self.has_room() && self.start_one()? {
                continue;
            }
            if self.is_finished() {
                return self.result();
            }
            self.wait()?;
        }
    }

    fn may_start(&self) -> bool {
        self.take.count.is_none_or(|count| self.started < count)
    }

    fn has_room(&self) -> bool {
        self.may_start() && self.running.len() < self.most
    }

    fn is_finished(&self) -> bool {
        let is_idle = self.running.is_empty() && (self.failed.is_empty() || !self.may_start());
        is_idle
            && (!self.may_start()
                || self.is_over
                || self.end().is_some_and(|end| end <= Instant::now()))
    }

    /// Until when an idle crew waits for another message.
    fn end(&self) -> Option<Instant> {
        match self.take.follow {
            true => None,
            false => self.last.checked_add(self.take.timeout),
        }
    }

    /// Settles the messages whose programs have ended.
    fn collect(&mut self) -> Result<(), Failure> {
        let mut at = 0;
        while let Some(job) = self.running.get(at) {
            let code = match job.process.exit_code() {
                Err(Status::E_TIMEOUT) => {
                    at += 1;
                    continue;
                }
                Ok(code) => Some(code),
                Err(_) => None,
            };
            let message = self.running.remove(at).message;
            self.last = Instant::now();
            match code {
                Some(0) => message.done()?,
                Some(code @ 1..) => self.fail(message, format_args!("exit code {code}"))?,
                Some(signal) => self.fail(message, format_args!("signal {}", -signal))?,
                None => self.fail(message, format_args!("exit code unknown"))?,
            }
        }
        Ok(())
    }

    /// Says why a message is not done, and gives it back: at once if that makes it a dead letter.
    fn fail(&mut self, message: Message<'q>, why: impl std::fmt::Display) -> Result<(), Failure> {
        let (id, deliveries) = (message.id(), message.deliveries());
        let program = self.take.command.first().map(|program| program.display());
        let program = program
            .map(|program| program.to_string())
            .unwrap_or_default();
        if self.max_deliveries != 0 && deliveries >= self.max_deliveries {
            eprintln!("polyproc: message {id}: {program}: {why}; a dead letter now");
            self.dead += 1;
            return Ok(message.give_back()?);
        }
        eprintln!("polyproc: message {id}: {program}: {why}; it will be delivered again");
        let due = Instant::now() + pause(deliveries);
        self.failed.push(Failed { message, due });
        Ok(())
    }

    fn give_back_what_is_due(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        while let Some(at) = self.failed.iter().position(|failed| failed.due <= now) {
            self.failed.remove(at).message.give_back()?;
        }
        Ok(())
    }

    /// Takes a message and starts the program for it. `false`: there is no message now.
    fn start_one(&mut self) -> Result<bool, Failure> {
        let message = match self.next.take().map_or_else(|| self.queue.try_take(), Ok) {
            Ok(message) => message,
            Err(status @ (Status::E_EMPTY | Status::E_SHUTDOWN)) => {
                self.is_over = status == Status::E_SHUTDOWN;
                return Ok(false);
            }
            // A stopped process keeps the queue busy: look again later.
            Err(Status::E_TIMEOUT) => return Ok(false),
            Err(other) => return Err(Failure::from(other).about(&self.take.name)),
        };
        self.last = Instant::now();
        match self.start(&message) {
            Ok(process) => self.running.push(Job { process, message }),
            Err(error) if child::is_missing(&error) => {
                return Err(child::not_started(&self.take.command[0], &error))
            }
            Err(error) if is_shortage(&error) && !self.running.is_empty() => {
                self.most = self.running.len();
                self.next = Some(message);
                eprintln!("polyproc: {} programs at a time: {error}", self.most);
                return Ok(true);
            }
            Err(error) if is_shortage(&error) => return Err(error.into()),
            Err(error) => self.fail(message, unfit(error))?,
        }
        self.started += 1;
        Ok(true)
    }

    fn start(&self, message: &Message<'_>) -> io::Result<Process> {
        let arguments = self.take.arguments(message);
        let argv = arguments.as_ref().unwrap_or(&self.take.command);
        let mut command = child::command(argv, Signal::TERM).ok_or(io::ErrorKind::InvalidInput)?;
        command.env("POLYPROC_MESSAGE_ID", message.id().to_string());
        command.env("POLYPROC_DELIVERIES", message.deliveries().to_string());
        command.stdin(match arguments {
            Some(_) => Stdio::null(),
            None => input(message)?,
        });
        let mut child = command.spawn()?;
        Process::adopt(child.id() as i32).map_err(|status| {
            // The message will be delivered again, and its programs must not run side by side.
            let _ = child.kill().and_then(|()| child.wait());
            match status {
                Status::E_LIMIT => Errno::MFILE.into(),
                other => io::Error::other(other),
            }
        })
    }

    /// Waits until a program has ended, a message has come, or one is due to go back.
    fn wait(&self) -> Result<(), Failure> {
        let mut items: Vec<_> = self
            .running
            .iter()
            .map(|job| Waitable::Process(&job.process))
            .collect();
        let mut end = None;
        if self.has_room() {
            end = self.failed.iter().map(|failed| failed.due).min();
            if !self.is_over {
                items.push(Waitable::Get(self.queue));
            }
            if self.running.is_empty() && self.failed.is_empty() {
                end = self.end();
            }
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if items.is_empty() {
            std::thread::sleep(left.unwrap_or_default());
            return Ok(());
        }
        match wait_any_timeout(&items, left) {
            Ok(_) | Err(Status::E_TIMEOUT) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }

    fn result(&self) -> Outcome {
        match self.started {
            // Followed to the end of the stream, which others have emptied.
            0 if !self.take.follow => Err(Failure::from(Status::E_EMPTY).about(&self.take.name)),
            _ if self.dead > 0 || !self.failed.is_empty() => Err(Failure::silent(ERROR)),
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}

/// Whether the system had no room for another program, whatever the message is.
fn is_shortage(error: &io::Error) -> bool {
    let shortages = [Errno::AGAIN, Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    error
        .raw_os_error()
        .is_some_and(|errno| shortages.contains(&Errno::from_raw_os_error(errno)))
}

/// Why a program did not start, and what to type if the message cannot be an argument.
fn unfit(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::ArgumentListTooLong => {
            format!("{error}; without {{}} it reads the message from its standard input")
        }
        _ => error.to_string(),
    }
}

/// How long a message that failed is kept.
fn pause(deliveries: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(10);
    let doubled = 1u32
        .checked_shl(deliveries.saturating_sub(1))
        .unwrap_or(u32::MAX);
    FIRST.saturating_mul(doubled).min(LONGEST)
}

/// The message as a program's standard input.
fn input(message: &[u8]) -> io::Result<Stdio> {
    let mut file = File::from(memfd_create(c"message", MemfdFlags::CLOEXEC)?);
    file.write_all(message)?;
    file.rewind()?;
    Ok(file.into())
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// `text` with `message` in each place.
fn replace(mut text: &[u8], message: &[u8]) -> Vec<u8> {
    let mut filled = Vec::new();
    while let Some(at) = find(text, PLACE) {
        filled.extend_from_slice(&text[..at]);
        filled.extend_from_slice(message);
        text = &text[at + PLACE.len()..];
    }
    filled.extend_from_slice(text);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stands_in_each_place() {
        assert_eq!(replace(b"a{}b{}", b"{}"), b"a{}b{}");
        assert_eq!(replace(b"--file={}", b"\xff x"), b"--file=\xff x");
        assert_eq!(replace(b"none", b"x"), b"none");
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        assert_eq!(pause(1), Duration::from_millis(50));
        assert_eq!(pause(3), Duration::from_millis(200));
        assert_eq!(pause(u32::MAX), Duration::from_secs(10));
    }
}

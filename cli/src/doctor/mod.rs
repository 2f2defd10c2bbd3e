//! `polyproc doctor`

mod logout;
mod objects;
mod system;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use polyproc::inspect;
use serde_json::json;

use crate::failure::{Failure, Outcome, ERROR};
use crate::{streams, view};

/// Check this system and all objects, and say what to type.
///
/// It checks the kernel and what a container allows, the room in /dev/shm, and each object: damage,
/// stopped or dead processes that hold something, full queues, dead letters, objects that nobody
/// uses. Exit code 1 if anything is FAIL.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc doctor
  polyproc doctor --json")]
pub struct Doctor {
    /// Print an object a line: level, subject, text and type
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warn => "WARN",
            Level::Fail => "FAIL",
        }
    }

    /// The colour of a terminal.
    fn colour(self) -> &'static str {
        match self {
            Level::Ok => "\x1b[32m",
            Level::Warn => "\x1b[33m",
            Level::Fail => "\x1b[31m",
        }
    }
}

/// One finding: its subject, and the command that helps.
struct Finding {
    level: Level,
    subject: String,
    text: String,
    advice: Option<String>,
}

impl Finding {
    fn ok(subject: impl Into<String>, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Ok,
            subject: subject.into(),
            text: text.into(),
            advice: None,
        }
    }

    fn new(
        level: Level,
        subject: impl Into<String>,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding {
            level,
            advice: Some(advice.into()),
            ..Finding::ok(subject, text)
        }
    }
}

impl Doctor {
    pub fn run(self) -> Outcome {
        let mut findings = system::check();
        // Otherwise a finding has said that the directory cannot be used.
        if inspect::directory().is_ok() {
            findings.extend(objects::check()?);
        }
        let mut out = Vec::new();
        for finding in &findings {
            match self.json {
                true => write_json(&mut out, finding)?,
                false => write_text(&mut out, finding)?,
            }
        }
        streams::print(&out)?;
        match findings.iter().any(|one| one.level == Level::Fail) {
            true => Err(Failure::silent(ERROR)),
            false => Ok(ExitCode::SUCCESS),
        }
    }
}

fn write_json(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    let value = json!({
        "level": finding.level.name(),
        "subject": finding.subject,
        "text": finding.text,
        "type": finding.advice,
    });
    writeln!(out, "{value}")
}

fn write_text(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    let has_colour = io::stdout().is_terminal() && !view::is_colourless();
    let (on, off) = match has_colour {
        true => (finding.level.colour(), "\x1b[0m"),
        false => ("", ""),
    };
    let (level, subject, text) = (finding.level.name(), &finding.subject, &finding.text);
    writeln!(out, "{on}{level:<4}{off}  {subject:<16}  {text}")?;
    match &finding.advice {
        Some(advice) => writeln!(out, "{:24}type: {advice}", ""),
        None => Ok(()),
    }
}

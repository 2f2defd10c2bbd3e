//! How a command ends: its exit code, and what it says about a failure.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use polyproc::{inspect, Error, Status};

/// The exit codes of all commands: see docs/book/command.md.
pub const ERROR: u8 = 1;
pub const USAGE: u8 = 2;
/// Nothing is there, or the time is over.
pub const NOTHING: u8 = 3;
pub const NO_SUCH_OBJECT: u8 = 4;
pub const DAMAGED: u8 = 5;
/// Nobody reads the output any more. A shell gives this code to a program that SIGPIPE has ended.
pub const BROKEN_PIPE: u8 = 141;

/// The result of a command. A command that ran another program returns that program's exit code.
pub type Outcome = Result<ExitCode, Failure>;

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    /// Empty: there is nothing to say.
    text: String,
}

impl Failure {
    pub fn new(code: u8, text: impl Display) -> Failure {
        Failure {
            code,
            text: text.to_string(),
        }
    }

    /// The same failure with another exit code.
    pub fn with_code(self, code: u8) -> Failure {
        Failure { code, ..self }
    }

    /// Exit with `code` and say nothing.
    pub fn silent(code: u8) -> Failure {
        Failure::new(code, "")
    }

    /// The same failure, and what it is about; one that says nothing stays so.
    pub fn about(self, subject: impl Display) -> Failure {
        if self.text.is_empty() {
            return self;
        }
        Failure::new(self.code, format_args!("{subject}: {}", self.text))
    }

    /// The same failure, and what to type if `code` is its exit code.
    pub fn hint(mut self, code: u8, hint: &str) -> Failure {
        if self.code == code {
            self.text += "; ";
            self.text += hint;
        }
        self
    }

    /// Say what went wrong, and return the exit code.
    pub fn report(&self) -> ExitCode {
        if !self.text.is_empty() {
            eprintln!("polyproc: {}", self.text);
        }
        ExitCode::from(self.code)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        let code = match status {
            Status::E_INVALID => USAGE,
            Status::E_TIMEOUT | Status::E_EMPTY | Status::E_FULL => NOTHING,
            Status::E_NOT_FOUND => NO_SUCH_OBJECT,
            Status::E_CORRUPT => DAMAGED,
            _ => ERROR,
        };
        let text = Error::from(status).to_string();
        let failure = Failure::new(code, text.strip_prefix("polyproc: ").unwrap_or(&text));
        match status {
            Status::E_NO_MEMORY => match inspect::directory() {
                Ok(place) => {
                    failure.hint(code, &format!("`df -h {}` shows its size", place.display()))
                }
                Err(_) => failure,
            },
            _ => failure,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            // The reader of the output has seen enough: `polyproc get jobs --all | head -n 1`.
            io::ErrorKind::BrokenPipe => Failure::silent(BROKEN_PIPE),
            _ => Failure::new(ERROR, error),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure::from(io::Error::from(error))
    }
}

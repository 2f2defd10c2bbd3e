//! An error for programs in Rust: a status with the operation, the object and the cause.

use std::fmt;

use super::{detail, Status};

/// Why an operation failed: `open queue "jobs": not found`, `create queue "jobs": invalid argument:
/// max_bytes is 8, …`. `?` makes it from the [`Status`] that a function of this crate returned, in
/// the thread that called the function.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    status: Status,
    operation: String,
    detail: String,
}

impl Error {
    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The operation and its object; empty if only the caller knows them.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The cause in a sentence: which argument is wrong and how, in what an object differs from the
    /// options, or which call the system refused. Empty if the status says all.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Error {
        let (operation, detail) = detail::take(status);
        Error {
            status,
            operation,
            detail,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("polyproc: ")?;
        if !self.operation.is_empty() {
            write!(f, "{}: ", self.operation)?;
        }
        let says_all = matches!(self.status, Status::E_NOT_FOUND | Status::E_EXISTS);
        match says_all || self.detail.is_empty() {
            true => write!(f, "{}", self.status),
            // The detail of an error of the system has the same text, and the name of the call.
            false if self.status.errno().is_some() => f.write_str(&self.detail),
            false => write!(f, "{}: {}", self.status, self.detail),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

//! The one table of what a call can answer: code, name, text.
//!
//! Every layer speaks `Result<T>` with a [`Status`]; `ffi` turns it into the `int32_t` of the C API
//! and the bindings into their language's own errors.

use std::fmt;

#[path = "status/detail.rs"]
pub(crate) mod detail;
#[path = "status/error.rs"]
mod error;

pub use error::Error;

/// The result of a call: 0 is success, above 0 success with a note, below 0 nothing was done.
///
/// An operating-system error without a status of its own is `-(1000 + errno)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(i32);

/// The result of the functions of this crate that can fail.
pub type Result<T> = std::result::Result<T, Status>;

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl Status {
            $(#[doc = $text] pub const $name: Status = Status($code);)*

            /// Every status of the table: code, C name without its prefix, text.
            pub const TABLE: &'static [(i32, &'static str, &'static str)] =
                &[$(($code, stringify!($name), $text)),*];
        }
    };
}

table! {
    OK = 0, "success";
    OWNER_DIED = 1, "success: you hold it, and the last holder died inside";
    E_INVALID = -1, "invalid argument";
    E_TIMEOUT = -2, "timed out";
    E_EMPTY = -3, "the queue is empty";
    E_FULL = -4, "the queue is full";
    E_CANCELED = -5, "canceled";
    E_INTERRUPTED = -6, "interrupted by a signal";
    E_CLOSED = -7, "the handle is closed";
    E_SHUTDOWN = -8, "the queue is shut down";
    E_EOF = -9, "end of file: the other end is closed";
    E_BROKEN_PIPE = -10, "broken pipe: the other end is closed";
    E_TOO_SMALL = -11, "the buffer is too small";
    E_TOO_LARGE = -12, "the message can never fit";
    E_NO_MEMORY = -13, "out of memory or shared memory";
    E_NOT_FOUND = -14, "not found";
    E_EXISTS = -15, "the name exists";
    E_MISMATCH = -16, "an object of another kind or shape";
    E_PERMISSION = -17, "permission denied";
    E_CORRUPT = -18, "damaged shared memory, or nonsense from a socket";
    E_LIMIT = -19, "a limit is reached";
    E_NOT_OWNER = -20, "not the owner";
    E_OVER_RELEASE = -21, "released more often than acquired";
    E_BROKEN_BARRIER = -22, "the barrier is broken: a party died or gave up; reset mends it";
    E_DAEMONIC = -23, "a daemonic process may not have children";
    E_AUTH = -24, "authentication failed";
    E_UNSUPPORTED = -25, "not supported";
    E_WORKER_DIED = -26, "the worker died";
    E_TASK_FAILED = -27, "the task failed";
    E_INTERNAL = -99, "internal error: please report it";
}

/// Codes at or below this carry an errno: `-(1000 + errno)`.
const ERRNO_BASE: i32 = -1000;
/// The highest errno that Linux uses.
const ERRNO_MAX: i32 = 4095;

impl Status {
    /// Whether a wait ended with this before what it waited for.
    pub(crate) fn ends_a_wait(self) -> bool {
        let ends = [
            Status::E_TIMEOUT,
            Status::E_CANCELED,
            Status::E_CLOSED,
            Status::E_INTERRUPTED,
        ];
        ends.contains(&self)
    }

    /// The number that the C API returns.
    pub const fn code(self) -> i32 {
        self.0
    }

    /// The status for a number, whether or not the table knows it.
    pub const fn from_code(code: i32) -> Status {
        Status(code)
    }

    /// The status of an operating-system error, its own where there is one.
    pub const fn from_errno(errno: i32) -> Status {
        match errno {
            libc::ENOMEM | libc::ENOSPC | libc::EDQUOT => Status::E_NO_MEMORY,
            libc::ENOENT => Status::E_NOT_FOUND,
            libc::EEXIST => Status::E_EXISTS,
            libc::EACCES | libc::EPERM => Status::E_PERMISSION,
            libc::EMFILE | libc::ENFILE | libc::EAGAIN | libc::ENOLCK => Status::E_LIMIT,
            libc::ENOSYS | libc::EOPNOTSUPP | libc::EAFNOSUPPORT => Status::E_UNSUPPORTED,
            libc::EINTR => Status::E_INTERRUPTED,
            _ => Status(ERRNO_BASE - errno),
        }
    }

    /// The errno of the last failed system call of this thread, as a status.
    pub fn last_os_error() -> Status {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        Status::from_errno(errno)
    }

    /// `Ok` for success (a note included), `Err` for the rest.
    pub const fn ok(self) -> Result<Status> {
        if self.0 >= 0 {
            Ok(self)
        } else {
            Err(self)
        }
    }

    /// The errno inside an operating-system error.
    pub const fn errno(self) -> Option<i32> {
        let errno = ERRNO_BASE.wrapping_sub(self.0);
        if errno > 0 && errno <= ERRNO_MAX {
            Some(errno)
        } else {
            None
        }
    }

    /// The C name without its prefix, `None` for an operating-system error or an unknown code.
    pub fn name(self) -> Option<&'static str> {
        let row = Status::TABLE.iter().find(|row| row.0 == self.0);
        row.map(|row| row.1)
    }

    /// A short English text, for any code.
    pub fn text(self) -> &'static str {
        if let Some(row) = Status::TABLE.iter().find(|row| row.0 == self.0) {
            return row.2;
        }
        match self.errno() {
            Some(_) => "operating system error",
            None => "unknown status",
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Status({})", self.0),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errno() {
            Some(errno) => std::io::Error::from_raw_os_error(errno).fmt(f),
            None => f.write_str(self.text()),
        }
    }
}

impl std::error::Error for Status {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errno_goes_both_ways() {
        let status = Status::from_errno(libc::EBADF);
        assert_eq!(status.code(), -1000 - libc::EBADF);
        assert_eq!(status.errno(), Some(libc::EBADF));
        assert_eq!(Status::from_errno(libc::ENOSPC), Status::E_NO_MEMORY);
        assert_eq!(Status::E_INTERNAL.errno(), None);
        assert_eq!(Status::from_code(i32::MIN).errno(), None);
    }

    #[test]
    fn every_code_has_a_text() {
        for code in -200..20 {
            assert!(!Status::from_code(code).text().is_empty());
        }
        assert_eq!(Status::from_code(-500).text(), "unknown status");
    }
}

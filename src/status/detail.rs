//! The cause of a failure in a sentence: which argument is wrong, in what an object differs, or
//! which system call failed.
//!
//! The function that finds the fault notes the sentence for its thread when it makes the status
//! ([`because`], [`failed`]); the C API reads it with `polyproc_detail`. A path that succeeds
//! writes, clears and reads nothing.

use std::cell::Cell;
use std::fmt::{self, Write};

use super::{Result, Status};

/// The length of the longest sentence: there is room for an object's name and a cause.
pub(crate) const ROOM: usize = 320;

#[derive(Clone, Copy)]
#[allow(
    clippy::large_enum_variant,
    reason = "one for each thread: a box would need memory when there is none"
)]
enum Why {
    Nothing,
    Sentence(Sentence),
    /// A system call and its errno. The text is made when it is read, because a forked child that
    /// notes one must not allocate.
    System(&'static str, i32),
}

#[derive(Clone, Copy)]
struct Note {
    status: Status,
    /// Whether the note is from the call of the C API that is still running.
    is_new: bool,
    why: Why,
}

/// The operation and its object, for an error of Rust.
#[derive(Clone, Copy)]
struct Subject {
    status: Status,
    is_new: bool,
    sentence: Sentence,
}

thread_local! {
    static NOTE: Cell<Note> = const {
        Cell::new(Note {
            status: Status::OK,
            is_new: false,
            why: Why::Nothing,
        })
    };
    static SUBJECT: Cell<Subject> = const {
        Cell::new(Subject {
            status: Status::OK,
            is_new: false,
            sentence: Sentence::EMPTY,
        })
    };
}

/// A text that keeps the part that fits.
#[derive(Clone, Copy)]
struct Sentence {
    len: usize,
    bytes: [u8; ROOM],
}

impl Sentence {
    const EMPTY: Sentence = Sentence {
        len: 0,
        bytes: [0; ROOM],
    };

    fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes.get(..self.len).unwrap_or_default()).into_owned()
    }
}

impl Write for Sentence {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (to, from) in self.bytes.iter_mut().skip(self.len).zip(text.bytes()) {
            *to = from;
            self.len += 1;
        }
        Ok(())
    }
}

/// `because!(E_INVALID, "…")` notes the cause and returns the status.
macro_rules! because {
    ($status:ident, $($why:tt)+) => {
        $crate::status::detail::note($crate::status::Status::$status, format_args!($($why)+))
    };
}
pub(crate) use because;

#[cold]
#[inline(never)]
pub(crate) fn note(status: Status, why: fmt::Arguments<'_>) -> Status {
    let mut sentence = Sentence::EMPTY;
    // Writing to it never fails.
    let _ = sentence.write_fmt(why);
    keep(status, Why::Sentence(sentence))
}

/// Note that a system call failed with `errno`, and return the status for that errno.
#[cold]
#[inline(never)]
pub(crate) fn failed(call: &'static str, errno: i32) -> Status {
    failed_as(Status::from_errno(errno), call, errno)
}

/// As [`failed`], for the last failed system call of this thread.
#[cold]
#[inline(never)]
pub(crate) fn just_failed(call: &'static str) -> Status {
    failed(
        call,
        std::io::Error::last_os_error().raw_os_error().unwrap_or(0),
    )
}

/// As [`failed`], for an errno that means `status` when this system call returns it.
#[cold]
#[inline(never)]
pub(crate) fn failed_as(status: Status, call: &'static str, errno: i32) -> Status {
    keep(status, Why::System(call, errno))
}

fn keep(status: Status, why: Why) -> Status {
    // A thread that is ending has no thread-locals any more.
    let _ = NOTE.try_with(|note| {
        note.set(Note {
            status,
            is_new: true,
            why,
        });
    });
    let _ = SUBJECT.try_with(|subject| {
        subject.set(Subject {
            is_new: false,
            ..subject.get()
        });
    });
    status
}

/// Note the operation and its object, such as `open queue "jobs"`, for an operation that has just
/// returned `status`. `object` is empty for an operation on a name: `unlink "jobs"`.
#[cold]
#[inline(never)]
pub(crate) fn at(
    status: Status,
    operation: &'static str,
    object: &'static str,
    name: Option<&str>,
) -> Status {
    let mut sentence = Sentence::EMPTY;
    // Writing to it never fails.
    let _ = sentence.write_str(operation);
    if !object.is_empty() {
        let _ = write!(sentence, " {object}");
    }
    if let Some(name) = name {
        let _ = write!(sentence, " \"{}\"", name.escape_default());
    }
    let _ = SUBJECT.try_with(|subject| {
        subject.set(Subject {
            status,
            is_new: true,
            sentence,
        });
    });
    status
}

/// Take the operation and the cause of `status`, for an error of Rust. A second call does not find
/// them again, since the next error has its own.
pub(crate) fn take(status: Status) -> (String, String) {
    let subject = SUBJECT.try_with(|subject| {
        let kept = subject.replace(Subject {
            is_new: false,
            ..subject.get()
        });
        (kept.is_new && kept.status == status).then(|| kept.sentence.text())
    });
    let is_new = NOTE.try_with(|note| {
        let kept = note.replace(Note {
            is_new: false,
            ..note.get()
        });
        kept.is_new && kept.status == status
    });
    let mut room = [0; ROOM];
    let len = match is_new {
        Ok(true) => read(&mut room).unwrap_or(0),
        _ => 0,
    };
    let why = room.get(..len).map(String::from_utf8_lossy);
    (
        subject.ok().flatten().unwrap_or_default(),
        why.unwrap_or_default().into_owned(),
    )
}

/// A cause that is passed to another thread.
#[derive(Clone, Copy)]
pub(crate) struct Reason(Note);

/// Return the last note of this thread.
pub(crate) fn of_this_thread() -> Option<Reason> {
    NOTE.try_with(|note| Reason(note.get())).ok()
}

/// Replace this thread's note by that of the thread that `answer` comes from.
pub(crate) fn from_another_thread<T>(why: Option<Reason>, answer: Result<T>) -> Result<T> {
    answer.map_err(|status| match why {
        Some(Reason(note)) if note.status == status => keep(status, note.why),
        _ => status,
    })
}

/// Return whether a status has a cause: [`read`] must not return an earlier cause for another
/// status.
fn is_explained(status: Status) -> bool {
    matches!(
        status,
        Status::E_INVALID
            | Status::E_MISMATCH
            | Status::E_NO_MEMORY
            | Status::E_NOT_FOUND
            | Status::E_EXISTS
            | Status::E_PERMISSION
            | Status::E_LIMIT
            | Status::E_UNSUPPORTED
    ) || status.errno().is_some()
}

/// Call this when a function of the C API returns the negative `status`. The note of this call
/// stays; an older note is removed, unless `status` needs no cause.
#[cold]
#[inline(never)]
pub(crate) fn returns(status: Status) -> Status {
    if !is_explained(status) {
        return status;
    }
    let _ = NOTE.try_with(|note| {
        let kept = note.get();
        let why = match kept.is_new && kept.status == status {
            true => kept.why,
            false => Why::Nothing,
        };
        note.set(Note {
            status,
            is_new: false,
            why,
        });
    });
    status
}

/// Write the sentence to `room`, as far as it fits, and return its length. `None` if there is none.
pub(crate) fn read(room: &mut [u8]) -> Option<usize> {
    let note = NOTE.try_with(Cell::get).ok()?;
    let mut sentence = Sentence::EMPTY;
    match note.why {
        Why::Nothing => return None,
        Why::Sentence(kept) => sentence = kept,
        Why::System(call, errno) => {
            let error = std::io::Error::from_raw_os_error(errno);
            let _ = write!(sentence, "{call} failed: {error}");
        }
    }
    let text = sentence.bytes.get(..sentence.len)?;
    for (to, from) in room.iter_mut().zip(text) {
        *to = *from;
    }
    Some(text.len().min(room.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Option<String> {
        let mut room = [0; ROOM];
        let len = read(&mut room)?;
        Some(String::from_utf8_lossy(&room[..len]).into_owned())
    }

    #[test]
    fn a_status_has_its_own_reason_only() {
        returns(because!(E_INVALID, "n is {}", 7));
        assert_eq!(text().as_deref(), Some("n is 7"));
        // These statuses have no cause, and keep the last one.
        returns(Status::E_EMPTY);
        returns(Status::E_OVER_RELEASE);
        assert_eq!(text().as_deref(), Some("n is 7"));
        // The note is from an earlier call.
        returns(Status::E_INVALID);
        assert_eq!(text(), None);
        // The note is of a failure that the call recovered from.
        failed("memfd_create", libc::ENOSYS);
        returns(Status::E_NOT_FOUND);
        assert_eq!(text(), None);
    }

    #[test]
    fn a_call_of_the_system_is_named() {
        returns(failed("fallocate", libc::ENOSPC));
        assert_eq!(
            text().as_deref(),
            Some("fallocate failed: No space left on device (os error 28)")
        );
    }

    #[test]
    fn a_long_sentence_is_cut() {
        returns(because!(E_INVALID, "{}", "x".repeat(2 * ROOM)));
        assert_eq!(text().map(|text| text.len()), Some(ROOM));
        let mut room = [0; 3];
        assert_eq!((read(&mut room), room), (Some(3), *b"xxx"));
    }
}

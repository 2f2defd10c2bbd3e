//! The kinds of objects that a segment can hold.

use crate::status::detail::because;
use crate::status::Status;

/// The kind of an object: the `POLYPROC_KIND_*` of the C API.
#[repr(i32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A lock.
    Lock = 1,
    /// A semaphore.
    Semaphore = 2,
    /// An event.
    Event = 3,
    /// A queue, joinable or not.
    Queue = 4,
    /// An end of a pipe.
    Connection = 8,
    /// A recursive lock.
    Rlock = 5,
    /// A condition.
    Condition = 6,
    /// A barrier.
    Barrier = 7,
    /// The state that a pool and its workers share in addition to their queues. It never has a
    /// name, and no C handle refers to it.
    Pool = 9,
}

impl Kind {
    /// The kind for a number of the C API.
    pub const fn from_code(code: i32) -> Option<Kind> {
        match code {
            1 => Some(Kind::Lock),
            2 => Some(Kind::Semaphore),
            3 => Some(Kind::Event),
            4 => Some(Kind::Queue),
            8 => Some(Kind::Connection),
            5 => Some(Kind::Rlock),
            6 => Some(Kind::Condition),
            7 => Some(Kind::Barrier),
            9 => Some(Kind::Pool),
            _ => None,
        }
    }

    /// The number of the C API.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// The name for people: `lock`, `queue`, …
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Lock => "lock",
            Kind::Semaphore => "semaphore",
            Kind::Event => "event",
            Kind::Queue => "queue",
            Kind::Connection => "pipe",
            Kind::Rlock => "rlock",
            Kind::Condition => "condition",
            Kind::Barrier => "barrier",
            Kind::Pool => "pool",
        }
    }

    /// `E_MISMATCH`: somebody asked for `self`, and the object has another kind.
    #[cold]
    pub(crate) fn mismatch(self, theirs: i32) -> Status {
        let article = |kind: Kind| match kind {
            Kind::Event | Kind::Rlock => "an",
            _ => "a",
        };
        match Kind::from_code(theirs) {
            Some(theirs) => because!(
                E_MISMATCH,
                "the object is {} {}, asked for as {} {}",
                article(theirs),
                theirs.name(),
                article(self),
                self.name()
            ),
            None => because!(
                E_MISMATCH,
                "the object has kind {theirs}, which this version of the library does not know"
            ),
        }
    }

    /// Maximum number of processes that can use one object at the same time.
    ///
    /// A queue may serve a large service; an empty lock should take only a few pages.
    pub(crate) const fn max_participants(self) -> u32 {
        match self {
            Kind::Queue => 1024,
            Kind::Lock
            | Kind::Semaphore
            | Kind::Event
            | Kind::Rlock
            | Kind::Condition
            | Kind::Barrier
            | Kind::Connection
            | Kind::Pool => 240,
        }
    }
}

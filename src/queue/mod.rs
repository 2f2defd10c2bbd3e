//! The queue: messages between processes. When a process is killed, no message is lost or stuck.
//!
//! ```text
//! calls, message, slot, bytes        the calls of users in Rust: copies, and guards that settle
//! typed                              the same for values of one type: feature `serde`
//! options                            with what a queue is created
//! put, put_id, put_large, reserve,
//! commit, get, take, settle,
//! dead_letters, info, shutdown       the calls below them, and those of the C side
//! settled                            how a message stands, by its id
//! accounts                           what each participant has put and got
//! loans                              how many loans of a handle are not settled
//! room, waiting, pacing              waiting for the other side, and its heuristics
//! readiness                          whether a get or a put would wait, for descriptors
//! snapshot                           a queue as a process sees it that takes no part
//! view                               a queue's words as one call uses them
//! chain                              a chain of rings, its two ends and its recovery
//! layout                             what lies in shared memory
//! ```

mod accounts;
#[allow(unsafe_code)]
pub(crate) mod bytes;
mod calls;
mod chain;
mod commit;
mod dead_letters;
mod get;
mod info;
mod layout;
mod loans;
mod message;
mod options;
mod pacing;
mod put;
mod put_id;
mod put_large;
pub(crate) mod readiness;
mod reserve;
mod room;
mod settle;
pub(crate) mod settled;
mod shutdown;
mod slot;
pub(crate) mod snapshot;
mod take;
#[cfg(feature = "serde")]
mod typed;
mod view;
mod waiting;

use std::sync::Arc;

pub use get::Got;
pub use info::QueueInfo;
pub use message::{Message, Messages, OwnedMessage};
pub use options::QueueOptions;
pub use reserve::Reservation;
pub use settled::Settled;
pub use slot::{OwnedSlot, Slot};
pub use take::Loan;
#[cfg(feature = "serde")]
pub use typed::TypedQueue;

pub(crate) use loans::Loans;

use crate::pace::pacing::Pacing;
use crate::pace::switches::Switches;
use crate::segment::{common_methods, Kind, ObjectType, Opened, Readiness, Segment, MOST_EXTENTS};
use crate::status::detail;
use crate::status::Result;
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sys::getrandom;
use layout::body::{Body, Words};
use layout::ring::{BASE, RINGS};
use settled::SettledWatch;
use view::View;

/// A queue of messages, joinable or not, bounded by items and by bytes or not at all.
///
/// Any number of processes and threads put and get. A message is any number of bytes, 0 included,
/// and is delivered to one of them, first in, first out.
///
/// ```
/// use polyproc::{Queue, QueueOptions};
///
/// # fn main() -> polyproc::Result<()> {
/// let queue = Queue::create(None, &QueueOptions { max_items: 100, ..Default::default() })?;
/// queue.put(b"hello")?;
/// assert_eq!(queue.get()?, b"hello");
/// # Ok(())
/// # }
/// ```
///
/// | | copies | in place |
/// |---|---|---|
/// | send | [`put`](Self::put), [`put_many`](Self::put_many) | [`reserve`](Self::reserve), then [`commit`](Slot::commit) |
/// | receive | [`get`](Self::get), [`get_into`](Self::get_into) | [`take`](Self::take), [`take_many`](Self::take_many), [`iter`](Self::iter), then [`done`](Message::done) |
/// | not lost when the consumer dies | on a joinable queue, with [`task_done`](Self::task_done) | always |
///
/// A call returns `E_TIMEOUT`, and has changed nothing, if a process inside a call of its own kept it
/// from seeing the state of the queue: because that process is stopped, or because it waited for a
/// core until the timeout was over.
pub struct Queue {
    segment: Opened<Words>,
    readiness: Readiness,
    pacing: Pacing,
    loans: Loans,
    settled: SettledWatch,
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Queue,
    body: size_of::<Words>(),
    extra: BASE,
    over_at: Some(Body::SHUT_DOWN_AT),
    accounts: Some(accounts::ACCOUNTS),
    recover,
    wake,
};

const _: () = assert!(RINGS <= MOST_EXTENTS);

fn recover(segment: &Segment, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    View::new(segment)?.recover(me, is_gone)
}

fn wake(segment: &Segment) -> Result<()> {
    View::new(segment)?.notify_after_recovery();
    Ok(())
}

common_methods!(Queue, TYPE);

impl Queue {
    /// Offset of the loan counts within a `Queue`.
    pub(crate) const LOANS_AT: usize = std::mem::offset_of!(Queue, loans);

    /// Create an empty queue; anonymous if `name` is `None`.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH` (also when the existing one's options differ),
    /// `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: &QueueOptions) -> Result<Queue> {
        options
            .check()
            .map_err(|status| detail::at(status, "create", "queue", name))?;
        // Before an object that is over is made anew: this can fail.
        let mut identity = [0; 16];
        getrandom::fill(&mut identity)
            .map_err(|status| detail::at(status, "create", "queue", name))?;
        let fill = |segment: &Segment| {
            let queue = View::new(segment)?;
            queue.body.fill(options, &identity);
            queue.messages().fill(BASE)?;
            queue.dead_letters().fill(0)
        };
        let check = |segment: &Segment| View::new(segment)?.body.options().check_shape(options);
        Queue::opened(Segment::create(
            &TYPE,
            name,
            &options.create,
            &fill,
            &check,
        )?)
    }

    fn opened(segment: Arc<Segment>) -> Result<Queue> {
        Ok(Queue {
            segment: Opened::new(segment)?,
            readiness: Readiness::new(),
            pacing: Pacing::new(Switches::of_process()),
            loans: Loans::new(),
            settled: SettledWatch::new(),
        })
    }

    /// Return 128 random bits that were chosen when the queue was created. A queue that is created
    /// again under the same name has others, so they tell its messages' ids from those of the
    /// earlier queue.
    ///
    /// # Errors
    /// None so far.
    pub fn identity(&self) -> Result<[u8; 16]> {
        Ok(self.at().body.identity())
    }

    /// Return the options with which the queue was created.
    ///
    /// # Errors
    /// None so far.
    pub fn options(&self) -> Result<QueueOptions> {
        Ok(self.at().body.options())
    }
}

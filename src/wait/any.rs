//! Waiting until one of several things is ready.

use std::os::fd::RawFd;
use std::sync::Arc;

use super::descriptor::{settled_source, Descriptor};
use super::source::{Source, WatchedWord};
use crate::connection::{Connection, Listener};
use crate::object::{event, Event};
use crate::pace::recheck::Recheck;
use crate::pool::Task;
use crate::process::Process;
use crate::queue::Queue;
use crate::segment::{RaisedDescriptor, Segment, WaitSet};
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::lock_wait::LockWait;
use crate::sync::look::Look;
use crate::sync::wait::{Patience, Wait};
use crate::sync::Cancel;
use crate::sys::malloc;
use crate::sys::poll;

/// One of the things that [`wait_any`] waits for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Waitable<'a> {
    /// A get would not wait.
    Get(&'a Queue),
    /// A put would not wait.
    Put(&'a Queue),
    /// Messages were settled since [`Queue::settled_count`] was last called with this handle.
    Settled(&'a Queue),
    /// The event is set, or has been set since the call began.
    Event(&'a Event),
    /// A receive would not wait.
    Receive(&'a Connection),
    /// An accept would not wait.
    Listener(&'a Listener),
    /// The process has ended.
    Process(&'a Process),
    /// The task is over.
    Task(&'a Task),
}

/// Wait until at least one of `items` is ready. Returns the indices of the ready ones, in order.
///
/// ```
/// use polyproc::{wait_any, CreateOptions, Event, Queue, QueueOptions, Waitable};
///
/// # fn main() -> polyproc::Result<()> {
/// let queue = Queue::create(None, &QueueOptions::default())?;
/// let stop = Event::create(None, CreateOptions::default())?;
/// stop.set()?;
/// let ready = wait_any(&[Waitable::Get(&queue), Waitable::Event(&stop)])?;
/// assert_eq!(ready, [1]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`wait_any_timeout`].
pub fn wait_any(items: &[Waitable<'_>]) -> Result<Vec<usize>> {
    wait_any_timeout(items, Wait::FOREVER)
}

/// The indices of those of `items` that are ready now, or `E_TIMEOUT`.
///
/// # Errors
/// Those of [`wait_any_timeout`].
pub fn try_wait_any(items: &[Waitable<'_>]) -> Result<Vec<usize>> {
    wait_any_timeout(items, Wait::TRY)
}

/// As [`wait_any`], no longer than `wait`.
///
/// # Errors
/// `E_INVALID` when `items` is empty, `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`. `E_UNSUPPORTED`
/// for an end of a pipe that only sends.
pub fn wait_any_timeout<'w>(
    items: &[Waitable<'_>],
    wait: impl Into<Wait<'w>>,
) -> Result<Vec<usize>> {
    let mut ready = vec![false; items.len()];
    wait_any_raw(items, &mut ready, wait.into())?;
    let indices = ready.iter().enumerate();
    Ok(indices
        .filter_map(|(at, ready)| ready.then_some(at))
        .collect())
}

/// As [`wait_any_timeout`]. Marks the ready ones in `ready`, in the order of `items`, and returns
/// their number.
pub(crate) fn wait_any_raw(
    items: &[Waitable<'_>],
    ready: &mut [bool],
    wait: Wait<'_>,
) -> Result<usize> {
    malloc::check()?;
    if items.is_empty() || ready.len() < items.len() {
        return Err(because!(E_INVALID, "n is 0: there is nothing to wait for"));
    }
    let items: Vec<Item<'_>> = items.iter().map(Item::new).collect::<Result<_>>()?;
    let mut patience = Patience::new(&wait);
    // The deadline is fixed before the first look, which may take a moment.
    patience.deadline();
    // This call repeats its looks, so one look waits for a lock no longer than a try does.
    let locks = LockWait::brief();
    let mut recheck = Recheck::new();
    let descriptors = match items.iter().any(Item::has_descriptor) {
        true => Some(
            items
                .iter()
                .map(Item::descriptor)
                .collect::<Result<Vec<_>>>()?,
        ),
        false => None,
    };
    loop {
        let count = look(&items, ready, &locks)?;
        if count > 0 {
            return Ok(count);
        }
        let slept = match &descriptors {
            Some(descriptors) => poll_all(descriptors, &mut patience),
            None => sleep(&items, &locks, &mut recheck, &mut patience),
        };
        for item in &items {
            if let Item::Shared(source) = item {
                source.tell_waited();
            }
        }
        if let Err(status) = slept {
            // A last look decides between the status and success.
            return match look(&items, ready, &locks)? {
                0 => Err(status),
                count => Ok(count),
            };
        }
    }
}

fn look(items: &[Item<'_>], ready: &mut [bool], locks: &LockWait<'_>) -> Result<usize> {
    let mut count = 0;
    for (item, place) in items.iter().zip(ready.iter_mut()) {
        *place = item.look(locks)? == Look::Ready;
        count += usize::from(*place);
    }
    Ok(count)
}

/// Sleep on the words of all items, and on the life words of all participants in their segments.
fn sleep(
    items: &[Item<'_>],
    locks: &LockWait<'_>,
    recheck: &mut Recheck,
    patience: &mut Patience<'_>,
) -> Result<()> {
    patience.check()?;
    let mut words: Vec<WatchedWord> = Vec::new();
    let mut segments: Vec<&Segment> = Vec::new();
    for item in items {
        if let Item::Shared(source) = item {
            source.watch(&mut words)?;
            let segment: &Segment = source.segment();
            if !segments.iter().any(|other| std::ptr::eq(*other, segment)) {
                segments.push(segment);
            }
        }
    }
    // Look again after the announcement: an item that became ready before it sends no wake-up.
    let mut is_doubtful = false;
    for item in items {
        match item.look(locks)? {
            Look::Ready => return Ok(()),
            Look::Doubtful => is_doubtful = true,
            Look::Waits => {}
        }
    }
    patience.recheck(recheck, is_doubtful);
    WaitSet::beside(&words, &segments)?.sleep(patience)
}

/// Poll descriptors only, when at least one item has a descriptor of its own.
fn poll_all(descriptors: &[AnyDescriptor<'_>], patience: &mut Patience<'_>) -> Result<()> {
    patience.check()?;
    let mut fds: Vec<RawFd> = Vec::with_capacity(descriptors.len() + 2);
    for descriptor in descriptors {
        fds.push(match descriptor {
            AnyDescriptor::Socket(socket) => socket.raw_fd(),
            AnyDescriptor::Listener(listener) => listener.fd()?,
            AnyDescriptor::Process(process) => process.fd()?,
            AnyDescriptor::Task(task) => task.fd()?,
            AnyDescriptor::Shared(descriptor) => descriptor.in_step()?,
        });
    }
    for token in patience.tokens() {
        fds.push(Cancel::fd(token)?);
    }
    match poll::any_readable(&fds, patience.deadline()) {
        Err(Status::E_INTERRUPTED) => patience.interrupted(),
        other => other,
    }
}

enum AnyDescriptor<'a> {
    Socket(&'a Connection),
    Listener(&'a Listener),
    Process(&'a Process),
    Task(&'a Task),
    Shared(Descriptor),
}

/// A [`Waitable`] as `wait_any` handles it.
enum Item<'a> {
    Shared(Source),
    /// A connection over a socket.
    Socket(&'a Connection),
    Listener(&'a Listener),
    Process(&'a Process),
    Task(&'a Task),
}

impl<'a> Item<'a> {
    fn new(waitable: &Waitable<'a>) -> Result<Item<'a>> {
        Ok(match waitable {
            Waitable::Get(queue) => Item::Shared(Source::Get(queue.segment().clone())),
            Waitable::Put(queue) => Item::Shared(Source::Put(queue.segment().clone())),
            Waitable::Settled(queue) => Item::Shared(settled_source(queue)),
            // A set counts even if a clear follows at once.
            Waitable::Event(event) => {
                let sets = event::sets(event.segment())?;
                Item::Shared(Source::EventSince(event.segment().clone(), sets))
            }
            Waitable::Receive(connection) => match connection.pipe() {
                Some(pipe) => Item::Shared(Source::Receive(pipe.receiver()?)),
                None => Item::Socket(connection),
            },
            Waitable::Listener(listener) => Item::Listener(listener),
            Waitable::Process(process) => Item::Process(process),
            Waitable::Task(task) => Item::Task(task),
        })
    }

    /// Whether this item is waited for through a descriptor of its own.
    fn has_descriptor(&self) -> bool {
        !matches!(self, Item::Shared(_))
    }

    fn look(&self, locks: &LockWait<'_>) -> Result<Look> {
        let is_ready = match self {
            Item::Shared(source) => return source.look(locks),
            Item::Socket(socket) => has_come(socket)?,
            Item::Listener(listener) => listener.is_ready()?,
            Item::Process(process) => !process.is_alive()?,
            Item::Task(task) => task.is_over()?,
        };
        Ok(is_ready.into())
    }

    /// The item's own descriptor, or for an object in shared memory a descriptor made for this
    /// call.
    fn descriptor(&self) -> Result<AnyDescriptor<'a>> {
        Ok(match self {
            Item::Socket(socket) => AnyDescriptor::Socket(socket),
            Item::Listener(listener) => AnyDescriptor::Listener(listener),
            Item::Process(process) => AnyDescriptor::Process(process),
            Item::Task(task) => AnyDescriptor::Task(task),
            Item::Shared(source) => {
                let raised_descriptor = Arc::new(RaisedDescriptor::new());
                AnyDescriptor::Shared(Descriptor::new(source.clone(), raised_descriptor)?)
            }
        })
    }
}

fn has_come(socket: &Connection) -> Result<bool> {
    match socket.try_poll() {
        Err(Status::E_TIMEOUT) => Ok(false),
        other => other.map(|()| true),
    }
}

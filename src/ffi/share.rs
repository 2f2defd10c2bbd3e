//! `polyproc_share_fd`, `polyproc_open_fd`: an object as a descriptor. Also the handling of "a kind
//! and a `void *`" for `process::request` and `process::child`.

use std::ffi::{c_int, c_void};
use std::os::fd::{IntoRawFd, RawFd};

use crate::connection::Connection;
use crate::ffi::abi::check::{guard, Out};
use crate::ffi::barrier::polyproc_barrier;
use crate::ffi::condition::polyproc_condition;
use crate::ffi::connection::polyproc_connection;
use crate::ffi::event::polyproc_event;
use crate::ffi::handle::{self, enter, Call};
use crate::ffi::lock::polyproc_lock;
use crate::ffi::queue::polyproc_queue;
use crate::ffi::rlock::polyproc_rlock;
use crate::ffi::semaphore::polyproc_semaphore;
use crate::object::{Barrier, Condition, Event, Lock, Rlock, Semaphore};
use crate::queue::Queue;
use crate::segment::Kind;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sys::descriptor::{duplicate, OwnedFd};

/// A call inside a handle of any kind that lives in a segment.
pub(crate) enum AnyCall<'a> {
    Lock(Call<'a, Lock>),
    Semaphore(Call<'a, Semaphore>),
    Event(Call<'a, Event>),
    Queue(Call<'a, Queue>),
    Connection(Call<'a, Connection>),
    Rlock(Call<'a, Rlock>),
    Condition(Call<'a, Condition>),
    Barrier(Call<'a, Barrier>),
}

/// Enter a handle of that kind.
///
/// # Safety
/// As for [`enter`].
pub(crate) unsafe fn enter_any<'a>(kind: i32, object: *mut c_void) -> Result<AnyCall<'a>> {
    // SAFETY: as the caller promises.
    unsafe {
        Ok(match known(kind)? {
            Kind::Lock => AnyCall::Lock(enter(object.cast::<polyproc_lock>())?),
            Kind::Semaphore => AnyCall::Semaphore(enter(object.cast::<polyproc_semaphore>())?),
            Kind::Event => AnyCall::Event(enter(object.cast::<polyproc_event>())?),
            Kind::Queue => AnyCall::Queue(enter(object.cast::<polyproc_queue>())?),
            Kind::Connection => AnyCall::Connection(enter(object.cast::<polyproc_connection>())?),
            Kind::Rlock => AnyCall::Rlock(enter(object.cast::<polyproc_rlock>())?),
            Kind::Condition => AnyCall::Condition(enter(object.cast::<polyproc_condition>())?),
            Kind::Barrier => AnyCall::Barrier(enter(object.cast::<polyproc_barrier>())?),
            Kind::Pool => return Err(because!(E_INVALID, "kind is that of no handle")),
        })
    }
}

impl AnyCall<'_> {
    /// Its descriptor, valid while the call is inside.
    pub(crate) fn raw_fd(&self) -> RawFd {
        match self {
            AnyCall::Lock(lock) => lock.raw_fd(),
            AnyCall::Semaphore(semaphore) => semaphore.raw_fd(),
            AnyCall::Event(event) => event.raw_fd(),
            AnyCall::Queue(queue) => queue.raw_fd(),
            AnyCall::Connection(connection) => connection.raw_fd(),
            AnyCall::Rlock(rlock) => rlock.raw_fd(),
            AnyCall::Condition(condition) => condition.raw_fd(),
            AnyCall::Barrier(barrier) => barrier.raw_fd(),
        }
    }

    fn share_fd(&self) -> Result<std::os::fd::OwnedFd> {
        match self {
            AnyCall::Lock(lock) => lock.share_fd(),
            AnyCall::Semaphore(semaphore) => semaphore.share_fd(),
            AnyCall::Event(event) => event.share_fd(),
            AnyCall::Queue(queue) => queue.share_fd(),
            AnyCall::Connection(connection) => connection.share_fd(),
            AnyCall::Rlock(rlock) => rlock.share_fd(),
            AnyCall::Condition(condition) => condition.share_fd(),
            AnyCall::Barrier(barrier) => barrier.share_fd(),
        }
    }
}

/// The kind for a number of C.
pub(crate) fn known(kind: i32) -> Result<Kind> {
    Kind::from_code(kind).ok_or_else(|| because!(E_INVALID, "kind is {kind}, which no object has"))
}

/// A handle for C of the object behind a descriptor, of the type that the kind names.
pub(crate) fn open_any(fd: OwnedFd, kind: Kind) -> Result<*mut c_void> {
    Ok(match kind {
        Kind::Lock => handle::new::<polyproc_lock>(Lock::from_fd(fd.into())?)?.cast(),
        Kind::Semaphore => {
            handle::new::<polyproc_semaphore>(Semaphore::from_fd(fd.into())?)?.cast()
        }
        Kind::Event => handle::new::<polyproc_event>(Event::from_fd(fd.into())?)?.cast(),
        Kind::Queue => handle::new::<polyproc_queue>(Queue::from_fd(fd.into())?)?.cast(),
        Kind::Connection => {
            handle::new::<polyproc_connection>(Connection::from_fd(fd.into())?)?.cast()
        }
        Kind::Rlock => handle::new::<polyproc_rlock>(Rlock::from_fd(fd.into())?)?.cast(),
        Kind::Condition => {
            handle::new::<polyproc_condition>(Condition::from_fd(fd.into())?)?.cast()
        }
        Kind::Barrier => handle::new::<polyproc_barrier>(Barrier::from_fd(fd.into())?)?.cast(),
        Kind::Pool => return Err(because!(E_INVALID, "kind is that of no handle")),
    })
}

/// <!-- Objects as descriptors -->
/// A descriptor of an object, to hand it to a process that polyproc did not start: through your own
/// spawn or SCM_RIGHTS. polyproc_open_fd makes a handle of it there. For a connection over a socket
/// the descriptor is the socket itself: hand it on between two messages, and let one process at a
/// time send and receive.
///
/// ```text
/// kind    what the handle is, POLYPROC_KIND_*.
/// object  open handle of that kind.
/// out_fd  the descriptor, close-on-exec, to be closed with close().
///
/// Returns  OK
///          E_LIMIT    too many descriptors are open.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of that kind, an unknown kind, or out_fd is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_share_fd(
    kind: i32,
    object: *mut c_void,
    out_fd: *mut c_int,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let object = unsafe { enter_any(kind, object) }?;
        // SAFETY: the caller passes a place for the descriptor or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(object.share_fd()?.into_raw_fd());
        Ok(Status::OK)
    })
}

/// Open the object behind a descriptor, one from polyproc_share_fd in this or another process. A
/// connection may also be any connected stream socket whose other end speaks the frames of Python's
/// multiprocessing.connection: its messages are limited to 4 GiB - 1 bytes.
///
/// ```text
/// fd    descriptor; it stays yours, and may be closed afterwards.
/// kind  what it is, POLYPROC_KIND_*.
/// out   the handle, of the type that kind names, to be closed with that type's close.
///
/// Returns  OK
///          E_MISMATCH    it is of another kind, or no object of polyproc.
///          E_PERMISSION  it is not open for reading and writing.
///          E_CORRUPT     it is damaged.
///          E_LIMIT       too many descriptors are open.
///          E_UNSUPPORTED the end of a pipe, and the system refuses open file description locks.
///          E_NO_MEMORY   memory is exhausted.
///          E_INVALID     fd is not an open descriptor, an unknown kind, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_open_fd(fd: c_int, kind: i32, out: *mut *mut c_void) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        let kind = known(kind)?;
        out.write(open_any(copy_of(fd)?, kind)?);
        Ok(Status::OK)
    })
}

/// Duplicate the caller's descriptor.
fn copy_of(fd: c_int) -> Result<OwnedFd> {
    duplicate(fd).map_err(|status| match status.errno() {
        Some(libc::EBADF) => because!(E_INVALID, "fd is {fd}, no open descriptor"),
        _ => status,
    })
}

//! `polyproc_event_*`

use std::ffi::{c_char, c_int};

use crate::ffi::abi::check::{guard, guard_close, guard_in_handler, name, required_name, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, enter_in_handler, wait_of, Opaque};
use crate::ffi::options::create_options;
use crate::ffi::options::polyproc_options;
use crate::object::Event;
use crate::status::Status;

/// A flag between processes to wait for: clear at first; any process may set and clear it.
pub struct polyproc_event {
    _private: [u8; 0],
}

impl Opaque for polyproc_event {
    type Object = Event;
    const MAGIC: u32 = u32::from_be_bytes(*b"even");
    const NAME: &'static str = "event";
}

/// <!-- Event -->
/// Create an event. It is clear.
///
/// ```text
/// name     its name, or NULL for an anonymous one.
/// options  NULL for the defaults; POLYPROC_OPEN_OR_CREATE.
/// out      the handle, to be closed with polyproc_event_close.
///
/// Returns  OK
///          E_EXISTS      the name is taken.
///          E_MISMATCH    POLYPROC_OPEN_OR_CREATE, and the name is no event.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_PERMISSION  no right to create it, or to open the object that has the name.
///          E_CORRUPT     POLYPROC_OPEN_OR_CREATE, and the object of that name is damaged.
///          E_UNSUPPORTED a name, and /dev/shm is missing: there are anonymous objects only.
///          E_LIMIT       too many descriptors are open.
///          E_INVALID     out is NULL, a bad name or bad options.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_create(
    name: *const c_char,
    options: *const polyproc_options,
    out: *mut *mut polyproc_event,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { self::name(name) }?;
        // SAFETY: the caller passes an option struct or NULL.
        let options = unsafe { create_options(options) }?;
        out.write(handle::new(Event::create(name, options)?)?);
        Ok(Status::OK)
    })
}

/// Open the event that has a name.
///
/// ```text
/// name  its name.
/// out   the handle, to be closed with polyproc_event_close.
///
/// Returns  OK
///          E_NOT_FOUND   no object has that name.
///          E_MISMATCH    it is no event.
///          E_PERMISSION  its mode keeps this user out.
///          E_CORRUPT     it is damaged.
///          E_LIMIT       too many descriptors are open.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_INVALID     out is NULL, or not a name.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_open(
    name: *const c_char,
    out: *mut *mut polyproc_event,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { required_name(name) }?;
        out.write(handle::new(Event::open(name)?)?);
        Ok(Status::OK)
    })
}

/// Set the event. All current waits for it return, also when a clear follows at once.
///
/// ```text
/// event  open handle.
///
/// Returns  OK         it is set.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of an event.
/// Blocks   no. Threads: any. Signal-safe: yes. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_set(event: *mut polyproc_event) -> i32 {
    guard_in_handler(|| {
        // SAFETY: the caller passes a handle or NULL.
        let event = unsafe { enter_in_handler(event) }?;
        event.set()?;
        Ok(Status::OK)
    })
}

/// Clear the event: waits from now on wait for the next set.
///
/// ```text
/// event  open handle.
///
/// Returns  OK         it is clear.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of an event.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_clear(event: *mut polyproc_event) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let event = unsafe { enter(event) }?;
        event.clear()?;
        Ok(Status::OK)
    })
}

/// Report whether the event is set. The answer can be stale by the time the call returns.
///
/// ```text
/// event  open handle.
/// out    1 when it is set, else 0.
///
/// Returns  OK
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of an event, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_is_set(event: *mut polyproc_event, out: *mut i32) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let event = unsafe { enter(event) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(event.is_set()?.into());
        Ok(Status::OK)
    })
}

/// Wait until the event is set. A wait that had begun when set was called returns OK, even if a
/// clear followed at once.
///
/// ```text
/// event       open handle.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK         it was set.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  it was not.
///          E_INVALID  not a handle of an event, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_wait(
    event: *mut polyproc_event,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let event = unsafe { enter(event) }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&event, timeout_ns, cancel) }?;
        event.wait_raw(wait)?;
        Ok(Status::OK)
    })
}

/// Get a mark of this moment, for polyproc_event_wait_since. It changes with every set.
///
/// ```text
/// event  open handle.
/// out    the mark. Its only use is as an argument of polyproc_event_wait_since.
///
/// Returns  OK
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of an event, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_sets(event: *mut polyproc_event, out: *mut u32) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let event = unsafe { enter(event) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(event.sets()?);
        Ok(Status::OK)
    })
}

/// Wait until the event is set, or has been set since polyproc_event_sets gave the mark, even if a
/// clear followed at once. For runtimes whose tasks wait in a thread: the task counts as a waiter
/// from its mark on, even if the thread begins to wait later.
///
/// ```text
/// event       open handle.
/// sets        from polyproc_event_sets of the same event.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK         it is or was set.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  it was not.
///          E_INVALID  not a handle of an event, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_wait_since(
    event: *mut polyproc_event,
    sets: u32,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let event = unsafe { enter(event) }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&event, timeout_ns, cancel) }?;
        event.wait_since_raw(sets, wait)?;
        Ok(Status::OK)
    })
}

/// A descriptor for poll, epoll, libuv, asyncio and the like: readable while the event is set. From
/// the first call on, a thread of this process keeps such descriptors up to date. They follow a
/// change with a short delay, so try the operation without waiting, and poll again if it would
/// wait.
///
/// ```text
/// event   open handle.
/// out_fd  the descriptor. It belongs to the handle: do not read it, close it, or use it after the
///         handle is closed. A forked child asks for its own.
///
/// Returns  OK
///          E_LIMIT    too many descriptors or threads are there.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of an event, or out_fd is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_fd(event: *mut polyproc_event, out_fd: *mut c_int) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let event = unsafe { enter(event) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(event.fd()?);
        Ok(Status::OK)
    })
}

/// Close this handle. Calls that wait on it in other threads return E_CLOSED.
///
/// ```text
/// event  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_event_close(event: *mut polyproc_event) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(event) });
}

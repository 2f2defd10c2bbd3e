//! `polyproc_barrier_*`; arriving in two steps is in `steps`.

pub mod steps;

use std::ffi::c_char;

use crate::ffi::abi::check::{guard, guard_close, name, required_name, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, token, Opaque};
use crate::ffi::options::create_options;
use crate::ffi::options::polyproc_options;
use crate::object::Barrier;
use crate::status::Status;

/// A barrier between processes: a fixed number of parties, processes or threads, that wait for each
/// other and go on together, round by round. A party that gives up or dies while it waits breaks
/// the barrier for all parties at once, so that none waits for it forever. A broken barrier stays
/// so until it is reset.
pub struct polyproc_barrier {
    _private: [u8; 0],
}

impl Opaque for polyproc_barrier {
    type Object = Barrier;
    const MAGIC: u32 = u32::from_be_bytes(*b"barr");
    const NAME: &'static str = "barrier";
}

/// <!-- Barrier -->
/// Create a barrier.
///
/// ```text
/// name     its name, or NULL for an anonymous one.
/// options  NULL for the defaults; POLYPROC_OPEN_OR_CREATE.
/// parties  how many wait for each other, 1 to POLYPROC_BARRIER_PARTIES_MAX.
/// out      the handle, to be closed with polyproc_barrier_close.
///
/// Returns  OK
///          E_EXISTS      the name is taken.
///          E_MISMATCH    POLYPROC_OPEN_OR_CREATE, and the name is no barrier or one for another
///                        number of parties.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_PERMISSION  no right to create it, or to open the object that has the name.
///          E_CORRUPT     POLYPROC_OPEN_OR_CREATE, and the object of that name is damaged.
///          E_UNSUPPORTED a name, and /dev/shm is missing: there are anonymous objects only.
///          E_LIMIT       too many descriptors are open.
///          E_INVALID     out is NULL, a bad name, bad options or a bad number of parties.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_create(
    name: *const c_char,
    options: *const polyproc_options,
    parties: u32,
    out: *mut *mut polyproc_barrier,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { self::name(name) }?;
        // SAFETY: the caller passes an option struct or NULL.
        let options = unsafe { create_options(options) }?;
        out.write(handle::new(Barrier::create(name, options, parties)?)?);
        Ok(Status::OK)
    })
}

/// Open the barrier that has a name.
///
/// ```text
/// name  its name.
/// out   the handle, to be closed with polyproc_barrier_close.
///
/// Returns  OK
///          E_NOT_FOUND   no object has that name.
///          E_MISMATCH    it is no barrier.
///          E_PERMISSION  its mode keeps this user out.
///          E_CORRUPT     it is damaged.
///          E_LIMIT       too many descriptors are open.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_INVALID     out is NULL, or not a name.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_open(
    name: *const c_char,
    out: *mut *mut polyproc_barrier,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { required_name(name) }?;
        out.write(handle::new(Barrier::open(name)?)?);
        Ok(Status::OK)
    })
}

/// Wait until all parties have arrived. The last party to arrive releases the others.
///
/// ```text
/// barrier     open handle.
/// out_index   the number of this party in the round, 0 to parties - 1.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 succeeds for the last party only.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK
///          E_BROKEN_BARRIER  it was broken before or meanwhile (a party gave up or died, or abort
///                            was called), or it was reset meanwhile.
///          E_TIMEOUT, E_CANCELED, E_CLOSED  the wait ended early, which breaks the barrier for all
///                            parties.
///          E_INTERRUPTED     this party counts as not arrived, and may call again; nothing is
///                            broken.
///          E_CORRUPT         its memory is damaged.
///          E_LIMIT           too many processes or threads use it.
///          E_INVALID         not a handle of a barrier, not a token, or out_index is NULL.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_wait(
    barrier: *mut polyproc_barrier,
    out_index: *mut u32,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let barrier = unsafe { enter(barrier) }?;
        // SAFETY: the caller passes a place for the index or NULL.
        let out_index = unsafe { Out::required(out_index, "out_index") }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        out_index.write(barrier.wait_timeout(barrier.wait_for(timeout_ns, &cancel))?);
        Ok(Status::OK)
    })
}

/// Break the barrier: the parties that wait get E_BROKEN_BARRIER, and so does every later party
/// until the barrier is reset.
///
/// ```text
/// barrier  open handle.
///
/// Returns  OK
///          E_TIMEOUT  a peer is stopped inside a call; nothing has changed.
///          E_CORRUPT  its memory is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a barrier.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_abort(barrier: *mut polyproc_barrier) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let barrier = unsafe { enter(barrier) }?;
        barrier.abort()?;
        Ok(Status::OK)
    })
}

/// Reset the barrier: the parties that wait get E_BROKEN_BARRIER, and the next party to arrive
/// begins a new round. This repairs a broken barrier.
///
/// ```text
/// barrier  open handle.
///
/// Returns  OK
///          E_TIMEOUT  a peer is stopped inside a call; nothing has changed.
///          E_CORRUPT  its memory is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a barrier.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_reset(barrier: *mut polyproc_barrier) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let barrier = unsafe { enter(barrier) }?;
        barrier.reset()?;
        Ok(Status::OK)
    })
}

/// Report for how many parties the barrier was created.
///
/// ```text
/// barrier  open handle.
/// out      the number.
///
/// Returns  OK
///          E_CORRUPT  its memory is damaged.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a barrier, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_parties(
    barrier: *mut polyproc_barrier,
    out: *mut u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let barrier = unsafe { enter(barrier) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(barrier.parties()?);
        Ok(Status::OK)
    })
}

/// Report how many parties wait or are held. The answer can be stale by the time the call returns.
///
/// ```text
/// barrier  open handle.
/// out      the number.
///
/// Returns  OK
///          E_CORRUPT  its memory is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a barrier, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_waiting(
    barrier: *mut polyproc_barrier,
    out: *mut u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let barrier = unsafe { enter(barrier) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(barrier.waiting()?);
        Ok(Status::OK)
    })
}

/// Report whether the barrier is broken. The answer can be stale by the time the call returns.
///
/// ```text
/// barrier  open handle.
/// out      1 when it is, else 0.
///
/// Returns  OK
///          E_CORRUPT  its memory is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a barrier, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_is_broken(
    barrier: *mut polyproc_barrier,
    out: *mut i32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let barrier = unsafe { enter(barrier) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(barrier.is_broken()?.into());
        Ok(Status::OK)
    })
}

/// Close this handle. Calls that wait on it in other threads return E_CLOSED, which breaks the
/// barrier.
///
/// ```text
/// barrier  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_close(barrier: *mut polyproc_barrier) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(barrier) });
}

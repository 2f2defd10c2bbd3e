//! `polyproc_rlock_*`

use std::ffi::c_char;

use crate::ffi::abi::check::{guard, guard_close, name, required_name, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, token, Opaque};
use crate::ffi::options::create_options;
use crate::ffi::options::polyproc_options;
use crate::object::Rlock;
use crate::status::Status;
use crate::sync::Acquired;

/// A recursive lock between processes, like multiprocessing.RLock: its owner may take it again, and
/// it is free when its owner has released it as often. Only the owner releases it. When the owner's
/// process dies, the next acquire gets the rlock and returns OWNER_DIED. An owner is a process and,
/// within it, a thread or a number of the caller's choice; a forked child owns nothing of its
/// parent's.
pub struct polyproc_rlock {
    _private: [u8; 0],
}

impl Opaque for polyproc_rlock {
    type Object = Rlock;
    const MAGIC: u32 = u32::from_be_bytes(*b"rloc");
    const NAME: &'static str = "rlock";
}

/// <!-- Rlock -->
/// Create an rlock.
///
/// ```text
/// name     its name, or NULL for an anonymous one.
/// options  NULL for the defaults; POLYPROC_OPEN_OR_CREATE.
/// out      the handle, to be closed with polyproc_rlock_close.
///
/// Returns  OK
///          E_EXISTS      the name is taken.
///          E_MISMATCH    POLYPROC_OPEN_OR_CREATE, and the name is no rlock.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_PERMISSION  no right to create it, or to open the object that has the name.
///          E_CORRUPT     POLYPROC_OPEN_OR_CREATE, and the object of that name is damaged.
///          E_UNSUPPORTED a name, and /dev/shm is missing: there are anonymous objects only.
///          E_LIMIT       too many descriptors are open.
///          E_INVALID     out is NULL, a bad name or bad options.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_rlock_create(
    name: *const c_char,
    options: *const polyproc_options,
    out: *mut *mut polyproc_rlock,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { self::name(name) }?;
        // SAFETY: the caller passes an option struct or NULL.
        let options = unsafe { create_options(options) }?;
        out.write(handle::new(Rlock::create(name, options)?)?);
        Ok(Status::OK)
    })
}

/// Open the rlock that has a name.
///
/// ```text
/// name  its name.
/// out   the handle, to be closed with polyproc_rlock_close.
///
/// Returns  OK
///          E_NOT_FOUND   no object has that name.
///          E_MISMATCH    it is no rlock.
///          E_PERMISSION  its mode keeps this user out.
///          E_CORRUPT     it is damaged.
///          E_LIMIT       too many descriptors are open.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_INVALID     out is NULL, or not a name.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_rlock_open(
    name: *const c_char,
    out: *mut *mut polyproc_rlock,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { required_name(name) }?;
        out.write(handle::new(Rlock::open(name)?)?);
        Ok(Status::OK)
    })
}

/// Take the rlock, waiting while another owner holds it. An owner that holds the rlock already
/// takes it once more, at once.
///
/// ```text
/// rlock       open handle.
/// owner       0: the calling thread is the owner. A runtime whose tasks move between threads passes
///             a number of its own for the task, any but 0. Such a number is valid within this
///             process, and never stands for a thread.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK          you hold it.
///          OWNER_DIED  you hold it; the last owner died inside: check what it guarded.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  you do not hold it.
///          E_CORRUPT   its memory is damaged.
///          E_LIMIT     too many processes use it, or you have taken it 4,294,967,295 times.
///          E_INVALID   not a handle of an rlock, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_rlock_acquire(
    rlock: *mut polyproc_rlock,
    owner: u64,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let rlock = unsafe { enter(rlock) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        match rlock.acquire_as_timeout(owner, rlock.wait_for(timeout_ns, &cancel))? {
            Acquired::Clean => Ok(Status::OK),
            Acquired::OwnerDied => Ok(Status::OWNER_DIED),
        }
    })
}

/// Release the rlock once. It is free after as many releases as acquisitions.
///
/// ```text
/// rlock  open handle.
/// owner  the owner that took it, as for polyproc_rlock_acquire.
///
/// Returns  OK
///          E_NOT_OWNER  this owner does not hold it: it is free, or another's.
///          E_CORRUPT    its memory is damaged.
///          E_LIMIT      too many processes use it.
///          E_CLOSED     the handle is closed.
///          E_INVALID    not a handle of an rlock.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_rlock_release(rlock: *mut polyproc_rlock, owner: u64) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let rlock = unsafe { enter(rlock) }?;
        rlock.release_as(owner)?;
        Ok(Status::OK)
    })
}

/// Report how many times the current owner has taken the rlock. The answer can be stale by the time
/// the call returns.
///
/// ```text
/// rlock  open handle.
/// out    0 when it is free or its owner died, else 1 or more.
///
/// Returns  OK
///          E_CORRUPT  its memory is damaged.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of an rlock, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_rlock_depth(rlock: *mut polyproc_rlock, out: *mut u32) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let rlock = unsafe { enter(rlock) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(rlock.depth()?);
        Ok(Status::OK)
    })
}

/// Close this handle. Calls that wait on it in other threads return E_CLOSED. Closing the last
/// handle of a process that holds the rlock releases it, as the death of that process would.
///
/// ```text
/// rlock  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_rlock_close(rlock: *mut polyproc_rlock) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(rlock) });
}

//! `polyproc_lock_*`

use std::ffi::c_char;
use std::ptr;

use crate::ffi::abi::check::{guard, guard_close, name, required_name, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, quickly, wait_of, Opaque};
use crate::ffi::options::create_options;
use crate::ffi::options::polyproc_options;
use crate::object::Lock;
use crate::status::Status;
use crate::sync::Acquired;

/// A lock between processes, like multiprocessing.Lock: one holder at a time, not recursive, and
/// any process or thread may release it. When its holder dies, the next acquire gets the lock and
/// returns OWNER_DIED.
pub struct polyproc_lock {
    _private: [u8; 0],
}

impl Opaque for polyproc_lock {
    type Object = Lock;
    const MAGIC: u32 = u32::from_be_bytes(*b"lock");
    const NAME: &'static str = "lock";
}

/// <!-- Lock -->
/// Create a lock.
///
/// ```text
/// name     its name, or NULL for an anonymous one.
/// options  NULL for the defaults; POLYPROC_OPEN_OR_CREATE.
/// out      the handle, to be closed with polyproc_lock_close.
///
/// Returns  OK
///          E_EXISTS      the name is taken.
///          E_MISMATCH    POLYPROC_OPEN_OR_CREATE, and the name is no lock.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_PERMISSION  no right to create it, or to open the object that has the name.
///          E_CORRUPT     POLYPROC_OPEN_OR_CREATE, and the object of that name is damaged.
///          E_UNSUPPORTED a name, and /dev/shm is missing: there are anonymous objects only.
///          E_LIMIT       too many descriptors are open.
///          E_INVALID     out is NULL, a bad name or bad options.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_lock_create(
    name: *const c_char,
    options: *const polyproc_options,
    out: *mut *mut polyproc_lock,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { self::name(name) }?;
        // SAFETY: the caller passes an option struct or NULL.
        let options = unsafe { create_options(options) }?;
        out.write(handle::new(Lock::create(name, options)?)?);
        Ok(Status::OK)
    })
}

/// Open the lock that has a name.
///
/// ```text
/// name  its name.
/// out   the handle, to be closed with polyproc_lock_close.
///
/// Returns  OK
///          E_NOT_FOUND   no object has that name.
///          E_MISMATCH    it is no lock.
///          E_PERMISSION  its mode keeps this user out.
///          E_CORRUPT     it is damaged.
///          E_LIMIT       too many descriptors are open.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_INVALID     out is NULL, or not a name.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_lock_open(
    name: *const c_char,
    out: *mut *mut polyproc_lock,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { required_name(name) }?;
        out.write(handle::new(Lock::open(name)?)?);
        Ok(Status::OK)
    })
}

/// Take the lock, waiting while another process or thread holds it. The lock is not recursive: a
/// thread that takes it twice waits for itself.
///
/// ```text
/// lock        open handle.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK          you hold it.
///          OWNER_DIED  you hold it; the last holder died inside: check what it guarded.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  you do not hold it.
///          E_CORRUPT   its memory is damaged.
///          E_LIMIT     too many processes use it.
///          E_INVALID   not a handle of a lock, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_lock_acquire(
    lock: *mut polyproc_lock,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    if !cancel.is_null() {
        // SAFETY: the caller passes a handle or NULL, and a token.
        return unsafe { acquire(lock, timeout_ns, cancel) };
    }
    // SAFETY: the caller passes a handle or NULL.
    if unsafe { quickly(lock, Lock::acquire_now) } {
        return Status::OK.code();
    }
    // SAFETY: as above.
    unsafe { acquire(lock, timeout_ns, ptr::null_mut()) }
}

/// [`polyproc_lock_acquire`] in every case.
#[inline(never)]
unsafe extern "C" fn acquire(
    lock: *mut polyproc_lock,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let lock = unsafe { enter(lock) }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&lock, timeout_ns, cancel) }?;
        match lock.acquire_raw(wait)? {
            Acquired::Clean => Ok(Status::OK),
            Acquired::OwnerDied => Ok(Status::OWNER_DIED),
        }
    })
}

/// Release the lock. Any process or thread may release it, even if another one took it.
///
/// ```text
/// lock  open handle.
///
/// Returns  OK
///          E_OVER_RELEASE  it is free already.
///          E_CORRUPT       its memory is damaged.
///          E_LIMIT         too many processes use it.
///          E_CLOSED        the handle is closed.
///          E_INVALID       not a handle of a lock.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_lock_release(lock: *mut polyproc_lock) -> i32 {
    // SAFETY: the caller passes a handle or NULL.
    if unsafe { quickly(lock, Lock::release_now) } {
        return Status::OK.code();
    }
    // SAFETY: as above.
    unsafe { release(lock) }
}

/// [`polyproc_lock_release`] in every case.
#[inline(never)]
unsafe extern "C" fn release(lock: *mut polyproc_lock) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let lock = unsafe { enter(lock) }?;
        lock.release()?;
        Ok(Status::OK)
    })
}

/// Report whether the lock is held. The answer can be stale by the time the call returns.
///
/// ```text
/// lock  open handle.
/// out   1 when it is held, else 0. A holder that died counts as none.
///
/// Returns  OK
///          E_CORRUPT  its memory is damaged.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a lock, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_lock_is_locked(lock: *mut polyproc_lock, out: *mut i32) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let lock = unsafe { enter(lock) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(lock.is_locked()?.into());
        Ok(Status::OK)
    })
}

/// Close this handle. Calls that wait on it in other threads return E_CLOSED. Closing the last
/// handle of a process that holds the lock releases it, as the death of that process would.
///
/// ```text
/// lock  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_lock_close(lock: *mut polyproc_lock) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(lock) });
}

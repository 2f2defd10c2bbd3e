//! `polyproc_semaphore_*`

use std::ffi::c_char;
use std::ptr;

use crate::ffi::abi::check::{guard, guard_close, name, required_name, Out};
use crate::ffi::abi::constants::POLYPROC_SEMAPHORE_OWNED;
use crate::ffi::abi::growing::{self, growing};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, quickly, wait_of, Opaque};
use crate::ffi::options::create;
use crate::object::Semaphore;
use crate::object::SemaphoreOptions;
use crate::status::{Result, Status};

/// A counting semaphore between processes: a number of permits. With a maximum it is bounded, and
/// releasing over it is an error. By default a permit has no owner: if a process ends without
/// releasing its permit, the permit is lost. With POLYPROC_SEMAPHORE_OWNED a permit belongs to the
/// process that acquired it, and comes back when that process ends.
pub struct polyproc_semaphore {
    _private: [u8; 0],
}

impl Opaque for polyproc_semaphore {
    type Object = Semaphore;
    const MAGIC: u32 = u32::from_be_bytes(*b"sema");
    const NAME: &'static str = "semaphore";
}

/// Options of a semaphore. NULL means the defaults: no permit, unbounded.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_semaphore_options {
    /// `sizeof(polyproc_semaphore_options)`, as `POLYPROC_SEMAPHORE_OPTIONS_INIT` sets it.
    pub size: usize,
    /// `POLYPROC_OPEN_OR_CREATE`, `POLYPROC_SEMAPHORE_OWNED`, or both.
    pub flags: u32,
    /// Permissions of a named object: 0600, or 0600 with more bits for group and others, for
    /// example 0660. 0 means 0600.
    pub mode: u32,
    /// How many permits there are at first, 0 or more.
    pub initial: i64,
    /// How many permits there may ever be, at least `initial`; 0: unbounded.
    pub maximum: i64,
}

growing! { polyproc_semaphore_options: 32 }

/// # Safety
/// As for [`growing::read`].
unsafe fn semaphore_options(theirs: *const polyproc_semaphore_options) -> Result<SemaphoreOptions> {
    if theirs.is_null() {
        return Ok(SemaphoreOptions::default());
    }
    // SAFETY: as the caller promises.
    let theirs = unsafe { growing::read(theirs) }?;
    Ok(SemaphoreOptions {
        create: create(theirs.flags, theirs.mode, POLYPROC_SEMAPHORE_OWNED)?,
        owned: theirs.flags & POLYPROC_SEMAPHORE_OWNED != 0,
        initial: theirs.initial,
        maximum: theirs.maximum,
    })
}

/// <!-- Semaphore -->
/// Create a semaphore.
///
/// ```text
/// name     its name, or NULL for an anonymous one.
/// options  NULL for the defaults: no permit, unbounded, owned by nobody.
/// out      the handle, to be closed with polyproc_semaphore_close.
///
/// Returns  OK
///          E_EXISTS      the name is taken.
///          E_MISMATCH    POLYPROC_OPEN_OR_CREATE, and the name is no semaphore, or the semaphore
///                        differs in its maximum or in POLYPROC_SEMAPHORE_OWNED.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_PERMISSION  no right to create it, or to open the object that has the name.
///          E_CORRUPT     POLYPROC_OPEN_OR_CREATE, and the object of that name is damaged.
///          E_UNSUPPORTED a name, and /dev/shm is missing: there are anonymous objects only.
///          E_LIMIT       too many descriptors are open.
///          E_INVALID     out is NULL, a bad name or bad options: initial below 0 or over maximum.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_semaphore_create(
    name: *const c_char,
    options: *const polyproc_semaphore_options,
    out: *mut *mut polyproc_semaphore,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { self::name(name) }?;
        // SAFETY: the caller passes an option struct or NULL.
        let options = unsafe { semaphore_options(options) }?;
        out.write(handle::new(Semaphore::create(name, &options)?)?);
        Ok(Status::OK)
    })
}

/// Open the semaphore that has a name.
///
/// ```text
/// name  its name.
/// out   the handle, to be closed with polyproc_semaphore_close.
///
/// Returns  OK
///          E_NOT_FOUND   no object has that name.
///          E_MISMATCH    it is no semaphore.
///          E_PERMISSION  its mode keeps this user out.
///          E_CORRUPT     it is damaged.
///          E_LIMIT       too many descriptors are open.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_INVALID     out is NULL, or not a name.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_semaphore_open(
    name: *const c_char,
    out: *mut *mut polyproc_semaphore,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { required_name(name) }?;
        out.write(handle::new(Semaphore::open(name)?)?);
        Ok(Status::OK)
    })
}

/// Take one permit, waiting while there is none.
///
/// ```text
/// semaphore   open handle.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK          you have a permit.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  you have none.
///          E_CORRUPT   its memory is damaged.
///          E_LIMIT     too many processes use it.
///          E_INVALID   not a handle of a semaphore, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_semaphore_acquire(
    semaphore: *mut polyproc_semaphore,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    if !cancel.is_null() {
        // SAFETY: the caller passes a handle or NULL, and a token.
        return unsafe { acquire(semaphore, timeout_ns, cancel) };
    }
    // SAFETY: the caller passes a handle or NULL.
    if unsafe { quickly(semaphore, Semaphore::acquire_now) } {
        return Status::OK.code();
    }
    // SAFETY: as above.
    unsafe { acquire(semaphore, timeout_ns, ptr::null_mut()) }
}

/// [`polyproc_semaphore_acquire`] in every case.
#[inline(never)]
unsafe extern "C" fn acquire(
    semaphore: *mut polyproc_semaphore,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let semaphore = unsafe { enter(semaphore) }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&semaphore, timeout_ns, cancel) }?;
        semaphore.acquire_raw(wait)?;
        Ok(Status::OK)
    })
}

/// Release permits, all of them or none.
///
/// ```text
/// semaphore  open handle.
/// n          how many, 1 or more.
///
/// Returns  OK
///          E_OVER_RELEASE  the maximum would be exceeded; owned: this process holds some permits,
///                          but fewer than n. Nothing is released.
///          E_NOT_OWNER     owned: this process holds none.
///          E_TIMEOUT       owned: a peer is stopped inside a call; nothing is released.
///          E_CORRUPT       its memory is damaged.
///          E_LIMIT         too many processes use it.
///          E_CLOSED        the handle is closed.
///          E_INVALID       not a handle of a semaphore, or n is below 1.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_semaphore_release(
    semaphore: *mut polyproc_semaphore,
    n: i64,
) -> i32 {
    // SAFETY: the caller passes a handle or NULL.
    if unsafe { quickly(semaphore, |semaphore| semaphore.release_now(n)) } {
        return Status::OK.code();
    }
    // SAFETY: as above.
    unsafe { release(semaphore, n) }
}

/// [`polyproc_semaphore_release`] in every case.
#[inline(never)]
unsafe extern "C" fn release(semaphore: *mut polyproc_semaphore, n: i64) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let semaphore = unsafe { enter(semaphore) }?;
        semaphore.release(n)?;
        Ok(Status::OK)
    })
}

/// Report how many permits are free. The answer can be stale by the time the call returns.
///
/// ```text
/// semaphore  open handle.
/// out        the number of permits.
///
/// Returns  OK
///          E_TIMEOUT  owned: a peer is stopped inside a call and hides the number.
///          E_CORRUPT  its memory is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a semaphore, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_semaphore_value(
    semaphore: *mut polyproc_semaphore,
    out: *mut i64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let semaphore = unsafe { enter(semaphore) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(semaphore.value()?);
        Ok(Status::OK)
    })
}

/// Close this handle. Calls that wait on it in other threads return E_CLOSED. Permits that this
/// process took stay taken; owned permits are released with the last handle of this process.
///
/// ```text
/// semaphore  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_semaphore_close(semaphore: *mut polyproc_semaphore) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(semaphore) });
}

//! `polyproc_condition_*`

use std::ffi::c_char;

use crate::ffi::abi::check::{guard, guard_close, name, required_name, Out};
use crate::ffi::abi::constants::POLYPROC_FOREVER;
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, token, Opaque};
use crate::ffi::lock::polyproc_lock;
use crate::ffi::options::create_options;
use crate::ffi::options::polyproc_options;
use crate::ffi::rlock::polyproc_rlock;
use crate::object::Condition;
use crate::status::{Result, Status};
use crate::sync::{Acquired, Cancel};

/// A condition between processes, like multiprocessing.Condition: a holder of a lock waits here for
/// a change of the state that the lock guards. The lock is released during the wait; a process that
/// changes the state notifies. A waiter checks the state again after the wait, in a loop, since
/// another process or thread may have changed it first.
pub struct polyproc_condition {
    _private: [u8; 0],
}

impl Opaque for polyproc_condition {
    type Object = Condition;
    const MAGIC: u32 = u32::from_be_bytes(*b"cond");
    const NAME: &'static str = "condition";
}

/// The status of a wait, after which the lock is held only if its handle is open.
fn status_of(acquired: Result<Acquired>, lock_closing: &Cancel) -> Result<Status> {
    let holds = match acquired {
        Ok(_) => true,
        Err(status) => status.ends_a_wait(),
    };
    if holds && lock_closing.is_fired() {
        return Err(Status::E_CLOSED);
    }
    match acquired? {
        Acquired::Clean => Ok(Status::OK),
        Acquired::OwnerDied => Ok(Status::OWNER_DIED),
    }
}

/// <!-- Condition -->
/// Create a condition. It works with any lock or rlock; each wait names the lock.
///
/// ```text
/// name     its name, or NULL for an anonymous one.
/// options  NULL for the defaults; POLYPROC_OPEN_OR_CREATE.
/// out      the handle, to be closed with polyproc_condition_close.
///
/// Returns  OK
///          E_EXISTS      the name is taken.
///          E_MISMATCH    POLYPROC_OPEN_OR_CREATE, and the name is no condition.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_PERMISSION  no right to create it, or to open the object that has the name.
///          E_CORRUPT     POLYPROC_OPEN_OR_CREATE, and the object of that name is damaged.
///          E_UNSUPPORTED a name, and /dev/shm is missing: there are anonymous objects only.
///          E_LIMIT       too many descriptors are open.
///          E_INVALID     out is NULL, a bad name or bad options.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_condition_create(
    name: *const c_char,
    options: *const polyproc_options,
    out: *mut *mut polyproc_condition,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { self::name(name) }?;
        // SAFETY: the caller passes an option struct or NULL.
        let options = unsafe { create_options(options) }?;
        out.write(handle::new(Condition::create(name, options)?)?);
        Ok(Status::OK)
    })
}

/// Open the condition that has a name.
///
/// ```text
/// name  its name.
/// out   the handle, to be closed with polyproc_condition_close.
///
/// Returns  OK
///          E_NOT_FOUND   no object has that name.
///          E_MISMATCH    it is no condition.
///          E_PERMISSION  its mode keeps this user out.
///          E_CORRUPT     it is damaged.
///          E_LIMIT       too many descriptors are open.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_INVALID     out is NULL, or not a name.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_condition_open(
    name: *const c_char,
    out: *mut *mut polyproc_condition,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { required_name(name) }?;
        out.write(handle::new(Condition::open(name)?)?);
        Ok(Status::OK)
    })
}

/// Release the lock, wait until notified, and take the lock again. The release and the beginning of
/// the wait are one step for other processes: a notification by the next holder of the lock reaches
/// this wait. However the wait ends, the lock is taken again before the call returns, which may
/// take longer than timeout_ns.
///
/// ```text
/// condition   open handle.
/// lock        open handle of the lock that you hold. A lock has no owner, so the call only checks
///             that the lock is held.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 only releases the lock and takes it.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK          it was notified; you hold the lock.
///          OWNER_DIED  you hold the lock, and its last holder died inside: check what it guards.
///                      The status does not tell whether you were notified.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED  not notified; you hold the lock all the same.
///          E_CLOSED     one of the two handles is closed. You hold the lock, unless the closed
///                       handle is the lock's.
///          E_NOT_OWNER  nobody holds the lock; nothing happened.
///          E_CORRUPT    memory is damaged.
///          E_LIMIT      too many processes use one of the two, or 1,024 threads wait already.
///          E_INVALID    not handles of a condition and of a lock, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_condition_wait(
    condition: *mut polyproc_condition,
    lock: *mut polyproc_lock,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let condition = unsafe { enter(condition) }?;
        // SAFETY: the caller passes a handle or NULL.
        let lock = unsafe { enter(lock) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        let closings = [lock.closing()];
        let wait = condition.wait_for(timeout_ns, &cancel);
        let again = lock.wait_for(POLYPROC_FOREVER, &None);
        let waited = condition.wait_and_then(&lock, wait.or_any_closed(&closings), again);
        status_of(waited, lock.closing())
    })
}

/// Wait as polyproc_condition_wait does, with an rlock. The rlock is released completely, however
/// many times it was taken, and taken again as many times.
///
/// ```text
/// condition   open handle.
/// rlock       open handle of the rlock that you hold.
/// owner       the owner that holds it, as for polyproc_rlock_acquire.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 only releases the rlock and takes it.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK          it was notified; you hold the rlock.
///          OWNER_DIED  you hold the rlock, and its last owner died inside: check what it guards.
///                      The status does not tell whether you were notified.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED  not notified; you hold the rlock all the same.
///          E_CLOSED     one of the two handles is closed. You hold the rlock, unless the closed
///                       handle is the rlock's.
///          E_NOT_OWNER  this owner does not hold the rlock; nothing happened.
///          E_CORRUPT    memory is damaged.
///          E_LIMIT      too many processes use one of the two, or 1,024 threads wait already.
///          E_INVALID    not handles of a condition and of an rlock, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_condition_wait_rlock(
    condition: *mut polyproc_condition,
    rlock: *mut polyproc_rlock,
    owner: u64,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let condition = unsafe { enter(condition) }?;
        // SAFETY: the caller passes a handle or NULL.
        let rlock = unsafe { enter(rlock) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        let closings = [rlock.closing()];
        let wait = condition
            .wait_for(timeout_ns, &cancel)
            .or_any_closed(&closings);
        let again = rlock.wait_for(POLYPROC_FOREVER, &None);
        let waited = condition.wait_rlock_and_then(&rlock, owner, wait, again);
        status_of(waited, rlock.closing())
    })
}

/// Wake up to n waiters, those first that have waited longest. Only current waiters are woken; the
/// rest of n is discarded. The call does not wait for a waiter's answer, so a stopped or killed
/// waiter delays nobody. If a waiter is killed after it was notified and before its wait has
/// returned, another waiter is woken in its place. Usually called with the lock held, which is not
/// required.
///
/// ```text
/// condition  open handle.
/// n          how many, 0 or more.
///
/// Returns  OK         also when nobody waits.
///          E_CORRUPT  its memory is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a condition.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_condition_notify(
    condition: *mut polyproc_condition,
    n: u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let condition = unsafe { enter(condition) }?;
        condition.notify(n)?;
        Ok(Status::OK)
    })
}

/// Wake all current waiters; otherwise as polyproc_condition_notify.
///
/// ```text
/// condition  open handle.
///
/// Returns  OK         also when nobody waits.
///          E_CORRUPT  its memory is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a condition.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_condition_notify_all(condition: *mut polyproc_condition) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let condition = unsafe { enter(condition) }?;
        condition.notify_all()?;
        Ok(Status::OK)
    })
}

/// Close this handle. Calls that wait on it in other threads return E_CLOSED, with their lock held.
///
/// ```text
/// condition  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_condition_close(condition: *mut polyproc_condition) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(condition) });
}

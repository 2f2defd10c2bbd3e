//! `polyproc_cancel_*`

use crate::ffi::abi::check::{guard, guard_close, guard_in_handler, Out};
use crate::ffi::handle::{self, enter, enter_in_handler, Opaque};
use crate::status::Status;
use crate::sync::Cancel;
use crate::sys::malloc;

/// A token that ends waits of this process early. It belongs to one process, not to shared memory:
/// a forked child has its own copy.
pub struct polyproc_cancel {
    _private: [u8; 0],
}

impl Opaque for polyproc_cancel {
    type Object = Cancel;
    const MAGIC: u32 = u32::from_be_bytes(*b"canc");
    const NAME: &'static str = "cancel token";
}

/// <!-- Cancel: end waits early -->
/// Create a token. It has not been fired.
///
/// ```text
/// out  the token, to be closed with polyproc_cancel_close.
///
/// Returns  OK
///          E_NO_MEMORY  memory is exhausted.
///          E_INVALID    out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_cancel_create(out: *mut *mut polyproc_cancel) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the token or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        malloc::check()?;
        out.write(handle::new(Cancel::new())?);
        Ok(Status::OK)
    })
}

/// Fire the token: every wait of this process that uses the token returns E_CANCELED, and so does
/// each later call that would have to wait, until the token is reset.
///
/// ```text
/// cancel  token.
///
/// Returns  OK
///          E_CLOSED   it was closed.
///          E_INVALID  not a token.
/// Blocks   no. Threads: any. Signal-safe: yes. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_cancel_fire(cancel: *mut polyproc_cancel) -> i32 {
    guard_in_handler(|| {
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { enter_in_handler(cancel) }?;
        cancel.fire();
        Ok(Status::OK)
    })
}

/// Make a fired token usable again. First wait until the calls that the token should end have
/// returned: a call that has not yet seen the fired token would go on waiting.
///
/// ```text
/// cancel  token.
///
/// Returns  OK
///          E_CLOSED   it was closed.
///          E_INVALID  not a token.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_cancel_reset(cancel: *mut polyproc_cancel) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { enter(cancel) }?;
        cancel.reset();
        Ok(Status::OK)
    })
}

/// Close the token. A wait that uses the token goes on; the token can no longer end it.
///
/// ```text
/// cancel  token, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_cancel_close(cancel: *mut polyproc_cancel) {
    // SAFETY: the caller passes a token or NULL.
    guard_close(|| unsafe { handle::close(cancel) });
}

//! `polyproc_process_adopt`

use crate::ffi::abi::check::{guard, Out};
use crate::ffi::handle;
use crate::ffi::process::polyproc_process;
use crate::process::Process;
use crate::status::Status;

/// <!-- Process, advanced: one that was started by other means -->
/// Make a handle of a process that was started by other means. If the process is a child of this
/// one, the library reaps it from now on. Any other process can only be watched and signalled.
///
/// ```text
/// pid  its id.
/// out  the process, to be closed with polyproc_process_close.
///
/// Returns  OK
///          E_NOT_FOUND    no process has that id.
///          E_UNSUPPORTED  not a child, and this kernel has no pidfd (Linux before 5.3).
///          E_LIMIT        too many descriptors are open.
///          E_NO_MEMORY    memory is exhausted.
///          E_INVALID      pid is below 1 or this process's own, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_adopt(pid: i32, out: *mut *mut polyproc_process) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(handle::new(Process::adopt(pid)?)?);
        Ok(Status::OK)
    })
}

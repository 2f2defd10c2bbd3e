//! Functions with which a process asks about itself and its children, and ends its children.

use std::ffi::{c_char, c_void};

use crate::ffi::abi::check::{
    guard, guard_in_handler, required_name, room, switch_in_handler, Out,
};
use crate::ffi::abi::growing::SizedOut;
use crate::ffi::abi::text::text;
use crate::ffi::process::options::polyproc_process_info;
use crate::ffi::share;
use crate::process;
use crate::status::Status;

/// <!-- Process: in the child -->
/// Open an object that this process inherited. Each call makes a handle of its own. Only the first
/// call for a connection over a socket gets it; later calls return E_NOT_FOUND.
///
/// ```text
/// name  the name that polyproc_process_spawn or _fork gave it.
/// kind  what it is, POLYPROC_KIND_*.
/// out   the handle, of the type that kind names, to be closed with that type's close.
///
/// Returns  OK
///          E_NOT_FOUND  nothing was inherited under that name.
///          E_MISMATCH   it is of another kind.
///          E_CORRUPT    it is damaged.
///          E_LIMIT      too many descriptors are open.
///          E_INVALID    not a name, an unknown kind, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_inherited(
    name: *const c_char,
    kind: i32,
    out: *mut *mut c_void,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { required_name(name) }?;
        let kind = share::known(kind)?;
        out.write(share::open_any(
            process::inherited(name, kind)?.into(),
            kind,
        )?);
        Ok(Status::OK)
    })
}

/// The identity of this process.
///
/// ```text
/// out  set its size first, as POLYPROC_PROCESS_INFO_INIT does.
///
/// Returns  OK
///          E_INVALID  out is NULL or its size is not set.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_current_process(out: *mut polyproc_process_info) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a struct whose size is set, or NULL.
        let out = unsafe { SizedOut::required(out) }?;
        let current = process::current();
        out.write(&polyproc_process_info {
            size: size_of::<polyproc_process_info>(),
            pid: current.pid,
            parent_pid: current.parent_pid,
            daemon: current.daemon.into(),
            reserved: 0,
            name: text(current.name.as_bytes()),
        });
        Ok(Status::OK)
    })
}

/// The processes that this one started and that still run.
///
/// ```text
/// pids     where their ids go; NULL when cap is 0.
/// cap      how many fit there.
/// out_len  how many there are; with E_TOO_SMALL the cap that is needed.
///
/// Returns  OK
///          E_TOO_SMALL  nothing was written but *out_len.
///          E_INVALID    out_len is NULL, or pids is NULL and cap is not 0.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_active_children(
    pids: *mut i32,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the count or NULL.
        let out_len = unsafe { Out::required(out_len, "out_len") }?;
        // SAFETY: the caller lends room for `cap` ids for the time of the call.
        let pids = unsafe { room(pids, cap, "pids") }?;
        let children = process::active_children();
        out_len.write(children.len());
        if children.len() > pids.len() {
            return Err(Status::E_TOO_SMALL);
        }
        for (to, from) in pids.iter_mut().zip(children) {
            to.write(from);
        }
        Ok(Status::OK)
    })
}

/// End the children of this process, as Python does at exit: send SIGTERM to the daemonic children,
/// wait without limit for the others, then wait for the daemonic children, and kill those that
/// still run 5 s after SIGTERM. Adopted processes are left alone.
///
/// The library calls this function when the process exits normally, by exit(3) or a return from
/// main, unless polyproc_exit_children_at_exit has switched that off. A process that ends in
/// another way (by a signal, by _exit, or in a runtime such as Go's, which makes the system call
/// itself) has to call it before. Daemonic children are killed in any case.
///
/// ```text
/// Returns  OK             none of them is left.
///          E_INTERRUPTED  some are: a signal handler ran, see polyproc_interruptible.
///          E_NO_MEMORY    memory is exhausted.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub extern "C" fn polyproc_exit_children() -> i32 {
    guard(|| {
        process::exit_children()?;
        Ok(Status::OK)
    })
}

/// Choose whether the library calls polyproc_exit_children when this process exits normally. It
/// does by default. A child that is forked later inherits the choice.
///
/// ```text
/// on  1 to switch it on, 0 to switch it off: children that are not daemonic then outlive this
///     process, and daemonic ones are killed without a SIGTERM first.
///
/// Returns  OK
///          E_INVALID  on is neither 0 nor 1.
/// Blocks   no. Threads: any. Signal-safe: yes. Since: 0.1
/// ```
#[no_mangle]
pub extern "C" fn polyproc_exit_children_at_exit(on: i32) -> i32 {
    guard_in_handler(|| {
        process::exit_children_at_exit(switch_in_handler(on)?);
        Ok(Status::OK)
    })
}

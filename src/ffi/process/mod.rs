//! `polyproc_process_*`: the parent's side.

pub mod options;

pub(crate) mod request;

pub mod child;

pub mod adopt;

use std::ffi::{c_char, c_int, c_void};

use crate::ffi::abi::check::{guard, guard_close, room, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, token, Opaque};
use crate::ffi::process::options::polyproc_process_options;
use crate::process::Process;
use crate::status::detail::because;
use crate::status::Status;
use request::Request;

/// A process: a child that was spawned or forked, or one that was adopted.
pub struct polyproc_process {
    _private: [u8; 0],
}

impl Opaque for polyproc_process {
    type Object = Process;
    const MAGIC: u32 = u32::from_be_bytes(*b"proc");
    const NAME: &'static str = "process";
}

/// <!-- Process -->
/// Start a program. Inherited handles travel as descriptors, so this process may close its handles
/// or end at once.
///
/// The program begins with no signal blocked. SIGPIPE, SIGTERM and each signal that has a handler
/// here have their default action in the program; any other signal that this process ignores stays
/// ignored. The program has every descriptor of this process that is not closed on exec.
///
/// ```text
/// options  argv is required; start from POLYPROC_PROCESS_OPTIONS_INIT.
/// out      the process, to be closed with polyproc_process_close.
///
/// Returns  OK
///          E_NOT_FOUND   there is no such program or working directory.
///          E_PERMISSION  it may not be executed.
///          E_DAEMONIC    this process is daemonic: it may not have children.
///          E_LIMIT       too many processes, threads or descriptors.
///          E_NO_MEMORY   memory is exhausted.
///          E_CLOSED      a handle among options.handles is closed.
///          E_INVALID     options, out or argv is NULL, bad options, a bad handle, the same name
///                        twice.
///          -(1000 + errno)  another reason why the system did not start it.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_spawn(
    options: *const polyproc_process_options,
    out: *mut *mut polyproc_process,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes an option struct or NULL.
        let request = unsafe { Request::required(options) }?;
        out.write(handle::new(Process::spawn(&request.options)?)?);
        Ok(Status::OK)
    })
}

/// Fork this process and run a function in the child, which exits with the function's result. Use
/// it in a program without other threads, or with a function that does only what fork(2) allows in
/// a program with several threads. The child may use its parent's handles, and opens the objects in
/// options with polyproc_inherited.
///
/// As in Python, the child ends as follows: it does what polyproc_exit_children does, flushes its
/// own C streams, and leaves with _exit(2). It runs no atexit handler of this process, and writes
/// none of this process's buffered output. With glibc the same holds for an exit(3) in the child,
/// after the handlers that the child itself has registered. With another C library an exit(3) in
/// the child also runs this process's handlers, so return from target instead.
///
/// The child has the signal handlers of this process and the calling thread's signal mask, except
/// that SIGTERM is unblocked. A daemonic child that was not forked by the first thread of its
/// process must not call exec(3): the new program would outlive this process. A daemonic child of
/// polyproc_process_spawn has no such limit, whichever thread spawns it. As with every use of
/// PR_SET_PDEATHSIG, a daemonic child that changes its user, or executes a set-user-ID program, is
/// not killed any more.
///
/// ```text
/// options  NULL for the defaults; argv is not used.
/// target   called in the child; the low 8 bits of its result are the exit code.
/// arg      given to target.
/// out      the process, to be closed with polyproc_process_close.
///
/// Returns  OK           in the parent; never in the child.
///          E_DAEMONIC   this process is daemonic: it may not have children.
///          E_NOT_FOUND, E_PERMISSION  the working directory is not there, or closed to this user.
///          E_LIMIT      too many processes, threads or descriptors.
///          E_NO_MEMORY  memory is exhausted.
///          E_CLOSED     a handle among options.handles is closed.
///          E_INVALID    target or out is NULL, bad options, a bad handle, the same name twice.
///          -(1000 + errno)  another reason why the system did not start it.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_fork(
    options: *const polyproc_process_options,
    target: Option<unsafe extern "C" fn(arg: *mut c_void) -> c_int>,
    arg: *mut c_void,
    out: *mut *mut polyproc_process,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        let target = target.ok_or_else(|| because!(E_INVALID, "target is NULL"))?;
        // SAFETY: the caller passes an option struct or NULL.
        let request = unsafe { Request::optional(options) }?;
        // SAFETY: the caller says what `target` may do in a forked child.
        let process = unsafe { Process::fork(&request.options, target, arg) }?;
        out.write(handle::new(process)?);
        Ok(Status::OK)
    })
}

/// Wait until the process has ended.
///
/// ```text
/// process     open handle.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK         it has ended.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  it runs.
///          E_LIMIT    too many descriptors are open.
///          E_NO_MEMORY memory is exhausted.
///          E_INVALID  not a handle of a process, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_join(
    process: *mut polyproc_process,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        process.join_timeout(process.wait_for(timeout_ns, &cancel))?;
        Ok(Status::OK)
    })
}

/// Get the exit code of the process.
///
/// ```text
/// process  open handle.
/// out      the exit code, 0 to 255; -n if signal n killed it.
///
/// Returns  OK
///          E_TIMEOUT    it runs.
///          E_NOT_FOUND  it has ended, and other code (a waitpid of the program's own, another
///                       parent) took its exit code.
///          E_CLOSED     the handle is closed.
///          E_INVALID    not a handle of a process, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_exit_code(
    process: *mut polyproc_process,
    out: *mut i32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(process.exit_code()?);
        Ok(Status::OK)
    })
}

/// The process id.
///
/// ```text
/// process  open handle.
/// out      the id. After a join the system may give it to another process.
///
/// Returns  OK
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a process, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_pid(
    process: *mut polyproc_process,
    out: *mut i32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(process.pid());
        Ok(Status::OK)
    })
}

/// Get the name of the process: that of its options, or the one that the library made.
///
/// ```text
/// process  open handle.
/// buf      where it goes, ended by a NUL; NULL when cap is 0.
/// cap      how many bytes fit there; 64 always do.
/// out_len  its length without the NUL; with E_TOO_SMALL the cap that it needs.
///
/// Returns  OK
///          E_TOO_SMALL  nothing was written but *out_len.
///          E_CLOSED     the handle is closed.
///          E_INVALID    not a handle of a process, out_len is NULL, or buf is NULL and cap is not 0.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_name(
    process: *mut polyproc_process,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        // SAFETY: the caller passes a place for the length or NULL.
        let out_len = unsafe { Out::required(out_len, "out_len") }?;
        // SAFETY: the caller lends `cap` bytes for the time of the call.
        let buf = unsafe { room(buf.cast::<u8>(), cap, "buf") }?;
        let name = process.name().as_bytes();
        if buf.len() <= name.len() {
            out_len.write(name.len() + 1);
            return Err(Status::E_TOO_SMALL);
        }
        for (to, from) in buf.iter_mut().zip(name.iter().chain([&0])) {
            to.write(*from);
        }
        out_len.write(name.len());
        Ok(Status::OK)
    })
}

/// Report whether the process still runs.
///
/// ```text
/// process  open handle.
/// out      1 while it runs, else 0.
///
/// Returns  OK
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a process, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_is_alive(
    process: *mut polyproc_process,
    out: *mut i32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(process.is_alive()?.into());
        Ok(Status::OK)
    })
}

/// Report whether the process was started with POLYPROC_PROCESS_DAEMON.
///
/// ```text
/// process  open handle.
/// out      1 when it was, else 0; an adopted one is not.
///
/// Returns  OK
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a process, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_is_daemon(
    process: *mut polyproc_process,
    out: *mut i32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(process.is_daemon().into());
        Ok(Status::OK)
    })
}

/// Ask the process to end, by SIGTERM. No child that this library started begins with SIGTERM
/// blocked. The signal reaches this process or none, never a later process with the same id.
///
/// ```text
/// process  open handle.
///
/// Returns  OK            also when it has ended.
///          E_PERMISSION  it is another user's now.
///          E_CLOSED      the handle is closed.
///          E_UNSUPPORTED the system refuses signals by descriptor.
///          E_INVALID     not a handle of a process.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_terminate(process: *mut polyproc_process) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        process.terminate()?;
        Ok(Status::OK)
    })
}

/// Kill the process: SIGKILL. Its locks and unfinished messages pass to other processes.
///
/// ```text
/// process  open handle.
///
/// Returns  OK            also when it has ended.
///          E_PERMISSION  it is another user's now.
///          E_CLOSED      the handle is closed.
///          E_UNSUPPORTED the system refuses signals by descriptor.
///          E_INVALID     not a handle of a process.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_kill(process: *mut polyproc_process) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        process.kill()?;
        Ok(Status::OK)
    })
}

/// Send the process a signal.
///
/// ```text
/// process        open handle.
/// signal_number  1 to 64.
///
/// Returns  OK            also when it has ended.
///          E_PERMISSION  it is another user's now.
///          E_CLOSED      the handle is closed.
///          E_UNSUPPORTED the system refuses signals by descriptor.
///          E_INVALID     not a handle of a process, or not a signal.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_signal(
    process: *mut polyproc_process,
    signal_number: i32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        process.signal(signal_number)?;
        Ok(Status::OK)
    })
}

/// A descriptor that is readable once the process has ended (a pidfd), for poll, epoll and the
/// like.
///
/// ```text
/// process  open handle.
/// out_fd   the descriptor. It belongs to the handle: do not close it, nor use it after the handle
///          was closed.
///
/// Returns  OK
///          E_UNSUPPORTED  this kernel has no pidfd (Linux before 5.3).
///          E_CLOSED       the handle is closed.
///          E_INVALID      not a handle of a process, or out_fd is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_fd(
    process: *mut polyproc_process,
    out_fd: *mut c_int,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let process = unsafe { enter(process) }?;
        // SAFETY: the caller passes a place for the descriptor or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(process.fd()?);
        Ok(Status::OK)
    })
}

/// Close this handle. The process keeps running. If it ends before its parent, the library reaps
/// it, so no join is required.
/// Joins that wait on this handle in other threads return E_CLOSED.
///
/// ```text
/// process  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_process_close(process: *mut polyproc_process) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(process) });
}

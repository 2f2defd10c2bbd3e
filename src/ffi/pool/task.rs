//! `polyproc_task_*`: a task that was submitted.

use std::ffi::c_int;
use std::ptr;

use crate::ffi::abi::check::{guard, guard_close, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, token, Opaque};
use crate::ffi::queue::message::polyproc_message;
use crate::pool::Task;
use crate::status::Status;

/// A task of a pool.
pub struct polyproc_task {
    _private: [u8; 0],
}

impl Opaque for polyproc_task {
    type Object = Task;
    const MAGIC: u32 = u32::from_be_bytes(*b"task");
    const NAME: &'static str = "task";
    const NOTES_CALLS: bool = false;
}

/// <!-- Pool: tasks -->
/// Wait until a task is over, however it ended; polyproc_task_result returns its outcome. Also for
/// several at once: POLYPROC_WAIT_TASK of polyproc_wait_any, and polyproc_pool_finished.
///
/// ```text
/// task        handle.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 look once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK           it is over.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  it is not over and goes on.
///          E_CORRUPT    the pool's memory is damaged.
///          E_NOT_OWNER  it is a task of the process that this one was forked from.
///          E_NO_MEMORY  memory is exhausted.
///          E_INVALID    not a handle of a task, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_task_wait(
    task: *mut polyproc_task,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let task = unsafe { enter(task) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        task.wait_timeout(task.wait_for(timeout_ns, &cancel))?;
        Ok(Status::OK)
    })
}

/// Get the outcome of a task. In every case out has its data: the result, or the message of the
/// failure.
///
/// ```text
/// task  handle.
/// out   data and len; valid until the task is closed. Not to be settled with
///       polyproc_message_done.
///
/// Returns  OK             out has the result.
///          E_TASK_FAILED  its function failed; out has the message.
///          E_NOT_FOUND    the worker has no function of that name; out has a message.
///          E_WORKER_DIED  its worker died, max_attempts times, or no worker starts; out has the
///                         initialiser's message if the initialiser failed.
///          E_TIMEOUT      it exceeded its time limit, and its worker was killed.
///          E_CANCELED     polyproc_task_cancel came in time.
///          E_SHUTDOWN     the pool was terminated or closed before.
///          E_TOO_LARGE, E_NO_MEMORY  there was no room for its result.
///          E_EMPTY        it is not over; nothing is written.
///          E_CLOSED       the handle is closed; nothing is written.
///          E_INVALID      not a handle of a task, or out is NULL; nothing is written.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_task_result(
    task: *mut polyproc_task,
    out: *mut polyproc_message,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let task = unsafe { enter(task) }?;
        // SAFETY: the caller passes a place for the message or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        let outcome = task.outcome().ok_or(Status::E_EMPTY)?;
        out.write(polyproc_message {
            data: outcome.data.as_ptr().cast(),
            len: outcome.data.len(),
            id: 0,
            deliveries: 1,
            reserved: 0,
            opaque: [ptr::null_mut(); 2],
        });
        outcome.answer()
    })
}

/// Cancel a task that no worker has started. A task that has started keeps running.
///
/// ```text
/// task          handle.
/// out_canceled  1 if it was canceled, and is over with E_CANCELED; 0 if it had begun or was over.
///
/// Returns  OK
///          E_NOT_OWNER  it is a task of the process that this one was forked from.
///          E_CLOSED     the handle is closed.
///          E_INVALID    not a handle of a task, or out_canceled is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_task_cancel(
    task: *mut polyproc_task,
    out_canceled: *mut i32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let task = unsafe { enter(task) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_canceled = unsafe { Out::required(out_canceled, "out_canceled") }?;
        out_canceled.write(task.cancel()?.into());
        Ok(Status::OK)
    })
}

/// A descriptor for poll, epoll, libuv, asyncio and the like: readable once the task is over. From
/// the first call on, a thread of this process reads what the workers report. For many tasks
/// polyproc_pool_fd is cheaper.
///
/// ```text
/// task    handle.
/// out_fd  the descriptor. It belongs to the handle: do not read it, close it, or use it after the
///         handle is closed.
///
/// Returns  OK
///          E_LIMIT      no descriptor or thread is left.
///          E_NOT_OWNER  it is a task of the process that this one was forked from.
///          E_CLOSED     the handle is closed.
///          E_INVALID    not a handle of a task, or out_fd is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_task_fd(task: *mut polyproc_task, out_fd: *mut c_int) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let task = unsafe { enter(task) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(task.fd()?);
        Ok(Status::OK)
    })
}

/// Close a task. A task that is not over keeps running; its result is discarded.
///
/// ```text
/// task  handle, or NULL. Calls that wait for it in other threads return E_CLOSED.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_task_close(task: *mut polyproc_task) {
    guard_close(|| {
        // SAFETY: the caller passes a handle or NULL.
        unsafe { handle::close(task) }
    });
}

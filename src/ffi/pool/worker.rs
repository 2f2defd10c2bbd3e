//! `polyproc_worker_*`: the worker's side, the same in a forked and in a spawned worker.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use crate::ffi::abi::check::{bytes, function_name, guard, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::token;
use crate::pool::{self, worker, Reply};
use crate::status::detail::because;
use crate::status::Status;
use crate::sync::Wait;

/// The output of a function of a worker: its result, or the message of its failure.
pub struct polyproc_reply {
    _private: [u8; 0],
}

/// A function that a worker runs for a task. `data` is valid until it returns. If it returns 0, the
/// bytes that it wrote to `reply` are the result; else the task fails, and they are the message.
pub type polyproc_task_function = Option<
    unsafe extern "C" fn(
        data: *const c_void,
        len: usize,
        reply: *mut polyproc_reply,
        user: *mut c_void,
    ) -> i32,
>;

/// A task that a worker has begun, see `polyproc_worker_next`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_job {
    /// The name of the function.
    pub function: *const c_char,
    /// Its data, in shared memory, to be read only: valid until polyproc_job_reply. Never NULL.
    pub data: *const c_void,
    /// Bytes of data.
    pub len: usize,
    /// How many items the data has, to be read with polyproc_job_chunk_next; 0: it is no chunk.
    pub count: u32,
    /// 1 the first time, more if workers died in the task before; 0: the worker's initialiser.
    pub attempt: u32,
    /// Belongs to the library.
    pub opaque: [*mut c_void; 2],
}

/// A function of C and its argument.
struct Callback {
    function:
        unsafe extern "C-unwind" fn(*const c_void, usize, *mut polyproc_reply, *mut c_void) -> i32,
    user: *mut c_void,
}

// SAFETY: the caller of `polyproc_worker_register` promises that the function may be called in a
// worker.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

impl Callback {
    fn call(&self, data: &[u8], reply: &mut Reply) -> i32 {
        /// An exception that reaches this function ends the process, because no caller can catch
        /// it.
        extern "C" fn stop_unwinding(
            callback: &Callback,
            data: *const c_void,
            len: usize,
            reply: *mut polyproc_reply,
        ) -> i32 {
            // SAFETY: as the caller of `polyproc_worker_register` promised.
            unsafe { (callback.function)(data, len, reply, callback.user) }
        }
        let reply = ptr::from_mut(reply).cast();
        stop_unwinding(self, data.as_ptr().cast(), data.len(), reply)
    }
}

/// <!-- Pool: in the worker -->
/// Register a function under a name, for workers that are forked when a pool is created later, and
/// for this process if it is a worker. A name that is registered already gets the new function.
///
/// ```text
/// name      1 to 200 bytes of UTF-8.
/// function  called for each task.
/// user      given to function.
///
/// Returns  OK
///          E_INVALID  not a name, or function is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_worker_register(
    name: *const c_char,
    function: polyproc_task_function,
    user: *mut c_void,
) -> i32 {
    type Plain =
        unsafe extern "C" fn(*const c_void, usize, *mut polyproc_reply, *mut c_void) -> i32;
    type Unwinding =
        unsafe extern "C-unwind" fn(*const c_void, usize, *mut polyproc_reply, *mut c_void) -> i32;
    guard(|| {
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { function_name(name) }?;
        let function = function.ok_or_else(|| because!(E_INVALID, "function is NULL"))?;
        let callback = Callback {
            // SAFETY: the two types differ only in what the compiler assumes about unwinding.
            function: unsafe { std::mem::transmute::<Plain, Unwinding>(function) },
            user,
        };
        pool::register(
            name,
            Arc::new(move |data, reply| callback.call(data, reply)),
        )?;
        Ok(Status::OK)
    })
}

/// Append to the result of the task, or to the message of its failure.
///
/// ```text
/// reply  the function's argument; valid until it returns, and for one thread at a time.
/// data   bytes to append; NULL when len is 0.
/// len    how many.
///
/// Returns  OK
///          E_NO_MEMORY  memory is exhausted; nothing is appended.
///          E_INVALID    reply is NULL, or data is NULL and len is not 0.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_reply_write(
    reply: *mut polyproc_reply,
    data: *const c_void,
    len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes what its function was given, or NULL, while that runs.
        let reply = unsafe { reply.cast::<Reply>().as_mut() }
            .ok_or_else(|| because!(E_INVALID, "reply is NULL"))?;
        // SAFETY: the caller lends `len` bytes for the time of the call.
        reply.try_write(unsafe { bytes(data, len, "data") }?)?;
        Ok(Status::OK)
    })
}

/// Run tasks until the pool is shut down, or this worker has run its maximum number. A worker
/// program registers its functions, calls this and exits. In a forked worker the library calls it.
///
/// ```text
/// Returns  OK             there is nothing more to do: exit.
///          E_NOT_FOUND    this process is no worker: no pool has started it.
///          E_TASK_FAILED  the initialiser failed.
///          E_NO_MEMORY    memory or shared memory is exhausted.
///          E_INTERRUPTED  a signal handler ran; only after polyproc_interruptible(1).
///          E_CORRUPT      the pool's memory is damaged.
///          E_INVALID      a job from polyproc_worker_next has no reply yet.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_worker_run() -> i32 {
    guard(|| {
        pool::run()?;
        Ok(Status::OK)
    })
}

/// Wait for the next task and begin it. This is polyproc_worker_run by hand, for runtimes whose
/// functions C cannot call. A worker does one task at a time. If the pool has an initialiser, that
/// is the first job; its attempt is 0, and the worker has to end when it fails.
///
/// ```text
/// out         the job, to be answered with polyproc_job_reply.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK           out is yours until you reply.
///          E_EMPTY      the timeout passed and there was no task.
///          E_SHUTDOWN   there is nothing more to do: exit.
///          E_CANCELED, E_INTERRUPTED, E_CLOSED  nothing has begun.
///          E_NOT_FOUND  this process is no worker: no pool has started it.
///          E_CORRUPT    the pool's memory is damaged.
///          E_INVALID    the last job has no reply yet, out is NULL, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_worker_next(
    out: *mut polyproc_job,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the job or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        let wait = Wait::for_ns(timeout_ns).or_canceled_by(cancel.as_deref());
        let worker = worker::here()?;
        let job = worker.next(&wait)?;
        out.write(polyproc_job {
            // A NUL follows it in the message.
            function: job.function.as_ptr().cast(),
            data: job.data.as_ptr().cast(),
            len: job.data.len(),
            count: job.count,
            attempt: job.attempt,
            opaque: [ptr::null_mut(); 2],
        });
        Ok(Status::OK)
    })
}

/// Report the outcome of a job.
///
/// ```text
/// job     from polyproc_worker_next. Its data is invalid afterwards.
/// status  POLYPROC_OK: data is the result. POLYPROC_E_NOT_FOUND: there is no function of that
///         name. Any other: the task failed, and data is the message.
/// data    the result or the message; NULL when len is 0. The result of a chunk has its items in
///         the form that polyproc_job_chunk_next reads.
/// len     its bytes.
///
/// Returns  OK         it is reported. If there is no room for a result, the task ends with
///                     E_TOO_LARGE or E_NO_MEMORY.
///          E_TIMEOUT  the task exceeded its time limit: this worker is about to be killed.
///          E_NO_MEMORY, E_CORRUPT  it could not be reported; exit, so that the task does not hang.
///          E_NOT_FOUND  this process is no worker.
///          E_INVALID  job is NULL, there is no job to reply to, or data is NULL and len is not 0.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_job_reply(
    job: *mut polyproc_job,
    status: i32,
    data: *const c_void,
    len: usize,
) -> i32 {
    guard(|| {
        if job.is_null() {
            return Err(because!(E_INVALID, "job is NULL"));
        }
        // SAFETY: the caller lends `len` bytes for the time of the call.
        let data = unsafe { bytes(data, len, "data") }?;
        let status = match Status::from_code(status) {
            known @ (Status::OK | Status::E_NOT_FOUND) => known,
            _ => Status::E_TASK_FAILED,
        };
        worker::here()?.reply(status, data)?;
        Ok(Status::OK)
    })
}

/// A descriptor for poll, epoll, libuv, asyncio and the like: readable while polyproc_worker_next
/// would not wait for a task. The descriptor follows a change with a short delay, so try without
/// waiting, and poll again if there is no task. Call polyproc_worker_next once before the first
/// poll, because the descriptor does not announce the initialiser.
///
/// ```text
/// out_fd  the descriptor. It belongs to the library: do not read it or close it.
///
/// Returns  OK
///          E_NOT_FOUND  this process is no worker.
///          E_LIMIT      too many descriptors or threads are there.
///          E_INVALID    out_fd is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_worker_fd(out_fd: *mut c_int) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(worker::here()?.tasks().fd()?);
        Ok(Status::OK)
    })
}

/// Report whether a pool has started this process as one of its workers.
///
/// ```text
/// out  1 or 0.
///
/// Returns  OK
///          E_INVALID  out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_worker_is_current(out: *mut i32) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(worker::here().is_ok().into());
        Ok(Status::OK)
    })
}

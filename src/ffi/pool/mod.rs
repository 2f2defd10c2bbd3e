//! `polyproc_pool_*`: the process that owns the pool. Submitting tasks is in `submit`.

pub mod options;

pub mod submit;

pub mod task;

pub mod worker;

use std::ffi::{c_char, c_void};

use crate::ffi::abi::check::{bytes, function_name, guard, guard_close, room, Out};
use crate::ffi::abi::growing::SizedOut;
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, token, Opaque};
use crate::pool::{Pool, TaskOptions};
use crate::status::Status;
use options::{polyproc_pool_info, polyproc_pool_options, pool_options};

/// A pool of worker processes.
pub struct polyproc_pool {
    _private: [u8; 0],
}

impl Opaque for polyproc_pool {
    type Object = Pool;
    const MAGIC: u32 = u32::from_be_bytes(*b"pool");
    const NAME: &'static str = "pool";
}

/// <!-- Pool -->
/// Create a pool and start its workers: forks of this process, which know the functions that were
/// registered before, or any program. A worker that dies is replaced; the other workers are not
/// affected. A forked child may not use its parent's pool.
///
/// This call forks the process once, in its own thread, and every worker, also a later one, is a
/// fork of that copy. So create the pool before you start other threads; otherwise the functions
/// may do only what fork(2) allows in a program with several threads. Workers are daemonic: they
/// end when this process ends, however it ends.
///
/// ```text
/// options  NULL for the defaults; start from POLYPROC_POOL_OPTIONS_INIT.
/// out      the pool, to be closed with polyproc_pool_close.
///
/// Returns  OK
///          E_NOT_FOUND   there is no such worker program.
///          E_PERMISSION  it may not be executed.
///          E_DAEMONIC    this process is daemonic: it may not have children.
///          E_LIMIT       too many processes, threads or descriptors.
///          E_NO_MEMORY   memory is exhausted.
///          E_TOO_LARGE   the initialiser's data is longer than 1 MiB.
///          E_CLOSED      a handle among options.handles is closed.
///          E_UNSUPPORTED the system refuses a process descriptor, although it gave one before.
///          E_INVALID     out is NULL, bad options, a bad handle, the same name twice.
///          -(1000 + errno)  another reason why the system did not start a worker.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_create(
    options: *const polyproc_pool_options,
    out: *mut *mut polyproc_pool,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes an option struct or NULL.
        let request = unsafe { pool_options(options) }?;
        out.write(handle::new(Pool::create(&request.options)?)?);
        Ok(Status::OK)
    })
}

/// Run a task in a worker and wait for its result.
///
/// ```text
/// pool        open handle.
/// function    its name, as the worker has registered it.
/// data        its argument; NULL when len is 0.
/// len         bytes of data.
/// buf         where the result goes; NULL when cap is 0.
/// cap         how many bytes fit there.
/// out_len     bytes of the result.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 do not wait.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK             buf has the result.
///          E_TASK_FAILED  buf has the message of the failure, cut at cap; *out_len is its length.
///          E_NOT_FOUND    the worker has no function of that name; buf has a message likewise.
///          E_WORKER_DIED  its worker died, max_attempts times; or the workers do not start.
///          E_TOO_SMALL    the task is done, but its result, *out_len bytes, is lost.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  the wait ended early. A task that has
///                         started keeps running; its result is discarded.
///          E_SHUTDOWN     the pool is shut down or terminated.
///          E_TOO_LARGE, E_NO_MEMORY  there is no room for the data or for the result.
///          E_LIMIT        too many tasks are not over.
///          E_NOT_OWNER    it is the pool of the process that this one was forked from.
///          E_INVALID      not a handle of a pool, not a name, not a token, data or buf is NULL and its
///                         length is not 0, or out_len is NULL.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_apply(
    pool: *mut polyproc_pool,
    function: *const c_char,
    data: *const c_void,
    len: usize,
    buf: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let pool = unsafe { enter(pool) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        // SAFETY: the caller passes a C string or NULL.
        let function = unsafe { function_name(function) }?;
        // SAFETY: the caller lends `len` bytes for the time of the call.
        let data = unsafe { bytes(data, len, "data") }?;
        // SAFETY: the caller lends room for `cap` bytes for the time of the call.
        let room = unsafe { room(buf.cast::<u8>(), cap, "buf") }?;
        // SAFETY: the caller passes a place for the length or NULL.
        let out_len = unsafe { Out::required(out_len, "out_len") }?;
        let task = pool.submit(function, data, &TaskOptions::default())?;
        if let Err(status) = task.wait_timeout(pool.wait_for(timeout_ns, &cancel)) {
            // If no worker has begun the task, none begins it any more.
            task.cancel()?;
            return Err(status);
        }
        let outcome = task.outcome().ok_or(Status::E_INTERNAL)?;
        let is_result = outcome.status == Status::OK;
        let has_text = matches!(
            outcome.status,
            Status::E_TASK_FAILED | Status::E_NOT_FOUND | Status::E_WORKER_DIED
        );
        if is_result || has_text {
            out_len.write(outcome.data.len());
        }
        if is_result && outcome.data.len() > room.len() {
            return Err(Status::E_TOO_SMALL);
        }
        for (to, from) in room.iter_mut().zip(&*outcome.data) {
            to.write(*from);
        }
        outcome.answer()
    })
}

/// Accept no more tasks. The workers finish the remaining tasks and end. A second call has no
/// effect.
///
/// ```text
/// pool  open handle.
///
/// Returns  OK
///          E_CORRUPT    the pool's memory is damaged.
///          E_NOT_OWNER  it is the pool of the process that this one was forked from.
///          E_CLOSED     the handle is closed.
///          E_LIMIT      no thread can be started.
///          E_INVALID    not a handle of a pool.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_shutdown(pool: *mut polyproc_pool) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let pool = unsafe { enter(pool) }?;
        pool.shutdown()?;
        Ok(Status::OK)
    })
}

/// Wait until every task is over and every worker has ended. First shut down or terminate the pool.
///
/// ```text
/// pool        open handle.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 look once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK           every task is over, every worker has ended. Open tasks keep their results.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  the wait ended before that.
///          E_CORRUPT    the pool's memory is damaged.
///          E_NOT_OWNER  it is the pool of the process that this one was forked from.
///          E_INVALID    the pool is open; not a handle of a pool, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_join(
    pool: *mut polyproc_pool,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let pool = unsafe { enter(pool) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        pool.join_timeout(pool.wait_for(timeout_ns, &cancel))?;
        Ok(Status::OK)
    })
}

/// End the workers, and with E_SHUTDOWN every task that is not over. The workers get SIGTERM, and
/// SIGKILL when they have not ended two seconds later; polyproc_pool_join waits for that.
///
/// ```text
/// pool  open handle.
///
/// Returns  OK
///          E_CORRUPT    the pool's memory is damaged.
///          E_NOT_OWNER  it is the pool of the process that this one was forked from.
///          E_CLOSED     the handle is closed.
///          E_LIMIT      no thread can be started.
///          E_INVALID    not a handle of a pool.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_terminate(pool: *mut polyproc_pool) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let pool = unsafe { enter(pool) }?;
        pool.terminate()?;
        Ok(Status::OK)
    })
}

/// Close a pool. Workers that still run are killed, and tasks that are not over end with
/// E_SHUTDOWN. To finish the tasks, shut down and join first. The handles of tasks stay valid.
///
/// ```text
/// pool  handle, or NULL. Calls that wait on it in other threads return E_CLOSED.
///
/// Returns  nothing. The workers have ended by then. If another thread is still in a call on the
///          pool, they end when that call returns.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_close(pool: *mut polyproc_pool) {
    guard_close(|| {
        // SAFETY: the caller passes a handle or NULL.
        unsafe { handle::close(pool) }
    });
}

/// The process ids of the workers that run, for people, tools and tests.
///
/// ```text
/// pool     open handle.
/// pids     where they go; NULL when cap is 0.
/// cap      how many fit there.
/// out_len  how many there are; with E_TOO_SMALL the cap that is needed.
///
/// Returns  OK
///          E_TOO_SMALL  nothing was written but *out_len.
///          E_NOT_OWNER  it is the pool of the process that this one was forked from.
///          E_CLOSED     the handle is closed.
///          E_INVALID    not a handle of a pool, out_len is NULL, or pids is NULL and cap is not 0.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_worker_pids(
    pool: *mut polyproc_pool,
    pids: *mut i32,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let pool = unsafe { enter(pool) }?;
        // SAFETY: the caller passes a place for the count or NULL.
        let out_len = unsafe { Out::required(out_len, "out_len") }?;
        // SAFETY: the caller lends room for `cap` ids for the time of the call.
        let pids = unsafe { room(pids, cap, "pids") }?;
        let workers = pool.worker_pids()?;
        out_len.write(workers.len());
        if workers.len() > pids.len() {
            return Err(Status::E_TOO_SMALL);
        }
        for (to, from) in pids.iter_mut().zip(workers) {
            to.write(from);
        }
        Ok(Status::OK)
    })
}

/// The figures of the pool at one moment, for people and tools.
///
/// ```text
/// pool  open handle.
/// out   set its size first, as POLYPROC_POOL_INFO_INIT does.
///
/// Returns  OK
///          E_CORRUPT    the pool's memory is damaged.
///          E_NOT_OWNER  it is the pool of the process that this one was forked from.
///          E_CLOSED     the handle is closed.
///          E_LIMIT      no thread can be started.
///          E_INVALID    not a handle of a pool, out is NULL or its size is not set.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_get_info(
    pool: *mut polyproc_pool,
    out: *mut polyproc_pool_info,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let pool = unsafe { enter(pool) }?;
        // SAFETY: the caller passes a struct whose size is set, or NULL.
        let out = unsafe { SizedOut::required(out) }?;
        let info = pool.info()?;
        out.write(&polyproc_pool_info {
            size: size_of::<polyproc_pool_info>(),
            workers: info.workers,
            alive: info.alive,
            outstanding: info.outstanding,
            queued: info.queued,
            submitted: info.submitted,
            succeeded: info.succeeded,
            failed: info.failed,
            retried: info.retried,
            started_workers: info.started_workers,
            died_workers: info.died_workers,
        });
        Ok(Status::OK)
    })
}

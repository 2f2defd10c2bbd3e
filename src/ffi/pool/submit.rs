//! `polyproc_pool_*`: submitting tasks, and learning which ones are over.

use std::ffi::{c_char, c_int, c_void};

use crate::ffi::abi::check::{bytes, function_name, guard, room, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, token};
use crate::ffi::pool::options::{chunk, polyproc_task_options, task_options};
use crate::ffi::pool::polyproc_pool;
use crate::ffi::pool::task::polyproc_task;
use crate::ffi::queue::many::polyproc_slice;
use crate::status::detail::because;
use crate::status::Status;

/// <!-- Pool: submitting tasks -->
/// Hand a task to the workers. One of them runs it; the order of tasks is not specified.
///
/// If the worker dies before it has reported, another worker starts the task again, up to
/// max_attempts times. If that is more than 1, a function must tolerate that it runs twice.
///
/// ```text
/// pool      open handle.
/// function  its name, as the worker has registered it: 1 to 200 bytes of UTF-8.
/// data      its argument; NULL when len is 0.
/// len       bytes of data.
/// out       the task, to be closed with polyproc_task_close.
///
/// Returns  OK
///          E_SHUTDOWN     the pool is shut down or terminated.
///          E_WORKER_DIED  its workers do not start.
///          E_TOO_LARGE    data is longer than a message may be.
///          E_NO_MEMORY    memory or shared memory is exhausted.
///          E_LIMIT        16,776,704 tasks are not over.
///          E_TIMEOUT      a process that is stopped holds the pool's queue.
///          E_NOT_OWNER    it is the pool of the process that this one was forked from.
///          E_CLOSED       the handle is closed.
///          E_INVALID      not a handle of a pool, not a name, data is NULL and len is not 0, out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_submit(
    pool: *mut polyproc_pool,
    function: *const c_char,
    data: *const c_void,
    len: usize,
    out: *mut *mut polyproc_task,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { polyproc_pool_submit_with(pool, function, data, len, std::ptr::null(), out) }
}

/// polyproc_pool_submit with options: a limit of time, or a tag for polyproc_pool_finished.
///
/// ```text
/// pool      open handle.
/// function  its name, as the worker has registered it: 1 to 200 bytes of UTF-8.
/// data      its argument; NULL when len is 0.
/// len       bytes of data.
/// options   NULL for the defaults; start from POLYPROC_TASK_OPTIONS_INIT.
/// out       the task, to be closed with polyproc_task_close.
///
/// Returns  as polyproc_pool_submit, and E_INVALID for bad options.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_submit_with(
    pool: *mut polyproc_pool,
    function: *const c_char,
    data: *const c_void,
    len: usize,
    options: *const polyproc_task_options,
    out: *mut *mut polyproc_task,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let pool = unsafe { enter(pool) }?;
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let function = unsafe { function_name(function) }?;
        // SAFETY: the caller lends `len` bytes for the time of the call.
        let data = unsafe { bytes(data, len, "data") }?;
        // SAFETY: the caller passes an option struct or NULL.
        let options = unsafe { task_options(options) }?;
        out.write(handle::new(pool.submit(function, data, &options)?)?);
        Ok(Status::OK)
    })
}

/// Hand several items to the workers as one task: the function is called for each of them, one
/// after the other in one worker. Use it to map many small items fast. The result has one item for
/// each of them, in the same order; read it with polyproc_job_chunk_next. If the function fails for
/// one item, the whole chunk fails.
///
/// ```text
/// pool      open handle.
/// function  its name, as the worker has registered it.
/// items     what to call it with.
/// n         how many, at least 1.
/// options   NULL for the defaults; start from POLYPROC_TASK_OPTIONS_INIT.
/// out       the task, to be closed with polyproc_task_close.
///
/// Returns  as polyproc_pool_submit, and E_INVALID for bad options or no items.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_submit_chunk(
    pool: *mut polyproc_pool,
    function: *const c_char,
    items: *const polyproc_slice,
    n: usize,
    options: *const polyproc_task_options,
    out: *mut *mut polyproc_task,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let pool = unsafe { enter(pool) }?;
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let function = unsafe { function_name(function) }?;
        // SAFETY: the caller lends `n` items and their bytes for the time of the call.
        let chunk = unsafe { chunk(items, n) }?;
        // SAFETY: the caller passes an option struct or NULL.
        let options = unsafe { task_options(options) }?;
        let count = u32::try_from(n).map_err(|_| Status::E_TOO_LARGE)?;
        let task = pool.submit_chunk(function, &chunk, count, &options)?;
        out.write(handle::new(task)?);
        Ok(Status::OK)
    })
}

/// Get the next item of a chunk: of its result, or, in a worker, of its data.
///
/// An item of a chunk is its length, a uint32_t in this machine's byte order, followed by its
/// bytes, padded to a multiple of 4.
///
/// ```text
/// data      the chunk; NULL when len is 0.
/// len       its bytes.
/// offset    where the item begins: 0 for the first one. Written: where the next one does.
/// out_item  where its bytes are, within data.
/// out_len   how many.
///
/// Returns  OK
///          E_EMPTY    there are no more items.
///          E_CORRUPT  it is no chunk.
///          E_INVALID  data is NULL and len is not 0, offset is NULL or past len, out_item or out_len is
///                     NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_job_chunk_next(
    data: *const c_void,
    len: usize,
    offset: *mut usize,
    out_item: *mut *const c_void,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes places for the answer or NULL.
        let (out_item, out_len) = unsafe {
            (
                Out::required(out_item, "out_item")?,
                Out::required(out_len, "out_len")?,
            )
        };
        // SAFETY: the caller passes an offset or NULL.
        let next = unsafe { Out::required(offset, "offset") }?;
        // SAFETY: not NULL, and set by the caller.
        let at = unsafe { offset.read() };
        // SAFETY: the caller lends `len` bytes for the time of the call.
        let chunk = unsafe { bytes(data, len, "data") }?;
        let chunk = chunk
            .get(at..)
            .ok_or_else(|| because!(E_INVALID, "offset is {at}, past len, {len}"))?;
        let (item, rest) = crate::pool::unpack(chunk)?.ok_or(Status::E_EMPTY)?;
        next.write(len - rest.len());
        out_item.write(item.as_ptr().cast());
        out_len.write(item.len());
        Ok(Status::OK)
    })
}

/// Get the tags of tasks that are over, waiting while there is none. Each task that was submitted
/// with a tag is reported once, other tasks never. So one thread, or one descriptor in an event
/// loop, serves any number of tasks.
///
/// ```text
/// pool        open handle.
/// tags        where the tags go.
/// cap         how many fit there, at least 1.
/// out_len     how many there are, at least one.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 look once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  no other task is over.
///          E_CORRUPT    the pool's memory is damaged.
///          E_NOT_OWNER  it is the pool of the process that this one was forked from.
///          E_INVALID    not a handle of a pool, not a token, tags or out_len is NULL, or cap is 0.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_finished(
    pool: *mut polyproc_pool,
    tags: *mut u64,
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
        // SAFETY: the caller lends room for `cap` tags for the time of the call.
        let mut places = unsafe { room(tags, cap, "tags") }?.iter_mut();
        // SAFETY: the caller passes a place for the count or NULL.
        let out_len = unsafe { Out::required(out_len, "out_len") }?;
        let mut each = |tag: u64| {
            if let Some(place) = places.next() {
                place.write(tag);
            }
        };
        let wait = pool.wait_for(timeout_ns, &cancel);
        out_len.write(pool.finished_raw(cap, &mut each, wait)?);
        Ok(Status::OK)
    })
}

/// A descriptor for poll, epoll, libuv, asyncio and the like: readable while polyproc_pool_finished
/// would not wait. From the first call on, a thread of this process reads what the workers report.
///
/// ```text
/// pool    open handle.
/// out_fd  the descriptor. It belongs to the handle: do not read it, close it, or use it after the
///         handle is closed.
///
/// Returns  OK
///          E_LIMIT      no thread is left.
///          E_NOT_OWNER  it is the pool of the process that this one was forked from.
///          E_CLOSED     the handle is closed.
///          E_INVALID    not a handle of a pool, or out_fd is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pool_fd(pool: *mut polyproc_pool, out_fd: *mut c_int) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let pool = unsafe { enter(pool) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(pool.fd()?);
        Ok(Status::OK)
    })
}

//! The structs of pools, and how they are read. How they grow: `abi::growing`.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use crate::ffi::abi::check::{array, bytes, function_name};
use crate::ffi::abi::constants::{POLYPROC_POOL_GROUP, POLYPROC_TASK_TAGGED};
use crate::ffi::abi::growing;
use crate::ffi::abi::growing::growing;
use crate::ffi::process::options::polyproc_handle;
use crate::ffi::process::request::{handles, texts};
use crate::ffi::share::AnyCall;
use crate::pool::{PoolOptions, TaskOptions};
use crate::status::detail::because;
use crate::status::{Result, Status};

/// Options of a pool. NULL means the defaults: as many forks of this process as there are CPUs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_pool_options {
    /// `sizeof(polyproc_pool_options)`, as `POLYPROC_POOL_OPTIONS_INIT` sets it.
    pub size: usize,
    /// How many workers, at most `POLYPROC_POOL_WORKERS_MAX`; 0: the CPUs that this process may
    /// use.
    pub workers: u32,
    /// 0 or `POLYPROC_POOL_GROUP`.
    pub flags: u32,
    /// The worker program and its arguments, ended by NULL. The program has to call
    /// polyproc_worker_run or polyproc_worker_next. NULL: the workers are forks of this process in
    /// its state when the pool is created. Each worker starts in the working directory that this
    /// process has when the pool is created.
    pub argv: *const *const c_char,
    /// "NAME=value" strings, ended by NULL, added to the workers' environment; NULL: none.
    pub env: *const *const c_char,
    /// A worker ends after this many tasks and is replaced; 0: no limit.
    pub max_tasks_per_worker: u32,
    /// How often a task is begun if its worker dies each time, at most 4,095; then the task fails
    /// with E_WORKER_DIED. 0 means 1.
    pub max_attempts: u32,
    /// A function that each worker calls before its first task; NULL: none. A worker whose
    /// initialiser fails ends.
    pub initialiser: *const c_char,
    /// The initialiser's data; NULL when `initialiser_len` is 0.
    pub initialiser_data: *const c_void,
    /// Its length in bytes, at most 1 MiB.
    pub initialiser_len: usize,
    /// The objects that the workers inherit; NULL when `handle_count` is 0. They stay open until
    /// the pool is closed.
    pub handles: *const polyproc_handle,
    /// How many `handles` there are.
    pub handle_count: usize,
}

/// Options of a task. NULL means the defaults: no tag, no limit of time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_task_options {
    /// `sizeof(polyproc_task_options)`, as `POLYPROC_TASK_OPTIONS_INIT` sets it.
    pub size: usize,
    /// 0 or `POLYPROC_TASK_TAGGED`.
    pub flags: u32,
    /// How many nanoseconds the task may take from when a worker begins it; 0 or less: no limit.
    /// Past it the task fails with E_TIMEOUT, and its worker is killed and replaced.
    pub timeout_ns: i64,
    /// The tag that polyproc_pool_finished reports when the task is over.
    pub tag: u64,
}

/// The figures of a pool at one moment, from `polyproc_pool_get_info`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_pool_info {
    /// `sizeof(polyproc_pool_info)`, as `POLYPROC_POOL_INFO_INIT` sets it.
    pub size: usize,
    /// How many workers the pool keeps while it is open.
    pub workers: u32,
    /// Workers that run now.
    pub alive: u32,
    /// Tasks that are not over.
    pub outstanding: u64,
    /// Of these, tasks that no worker has taken yet.
    pub queued: u64,
    /// Tasks ever submitted.
    pub submitted: u64,
    /// Tasks that ended with a result.
    pub succeeded: u64,
    /// Tasks that ended in any other way.
    pub failed: u64,
    /// Attempts that ended with the death of their worker and were followed by another.
    pub retried: u64,
    /// Workers ever started.
    pub started_workers: u64,
    /// Workers that died while they worked.
    pub died_workers: u64,
}

growing! {
    polyproc_pool_options: 80,
    polyproc_task_options: 32,
    polyproc_pool_info: 80,
}

/// The pool to create. The calls keep the objects that the workers inherit open until it is
/// created.
pub(crate) struct Request<'a> {
    pub(crate) options: PoolOptions,
    _inherits: Vec<AnyCall<'a>>,
}

/// # Safety
/// `theirs` is NULL or options whose texts, lists and handles are what `polyproc.h` says.
pub(crate) unsafe fn pool_options<'a>(theirs: *const polyproc_pool_options) -> Result<Request<'a>> {
    if theirs.is_null() {
        return Ok(Request {
            options: PoolOptions::default(),
            _inherits: Vec::new(),
        });
    }
    // SAFETY: as the caller promises.
    unsafe {
        let theirs = growing::read(theirs)?;
        growing::known_flags(theirs.flags, POLYPROC_POOL_GROUP)?;
        let (handles, inherits) = handles(theirs.handles, theirs.handle_count)?;
        let data = bytes(
            theirs.initialiser_data,
            theirs.initialiser_len,
            "options.initialiser_data",
        )?;
        let initialiser = match theirs.initialiser.is_null() {
            true if data.is_empty() => None,
            true => {
                return Err(because!(
                    E_INVALID,
                    "options.initialiser is NULL and options.initialiser_len is not 0"
                ))
            }
            false => Some((function_name(theirs.initialiser)?.to_owned(), data.to_vec())),
        };
        let argv = texts(theirs.argv);
        if argv.is_empty() && !theirs.argv.is_null() {
            return Err(because!(E_INVALID, "options.argv is empty"));
        }
        Ok(Request {
            options: PoolOptions {
                workers: theirs.workers,
                argv,
                env: texts(theirs.env),
                max_tasks_per_worker: theirs.max_tasks_per_worker,
                max_attempts: theirs.max_attempts,
                initialiser,
                handles,
                group: theirs.flags & POLYPROC_POOL_GROUP != 0,
            },
            _inherits: inherits,
        })
    }
}

/// # Safety
/// `theirs` is NULL or as many bytes as its `size` says may be read.
pub(crate) unsafe fn task_options(theirs: *const polyproc_task_options) -> Result<TaskOptions> {
    if theirs.is_null() {
        return Ok(TaskOptions::default());
    }
    // SAFETY: as the caller promises.
    let theirs = unsafe { growing::read(theirs) }?;
    growing::known_flags(theirs.flags, POLYPROC_TASK_TAGGED)?;
    Ok(TaskOptions {
        timeout: match u64::try_from(theirs.timeout_ns) {
            Ok(0) | Err(_) => None,
            Ok(ns) => Some(Duration::from_nanos(ns)),
        },
        tag: (theirs.flags & POLYPROC_TASK_TAGGED != 0).then_some(theirs.tag),
    })
}

/// The items of a chunk, packed.
///
/// # Safety
/// `items` is NULL or `n` slices, each of bytes that nobody writes until the call returns.
pub(crate) unsafe fn chunk(
    items: *const crate::ffi::queue::many::polyproc_slice,
    n: usize,
) -> Result<Vec<u8>> {
    let mut chunk = Vec::new();
    // SAFETY: as the caller promises.
    for item in unsafe { array(items, n, "items") }? {
        // SAFETY: as the caller promises.
        let item = unsafe { bytes(item.data, item.len, "an item") }?;
        chunk
            .try_reserve(item.len() + 2 * size_of::<u32>())
            .map_err(|_| Status::E_NO_MEMORY)?;
        crate::pool::pack(&mut chunk, item)?;
    }
    Ok(chunk)
}

//! The option and result structs of the C API. How they are read, written and grow: `sized`.

use std::ffi::{c_char, c_int};

use crate::ffi::process::polyproc_handle;

/// Options of an object that has none of its own: a lock, an rlock, an event. NULL means the defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_options {
    /// `sizeof(polyproc_options)`, as `POLYPROC_OPTIONS_INIT` sets it.
    pub size: usize,
    /// 0 or `POLYPROC_OPEN_OR_CREATE`.
    pub flags: u32,
    /// Permissions of a named object, 0600 and more for group and others, for example 0660; 0: 0600.
    pub mode: u32,
}

/// Options of a semaphore. NULL means the defaults: no permit, unbounded.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_semaphore_options {
    /// `sizeof(polyproc_semaphore_options)`, as `POLYPROC_SEMAPHORE_OPTIONS_INIT` sets it.
    pub size: usize,
    /// `POLYPROC_OPEN_OR_CREATE`, `POLYPROC_SEMAPHORE_OWNED`, or both.
    pub flags: u32,
    /// Permissions of a named object, 0600 and more for group and others, for example 0660; 0: 0600.
    pub mode: u32,
    /// How many permits there are at first, 0 or more.
    pub initial: i64,
    /// How many permits there may ever be, at least `initial`; 0: unbounded.
    pub maximum: i64,
}

/// Options of a queue. NULL means the defaults: no limit, not joinable, bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_queue_options {
    /// `sizeof(polyproc_queue_options)`, as `POLYPROC_QUEUE_OPTIONS_INIT` sets it.
    pub size: usize,
    /// `POLYPROC_OPEN_OR_CREATE`, `POLYPROC_QUEUE_JOINABLE`, or both.
    pub flags: u32,
    /// Permissions of a named object, 0600 and more for group and others, for example 0660; 0: 0600.
    pub mode: u32,
    /// How many messages may wait in the queue; 0: no limit.
    pub max_items: u64,
    /// How many bytes, 0: as much as shared memory holds. A message takes 16 more than its length,
    /// rounded up to a multiple of 16.
    pub max_bytes: u64,
    /// Joinable: how often one message may be delivered before it goes to the dead letters, at most
    /// 65,534; 0: no limit. A message for whose dead letter shared memory has no room is delivered once
    /// more, and again until there is room: it is never lost.
    pub max_deliveries: u32,
    /// How many nanoseconds a wait spins at most before it sleeps; 0: POLYPROC_SPIN_NS of the
    /// environment, else what a wake-up was measured to cost on this machine.
    pub spin_ns: u32,
    /// A label for bindings that says what a message is, at most 31 bytes and a NUL: "" is bytes,
    /// "msgpack" is MessagePack. The library never reads it.
    pub format: [c_char; 32],
}

/// The figures of a queue at one moment, from `polyproc_queue_get_info`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_queue_info {
    /// `sizeof(polyproc_queue_info)`, as `POLYPROC_QUEUE_INFO_INIT` sets it.
    pub size: usize,
    /// Messages that wait to be got: the length.
    pub items: u64,
    /// Bytes that these and the messages in flight occupy, payload and headers together.
    pub bytes: u64,
    /// Messages that a process took and has not settled.
    pub in_flight: u64,
    /// Messages that wait or are in flight: what join waits for.
    pub unfinished: u64,
    /// Messages ever put.
    pub puts: u64,
    /// Messages ever got or taken, each once; one that came back and waits again does not count.
    pub gets: u64,
    /// Messages that went back because their consumer died or returned them.
    pub redelivered: u64,
    /// Messages that were never delivered: thrown away by an immediate shutdown, or half put when
    /// their producer died.
    pub discarded: u64,
    /// How often a process found another dead and repaired what it left.
    pub recoveries: u64,
    /// Messages in the dead letters, see `polyproc_queue_take_dead`.
    pub dead_letters: u64,
    /// The limit that the queue was created with; 0: none.
    pub max_items: u64,
    /// The limit that the queue was created with; 0: none.
    pub max_bytes: u64,
    /// The limit that the queue was created with; 0: none.
    pub max_deliveries: u32,
    /// 0 or `POLYPROC_QUEUE_JOINABLE`.
    pub flags: u32,
    /// Threads of all processes that wait at the queue now.
    pub waiting: u32,
    /// Processes that use the queue now.
    pub participants: u32,
    /// 1 when the queue is shut down, else 0.
    pub shutdown: u32,
    /// How many nanoseconds a wait spins before it sleeps; 0: the default.
    pub spin_ns: u32,
    /// The label that the queue was created with, ended by a NUL.
    pub format: [c_char; 32],
}

/// Options of a process. Start from `POLYPROC_PROCESS_OPTIONS_INIT`: its descriptors are -1, not 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_process_options {
    /// `sizeof(polyproc_process_options)`, as `POLYPROC_PROCESS_OPTIONS_INIT` sets it.
    pub size: usize,
    /// 0, or of `POLYPROC_PROCESS_DAEMON`, `POLYPROC_PROCESS_CLEAR_ENV` and `POLYPROC_PROCESS_GROUP`
    /// those that are wanted.
    pub flags: u32,
    /// What the process is called in `polyproc_current_process`, at most 63 bytes; NULL: a name is
    /// made.
    pub name: *const c_char,
    /// Its working directory; NULL: the parent's.
    pub cwd: *const c_char,
    /// Program and arguments, ended by NULL. The program is looked up in PATH when it has no slash.
    /// Unused by `polyproc_process_fork`.
    pub argv: *const *const c_char,
    /// "NAME=value" strings, ended by NULL, added to the parent's environment; NULL: none.
    pub env: *const *const c_char,
    /// Its standard input: a descriptor, -1 the parent's, `POLYPROC_FD_NULL` `/dev/null`.
    pub stdin_fd: c_int,
    /// Its standard output, likewise.
    pub stdout_fd: c_int,
    /// Its standard error, likewise.
    pub stderr_fd: c_int,
    /// The objects that it inherits; NULL when `handle_count` is 0.
    pub handles: *const polyproc_handle,
    /// How many `handles` there are.
    pub handle_count: usize,
}

/// What `polyproc_current_process` tells.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_process_info {
    /// `sizeof(polyproc_process_info)`, as `POLYPROC_PROCESS_INFO_INIT` sets it.
    pub size: usize,
    /// Its process id.
    pub pid: i32,
    /// The process that started it.
    pub parent_pid: i32,
    /// 1 when it is daemonic, else 0.
    pub daemon: i32,
    /// Always 0.
    pub reserved: u32,
    /// Its name, ended by a NUL.
    pub name: [c_char; 64],
}

/// What `polyproc_list` tells of an object.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_object_info {
    /// What it is, `POLYPROC_KIND_*`.
    pub kind: i32,
    /// Its permissions, for example 0600.
    pub mode: u32,
    /// How many processes use it now.
    pub processes: u32,
    /// How many of their threads wait at it now.
    pub waiting: u32,
    /// The memory that it occupies, in bytes.
    pub bytes: u64,
    /// Always 0.
    pub reserved: [u64; 2],
    /// Its name, ended by a NUL.
    pub name: [c_char; 208],
}

//! The structs of processes.

use std::ffi::{c_char, c_int, c_void};

use crate::ffi::abi::growing::growing;

/// An object that a new process inherits, and the name under which the process asks for it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_handle {
    /// Its name in the child, for polyproc_inherited: 1 to 200 bytes of `A-Z a-z 0-9 . _ -`, not
    /// starting with a dot.
    pub name: *const c_char,
    /// The kind of the handle, POLYPROC_KIND_*.
    pub kind: i32,
    /// Open handle of that kind.
    pub object: *mut c_void,
}

/// Options of a process. Start from `POLYPROC_PROCESS_OPTIONS_INIT`: its descriptors are -1, not 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_process_options {
    /// `sizeof(polyproc_process_options)`, as `POLYPROC_PROCESS_OPTIONS_INIT` sets it.
    pub size: usize,
    /// 0, or any of `POLYPROC_PROCESS_DAEMON`, `POLYPROC_PROCESS_CLEAR_ENV` and
    /// `POLYPROC_PROCESS_GROUP`.
    pub flags: u32,
    /// The name that `polyproc_current_process` returns in the child, at most 63 bytes; NULL: a
    /// name is made.
    pub name: *const c_char,
    /// Its working directory; NULL: the parent's.
    pub cwd: *const c_char,
    /// Program and arguments, ended by NULL. The program is looked up in PATH when it has no slash.
    /// Unused by `polyproc_process_fork`.
    pub argv: *const *const c_char,
    /// "NAME=value" strings, ended by NULL, added to the parent's environment; NULL: none.
    pub env: *const *const c_char,
    /// Its standard input: a descriptor; -1: the parent's; `POLYPROC_FD_NULL`: `/dev/null`.
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

/// The description of a process by `polyproc_current_process`.
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

growing! { polyproc_process_options: 80, polyproc_process_info: 88 }

//! The options of a process, from C's layout to the safe API's.

use std::ffi::{c_char, c_int, CStr, CString};

use crate::ffi::abi::check::{array, required_name};
use crate::ffi::abi::constants::{
    POLYPROC_FD_NULL, POLYPROC_PROCESS_CLEAR_ENV, POLYPROC_PROCESS_DAEMON, POLYPROC_PROCESS_GROUP,
};
use crate::ffi::abi::growing;
use crate::ffi::process::options::polyproc_handle;
use crate::ffi::process::options::polyproc_process_options;
use crate::ffi::share::{enter_any, known, AnyCall};
use crate::process::{InheritHandle, ProcessOptions, Stdio};
use crate::status::detail::because;
use crate::status::Result;

/// The process to start. The calls keep the objects that it inherits open until it has started.
pub(crate) struct Request<'a> {
    pub(crate) options: ProcessOptions,
    _inherits: Vec<AnyCall<'a>>,
}

impl Request<'_> {
    /// # Safety
    /// `theirs` is NULL, or options whose texts, lists and handles are as `polyproc.h`
    /// demands.
    pub(crate) unsafe fn required<'a>(
        theirs: *const polyproc_process_options,
    ) -> Result<Request<'a>> {
        // SAFETY: as the caller promises.
        unsafe {
            let theirs = growing::read(theirs)?;
            Request::new(&theirs)
        }
    }

    /// As [`required`](Self::required), but NULL stands for the defaults.
    ///
    /// # Safety
    /// As for [`required`](Self::required).
    pub(crate) unsafe fn optional<'a>(
        theirs: *const polyproc_process_options,
    ) -> Result<Request<'a>> {
        if theirs.is_null() {
            return Ok(Request {
                options: ProcessOptions::default(),
                _inherits: Vec::new(),
            });
        }
        // SAFETY: as the caller promises.
        unsafe { Request::required(theirs) }
    }

    /// # Safety
    /// As for [`required`](Self::required).
    unsafe fn new<'a>(theirs: &polyproc_process_options) -> Result<Request<'a>> {
        let known = POLYPROC_PROCESS_DAEMON | POLYPROC_PROCESS_CLEAR_ENV | POLYPROC_PROCESS_GROUP;
        growing::known_flags(theirs.flags, known)?;
        // SAFETY: as the caller promises.
        let (handles, inherits) = unsafe { handles(theirs.handles, theirs.handle_count) }?;
        // SAFETY: as the caller promises.
        let options = unsafe {
            ProcessOptions {
                name: text(theirs.name),
                argv: texts(theirs.argv),
                env: texts(theirs.env),
                clear_env: theirs.flags & POLYPROC_PROCESS_CLEAR_ENV != 0,
                cwd: text(theirs.cwd),
                stdin: stdio(theirs.stdin_fd, "stdin_fd")?,
                stdout: stdio(theirs.stdout_fd, "stdout_fd")?,
                stderr: stdio(theirs.stderr_fd, "stderr_fd")?,
                daemon: theirs.flags & POLYPROC_PROCESS_DAEMON != 0,
                group: theirs.flags & POLYPROC_PROCESS_GROUP != 0,
                handles,
            }
        };
        Ok(Request {
            options,
            _inherits: inherits,
        })
    }
}

/// # Safety
/// `text` is NULL or a C string.
unsafe fn text(text: *const c_char) -> Option<CString> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    Some(unsafe { CStr::from_ptr(text) }.to_owned())
}

/// A list ended by NULL; NULL itself is an empty one.
///
/// # Safety
/// `list` is NULL or a list of C strings ended by NULL.
pub(crate) unsafe fn texts(list: *const *const c_char) -> Vec<CString> {
    let mut copies = Vec::new();
    let mut next = list;
    // SAFETY: read up to the NULL that ends the list, which the caller promises.
    unsafe {
        while !next.is_null() {
            let Some(copy) = text(*next) else { break };
            copies.push(copy);
            next = next.add(1);
        }
    }
    copies
}

fn stdio(fd: c_int, name: &'static str) -> Result<Stdio> {
    match fd {
        -1 => Ok(Stdio::Inherit),
        POLYPROC_FD_NULL => Ok(Stdio::Null),
        0.. => Ok(Stdio::Fd(fd)),
        _ => Err(because!(
            E_INVALID,
            "options.{name} is {fd}: a descriptor, -1 or POLYPROC_FD_NULL is meant"
        )),
    }
}

/// # Safety
/// `first` is NULL or the first of `n` handles, each with a C string and an object of its kind.
pub(crate) unsafe fn handles<'a>(
    first: *const polyproc_handle,
    n: usize,
) -> Result<(Vec<InheritHandle>, Vec<AnyCall<'a>>)> {
    let mut handles = Vec::new();
    let mut inherits = Vec::new();
    // SAFETY: as the caller promises.
    for handle in unsafe { array(first, n, "options.handles") }? {
        // SAFETY: as the caller promises.
        let name = unsafe { required_name(handle.name) }?;
        // SAFETY: as the caller promises.
        let object = unsafe { enter_any(handle.kind, handle.object) }?;
        handles.push(InheritHandle {
            name: name.to_owned(),
            kind: known(handle.kind)?,
            fd: object.raw_fd(),
        });
        inherits.push(object);
    }
    Ok((handles, inherits))
}

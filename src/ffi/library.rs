//! `polyproc_version` and the other functions that belong to no object.

use std::ffi::c_char;
use std::ptr;

use crate::ffi::abi::check::{
    guard, guard_in_handler, required_name, room, switch_in_handler, Out,
};
use crate::ffi::abi::constants::POLYPROC_ABI_VERSION;
use crate::ffi::abi::text;
use crate::ffi::abi::text::text;
use crate::segment;
use crate::status::detail;
use crate::status::Status;
use crate::sync;

/// A named object, as `polyproc_list` describes it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_object_info {
    /// Its kind, `POLYPROC_KIND_*`.
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

/// <!-- Library -->
/// The version of the library, for example "0.1.0".
///
/// ```text
/// Returns  a static string.
/// Blocks   no. Threads: any. Signal-safe: yes. Since: 0.1
/// ```
#[no_mangle]
pub extern "C" fn polyproc_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The binary interface of the library, to compare with `POLYPROC_ABI_VERSION`.
///
/// ```text
/// Returns  the number in libpolyproc.so.0.
/// Blocks   no. Threads: any. Signal-safe: yes. Since: 0.1
/// ```
#[no_mangle]
pub extern "C" fn polyproc_abi_version() -> u32 {
    POLYPROC_ABI_VERSION
}

/// A short English text for a status.
///
/// ```text
/// status  any number, also one that no function returns.
///
/// Returns  a static string, never NULL. For an operating-system error, -(1000 + errno), it says
///          no more than that: strerror(-status - 1000) is its text.
/// Blocks   no. Threads: any. Signal-safe: yes. Since: 0.1
/// ```
#[no_mangle]
pub extern "C" fn polyproc_strerror(status: i32) -> *const c_char {
    text::of(Status::from_code(status)).as_ptr()
}

/// The cause of this thread's last failed call, in a sentence. For E_INVALID it says which argument
/// is wrong and how, for E_MISMATCH in what the object differs from the options, and for a refusal
/// by the system which system call failed. Calls that succeed, failures whose status says all
/// (E_EMPTY, E_TIMEOUT, E_CLOSED, ...), and signal-safe functions do not change the sentence.
///
/// A runtime that moves tasks between threads must read the sentence before the task can move to
/// another thread.
///
/// ```text
/// buf  where the sentence goes, ended by a NUL. A sentence that does not fit is cut.
/// cap  how many bytes fit there; 256 are enough for most sentences.
///
/// Returns  OK           buf has the sentence.
///          E_NOT_FOUND  there is none: buf is empty.
///          E_INVALID    buf is NULL or cap is 0.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_detail(buf: *mut c_char, cap: usize) -> i32 {
    // Not `guard`, which would replace the sentence by the cause of this call's own failure.
    guard_in_handler(|| {
        if buf.is_null() || cap == 0 {
            return Err(Status::E_INVALID);
        }
        let mut sentence = [0; detail::ROOM];
        let len = detail::read(&mut sentence);
        let kept = len.unwrap_or(0).min(cap - 1);
        // SAFETY: the caller lends `cap` bytes, and `kept + 1` are no more.
        unsafe {
            ptr::copy_nonoverlapping(sentence.as_ptr(), buf.cast(), kept);
            buf.add(kept).write(0);
        }
        match len {
            Some(_) => Ok(Status::OK),
            None => Err(Status::E_NOT_FOUND),
        }
    })
}

/// Choose whether a signal handler that was installed without SA_RESTART ends the waits of this
/// process. When on, a wait returns E_INTERRUPTED after the handler ran; when off, the default, the
/// wait goes on. For language runtimes, which run their own handlers between two calls.
///
/// ```text
/// on  1 to switch it on, 0 to switch it off.
///
/// Returns  OK
///          E_INVALID  on is neither 0 nor 1.
/// Blocks   no. Threads: any. Signal-safe: yes. Since: 0.1
/// ```
#[no_mangle]
pub extern "C" fn polyproc_interruptible(on: i32) -> i32 {
    guard_in_handler(|| {
        sync::interruptible(switch_in_handler(on)?);
        Ok(Status::OK)
    })
}

/// Remove the name of an object. Processes that have the object open keep it, and the object goes
/// away with the last of them. The name is free for a new object at once.
///
/// ```text
/// name  its name.
///
/// Returns  OK
///          E_NOT_FOUND   no object has that name.
///          E_PERMISSION  it is another user's.
///          E_INVALID     not a name.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_unlink(name: *const c_char) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { required_name(name) }?;
        segment::unlink(name)?;
        Ok(Status::OK)
    })
}

/// List the named objects of this user, sorted by name. Each entry describes its object as it was
/// when this call looked at it.
///
/// ```text
/// items    where the entries go; NULL when cap is 0.
/// cap      how many fit there.
/// out_len  how many there are; with E_TOO_SMALL the cap that is needed.
///
/// Returns  OK
///          E_TOO_SMALL  nothing was written but *out_len.
///          E_NO_MEMORY  memory is exhausted.
///          E_LIMIT      too many descriptors are open.
///          E_INVALID    out_len is NULL, or items is NULL and cap is not 0.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_list(
    items: *mut polyproc_object_info,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the count or NULL.
        let out_len = unsafe { Out::required(out_len, "out_len") }?;
        // SAFETY: the caller lends room for `cap` items for the time of the call.
        let items = unsafe { room(items, cap, "items") }?;
        let objects = segment::list()?;
        out_len.write(objects.len());
        if objects.len() > items.len() {
            return Err(Status::E_TOO_SMALL);
        }
        for (to, object) in items.iter_mut().zip(objects) {
            to.write(polyproc_object_info {
                kind: object.kind.code(),
                mode: object.mode,
                processes: object.processes,
                waiting: object.waiting,
                bytes: object.bytes,
                reserved: [0; 2],
                name: text(object.name.as_bytes()),
            });
        }
        Ok(Status::OK)
    })
}

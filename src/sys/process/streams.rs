//! C's streams around a fork: what the parent has not written yet is written once, by the parent.

use crate::sys::syscall::without_cancellation;

extern "C" {
    static mut stdout: *mut libc::FILE;
    static mut stderr: *mut libc::FILE;
}

/// In the parent, so that what it has printed before a fork stands before what its child prints.
///
/// Only the standard streams, where the child can forget the rest: a flush of all of them waits for each thread
/// that reads from one.
pub(super) fn flush_before_fork() {
    // SAFETY: libc's own streams; NULL means all of them.
    without_cancellation(|| unsafe {
        if cfg!(target_env = "gnu") {
            libc::fflush(stdout);
            libc::fflush(stderr);
        } else {
            libc::fflush(std::ptr::null_mut());
        }
    });
}

/// In the child: forget what its parent had not written to its files when it forked.
pub(super) fn forget_what_is_the_parents() {
    #[cfg(target_env = "gnu")]
    each_unwritten(|stream| {
        // A stream without a descriptor is memory, which is the child's own copy.
        // SAFETY: an open stream of this process.
        unsafe {
            if libc::fileno(stream) >= 0 {
                __fpurge(stream);
            }
        }
    });
}

/// At the end of the child.
pub(super) fn flush_all() {
    #[cfg(target_env = "gnu")]
    each_unwritten(|stream| {
        // SAFETY: an open stream of this process.
        unsafe { libc::fflush(stream) };
    });
    #[cfg(not(target_env = "gnu"))]
    // SAFETY: NULL means every stream.
    without_cancellation(|| unsafe { libc::fflush(std::ptr::null_mut()) });
}

#[cfg(target_env = "gnu")]
extern "C" {
    fn __fpurge(stream: *mut libc::FILE);
    fn __fpending(stream: *mut libc::FILE) -> usize;
    // glibc's own walk through its streams, exported since 2.2.
    fn _IO_list_lock();
    fn _IO_list_unlock();
    fn _IO_iter_begin() -> *mut libc::FILE;
    fn _IO_iter_end() -> *mut libc::FILE;
    fn _IO_iter_next(at: *mut libc::FILE) -> *mut libc::FILE;
    fn _IO_iter_file(at: *mut libc::FILE) -> *mut libc::FILE;
}

/// Every stream that holds something unwritten. Unlike fflush(NULL) it waits for no thread that reads.
#[cfg(target_env = "gnu")]
fn each_unwritten(visit: fn(*mut libc::FILE)) {
    // SAFETY: the list is locked, so each stream of it stays open meanwhile. A forked child has every lock of
    // libc's free.
    without_cancellation(|| unsafe {
        _IO_list_lock();
        let (mut at, end) = (_IO_iter_begin(), _IO_iter_end());
        while at != end {
            let stream = _IO_iter_file(at);
            if __fpending(stream) > 0 {
                visit(stream);
            }
            at = _IO_iter_next(at);
        }
        _IO_list_unlock();
    });
}

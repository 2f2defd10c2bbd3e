//! C streams around a fork: the parent alone writes the output that it had buffered before the
//! fork.

use crate::sys::syscall::without_cancellation;

extern "C" {
    static mut stdout: *mut libc::FILE;
    static mut stderr: *mut libc::FILE;
}

/// Flush the parent's streams, so that output from before the fork precedes the child's output.
///
/// If the child can discard the rest, flush the standard streams only: a flush of all streams waits
/// for each thread that reads from one.
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

/// In the child: discard output that its parent had buffered when it forked.
pub(super) fn forget_what_is_the_parents() {
    #[cfg(target_env = "gnu")]
    each_unwritten(|stream| {
        // A stream without a descriptor is memory, and the child has its own copy of that.
        // SAFETY: an open stream of this process.
        unsafe {
            if libc::fileno(stream) >= 0 {
                __fpurge(stream);
            }
        }
    });
}

/// Flush all streams at the end of the child.
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
    // glibc's own iteration over its streams, exported since 2.2.
    fn _IO_list_lock();
    fn _IO_list_unlock();
    fn _IO_iter_begin() -> *mut libc::FILE;
    fn _IO_iter_end() -> *mut libc::FILE;
    fn _IO_iter_next(at: *mut libc::FILE) -> *mut libc::FILE;
    fn _IO_iter_file(at: *mut libc::FILE) -> *mut libc::FILE;
}

/// Call `visit` for every stream with unwritten output. Unlike fflush(NULL), this does not wait for
/// a thread that reads from a stream.
#[cfg(target_env = "gnu")]
fn each_unwritten(visit: fn(*mut libc::FILE)) {
    // SAFETY: the list is locked, so each of its streams stays open meanwhile. In a forked child
    // all locks of libc are free.
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

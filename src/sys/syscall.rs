//! System calls by number, for calls whose C function is a cancellation point (pthreads(7)), or
//! newer than the glibc that the packages promise (2.17).
//!
//! pthread_cancel ends a thread inside such a function by unwinding its stack. Here the stack has
//! frames of Rust, so this would abort the whole process. syscall(2) is no cancellation point, so a
//! canceled thread continues until its call of this library has returned. [`without_cancellation`]
//! serves calls that the standard library makes.
//!
//! Each function returns what its namesake of C returns: on failure -1, with errno set.

use std::ffi::{c_char, c_int, c_long, c_uint, c_void, CStr};

use libc::{mode_t, off_t, pollfd, sockaddr, socklen_t, timespec};

/// open(2).
///
/// # Safety
/// `path` is a C string.
pub(crate) unsafe fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags, mode) as c_int }
}

/// close(2).
pub(crate) fn close(fd: c_int) {
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_close, fd) };
}

/// read(2).
///
/// # Safety
/// `place` may be written for `length` bytes.
pub(crate) unsafe fn read(fd: c_int, place: *mut c_void, length: usize) -> isize {
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(libc::SYS_read, fd, place, length) as isize }
}

/// pread(2).
///
/// # Safety
/// `place` may be written for `length` bytes.
pub(crate) unsafe fn pread(fd: c_int, place: *mut c_void, length: usize, at: off_t) -> isize {
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(libc::SYS_pread64, fd, place, length, at) as isize }
}

/// write(2). Async-signal-safe.
///
/// # Safety
/// `data` may be read for `length` bytes.
pub(crate) unsafe fn write(fd: c_int, data: *const c_void, length: usize) -> isize {
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(libc::SYS_write, fd, data, length) as isize }
}

/// fallocate(2).
pub(crate) fn fallocate(fd: c_int, mode: c_int, offset: off_t, length: off_t) -> c_int {
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_fallocate, fd, mode, offset, length) as c_int }
}

/// memfd_create(2).
pub(crate) fn memfd_create(name: &CStr, flags: c_uint) -> c_int {
    // SAFETY: the name ends in NUL.
    unsafe { libc::syscall(libc::SYS_memfd_create, name.as_ptr(), flags) as c_int }
}

/// getrandom(2).
pub(crate) fn getrandom(room: &mut [u8]) -> isize {
    // SAFETY: `room` is writable.
    unsafe { libc::syscall(libc::SYS_getrandom, room.as_mut_ptr(), room.len(), 0) as isize }
}

/// ppoll(2) without a signal mask.
pub(crate) fn ppoll(items: &mut [pollfd], timeout: Option<timespec>) -> c_int {
    // The kernel writes the remaining time there.
    let mut left = timeout;
    let left = left
        .as_mut()
        .map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let mask = std::ptr::null::<c_void>();
    // SAFETY: `items` is writable for its length, `left` is null or a local.
    unsafe {
        libc::syscall(
            libc::SYS_ppoll,
            items.as_mut_ptr(),
            items.len() as libc::c_ulong,
            left,
            mask,
            8usize,
        ) as c_int
    }
}

/// accept4(2), without the address.
pub(crate) fn accept(listening: c_int, flags: c_int) -> c_int {
    let (address, length) = (std::ptr::null::<c_void>(), std::ptr::null::<c_void>());
    // SAFETY: null asks for no address.
    unsafe { libc::syscall(libc::SYS_accept4, listening, address, length, flags) as c_int }
}

/// connect(2).
///
/// # Safety
/// `address` may be read for `length` bytes.
pub(crate) unsafe fn connect(fd: c_int, address: *const sockaddr, length: socklen_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(libc::SYS_connect, fd, address, length) as c_int }
}

/// send(2).
///
/// # Safety
/// `data` may be read for `length` bytes.
pub(crate) unsafe fn send(fd: c_int, data: *const c_void, length: usize, flags: c_int) -> isize {
    let (nobody, none) = (std::ptr::null::<c_void>(), 0 as c_long);
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(libc::SYS_sendto, fd, data, length, flags, nobody, none) as isize }
}

/// sendmsg(2).
///
/// # Safety
/// The memory to which `message` points must be readable.
pub(crate) unsafe fn sendmsg(fd: c_int, message: &libc::msghdr, flags: c_int) -> isize {
    let message = std::ptr::from_ref(message);
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(libc::SYS_sendmsg, fd, message, flags) as isize }
}

/// recv(2).
///
/// # Safety
/// `place` may be written for `length` bytes.
pub(crate) unsafe fn recv(fd: c_int, place: *mut c_void, length: usize, flags: c_int) -> isize {
    let nobody = std::ptr::null::<c_void>();
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(libc::SYS_recvfrom, fd, place, length, flags, nobody, nobody) as isize }
}

extern "C" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

/// Run `body`, which reads files with the standard library or writes C streams, with cancellation
/// disabled.
pub(crate) fn without_cancellation<T>(body: impl FnOnce() -> T) -> T {
    const DISABLE: c_int = 1;
    let mut before = 0;
    // SAFETY: a local.
    unsafe { pthread_setcancelstate(DISABLE, &mut before) };
    let result = body();
    // SAFETY: a state that this thread had; a null pointer is allowed.
    unsafe { pthread_setcancelstate(before, std::ptr::null_mut()) };
    result
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    /// The functions of pthreads(7) that this library could use.
    const CANCELLATION_POINTS: &[&str] = &[
        "accept",
        "accept4",
        "close",
        "connect",
        "creat",
        "epoll_wait",
        "fallocate",
        "fdatasync",
        "fsync",
        "getrandom",
        "msync",
        "nanosleep",
        "open",
        "open64",
        "openat",
        "pause",
        "poll",
        "ppoll",
        "pread",
        "pwrite",
        "read",
        "readv",
        "recv",
        "recvfrom",
        "recvmsg",
        "select",
        "sem_wait",
        "send",
        "sendmsg",
        "sendto",
        "sleep",
        "system",
        "tcdrain",
        "usleep",
        "wait",
        "waitid",
        "waitpid",
        "write",
        "writev",
    ];

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let nested = paths.map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        });
        nested.flatten().collect()
    }

    #[test]
    fn no_cancellation_point_is_called_through_the_c_library() {
        for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
            let text = std::fs::read_to_string(&path).expect("a source");
            for name in CANCELLATION_POINTS {
                let call = format!("libc::{name}(");
                assert!(!text.contains(&call), "{}: {call}", path.display());
            }
        }
    }
}

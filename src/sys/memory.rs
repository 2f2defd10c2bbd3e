//! Shared memory files with and without a name: creating, growing and mapping them.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use memmap2::{MmapOptions, MmapRaw};

use super::descriptor::{owned, OwnedFd};
use super::tmpfile::create_unnamed;
use super::{check, is_refused};
use super::{shm, syscall};
use crate::status::detail::{self, because};
use crate::status::{Result, Status};

/// The page size, which is the unit of allocation.
pub(crate) const PAGE: u64 = 4096;

/// The result of `fstat` for a file in shared memory.
pub(crate) struct FileStatus {
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) owner: u32,
    pub(crate) group: u32,
    pub(crate) is_file: bool,
    /// Memory that the file occupies; less than its size if the file has holes.
    pub(crate) bytes: u64,
    /// Device and inode. Two handles with the same pair refer to the same object.
    pub(crate) identity: (u64, u64),
}

/// Create a file in memory without a name. The file disappears with the last process that has it
/// open.
///
/// This is a memfd, or a file in /dev/shm, which cannot be sealed, if a filter of system calls
/// refuses memfds.
pub(crate) fn create_anonymous() -> Result<OwnedFd> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let fd = syscall::memfd_create(c"polyproc", flags);
    if fd < 0 && is_refused(super::errno()) {
        return create_unnamed(0o600).map(|unnamed| unnamed.fd);
    }
    owned("memfd_create", fd)
}

/// Seal a memfd, so that no process can shrink it under a mapping. A file of [`create_anonymous`]
/// that is no memfd stays as it is: like a named file it is safe only from processes that do not
/// have it.
pub(crate) fn seal_against_shrinking(fd: &OwnedFd) -> Result<()> {
    // SAFETY: no pointers.
    let done = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_ADD_SEALS, libc::F_SEAL_SHRINK) };
    match check("fcntl", done) {
        Err(_) if is_refused(super::errno()) => Ok(()),
        other => other,
    }
}

/// Report whether a file is sealed against shrinking.
pub(crate) fn is_sealed_against_shrinking(fd: &OwnedFd) -> bool {
    // SAFETY: no pointers. The result is -1 if the file does not support seals.
    let seals = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GET_SEALS) };
    seals >= 0 && seals & libc::F_SEAL_SHRINK != 0
}

/// Open a named file, but never through a symbolic link and never a device, whose open could block.
pub(crate) fn open_named(path: &CStr) -> Result<OwnedFd> {
    open_file(path, libc::O_RDWR)
}

/// Open a named file for reading only, otherwise as [`open_named`].
pub(crate) fn open_to_read(path: &CStr) -> Result<OwnedFd> {
    open_file(path, libc::O_RDONLY)
}

fn open_file(path: &CStr, access: libc::c_int) -> Result<OwnedFd> {
    let flags = access | libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    // SAFETY: the path ends in NUL.
    let fd = unsafe { syscall::open(path.as_ptr(), flags, 0) };
    if fd < 0 {
        return Err(match super::errno() {
            // A symbolic link, a directory or a device: this library did not create it.
            libc::ELOOP | libc::EISDIR | libc::ENXIO => {
                because!(E_MISMATCH, "what has that name is no file")
            }
            other => detail::failed("open", other),
        });
    }
    owned("open", fd)
}

/// Report whether a file of any type exists at this path.
pub(crate) fn exists(path: &CStr) -> bool {
    // SAFETY: plain data.
    let mut stat = unsafe { std::mem::zeroed::<libc::stat>() };
    // SAFETY: the path ends in NUL, `stat` is writable.
    unsafe { libc::lstat(path.as_ptr(), &mut stat) == 0 }
}

/// Remove a name.
pub(crate) fn unlink(path: &CStr) -> Result<()> {
    // SAFETY: the path ends in NUL.
    check("unlink", unsafe { libc::unlink(path.as_ptr()) })
}

/// The status of a file, read before the file is mapped.
pub(crate) fn status_of(fd: &OwnedFd) -> Result<FileStatus> {
    // SAFETY: plain data.
    let mut stat = unsafe { std::mem::zeroed::<libc::stat>() };
    // SAFETY: `stat` is writable.
    check("fstat", unsafe { libc::fstat(fd.as_raw_fd(), &mut stat) })?;
    Ok(status_from(&stat))
}

/// The status of what has this name, of a symbolic link itself. It needs no right to the file.
pub(crate) fn status_by_name(path: &CStr) -> Result<FileStatus> {
    // SAFETY: plain data.
    let mut stat = unsafe { std::mem::zeroed::<libc::stat>() };
    // SAFETY: the path ends in NUL, `stat` is writable.
    check("lstat", unsafe { libc::lstat(path.as_ptr(), &mut stat) })?;
    Ok(status_from(&stat))
}

fn status_from(stat: &libc::stat) -> FileStatus {
    FileStatus {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mode: stat.st_mode & 0o7777,
        owner: stat.st_uid,
        group: stat.st_gid,
        is_file: stat.st_mode & libc::S_IFMT == libc::S_IFREG,
        bytes: u64::try_from(stat.st_blocks)
            .unwrap_or(0)
            .saturating_mul(512),
        identity: (stat.st_dev, stat.st_ino),
    }
}

/// The size of the file system in which named objects lie, and its free part, in bytes.
pub(crate) fn space() -> Result<(u64, u64)> {
    let directory = &shm::location()?.directory;
    // SAFETY: plain data.
    let mut stat = unsafe { std::mem::zeroed::<libc::statvfs>() };
    // SAFETY: the path ends in NUL, `stat` is writable.
    check("statvfs", unsafe {
        libc::statvfs(directory.as_ptr(), &mut stat)
    })?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok((bytes(stat.f_blocks), bytes(stat.f_bavail)))
}

/// The names of the files in the directory of named objects.
pub(crate) fn names_in_directory() -> Result<Vec<String>> {
    let status =
        |error: std::io::Error| detail::failed("readdir", error.raw_os_error().unwrap_or(0));
    let directory = std::ffi::OsStr::from_bytes(shm::location()?.directory.to_bytes());
    syscall::without_cancellation(|| {
        let entries = match std::fs::read_dir(directory) {
            // Without the directory there are no named objects.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(status)?,
        };
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().into_string()));
        Ok(names.flatten().collect())
    })
}

/// Fill `bytes` from `offset` of a file as it is at this moment, with zeros after its end.
pub(crate) fn read_at(fd: &OwnedFd, bytes: &mut [u8], offset: u64) -> Result<()> {
    let offset = libc::off_t::try_from(offset).map_err(|_| Status::E_TOO_LARGE)?;
    let place = bytes.as_mut_ptr().cast();
    // SAFETY: `bytes.len()` bytes may be written. One read is enough for files in shared memory.
    let read = unsafe { syscall::pread(fd.as_raw_fd(), place, bytes.len(), offset) };
    let read = usize::try_from(read).map_err(|_| detail::just_failed("pread"))?;
    bytes.iter_mut().skip(read).for_each(|byte| *byte = 0);
    Ok(())
}

/// The user to whom this process's objects belong.
pub(crate) fn effective_user() -> u32 {
    // SAFETY: no preconditions.
    unsafe { libc::geteuid() }
}

/// Allocate memory for `[offset, offset + length)`, and let the file grow to hold it.
///
/// Memory is allocated before it is written, so a full /dev/shm is `E_NO_MEMORY` here and never
/// SIGBUS later.
pub(crate) fn allocate(fd: &OwnedFd, offset: u64, length: u64) -> Result<()> {
    if exceeds_file_limit(fd, offset.saturating_add(length))? {
        return Err(because!(
            E_NO_MEMORY,
            "a file would become longer than RLIMIT_FSIZE allows"
        ));
    }
    let offset = libc::off_t::try_from(offset).map_err(|_| Status::E_TOO_LARGE)?;
    let length = libc::off_t::try_from(length).map_err(|_| Status::E_TOO_LARGE)?;
    loop {
        match syscall::fallocate(fd.as_raw_fd(), 0, offset, length) {
            0.. => return Ok(()),
            _ => match super::errno() {
                libc::EINTR => {}
                libc::EFBIG => {
                    return Err(detail::failed_as(
                        Status::E_NO_MEMORY,
                        "fallocate",
                        libc::EFBIG,
                    ))
                }
                errno if is_refused(errno) => return populate(fd, offset, length),
                errno => return Err(detail::failed("fallocate", errno)),
            },
        }
    }
}

/// [`allocate`] if fallocate(2) is refused: grow the file, and let the kernel fault in its pages.
/// Existing contents stay, and a full /dev/shm is an error of madvise(2) and no SIGBUS. Since Linux
/// 5.14.
fn populate(fd: &OwnedFd, offset: libc::off_t, length: libc::off_t) -> Result<()> {
    const MADV_POPULATE_WRITE: libc::c_int = 23;
    let begin = offset.cast_unsigned() & !(PAGE - 1);
    let end = offset.saturating_add(length);
    if status_of(fd)?.size < end.cast_unsigned() {
        // SAFETY: no pointers. The file only grows, so no contents are lost.
        check("ftruncate", unsafe { libc::ftruncate(fd.as_raw_fd(), end) }).map_err(unsupported)?;
    }
    let pages = map(fd, begin, end.cast_unsigned() - begin)?;
    // SAFETY: a complete mapping of this function's own; the advice changes no byte of it.
    let done =
        unsafe { libc::madvise(pages.as_mut_ptr().cast(), pages.len(), MADV_POPULATE_WRITE) };
    match check("madvise", done) {
        Err(_) if matches!(super::errno(), libc::EFAULT | libc::ENOMEM) => {
            Err(because!(E_NO_MEMORY, "shared memory is full"))
        }
        other => other.map_err(unsupported),
    }
}

/// The status if the system has refused the last way to allocate.
fn unsupported(status: Status) -> Status {
    match is_refused(super::errno()) {
        true => because!(
            E_UNSUPPORTED,
            "the system refuses every way to allocate shared memory"
        ),
        false => status,
    }
}

/// Report whether `end` is past the current end of the file and past RLIMIT_FSIZE.
///
/// Check this beforehand, since the kernel answers such a growth with SIGXFSZ, which ends the
/// process.
fn exceeds_file_limit(fd: &OwnedFd, end: u64) -> Result<bool> {
    Ok(end > file_limit() && end > status_of(fd)?.size)
}

/// The largest size that this process may give a file: RLIMIT_FSIZE.
pub(crate) fn file_limit() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: a local. If the call is refused, no limit is known.
    unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) };
    limit.rlim_cur
}

/// Let a file end at `length`. No process may have mapped more of the file.
pub(crate) fn cut(fd: &OwnedFd, length: u64) -> Result<()> {
    let length = libc::off_t::try_from(length).map_err(|_| Status::E_TOO_LARGE)?;
    // SAFETY: no pointers.
    check("ftruncate", unsafe {
        libc::ftruncate(fd.as_raw_fd(), length)
    })
}

/// Set the permission bits of a file.
pub(crate) fn set_mode(fd: &OwnedFd, mode: u32) -> Result<()> {
    // SAFETY: no pointers.
    check("fchmod", unsafe { libc::fchmod(fd.as_raw_fd(), mode) })
}

/// Give memory back to the system, if the system supports it.
pub(crate) fn punch(fd: &OwnedFd, offset: u64, length: u64) -> Result<()> {
    let offset = libc::off_t::try_from(offset).map_err(|_| Status::E_TOO_LARGE)?;
    let length = libc::off_t::try_from(length).map_err(|_| Status::E_TOO_LARGE)?;
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    match check(
        "fallocate",
        syscall::fallocate(fd.as_raw_fd(), mode, offset, length),
    ) {
        // Not supported: the file keeps its memory.
        Err(_) if is_refused(super::errno()) => Ok(()),
        other => other,
    }
}

/// Map `[offset, offset + length)` of a file, shared and writable.
///
/// The mapped memory may change at any moment, so it is read through raw pointers and atomics only.
pub(crate) fn map(fd: &OwnedFd, offset: u64, length: u64) -> Result<MmapRaw> {
    let length = usize::try_from(length).map_err(|_| Status::E_TOO_LARGE)?;
    let mapped = MmapOptions::new().offset(offset).len(length).map_raw(fd);
    mapped.map_err(|error| detail::failed("mmap", error.raw_os_error().unwrap_or(libc::ENOMEM)))
}

/// Open the same file again, with an open file description of its own.
pub(crate) fn reopen(fd: RawFd) -> Result<OwnedFd> {
    let own = CString::new(format!("/proc/self/fd/{fd}")).map_err(|_| Status::E_INTERNAL)?;
    // SAFETY: the path ends in NUL.
    owned("open", unsafe {
        syscall::open(own.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC, 0)
    })
}

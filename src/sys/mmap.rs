//! A shared mapping with private memory in front of it, at the same distance in all segments.
//!
//! ```text
//! start              start + PRIVATE
//! | private memory   | the file, shared |
//! ```
//!
//! The two parts are one range of addresses, reserved by one call. So every offset of the shared
//! part has a private counterpart at the same offset of the private part, [`PRIVATE`] bytes before
//! it. The robust list needs that: the kernel finds each futex word at a fixed distance from its
//! list entry, and the entries must not lie where other processes can write.

use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use super::descriptor::OwnedFd;
use crate::status::detail;
use crate::status::{Result, Status};

/// The size of the private part. It covers every table of participants, and is a multiple of all
/// page sizes of the supported machines (4, 16 and 64 KiB).
pub(crate) const PRIVATE: usize = 128 * 1024;

/// The smallest page size.
const UNIT: usize = 4096;
const _: () = assert!(PRIVATE / UNIT <= u32::BITS as usize);

/// The whole range. It is unmapped when this is dropped.
pub(crate) struct SplitMapping {
    start: *mut u8,
    shared: usize,
    /// The units of the private part that are usable, as bits.
    usable: AtomicU32,
}

// SAFETY: a range of addresses, which does not belong to a thread.
unsafe impl Send for SplitMapping {}
// SAFETY: as above; the memory is accessed through raw pointers only.
unsafe impl Sync for SplitMapping {}

impl SplitMapping {
    /// Map the first `shared` bytes of a file behind private memory. No private memory is usable
    /// yet.
    pub(crate) fn new(fd: &OwnedFd, shared: u64) -> Result<SplitMapping> {
        let shared = usize::try_from(shared).map_err(|_| Status::E_TOO_LARGE)?;
        let length = PRIVATE.checked_add(shared).ok_or(Status::E_TOO_LARGE)?;
        let unused = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new range at an address that the kernel chooses; the result is checked.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_NONE, unused, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(detail::just_failed("mmap"));
        }
        let reserved = SplitMapping {
            start: start.cast(),
            shared,
            usable: AtomicU32::new(0),
        };
        let (access, placed) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_FIXED,
        );
        let file = fd.as_raw_fd();
        // SAFETY: this replaces the second part of the range, which belongs to this reservation.
        let at = unsafe { libc::mmap(reserved.shared().cast(), shared, access, placed, file, 0) };
        if at == libc::MAP_FAILED {
            return Err(detail::just_failed("mmap"));
        }
        Ok(reserved)
    }

    /// The address at which the file begins.
    pub(crate) fn shared(&self) -> *mut u8 {
        self.start.wrapping_add(PRIVATE)
    }

    /// The private memory that belongs to the `length` bytes at `offset` of the file. This call
    /// makes it usable.
    ///
    /// Memory becomes usable page by page. A process has one slot in an object, so each object
    /// costs it one page.
    ///
    /// # Errors
    /// `E_CORRUPT` outside of the private part; `E_NO_MEMORY` only when memory is requested for the
    /// first time.
    pub(crate) fn private(&self, offset: usize, length: usize) -> Result<*mut u8> {
        let end = offset.checked_add(length).ok_or(Status::E_CORRUPT)?;
        if end > PRIVATE || length == 0 {
            return Err(Status::E_CORRUPT);
        }
        let pages = (offset / UNIT..=(end - 1) / UNIT).fold(0, |pages, page| pages | 1u32 << page);
        if self.usable.load(Ordering::Acquire) & pages != pages {
            self.make_usable(offset, end)?;
            self.usable.fetch_or(pages, Ordering::Release);
        }
        Ok(self.start.wrapping_add(offset))
    }

    fn make_usable(&self, offset: usize, end: usize) -> Result<()> {
        let page = page_size();
        let first = offset - offset % page;
        let place = self.start.wrapping_add(first).cast();
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: whole pages of the private part, which belongs to this reservation.
        if unsafe { libc::mprotect(place, end - first, access) } != 0 {
            return Err(detail::just_failed("mprotect"));
        }
        Ok(())
    }
}

impl Drop for SplitMapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and no borrow of it is left.
        unsafe { libc::munmap(self.start.cast(), PRIVATE + self.shared) };
    }
}

/// The size of the kernel's pages in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: sysconf(3) has no preconditions.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(UNIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::memory;

    #[test]
    fn the_private_part_is_not_the_files() {
        let fd = memory::create_anonymous().expect("memory");
        memory::allocate(&fd, 0, 8192).expect("room");
        let one = SplitMapping::new(&fd, 8192).expect("a mapping");
        let other = SplitMapping::new(&fd, 8192).expect("another");
        let (mine, theirs) = (
            one.private(4160, 8).expect("memory"),
            other.private(4160, 8).expect("memory"),
        );
        assert_eq!(mine.wrapping_add(PRIVATE), one.shared().wrapping_add(4160));
        // SAFETY: mapped and usable, eight bytes each.
        unsafe {
            mine.write_bytes(7, 8);
            one.shared().wrapping_add(4160).write_bytes(9, 8);
            assert_eq!(theirs.read(), 0);
            assert_eq!(other.shared().wrapping_add(4160).read(), 9);
        }
        assert_eq!(one.private(PRIVATE - 4, 8), Err(Status::E_CORRUPT));
    }
}

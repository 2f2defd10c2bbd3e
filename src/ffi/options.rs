//! The options of objects that have none of their own, and what the creates have in common.

use crate::ffi::abi::constants::POLYPROC_OPEN_OR_CREATE;
use crate::ffi::abi::growing::{self, growing};
use crate::segment::CreateOptions;
use crate::status::Result;

/// Options of an object that has none of its own: a lock, an rlock, an event. NULL means the
/// defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_options {
    /// `sizeof(polyproc_options)`, as `POLYPROC_OPTIONS_INIT` sets it.
    pub size: usize,
    /// 0 or `POLYPROC_OPEN_OR_CREATE`.
    pub flags: u32,
    /// Permissions of a named object: 0600, or 0600 with more bits for group and others, for
    /// example 0660. 0 means 0600.
    pub mode: u32,
}

growing! { polyproc_options: 16 }

/// `flags` and `mode` of a create; `other` are the flags that the object knows besides.
pub(super) fn create(flags: u32, mode: u32, other: u32) -> Result<CreateOptions> {
    growing::known_flags(flags, POLYPROC_OPEN_OR_CREATE | other)?;
    Ok(CreateOptions {
        mode,
        open_or_create: flags & POLYPROC_OPEN_OR_CREATE != 0,
    })
}

/// # Safety
/// As for [`growing::read`].
pub(super) unsafe fn create_options(theirs: *const polyproc_options) -> Result<CreateOptions> {
    if theirs.is_null() {
        return Ok(CreateOptions::default());
    }
    // SAFETY: as the caller promises.
    let theirs = unsafe { growing::read(theirs) }?;
    create(theirs.flags, theirs.mode, 0)
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::ffi::abi::growing::{SizedOut, ABSURD};
    use crate::ffi::process::options::polyproc_process_info;

    fn options(size: usize) -> polyproc_options {
        polyproc_options {
            size,
            flags: 1,
            mode: 0o660,
        }
    }

    #[test]
    fn a_size_that_cannot_be_is_told() {
        for size in [0, 8, 15, ABSURD, usize::MAX] {
            // SAFETY: a size below or above what is looked at ends the reading.
            assert!(unsafe { create_options(&options(size)) }.is_err(), "{size}");
        }
        // SAFETY: its own size.
        let read = unsafe { create_options(&options(16)) }.unwrap();
        assert!(read.open_or_create);
        assert_eq!(read.mode, 0o660);
    }

    #[test]
    fn a_newer_caller_is_understood_unless_he_uses_what_is_new() {
        #[repr(C)]
        struct Newer {
            known: polyproc_options,
            new: u64,
        }
        let mut newer = Newer {
            known: options(24),
            new: 0,
        };
        // SAFETY: 24 bytes are there.
        assert!(unsafe { create_options(ptr::addr_of!(newer).cast()) }.is_ok());
        newer.new = 1 << 56;
        // SAFETY: as above.
        assert!(unsafe { create_options(ptr::addr_of!(newer).cast()) }.is_err());
    }

    #[test]
    fn a_result_keeps_the_size_and_clears_what_is_new() {
        #[repr(C)]
        struct Newer {
            known: polyproc_process_info,
            new: u64,
        }
        // SAFETY: integers only.
        let ours: polyproc_process_info = unsafe { std::mem::zeroed() };
        let mut newer = Newer {
            known: ours,
            new: 7,
        };
        newer.known.size = 96;
        newer.known.pid = 5;
        // SAFETY: 96 bytes are there.
        unsafe { SizedOut::required(ptr::addr_of_mut!(newer).cast()) }
            .unwrap()
            .write(&ours);
        assert_eq!((newer.known.size, newer.known.pid, newer.new), (96, 0, 0));
    }
}

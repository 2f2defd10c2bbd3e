//! Structs that can grow: how options are read and results are written.
//!
//! Each starts with `size`, the `sizeof` of whoever compiled the caller. Fields are only ever added
//! at the end, and zero in a new field means what the library did before the field existed. So a
//! caller older or newer than the library is understood as far as both know the fields; a newer one
//! that asks for something unknown is told `E_INVALID`, as Linux does in copy_struct_from_user.

use std::ffi::c_char;
use std::ptr;
use std::slice;

use crate::ffi::boundary::fitting;
use crate::ffi::constants::{
    POLYPROC_OPEN_OR_CREATE, POLYPROC_QUEUE_JOINABLE, POLYPROC_SEMAPHORE_OWNED,
};
use crate::ffi::listener::polyproc_listener_options;
use crate::ffi::options::{
    polyproc_options, polyproc_process_info, polyproc_process_options, polyproc_queue_info,
    polyproc_queue_options, polyproc_semaphore_options,
};
use crate::ffi::pool_options::{polyproc_pool_info, polyproc_pool_options, polyproc_task_options};
use crate::object::SemaphoreOptions;
use crate::queue::QueueOptions;
use crate::segment::CreateOptions;
use crate::status::{Result, Status};

/// No struct of the API will ever be this large: a caller that says so has not set `size`.
const ABSURD: usize = 4096;

/// A struct of the API that starts with its size.
///
/// # Safety
/// `repr(C)`, the first field is `size: usize`, and all bytes zero are a value of it.
pub(super) unsafe trait Growing: Copy {
    /// Its size in version 0.1, which every caller has at least.
    const FIRST: usize;
}

macro_rules! sized {
    ($($name:ident: $first:literal),* $(,)?) => {
        $(
            // SAFETY: repr(C), starts with `size`, holds integers and raw pointers only.
            unsafe impl Growing for $name {
                const FIRST: usize = $first;
            }
            const _: () = assert!(std::mem::offset_of!($name, size) == 0);
            const _: () = assert!(size_of::<$name>() >= $first && size_of::<$name>() < ABSURD);
        )*
    };
}

// What the first release had, on a 64-bit machine: these numbers never change.
sized! {
    polyproc_options: 16,
    polyproc_semaphore_options: 32,
    polyproc_queue_options: 72,
    polyproc_process_options: 80,
    polyproc_queue_info: 160,
    polyproc_process_info: 88,
    polyproc_pool_options: 80,
    polyproc_task_options: 32,
    polyproc_pool_info: 80,
    polyproc_listener_options: 56,
}

/// The `size` that the caller set; `E_INVALID` when it cannot be.
///
/// # Safety
/// `theirs` is NULL or starts with a `size` that is set.
unsafe fn size_of_theirs<T: Growing>(theirs: *const T) -> Result<usize> {
    let theirs = fitting(theirs)?;
    // SAFETY: `size` comes first, and the pointer is aligned and not NULL.
    let size = unsafe { theirs.cast::<usize>().read() };
    if (T::FIRST..ABSURD).contains(&size) {
        Ok(size)
    } else {
        Err(Status::E_INVALID)
    }
}

/// What the caller's options say, in this library's own layout.
///
/// # Safety
/// `theirs` is NULL or as many bytes as its `size` says may be read.
pub(super) unsafe fn read<T: Growing>(theirs: *const T) -> Result<T> {
    // SAFETY: as the caller promises.
    let size = unsafe { size_of_theirs(theirs) }?;
    let known = size.min(size_of::<T>());
    // SAFETY: `size` bytes may be read, and `known` is no more.
    let unknown = unsafe { slice::from_raw_parts(theirs.cast::<u8>().add(known), size - known) };
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(Status::E_INVALID);
    }
    // SAFETY: all zero is a value of T, and so is what a caller of any version writes over its start.
    unsafe {
        let mut ours = std::mem::zeroed::<T>();
        ptr::copy_nonoverlapping(theirs.cast::<u8>(), ptr::addr_of_mut!(ours).cast(), known);
        Ok(ours)
    }
}

/// A result of the caller whose `size` was checked.
pub(super) struct SizedOut<T> {
    theirs: *mut T,
    size: usize,
}

impl<T: Growing> SizedOut<T> {
    /// # Safety
    /// `theirs` is NULL, or starts with its `size` and may be written that far until the call returns.
    pub(super) unsafe fn required(theirs: *mut T) -> Result<SizedOut<T>> {
        // SAFETY: as the caller promises.
        let size = unsafe { size_of_theirs(theirs) }?;
        Ok(SizedOut { theirs, size })
    }

    /// Write as much as the caller knows; what only he knows becomes 0, and `size` stays his.
    pub(super) fn write(self, ours: &T) {
        let known = self.size.min(size_of::<T>());
        let head = size_of::<usize>();
        // SAFETY: `size` bytes may be written, `known` is no more and no less than `head`.
        unsafe {
            let theirs = self.theirs.cast::<u8>();
            let ours = ptr::from_ref(ours).cast::<u8>();
            ptr::copy_nonoverlapping(ours.add(head), theirs.add(head), known - head);
            theirs.add(known).write_bytes(0, self.size - known);
        }
    }
}

/// `flags` and `mode` of a create; `other` are the flags that the object knows besides.
fn create(flags: u32, mode: u32, other: u32) -> Result<CreateOptions> {
    if flags & !(POLYPROC_OPEN_OR_CREATE | other) != 0 {
        return Err(Status::E_INVALID);
    }
    Ok(CreateOptions {
        mode,
        open_or_create: flags & POLYPROC_OPEN_OR_CREATE != 0,
    })
}

/// # Safety
/// As for [`read`].
pub(super) unsafe fn create_options(theirs: *const polyproc_options) -> Result<CreateOptions> {
    if theirs.is_null() {
        return Ok(CreateOptions::default());
    }
    // SAFETY: as the caller promises.
    let theirs = unsafe { read(theirs) }?;
    create(theirs.flags, theirs.mode, 0)
}

/// # Safety
/// As for [`read`].
pub(super) unsafe fn semaphore_options(
    theirs: *const polyproc_semaphore_options,
) -> Result<SemaphoreOptions> {
    if theirs.is_null() {
        return Ok(SemaphoreOptions::default());
    }
    // SAFETY: as the caller promises.
    let theirs = unsafe { read(theirs) }?;
    Ok(SemaphoreOptions {
        create: create(theirs.flags, theirs.mode, POLYPROC_SEMAPHORE_OWNED)?,
        owned: theirs.flags & POLYPROC_SEMAPHORE_OWNED != 0,
        initial: theirs.initial,
        maximum: theirs.maximum,
    })
}

/// # Safety
/// As for [`read`].
pub(super) unsafe fn queue_options(theirs: *const polyproc_queue_options) -> Result<QueueOptions> {
    if theirs.is_null() {
        return Ok(QueueOptions::default());
    }
    // SAFETY: as the caller promises.
    let theirs = unsafe { read(theirs) }?;
    Ok(QueueOptions {
        create: create(theirs.flags, theirs.mode, POLYPROC_QUEUE_JOINABLE)?,
        joinable: theirs.flags & POLYPROC_QUEUE_JOINABLE != 0,
        max_items: theirs.max_items,
        max_bytes: theirs.max_bytes,
        max_deliveries: theirs.max_deliveries,
        spin_ns: theirs.spin_ns,
        format: label(&theirs.format)?,
    })
}

/// A label up to its NUL, which it must have; what stood behind that is nobody's.
fn label(text: &[c_char; 32]) -> Result<[u8; 32]> {
    let mut label = [0; 32];
    for (ours, theirs) in label.iter_mut().zip(text) {
        if *theirs == 0 {
            return Ok(label);
        }
        *ours = *theirs as u8;
    }
    Err(Status::E_INVALID)
}

/// Bytes as C has them, cut so that a NUL ends them.
pub(super) fn text<const N: usize>(bytes: &[u8]) -> [c_char; N] {
    let mut text = [0; N];
    for (to, from) in text.iter_mut().take(N - 1).zip(bytes) {
        *to = *from as c_char;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_label_ends() {
        assert_eq!(
            label(&text(b"msgpack")).map(|label| label.starts_with(b"msgpack\0")),
            Ok(true)
        );
        assert_eq!(label(&[b'x' as c_char; 32]), Err(Status::E_INVALID));
    }
}

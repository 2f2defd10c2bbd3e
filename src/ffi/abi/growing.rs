//! Structs that can grow: reading options and writing results.
//!
//! Each starts with `size`, the `sizeof` in the caller's program. Fields are only ever added at the
//! end, and zero in a new field means the behaviour before the field existed. So the library works
//! with older and newer callers, as far as both know the fields. A newer caller that uses an
//! unknown field gets `E_INVALID`, as in Linux's copy_struct_from_user.

use std::ptr;
use std::slice;

use crate::ffi::abi::check::fitting;
use crate::status::detail::because;
use crate::status::Result;

/// No struct of the API will ever be this large: a larger `size` means that the caller has not set
/// it.
pub(crate) const ABSURD: usize = 4096;

/// A struct of the API that starts with its size.
///
/// # Safety
/// `repr(C)`, the first field is `size: usize`, and all bytes zero are a value of it.
pub(crate) unsafe trait Growing: Copy {
    /// Its size in version 0.1, which every caller has at least.
    const FIRST: usize;
}

/// Declare that structs are [`Growing`], with their sizes in the first release on a 64-bit machine:
/// numbers that never change.
macro_rules! growing {
    ($($name:ident: $first:literal),* $(,)?) => {
        $(
            // SAFETY: repr(C), starts with `size`, holds integers and raw pointers only.
            unsafe impl $crate::ffi::abi::growing::Growing for $name {
                const FIRST: usize = $first;
            }
            const _: () = assert!(std::mem::offset_of!($name, size) == 0);
            const _: () = assert!(size_of::<$name>() >= $first && size_of::<$name>() < $crate::ffi::abi::growing::ABSURD);
        )*
    };
}
pub(crate) use growing;

/// Return the `size` that the caller set; `E_INVALID` if it is impossible.
///
/// # Safety
/// `theirs` is NULL or starts with a `size` that is set.
unsafe fn size_of_theirs<T: Growing>(theirs: *const T, name: &'static str) -> Result<usize> {
    let theirs = fitting(theirs, name)?;
    // SAFETY: `size` comes first, and the pointer is aligned and not NULL.
    let size = unsafe { theirs.cast::<usize>().read() };
    if (T::FIRST..ABSURD).contains(&size) {
        Ok(size)
    } else {
        Err(because!(
            E_INVALID,
            "{name}.size is {size}, not the size of the struct: start from its initialiser"
        ))
    }
}

/// Return the caller's options in this library's own layout.
///
/// # Safety
/// `theirs` is NULL or as many bytes as its `size` says may be read.
pub(crate) unsafe fn read<T: Growing>(theirs: *const T) -> Result<T> {
    // SAFETY: as the caller promises.
    let size = unsafe { size_of_theirs(theirs, "options") }?;
    let known = size.min(size_of::<T>());
    // SAFETY: `size` bytes may be read, and `known` is no more.
    let unknown = unsafe { slice::from_raw_parts(theirs.cast::<u8>().add(known), size - known) };
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(because!(
            E_INVALID,
            "options uses a field that this version of the library does not know"
        ));
    }
    // SAFETY: all zero is a value of T, and so is one whose beginning a caller of any version has
    // set.
    unsafe {
        let mut ours = std::mem::zeroed::<T>();
        ptr::copy_nonoverlapping(theirs.cast::<u8>(), ptr::addr_of_mut!(ours).cast(), known);
        Ok(ours)
    }
}

/// Return `E_INVALID` for a flag of the options that is not in `known`.
pub(crate) fn known_flags(flags: u32, known: u32) -> Result<()> {
    match flags & !known {
        0 => Ok(()),
        unknown => Err(because!(
            E_INVALID,
            "options.flags has an unknown flag: {unknown:#x}"
        )),
    }
}

/// A result of the caller whose `size` was checked.
pub(crate) struct SizedOut<T> {
    theirs: *mut T,
    size: usize,
}

impl<T: Growing> SizedOut<T> {
    /// # Safety
    /// `theirs` is NULL, or starts with its `size` and may be written that far until the call
    /// returns.
    pub(crate) unsafe fn required(theirs: *mut T) -> Result<SizedOut<T>> {
        // SAFETY: as the caller promises.
        let size = unsafe { size_of_theirs(theirs, "out") }?;
        Ok(SizedOut { theirs, size })
    }

    /// Write the fields that the caller knows. Its further fields become 0, and its `size` stays.
    pub(crate) fn write(self, ours: &T) {
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

//! The checks at the C boundary: no panic crosses it, and every pointer and text is checked.

use std::ffi::{c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::NonNull;
use std::slice;

use crate::ffi::abi::constants::POLYPROC_NAME_MAX;
use crate::status::detail::{self, because};
use crate::status::{Result, Status};

/// Run the body of a function and return its result as a number, `E_INTERNAL` for a panic.
#[inline]
pub(crate) fn guard(body: impl FnOnce() -> Result<Status>) -> i32 {
    // After a panic no value that the body used is used again.
    let returned = catch_unwind(AssertUnwindSafe(|| match body() {
        Ok(status) => status.code(),
        Err(status) => detail::returns(status).code(),
    }));
    returned.unwrap_or(Status::E_INTERNAL.code())
}

/// As [`guard`], for a function that a signal handler may call: leaves the thread's detail alone.
#[inline]
pub(crate) fn guard_in_handler(body: impl FnOnce() -> Result<Status>) -> i32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status) | Err(status)) => status.code(),
        Err(_) => Status::E_INTERNAL.code(),
    }
}

/// As [`guard`], for a function that returns nothing.
pub(crate) fn guard_close(body: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(body));
}

/// A pointer of the caller to which a result is written. The write is the last thing that a
/// function does.
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// Return `E_INVALID` for NULL and for a pointer that is not aligned for a `T`.
    ///
    /// # Safety
    /// `place` is NULL or may be written until the call returns.
    #[inline]
    pub(crate) unsafe fn required(place: *mut T, name: &'static str) -> Result<Out<T>> {
        let Some(place) = NonNull::new(place) else {
            return Err(null(name));
        };
        match place.is_aligned() {
            true => Ok(Out(place)),
            false => Err(unaligned(name)),
        }
    }

    pub(crate) fn write(self, value: T) {
        // SAFETY: aligned and not NULL by construction, writable as the caller of `required`
        // promised. The old value is the caller's, and never needs dropping.
        unsafe { self.0.as_ptr().write(value) }
    }
}

// The reasons why a pointer is wrong, one function for each: a common function would make the
// compiler compute the reason on the path without a failure too.

#[cold]
#[inline(never)]
fn null(name: &'static str) -> Status {
    because!(E_INVALID, "{name} is NULL")
}

#[cold]
#[inline(never)]
fn unaligned(name: &'static str) -> Status {
    because!(E_INVALID, "{name} is not aligned")
}

/// Return the pointer, or `E_INVALID` for NULL and for one that no `T` can have.
pub(crate) fn fitting<T>(pointer: *const T, name: &'static str) -> Result<*const T> {
    if pointer.is_null() {
        return Err(null(name));
    }
    if !pointer.is_aligned() {
        return Err(unaligned(name));
    }
    Ok(pointer)
}

/// The name of an object, `None` for NULL.
///
/// # Safety
/// `text` is NULL or a C string.
pub(crate) unsafe fn name<'a>(text: *const c_char) -> Result<Option<&'a str>> {
    // SAFETY: as the caller promises.
    unsafe { short_text(text, POLYPROC_NAME_MAX, "name") }
}

/// The longest text of an address; the kernel accepts no longer one.
const ADDRESS_MAX: usize = 255;

/// The address of a listener.
///
/// # Safety
/// `text` is NULL or a C string.
pub(crate) unsafe fn address_text<'a>(text: *const c_char) -> Result<&'a str> {
    // SAFETY: as the caller promises.
    unsafe { short_text(text, ADDRESS_MAX, "address") }?.ok_or_else(|| null("address"))
}

/// A text of at most `max` bytes, `None` for NULL.
///
/// # Safety
/// `text` is NULL or a C string.
unsafe fn short_text<'a>(
    text: *const c_char,
    max: usize,
    argument: &'static str,
) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // Read at most one byte more than is allowed, in case the text has no NUL.
    // SAFETY: a C string, so readable up to its NUL.
    let len = unsafe { libc::strnlen(text, max + 1) };
    if len > max {
        return Err(because!(E_INVALID, "{argument} is longer than {max} bytes"));
    }
    // SAFETY: `len` bytes were just read.
    let bytes = unsafe { slice::from_raw_parts(text.cast::<u8>(), len) };
    std::str::from_utf8(bytes)
        .map(Some)
        .map_err(|_| because!(E_INVALID, "{argument} is not UTF-8"))
}

/// The name of an object that must have one.
///
/// # Safety
/// `text` is NULL or a C string.
pub(crate) unsafe fn required_name<'a>(text: *const c_char) -> Result<&'a str> {
    // SAFETY: as the caller promises.
    unsafe { name(text) }?.ok_or_else(|| null("name"))
}

/// The name of a pool's function: checked to be text of a possible length.
///
/// # Safety
/// `text` is NULL or a C string.
pub(crate) unsafe fn function_name<'a>(text: *const c_char) -> Result<&'a str> {
    // SAFETY: as the caller promises. They may be as long as the names of objects.
    unsafe { short_text(text, POLYPROC_NAME_MAX, "function") }?.ok_or_else(|| null("function"))
}

/// `n` values of the caller; NULL is fine for none.
///
/// # Safety
/// `first` is NULL or the first of `n` values that nobody writes until the call returns.
#[inline]
pub(crate) unsafe fn array<'a, T>(
    first: *const T,
    n: usize,
    name: &'static str,
) -> Result<&'a [T]> {
    if n == 0 {
        return Ok(&[]);
    }
    if !first.is_aligned() || !fits::<T>(n) {
        return Err(unfit_array(first.is_aligned(), name));
    }
    if first.is_null() {
        return Err(null_array(name));
    }
    // SAFETY: checked above, and for the rest as the caller promises.
    Ok(unsafe { slice::from_raw_parts(first, n) })
}

/// `n` values of the caller, to be changed; NULL is fine for none.
///
/// # Safety
/// `first` is NULL or the first of `n` values that belong to this call until it returns.
pub(crate) unsafe fn array_mut<'a, T>(
    first: *mut T,
    n: usize,
    name: &'static str,
) -> Result<&'a mut [T]> {
    // SAFETY: as the caller promises.
    let places = unsafe { room(first, n, name) }?;
    // SAFETY: they are values already.
    Ok(unsafe { slice::from_raw_parts_mut(places.as_mut_ptr().cast(), places.len()) })
}

/// Room for `n` values of the caller, to be filled; NULL is fine for none.
///
/// # Safety
/// `first` is NULL or the first of `n` places that belong to this call until it returns.
#[inline]
pub(crate) unsafe fn room<'a, T>(
    first: *mut T,
    n: usize,
    name: &'static str,
) -> Result<&'a mut [MaybeUninit<T>]> {
    if n == 0 {
        return Ok(&mut []);
    }
    if !first.is_aligned() || !fits::<T>(n) {
        return Err(unfit_array(first.is_aligned(), name));
    }
    if first.is_null() {
        return Err(null_array(name));
    }
    // SAFETY: checked above, and for the rest as the caller promises.
    Ok(unsafe { slice::from_raw_parts_mut(first.cast(), n) })
}

#[cold]
#[inline(never)]
fn null_array(name: &'static str) -> Status {
    because!(E_INVALID, "{name} is NULL and its length is not 0")
}

/// The reason why an array that is not NULL is wrong.
#[cold]
#[inline(never)]
fn unfit_array(is_aligned: bool, name: &'static str) -> Status {
    match is_aligned {
        false => unaligned(name),
        true => because!(E_INVALID, "{name} is longer than memory can be"),
    }
}

/// Return whether `n` values fit into an object of C.
#[inline]
fn fits<T>(n: usize) -> bool {
    n.checked_mul(size_of::<T>())
        .is_some_and(|bytes| isize::try_from(bytes).is_ok())
}

/// The bytes of a message.
///
/// # Safety
/// As for [`array`].
#[inline]
pub(crate) unsafe fn bytes<'a>(
    data: *const c_void,
    len: usize,
    name: &'static str,
) -> Result<&'a [u8]> {
    // SAFETY: as the caller promises.
    unsafe { array(data.cast(), len, name) }
}

/// A boolean of C: 0 or 1.
pub(crate) fn switch(value: c_int, name: &'static str) -> Result<bool> {
    switch_in_handler(value).map_err(|_| because!(E_INVALID, "{name} is {value}, not 0 or 1"))
}

/// As [`switch`], for a function that a signal handler may call.
pub(crate) fn switch_in_handler(value: c_int) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Status::E_INVALID),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status() {
        assert_eq!(
            guard(|| panic!("this panic is part of a test")),
            Status::E_INTERNAL.code()
        );
        assert_eq!(guard(|| Ok(Status::OWNER_DIED)), 1);
        assert_eq!(guard(|| Err(Status::E_FULL)), -4);
    }

    #[test]
    fn names_are_read_no_further_than_they_may_reach() {
        let endless = [b'a' as c_char; POLYPROC_NAME_MAX + 1];
        // SAFETY: 201 readable bytes, and no more are read.
        assert_eq!(unsafe { name(endless.as_ptr()) }, Err(Status::E_INVALID));
        // SAFETY: C strings.
        unsafe {
            assert_eq!(name(c"jobs".as_ptr()), Ok(Some("jobs")));
            assert_eq!(name(c"\xff".as_ptr()), Err(Status::E_INVALID));
            assert_eq!(name(std::ptr::null()), Ok(None));
            assert_eq!(required_name(std::ptr::null()), Err(Status::E_INVALID));
        }
    }

    #[test]
    fn nothing_may_be_null_but_something_not() {
        // SAFETY: NULL and lengths that no object has; nothing is read.
        unsafe {
            assert_eq!(bytes(std::ptr::null(), 0, "data"), Ok(&[][..]));
            assert_eq!(bytes(std::ptr::null(), 1, "data"), Err(Status::E_INVALID));
            assert_eq!(
                bytes(c"x".as_ptr().cast(), usize::MAX, "data"),
                Err(Status::E_INVALID)
            );
            assert!(room::<u64>(std::ptr::dangling_mut(), usize::MAX / 8, "buf").is_err());
            assert!(Out::required(std::ptr::without_provenance_mut::<u64>(4), "out").is_err());
        }
    }
}

//! Knowing that a fork has happened.
//!
//! A child has neither its parent's threads nor its place in any participant table. Each process
//! carries an *epoch*: what was attached under another epoch belongs to a parent. The epoch lies in a
//! page that the kernel wipes in the child (MADV_WIPEONFORK), so that a raw clone(2), which runs no
//! handler, is noticed too; `pthread_atfork` wipes it by hand where the kernel does not.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// The wiped page, null until the first use.
static PAGE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());
/// The last epoch that this process or an ancestor has used.
static LAST: AtomicU32 = AtomicU32::new(0);

/// This process's epoch, never 0. A load or two when it is known.
#[inline]
pub(crate) fn epoch() -> u32 {
    let page = PAGE.load(Ordering::Acquire);
    if !page.is_null() {
        // SAFETY: once set, the page stays mapped for the life of the process.
        let epoch = unsafe { (*page).load(Ordering::Relaxed) };
        if epoch != 0 {
            return epoch;
        }
    }
    begin()
}

#[cold]
fn begin() -> u32 {
    if PAGE.load(Ordering::Acquire).is_null() {
        let page = wiped_page();
        let first =
            PAGE.compare_exchange(ptr::null_mut(), page, Ordering::AcqRel, Ordering::Acquire);
        // Two threads at once: the other's page stays, and this one is not worth an unmap.
        debug_assert!(first.is_ok() || !PAGE.load(Ordering::Relaxed).is_null());
    }
    let page = PAGE.load(Ordering::Acquire);
    // SAFETY: set above, never unmapped, aligned to a page.
    let word = unsafe { &*page };
    let next = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
    match word.compare_exchange(0, next, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => next,
        Err(now) => now,
    }
}

/// A word that the kernel wipes in a child. Where it does not, the handler below does.
fn wiped_page() -> *mut AtomicU32 {
    static FALLBACK: AtomicU32 = AtomicU32::new(0);
    match wiped_memory(size_of::<AtomicU32>()) {
        Some(page) => page.cast().as_ptr(),
        None => FALLBACK.as_ptr().cast(),
    }
}

/// `length` bytes of zeroes, never unmapped, which the kernel fills with zeroes in every forked child;
/// `None` where it has none.
pub(crate) fn wiped_memory(length: usize) -> Option<NonNull<c_void>> {
    let (read_write, private) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: an anonymous mapping; the result is checked.
    let memory = unsafe { libc::mmap(ptr::null_mut(), length, read_write, private, -1, 0) };
    if memory == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: just mapped, and nobody uses it yet.
    unsafe {
        if libc::madvise(memory, length, libc::MADV_WIPEONFORK) != 0 {
            libc::munmap(memory, length);
            return None;
        }
    }
    NonNull::new(memory)
}

/// What pthread_atfork(3) calls, in the order in which it does.
pub(crate) struct Handlers {
    pub(crate) before: extern "C" fn(),
    pub(crate) in_parent: extern "C" fn(),
    pub(crate) in_child: extern "C" fn(),
}

/// Have `handlers` called at every fork from now on.
pub(crate) fn at_fork(handlers: &Handlers) {
    let (before, in_parent) = (handlers.before, handlers.in_parent);
    // SAFETY: the handlers are functions of this library, which is never unloaded.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(handlers.in_child)) };
}

/// Begin a new epoch in a forked child, where the kernel does not wipe the page. Async-signal-safe.
pub(crate) fn forget_epoch() {
    let page = PAGE.load(Ordering::Acquire);
    if !page.is_null() {
        // SAFETY: set once, never unmapped.
        unsafe { (*page).store(0, Ordering::Relaxed) };
    }
}

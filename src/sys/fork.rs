//! Detecting a fork.
//!
//! A child has neither its parent's threads nor its parent's slot in any participant table. Each
//! process has an *epoch*: an attachment with another epoch belongs to a parent. The epoch lies in
//! a page that the kernel wipes in the child (MADV_WIPEONFORK), so a raw clone(2), which runs no
//! handler, is detected too. Where the kernel does not wipe the page, `pthread_atfork` does.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// The page that is wiped; until its first use a word that stays 0, so that [`epoch`] need not ask.
static PAGE: AtomicPtr<AtomicU32> = AtomicPtr::new(NO_PAGE);
const NO_PAGE: *mut AtomicU32 = (&raw const NO_EPOCH).cast_mut();
static NO_EPOCH: AtomicU32 = AtomicU32::new(0);
/// The last epoch that this process or an ancestor has used.
static LAST: AtomicU32 = AtomicU32::new(0);

/// This process's epoch, never 0. Two loads if it is known.
#[inline]
pub(crate) fn epoch() -> u32 {
    // SAFETY: a static, or a page that stays mapped for the life of the process.
    match unsafe { (*PAGE.load(Ordering::Acquire)).load(Ordering::Relaxed) } {
        0 => begin(),
        epoch => epoch,
    }
}

#[cold]
fn begin() -> u32 {
    if PAGE.load(Ordering::Acquire) == NO_PAGE {
        let page = wiped_page();
        // Two threads may come here at once. The first page stays in use. The second one is leaked,
        // since unmapping it would not be worth the code.
        let _ = PAGE.compare_exchange(NO_PAGE, page, Ordering::AcqRel, Ordering::Acquire);
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

/// A word that the kernel wipes in a child. If the kernel does not, `forget_epoch` wipes it.
fn wiped_page() -> *mut AtomicU32 {
    static FALLBACK: AtomicU32 = AtomicU32::new(0);
    match wiped_memory(size_of::<AtomicU32>()) {
        Some(page) => page.cast().as_ptr(),
        None => FALLBACK.as_ptr().cast(),
    }
}

/// `length` zero bytes, never unmapped. The kernel fills them with zeros in every forked child.
/// `None` if the system cannot do that.
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
    // SAFETY: mapped just now, and not used by any other code.
    unsafe {
        if libc::madvise(memory, length, libc::MADV_WIPEONFORK) != 0 {
            libc::munmap(memory, length);
            return None;
        }
    }
    NonNull::new(memory)
}

/// The handlers of pthread_atfork(3), in the order in which it calls them.
pub(crate) struct Handlers {
    pub(crate) before: extern "C" fn(),
    pub(crate) in_parent: extern "C" fn(),
    pub(crate) in_child: extern "C" fn(),
}

/// Call `handlers` at every fork from now on.
pub(crate) fn at_fork(handlers: &Handlers) {
    let (before, in_parent) = (handlers.before, handlers.in_parent);
    // SAFETY: the handlers are functions of this library, which is never unloaded.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(handlers.in_child)) };
}

/// Begin a new epoch in a forked child, if the kernel does not wipe the page. Async-signal-safe.
pub(crate) fn forget_epoch() {
    // SAFETY: a static, or a page that is never unmapped.
    unsafe { (*PAGE.load(Ordering::Acquire)).store(0, Ordering::Relaxed) };
}

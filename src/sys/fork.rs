//! Knowing that a fork has happened.
//!
//! A child has neither its parent's threads nor its place in any participant table. Each process
//! carries an *epoch*: what was attached under another epoch belongs to a parent. The epoch lies in a
//! page that the kernel wipes in the child (MADV_WIPEONFORK), so that a raw clone(2), which runs no
//! handler, is noticed too; `pthread_atfork` wipes it by hand where the kernel does not.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::local_lock::LocalLock;

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

/// A process-wide table that must be whole in a forked child: locked across every fork.
pub(crate) trait HeldAcrossFork: Sync {
    fn hold(&self);
    fn let_go(&self);
}

impl<T: Send> HeldAcrossFork for LocalLock<T> {
    fn hold(&self) {
        self.lock_raw();
    }
    fn let_go(&self) {
        self.unlock_raw();
    }
}

/// The tables, in the order in which they are locked.
struct Tables {
    has_handlers: bool,
    all: [Option<&'static dyn HeldAcrossFork>; MAX_TABLES],
}

const MAX_TABLES: usize = 12;

static TABLES: LocalLock<Tables> = LocalLock::new(Tables {
    has_handlers: false,
    all: [None; MAX_TABLES],
});

/// Hold `table` across every fork from now on. Outer locks are registered before inner ones, and
/// nobody registers while holding one: a fork that is under way holds them all.
pub(crate) fn hold_across_forks(table: &'static dyn HeldAcrossFork) {
    let mut tables = TABLES.lock();
    if !tables.has_handlers {
        // SAFETY: the handlers are functions of this library, which is never unloaded.
        unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
        tables.has_handlers = true;
    }
    if tables
        .all
        .iter()
        .flatten()
        .any(|other| ptr::addr_eq(*other, table))
    {
        return;
    }
    match tables.all.iter_mut().find(|place| place.is_none()) {
        Some(place) => *place = Some(table),
        None => debug_assert!(false, "MAX_TABLES is too small"),
    }
}

extern "C" fn prepare() {
    TABLES.lock_raw();
    held().for_each(|table| table.hold());
}

extern "C" fn parent() {
    held().for_each(|table| table.let_go());
    TABLES.unlock_raw();
}

extern "C" fn child() {
    let page = PAGE.load(Ordering::Acquire);
    if !page.is_null() {
        // SAFETY: set once, never unmapped.
        unsafe { (*page).store(0, Ordering::Relaxed) };
    }
    parent();
}

/// The registered tables; the caller holds TABLES by `lock_raw`.
fn held() -> impl Iterator<Item = &'static dyn HeldAcrossFork> {
    // SAFETY: between prepare and parent/child this thread alone holds TABLES.
    let tables = unsafe { TABLES.value_while_held() };
    tables.all.iter().copied().flatten()
}

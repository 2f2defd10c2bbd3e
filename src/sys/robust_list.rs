//! The kernel's robust list: futex words that the kernel marks with FUTEX_OWNER_DIED when a thread
//! ends.
//!
//! A [`RobustList`] belongs to one keeper thread, and only that thread changes it. The kernel reads
//! the list once, when the thread ends, in whatever way the process ends. If another thread changed
//! the list, that thread could still run after the kernel has read the list. It could then link an
//! entry that the kernel never marks, or unmap an entry that the kernel is about to read.
//!
//! The protocol is that of `Documentation/locking/robust-futex-ABI.rst`: `list_op_pending` names
//! the entry before its word changes, and is cleared after the list has changed. So the kernel also
//! handles a kill anywhere in between.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::mmap;

/// Marks a word whose owner has died.
pub(crate) const OWNER_DIED: u32 = 0x4000_0000;
/// Makes the kernel wake a sleeper of the word when its owner dies.
pub(crate) const WAITERS: u32 = 0x8000_0000;
/// The bits of a word that hold the owner's thread id.
pub(crate) const TID_MASK: u32 = 0x3fff_ffff;

/// The kernel stops after this many entries (ROBUST_LIST_LIMIT is 2,048).
pub(crate) const MAX_ENTRIES: usize = 1900;

/// An entry: the pointer that the kernel follows. It lies in private memory, where no other process
/// can change it, `FUTEX_OFFSET` before its word, so the kernel finds the word from the entry.
///
/// A forked child has a copy of its parent's entries, but no list of the child names them.
#[repr(C)]
pub(crate) struct Entry {
    next: AtomicU64,
}

/// The distance from an entry to its word: one number for a whole list.
const FUTEX_OFFSET: i64 = mmap::PRIVATE as i64;

/// `struct robust_list_head`.
#[repr(C)]
struct Head {
    list: AtomicU64,
    futex_offset: AtomicI64,
    pending: AtomicU64,
}

/// One thread's list.
pub(crate) struct RobustList {
    head: Box<Head>,
    /// Addresses of the linked entries. The last one is the first in the kernel's list.
    entries: Vec<u64>,
}

impl RobustList {
    pub(crate) fn new() -> RobustList {
        let head = Box::new(Head {
            list: AtomicU64::new(0),
            futex_offset: AtomicI64::new(FUTEX_OFFSET),
            pending: AtomicU64::new(0),
        });
        head.list
            .store(std::ptr::from_ref(&*head) as u64, Ordering::Relaxed);
        RobustList {
            head,
            entries: Vec::new(),
        }
    }

    /// The address to pass to [`adopt`].
    pub(crate) fn address(&self) -> u64 {
        std::ptr::from_ref(&*self.head) as u64
    }

    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= MAX_ENTRIES
    }

    /// Reserve memory for one more entry, so that [`link`](Self::link) does not allocate.
    pub(crate) fn make_room(&mut self) {
        self.entries.reserve(1);
    }

    /// Change an entry's word with `set` and link the entry; it stays unlinked if `set` returns
    /// false. Call this on the thread that owns the list.
    ///
    /// The entry stays mapped until [`unlink`](Self::unlink). If the process is killed before `set`
    /// has changed the word, nobody has the slot. If it is killed after that, `pending`, and then
    /// the list too, names the entry, and the kernel marks the word.
    pub(crate) fn link(&mut self, entry: &Entry, set: impl FnOnce() -> bool) -> bool {
        let address = std::ptr::from_ref(entry) as u64;
        self.head.pending.store(address, Ordering::SeqCst);
        let linked = set();
        if linked {
            entry
                .next
                .store(self.head.list.load(Ordering::Relaxed), Ordering::SeqCst);
            self.head.list.store(address, Ordering::SeqCst);
            self.entries.push(address);
        }
        self.head.pending.store(0, Ordering::SeqCst);
        linked
    }

    /// Unlink an entry and change its word with `clear`. Call this on the thread that owns the
    /// list.
    ///
    /// `pending` is clear again when this returns, so the entry may be unmapped. If the process is
    /// killed before that, the list or `pending` names the entry, and the kernel marks the word if
    /// it still holds this thread's id.
    pub(crate) fn unlink(&mut self, entry: &Entry, clear: impl FnOnce()) {
        let address = std::ptr::from_ref(entry) as u64;
        self.head.pending.store(address, Ordering::SeqCst);
        if let Some(at) = self.entries.iter().position(|other| *other == address) {
            let older = match at.checked_sub(1).and_then(|older| self.entries.get(older)) {
                Some(older) => *older,
                None => self.address(),
            };
            match self.entries.get(at + 1) {
                // SAFETY: linked entries stay mapped until they are unlinked, by `link`'s contract.
                Some(newer) => unsafe {
                    (*(*newer as *const Entry))
                        .next
                        .store(older, Ordering::SeqCst);
                },
                None => self.head.list.store(older, Ordering::SeqCst),
            }
            self.entries.remove(at);
        }
        clear();
        self.head.pending.store(0, Ordering::SeqCst);
    }
}

/// Register the list at `address` for the calling thread. Return false if the kernel refuses.
///
/// The list replaces that of the C library, so the calling thread must not use robust mutexes of
/// the C library. The list at `address` must outlive the thread.
pub(crate) fn adopt(address: u64) -> bool {
    let size = std::mem::size_of::<Head>();
    // SAFETY: the kernel only records the pointer; it checks each access when it walks the list.
    unsafe { libc::syscall(libc::SYS_set_robust_list, address, size) == 0 }
}

/// Report whether the kernel lets this process register robust lists: register this thread's list
/// again.
pub(crate) fn is_allowed() -> bool {
    let (mut head, mut size) = (std::ptr::null_mut::<libc::c_void>(), 0usize);
    // SAFETY: both numbers are locals. The second call registers what is registered already.
    unsafe {
        libc::syscall(libc::SYS_get_robust_list, 0, &mut head, &mut size) == 0
            && libc::syscall(libc::SYS_set_robust_list, head, size) == 0
    }
}

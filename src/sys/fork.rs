//! Detecting a fork.
//!
//! A child has neither its parent's threads nor its parent's slot in any participant table. Each
//! process has an *epoch*: an attachment with another epoch belongs to a parent. The epoch lies in
//! memory that is zero again in a child (`wiped`).

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use super::wiped;

/// The word that is wiped; until its first use a word that stays 0, so that [`epoch`] need not ask.
static WORD: AtomicPtr<AtomicUsize> = AtomicPtr::new(NO_WORD);
const NO_WORD: *mut AtomicUsize = (&raw const NO_EPOCH).cast_mut();
static NO_EPOCH: AtomicUsize = AtomicUsize::new(0);
/// The last epoch that this process or an ancestor has used.
static LAST: AtomicU32 = AtomicU32::new(0);

/// This process's epoch, never 0. Two loads if it is known.
#[inline]
pub(crate) fn epoch() -> u32 {
    // SAFETY: a static, or a word that stays mapped for the life of the process.
    match unsafe { (*WORD.load(Ordering::Acquire)).load(Ordering::Relaxed) } {
        0 => begin(),
        epoch => epoch as u32,
    }
}

#[cold]
fn begin() -> u32 {
    if WORD.load(Ordering::Acquire) == NO_WORD {
        // Two threads may come here at once. The first word stays in use. The second one is leaked,
        // since giving it back would not be worth the code.
        let _ = WORD.compare_exchange(NO_WORD, wiped_word(), Ordering::AcqRel, Ordering::Acquire);
    }
    let word = WORD.load(Ordering::Acquire);
    // SAFETY: set above, never unmapped.
    let word = unsafe { &*word };
    let next = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
    match word.compare_exchange(0, next as usize, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => next,
        Err(now) => now as u32,
    }
}

/// A word that is wiped in a child.
fn wiped_word() -> *mut AtomicUsize {
    static FALLBACK: AtomicUsize = AtomicUsize::new(0);
    let word = wiped::OWN_WORDS
        .take()
        .ok()
        .and_then(|line| line.words.first());
    ptr::from_ref(word.unwrap_or(&FALLBACK)).cast_mut()
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

/// Begin a new epoch in a forked child, if the kernel does not wipe the word. Async-signal-safe.
pub(crate) fn forget_epoch() {
    wiped::wipe();
    // SAFETY: a static, or a word that is never unmapped.
    unsafe { (*WORD.load(Ordering::Acquire)).store(0, Ordering::Relaxed) };
}

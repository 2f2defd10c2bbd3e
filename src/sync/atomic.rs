//! The atomics of the algorithms. `loom/` replaces this module by one whose atomics try every order
//! in which threads can run and every place at which a thread can die.

pub(crate) use std::sync::atomic::{fence, AtomicI64, AtomicU32, AtomicU64, Ordering};

/// The address of a word, for a thread that sleeps on several words.
pub(crate) fn address(word: &AtomicU32) -> *const u32 {
    word.as_ptr().cast_const()
}

/// A full barrier after a read-modify-write of the caller. On x86-64 the read-modify-write is one
/// already.
#[inline]
pub(crate) fn barrier_after_rmw() {
    if cfg!(target_arch = "x86_64") {
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

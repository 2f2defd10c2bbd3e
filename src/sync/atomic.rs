//! The atomics of the algorithms. In `loom/` another module stands in this one's place, whose atomics
//! try every order in which threads can run and every place at which one can die.

pub(crate) use std::sync::atomic::{fence, AtomicI64, AtomicU32, AtomicU64, Ordering};

/// Where a word lies, for who sleeps on it among others.
pub(crate) fn address(word: &AtomicU32) -> *const u32 {
    word.as_ptr().cast_const()
}

/// A full barrier for who has just done a read-modify-write, which on x86-64 is one already.
#[inline]
pub(crate) fn barrier_after_rmw() {
    if cfg!(target_arch = "x86_64") {
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

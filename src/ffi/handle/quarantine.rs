//! The end of a closed handle.
//!
//! When no call is inside any more, its object is dropped, and its memory rests until 1,024 more
//! handles have been closed: a use after close finds a closed handle there. All steps are atomics,
//! so that a fork may happen at any moment.

use std::alloc::dealloc;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::ffi::handle::block::Block;
use crate::ffi::handle::presence;

/// Drop the object in the handle and let the memory rest.
///
/// # Safety
/// `block` begins a handle that was made with its layout. The caller was the last call
/// inside, and none can enter any more.
pub(super) unsafe fn retire(block: NonNull<Block>) {
    // SAFETY: as the caller promises.
    unsafe { (block.as_ref().finish)(block) };
    rest(block);
}

/// Handles that are still to be retired, linked by `next`.
static DEFERRED: AtomicPtr<Block> = AtomicPtr::new(ptr::null_mut());

/// Leave that to the next [`retire_deferred`]: a signal handler cannot drop an object.
///
/// # Safety
/// As for [`retire`].
pub(super) unsafe fn defer(block: NonNull<Block>) {
    // SAFETY: its memory stays until it has been retired.
    let next = unsafe { &block.as_ref().next };
    let mut first = DEFERRED.load(Ordering::Relaxed);
    loop {
        next.store(first, Ordering::Relaxed);
        // Release, pairs with the Acquire of `retire_deferred`.
        let linked = DEFERRED.compare_exchange_weak(
            first,
            block.as_ptr(),
            Ordering::Release,
            Ordering::Relaxed,
        );
        match linked {
            Ok(_) => return,
            Err(now) => first = now,
        }
    }
}

/// Retire the handles that signal handlers have left. One load if there are none.
pub(super) fn retire_deferred() {
    if DEFERRED.load(Ordering::Relaxed).is_null() {
        return;
    }
    let mut first = DEFERRED.swap(ptr::null_mut(), Ordering::Acquire);
    while let Some(block) = NonNull::new(first) {
        // SAFETY: as the caller of `defer` promised; after the swap only this thread has the list.
        unsafe {
            first = block.as_ref().next.load(Ordering::Relaxed);
            retire(block);
        }
    }
}

/// For how many further closes a closed handle keeps its memory.
pub(super) const LENGTH: usize = 1024;
static RESTING: [AtomicPtr<Block>; LENGTH] = [const { AtomicPtr::new(ptr::null_mut()) }; LENGTH];
static CLOSES: AtomicUsize = AtomicUsize::new(0);

/// Put the block in the place of the one that has rested longest, and free that one.
fn rest(mut block: NonNull<Block>) {
    loop {
        let place = CLOSES.fetch_add(1, Ordering::Relaxed) % LENGTH;
        let Some(place) = RESTING.get(place) else {
            return;
        };
        let Some(rested) = NonNull::new(place.swap(block.as_ptr(), Ordering::AcqRel)) else {
            return;
        };
        if presence::is_looked_at(rested) {
            // A thread has been leaving this handle during a thousand closes: quarantine the handle
            // once more.
            block = rested;
            continue;
        }
        // SAFETY: allocated with this layout and retired. Its quarantine is over: nobody may use
        // it.
        unsafe {
            rested.as_ref().magic.store(0, Ordering::Relaxed);
            let layout = rested.as_ref().layout;
            dealloc(rested.as_ptr().cast(), layout);
        }
        return;
    }
}

//! How every handle begins.

use std::alloc::Layout;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32};

/// How a handle's memory begins, whatever its type. Stays readable through the quarantine.
#[repr(C)]
pub(super) struct Block {
    /// The type of the handle, 0 once the memory is about to be freed.
    pub(super) magic: AtomicU32,
    /// The next one that a signal handler left to be retired.
    pub(super) next: AtomicPtr<Block>,
    /// Drops what is in the handle.
    pub(super) finish: unsafe fn(NonNull<Block>),
    pub(super) layout: Layout,
}

impl Block {
    /// Memory of `layout` came from the global allocator; `finish` is to be called once.
    pub(super) fn new(magic: u32, finish: unsafe fn(NonNull<Block>), layout: Layout) -> Block {
        Block {
            magic: AtomicU32::new(magic),
            next: AtomicPtr::new(ptr::null_mut()),
            finish,
            layout,
        }
    }
}

//! Which threads are inside which handles: entering a handle costs no atomic read-modify-write.
//!
//! A thread writes the handle that it enters to a *record* of its own, and then reads whether the
//! handle is closed. A close marks the handle as closed, and then reads all records. Both write
//! first and read afterwards, so at least one of them sees the other's write. The thread pays for
//! no barrier: `membarrier(2)`, called by the close, is the barrier of both sides (D. Vyukov's
//! asymmetric Dekker).
//!
//! When a thread leaves a handle, a mark stays in its record until it has read the handle once
//! more, so that the handle's memory is not freed before that read (M. Michael's hazard pointers).
//!
//! The records lie in memory that the kernel zeroes in a forked child (`sys::wiped`), because no
//! call that was going on is the child's. If the kernel has no such memory, or the process has not
//! registered for membarrier, there are no records, and the handle counts its calls instead.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{fence, AtomicUsize, Ordering};

use crate::ffi::handle::block::Block;
use crate::sys::wiped::{Line, Pool};
use crate::sys::{membarrier, thread};

/// By so much the address in a place is lower while its thread, which has left, reads the handle for
/// the last time. Blocks are aligned, so no other has that address.
pub(super) const LEAVING: usize = 1;

/// A thread's record: the addresses of the handles that it is inside of, nested calls included.
static RECORDS: Pool = Pool::new(false);

/// Stands for the record of a thread that has none: it is full, so a call that has found a free
/// place in a record need not ask whether it is one.
static NONE: Line = Line {
    words: [const { AtomicUsize::new(usize::MAX) }; 8],
};

thread_local! {
    /// [`NONE`] before the thread's first call and after its end. It has no destructor, so reading
    /// it is one load.
    pub(super) static RECORD: Cell<&'static Line> = const { Cell::new(&NONE) };
    /// The thread has given its record back, and takes no other, because nothing would give that
    /// back.
    static IS_ENDING: Cell<bool> = const { Cell::new(false) };
}

/// Gives back the record of a thread that ends.
extern "C" fn give_back(record: *mut c_void) {
    IS_ENDING.set(true);
    RECORD.set(&NONE);
    // SAFETY: the record that `first_record` registered.
    RECORDS.give_back(unsafe { &*record.cast::<Line>() });
}

/// Return whether a thread is inside `block`, which was closed before.
pub(super) fn is_anybody_inside(block: NonNull<Block>) -> bool {
    // Without a record no thread has written a note, so the membarrier can be saved. Pairs with the
    // fence in `first_record`: a thread whose record is not visible here has not read the handle
    // yet, and will find it closed.
    fence(Ordering::SeqCst);
    if RECORDS.is_untouched() {
        return false;
    }
    membarrier::all_threads();
    places().any(|place| place.load(Ordering::Acquire) == block.addr().get())
}

/// Return whether a thread may read the memory of `block`, which was retired before.
pub(super) fn is_looked_at(block: NonNull<Block>) -> bool {
    places().any(|place| {
        let address = place.load(Ordering::Acquire);
        address == block.addr().get() || address == block.addr().get() - LEAVING
    })
}

fn places() -> impl Iterator<Item = &'static AtomicUsize> {
    RECORDS.lines().flat_map(|line| &line.words)
}

/// Return a free place of this thread's record; of its first record if it has none. Not in a signal
/// handler.
#[cold]
#[inline(never)]
pub(super) fn further_place() -> Option<&'static AtomicUsize> {
    let free = |place: &&AtomicUsize| place.load(Ordering::Relaxed) == 0;
    let record = match RECORD.get() {
        none if ptr::eq(none, &NONE) => first_record()?,
        record => record,
    };
    record.words.iter().find(free)
}

/// Return this thread's record. It is taken at the first call after the process has registered for
/// the barrier of a close. A process registers when it starts its keeper, so a process that uses no
/// object of shared memory counts its calls.
fn first_record() -> Option<&'static Line> {
    if IS_ENDING.get() || RECORDS.is_untouched() && !membarrier::reaches_all_threads() {
        return None;
    }
    let record = RECORDS.take().ok()?;
    // Pairs with the fence in `is_anybody_inside`: the record is visible before this thread reads
    // whether a handle is closed.
    fence(Ordering::SeqCst);
    if !thread::at_its_end(give_back, ptr::from_ref(record).cast_mut().cast()) {
        RECORDS.give_back(record);
        return None;
    }
    RECORD.set(record);
    Some(record)
}

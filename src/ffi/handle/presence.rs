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
//! The records lie in pages that the kernel zeroes in a forked child, because no call that was
//! going on is the child's. If the kernel has no such pages, or no membarrier, there are no
//! records, and the handle counts its calls instead.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{fence, AtomicPtr, AtomicU64, Ordering};

use crate::ffi::handle::block::Block;
use crate::sys::{fork, membarrier, thread};

/// How many handles a thread can be inside of at once, nested calls included.
const PLACES: usize = 8;
/// Set in a place while its thread reads the handle for the last time. Blocks are aligned, so the
/// bit is free.
pub(super) const LEAVING: usize = 1;

pub(super) type Note = AtomicPtr<Block>;

/// The handles that one thread is inside of. One cache line.
#[repr(align(64))]
pub(super) struct Record {
    pub(super) places: [Note; PLACES],
}

/// As many records as there are bits in a word.
const RECORDS: usize = 64;

/// Records, and which of them belong to a thread. A page is never freed.
struct Page {
    records: NonNull<[Record; RECORDS]>,
    taken: AtomicU64,
    next: *const Page,
}

// SAFETY: records are atomics that stay mapped; the rest is not written after the page is
// published.
unsafe impl Sync for Page {}

/// The newest page, which links to the older ones.
static PAGES: AtomicPtr<Page> = AtomicPtr::new(ptr::null_mut());

/// A record that a thread has taken.
#[derive(Clone, Copy)]
struct Mine {
    page: &'static Page,
    number: usize,
}

thread_local! {
    /// Null until the first call. It has no destructor, so reading it is one load.
    pub(super) static RECORD: Cell<*const Record> = const { Cell::new(ptr::null()) };
    /// The thread has given its record back, and takes no other, because nothing would give that
    /// back.
    static IS_ENDING: Cell<bool> = const { Cell::new(false) };
}

/// Gives back the record of a thread that ends.
extern "C" fn give_back(record: *mut c_void) {
    IS_ENDING.set(true);
    RECORD.set(ptr::null());
    for page in pages() {
        let first = page.records.as_ptr() as usize;
        let number = (record as usize).wrapping_sub(first) / size_of::<Record>();
        if number < RECORDS {
            page.taken.fetch_and(!(1 << number), Ordering::Release);
        }
    }
}

/// Return whether a thread is inside `block`, which was closed before.
pub(super) fn is_anybody_inside(block: NonNull<Block>) -> bool {
    // Without a page no thread has written a note, so the membarrier can be saved. Pairs with the
    // fence in `first_record`: a thread whose page is not visible here has not read the handle yet,
    // and will find it closed.
    fence(Ordering::SeqCst);
    if PAGES.load(Ordering::Acquire).is_null() {
        return false;
    }
    membarrier::all_threads();
    places().any(|place| place.load(Ordering::Acquire) == block.as_ptr())
}

/// Return whether a thread may read the memory of `block`, which was retired before.
pub(super) fn is_looked_at(block: NonNull<Block>) -> bool {
    places().any(|place| {
        let noted = place.load(Ordering::Acquire);
        noted.map_addr(|address| address & !LEAVING) == block.as_ptr()
    })
}

fn places() -> impl Iterator<Item = &'static Note> {
    pages().flat_map(|page| {
        // SAFETY: never unmapped, and made of atomics.
        let records = unsafe { page.records.as_ref() };
        records.iter().flat_map(|record| &record.places)
    })
}

fn pages() -> impl Iterator<Item = &'static Page> {
    // SAFETY: null, or a page that was published whole and is never freed.
    let first = unsafe { PAGES.load(Ordering::Acquire).as_ref() };
    // SAFETY: as above.
    std::iter::successors(first, |page| unsafe { page.next.as_ref() })
}

/// Return this thread's record, taken at its first call. Not in a signal handler.
#[cold]
pub(super) fn first_record() -> Option<&'static Record> {
    if IS_ENDING.get() {
        return None;
    }
    let mine = pages().find_map(free_record).or_else(new_page)?;
    // Pairs with the fence in `is_anybody_inside`: the page is visible before this thread reads
    // whether a handle is closed.
    fence(Ordering::SeqCst);
    // SAFETY: never unmapped; the number was found in that page.
    let record = unsafe { mine.page.records.as_ref() }.get(mine.number)?;
    if !thread::at_its_end(give_back, ptr::from_ref(record).cast_mut().cast()) {
        mine.page
            .taken
            .fetch_and(!(1 << mine.number), Ordering::Release);
        return None;
    }
    RECORD.set(record);
    Some(record)
}

fn free_record(page: &'static Page) -> Option<Mine> {
    let mut taken = page.taken.load(Ordering::Relaxed);
    loop {
        let number = taken.trailing_ones();
        let mine = 1u64.checked_shl(number)?;
        let took = page.taken.compare_exchange_weak(
            taken,
            taken | mine,
            Ordering::Acquire,
            Ordering::Relaxed,
        );
        match took {
            Ok(_) => {
                return Some(Mine {
                    page,
                    number: number as usize,
                })
            }
            Err(now) => taken = now,
        }
    }
}

/// A page of records, the first of which is taken.
fn new_page() -> Option<Mine> {
    if !membarrier::register_all_threads() {
        return None;
    }
    let records = fork::wiped_memory(size_of::<[Record; RECORDS]>())?.cast();
    let page = Box::into_raw(Box::new(Page {
        records,
        taken: AtomicU64::new(1),
        next: PAGES.load(Ordering::Acquire),
    }));
    loop {
        // SAFETY: leaked just above, and not published yet.
        let next = unsafe { (*page).next };
        let published =
            PAGES.compare_exchange(next.cast_mut(), page, Ordering::AcqRel, Ordering::Acquire);
        match published {
            Ok(_) => {
                // SAFETY: leaked and published; nobody writes its plain fields any more.
                let page = unsafe { &*page };
                return Some(Mine { page, number: 0 });
            }
            // SAFETY: still not published.
            Err(now) => unsafe { (*page).next = now },
        }
    }
}

//! A reserve of memory for the case that malloc(3) fails.
//!
//! Small allocations happen deep inside of calls: a name, a table's entry, a mapping's record. A
//! Rust program aborts if such an allocation fails. In libpolyproc they then come from this
//! reserve, so the current call can finish. As long as malloc fails, [`check`] refuses every later
//! call that would make something. Large allocations (data of the caller) never use the reserve:
//! they return an error.
//!
//! A Rust program chooses its own allocator, so this one exists only with the feature `c-library`,
//! for the libraries that C programs link.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::status::detail::because;
use crate::status::Result;

/// Alignment of the pieces that are at least this large; smaller pieces are aligned to their size.
const PAGE: usize = 4096;

/// Many small pieces (names, entries of tables, the environment of a child) and some large ones
/// (the list of about 300 variables of an environment, or one long variable).
static SMALL: Pieces<256, 64> = Pieces::new();
static LARGE: Pieces<16_384, 1> = Pieces::new();

/// The size that a call must be able to allocate, once a good part of the reserve is in use.
const PROBE: usize = 64 * 1024;

/// `64 * WORDS` pieces of `SIZE` bytes. Their memory is not touched before it is needed.
#[repr(C, align(4096))] // PAGE
struct Pieces<const SIZE: usize, const WORDS: usize> {
    memory: UnsafeCell<[[[u8; SIZE]; 64]; WORDS]>,
    /// A bit for each piece that is in use.
    used: [AtomicU64; WORDS],
}

// SAFETY: a piece is given to one caller at a time, by `used`.
unsafe impl<const SIZE: usize, const WORDS: usize> Sync for Pieces<SIZE, WORDS> {}

impl<const SIZE: usize, const WORDS: usize> Pieces<SIZE, WORDS> {
    const fn new() -> Pieces<SIZE, WORDS> {
        Pieces {
            memory: UnsafeCell::new([[[0; SIZE]; 64]; WORDS]),
            used: [const { AtomicU64::new(0) }; WORDS],
        }
    }

    /// Take a piece for `layout`; null if the layout is too large or no piece is left.
    fn take(&self, layout: Layout) -> *mut u8 {
        if layout.size() > SIZE || layout.align() > SIZE.min(PAGE) {
            return std::ptr::null_mut();
        }
        let lowest_free = |used: u64| (used != u64::MAX).then_some(used | used.wrapping_add(1));
        for (word, used) in self.used.iter().enumerate() {
            let taken = used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, lowest_free);
            if let Ok(before) = taken {
                let piece = word * 64 + before.trailing_ones() as usize;
                let first = self.memory.get().cast::<u8>();
                return first.wrapping_add(piece * SIZE);
            }
        }
        std::ptr::null_mut()
    }

    /// The number of the piece at this address, if it is one.
    #[inline]
    fn number(&self, memory: *mut u8) -> Option<usize> {
        let offset = (memory as usize).wrapping_sub(self.memory.get() as usize);
        (offset < SIZE * 64 * WORDS).then_some(offset / SIZE)
    }

    fn give_back(&self, piece: usize) {
        if let Some(used) = self.used.get(piece / 64) {
            used.fetch_and(!(1 << (piece % 64)), Ordering::AcqRel);
        }
    }

    /// Report whether most pieces are free. One call takes fewer than these.
    fn is_ready(&self) -> bool {
        let used = self.used.iter().map(|word| word.load(Ordering::Relaxed));
        used.map(u64::count_ones).sum::<u32>() as usize <= 16 * WORDS
    }
}

#[cold]
fn take(layout: Layout) -> *mut u8 {
    match SMALL.take(layout) {
        piece if piece.is_null() => LARGE.take(layout),
        piece => piece,
    }
}

/// Report whether this memory came from the reserve.
#[inline]
fn is_piece(memory: *mut u8) -> bool {
    SMALL.number(memory).is_some() || LARGE.number(memory).is_some()
}

#[cold]
fn give_back(memory: *mut u8) {
    if let Some(piece) = SMALL.number(memory) {
        SMALL.give_back(piece);
    } else if let Some(piece) = LARGE.number(memory) {
        LARGE.give_back(piece);
    }
}

/// The allocator of libpolyproc: malloc(3), with the reserve behind it.
pub(crate) struct WithReserve;

#[cfg(feature = "c-library")]
#[global_allocator]
static ALLOCATOR: WithReserve = WithReserve;

// SAFETY: memory of the system's allocator, or a piece that no other caller has until it is given
// back.
unsafe impl GlobalAlloc for WithReserve {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() {
            return take(layout);
        }
        memory
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        let memory = unsafe { System.alloc_zeroed(layout) };
        if memory.is_null() {
            let piece = take(layout);
            if !piece.is_null() {
                // SAFETY: a piece has room for the layout.
                unsafe { piece.write_bytes(0, layout.size()) };
            }
            return piece;
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        match is_piece(memory) {
            true => give_back(memory),
            // SAFETY: the memory is from the system's allocator, with this layout.
            false => unsafe { System.dealloc(memory, layout) },
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_piece(memory) {
            // SAFETY: as the caller promises.
            let larger = unsafe { System.realloc(memory, layout, size) };
            if !larger.is_null() {
                return larger;
            }
        }
        // SAFETY: the caller promises a size that is valid for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: not of size 0, by the caller's promise.
        let fresh = unsafe { self.alloc(wanted) };
        if !fresh.is_null() {
            // SAFETY: two allocations, each with room for the smaller size; the old one is freed
            // once.
            unsafe {
                std::ptr::copy_nonoverlapping(memory, fresh, layout.size().min(size));
                self.dealloc(memory, layout);
            }
        }
        fresh
    }
}

/// Check for memory before something is made.
///
/// # Errors
/// `E_NO_MEMORY` if a good part of the reserve is in use and malloc still fails.
pub(crate) fn check() -> Result<()> {
    if SMALL.is_ready() && LARGE.is_ready() {
        return Ok(());
    }
    let mut probe: Vec<u8> = Vec::new();
    probe
        .try_reserve_exact(PROBE)
        .map_err(|_| because!(E_NO_MEMORY, "malloc(3) fails, and its reserve is in use"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_and_what_is_large_is_refused() {
        static FEW: Pieces<64, 2> = Pieces::new();
        let layout = Layout::new::<[u64; 8]>();
        let pieces: Vec<*mut u8> = (0..128).map(|_| FEW.take(layout)).collect();
        for (number, piece) in pieces.iter().enumerate() {
            assert_eq!(FEW.number(*piece), Some(number));
        }
        assert!(FEW.take(layout).is_null() && !FEW.is_ready());
        (0..128).for_each(|piece| FEW.give_back(piece));
        assert!(FEW.is_ready());
        assert!(take(Layout::new::<[u8; 16_385]>()).is_null());
    }

    #[test]
    fn what_grows_out_of_the_reserve_keeps_its_bytes() {
        let (layout, longer) = (Layout::new::<[u64; 4]>(), Layout::new::<[u64; 3000]>());
        let piece = take(layout);
        assert!(is_piece(piece));
        // SAFETY: a piece for that layout, which is grown and freed once.
        unsafe {
            piece.cast::<[u64; 4]>().write([1, 2, 3, 4]);
            let grown = WithReserve.realloc(piece, layout, longer.size());
            assert!(!grown.is_null() && !is_piece(grown));
            assert_eq!(grown.cast::<[u64; 4]>().read(), [1, 2, 3, 4]);
            WithReserve.dealloc(grown, longer);
        }
        assert_eq!(check(), Ok(()));
    }
}

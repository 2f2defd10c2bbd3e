//! Memory that is zero again in every forked child: what is noted there about this process's
//! threads and objects is not true in the child.
//!
//! The kernel wipes the memory (MADV_WIPEONFORK), so a raw clone(2), which runs no handler, is
//! covered too. If the kernel cannot do that, a handler of pthread_atfork(3) wipes it, see
//! [`wipe`], or there is none.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use super::mmap;
use crate::status::{detail, Result, Status};

/// A cache line of words. Each begins as 0.
#[repr(C, align(64))]
pub(crate) struct Line {
    pub(crate) words: [AtomicUsize; 8],
}

/// As many lines as there are bits in a word.
const LINES: usize = 64;

/// Lines, and which of them are taken. A page is never unmapped.
struct Page {
    lines: [Line; LINES],
}

/// What describes a page. It lies in the memory behind the page, which is not wiped.
struct Description {
    page: NonNull<Page>,
    taken: AtomicU64,
    next: *const Description,
    is_wiped_by_kernel: bool,
}

/// Lines for one purpose.
pub(crate) struct Pool {
    newest: AtomicPtr<Description>,
    /// Whether lines that a handler wipes will do.
    by_handler: bool,
}

/// Lines with a word each that belongs to this process: see [`fork::epoch`](super::fork::epoch) and
/// `Segment::me`.
pub(crate) static OWN_WORDS: Pool = Pool::new(true);

impl Description {
    fn lines(&self) -> &'static [Line; LINES] {
        // SAFETY: mapped for the life of the process, and made of atomics.
        unsafe { &self.page.as_ref().lines }
    }

    /// Take a free line.
    fn take(&self) -> Option<&'static Line> {
        let mut taken = self.taken.load(Ordering::Relaxed);
        loop {
            let number = taken.trailing_ones();
            let mine = 1u64.checked_shl(number)?;
            // Acquire, pairs with the Release in `give_back`: the line is zero.
            match self.taken.compare_exchange_weak(
                taken,
                taken | mine,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return self.lines().get(number as usize),
                Err(now) => taken = now,
            }
        }
    }
}

impl Pool {
    pub(crate) const fn new(by_handler: bool) -> Pool {
        Pool {
            newest: AtomicPtr::new(ptr::null_mut()),
            by_handler,
        }
    }

    /// Report whether no line was ever taken.
    pub(crate) fn is_untouched(&self) -> bool {
        self.newest.load(Ordering::Acquire).is_null()
    }

    fn pages(&self) -> impl Iterator<Item = &'static Description> {
        // SAFETY: null, or a description that was published whole and is never unmapped.
        let first = unsafe { self.newest.load(Ordering::Acquire).as_ref() };
        // SAFETY: as above.
        std::iter::successors(first, |page| unsafe { page.next.as_ref() })
    }

    /// All lines, also those that nobody has taken.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'static Line> {
        self.pages().flat_map(Description::lines)
    }

    /// A line of zeros for the caller alone.
    ///
    /// # Errors
    /// `E_NO_MEMORY`, and `E_UNSUPPORTED` if the kernel does not wipe it and no handler will do.
    pub(crate) fn take(&self) -> Result<&'static Line> {
        let free = self.pages().find_map(Description::take);
        free.map_or_else(|| self.grow(), Ok)
    }

    /// Give a line back. The caller uses it no more.
    pub(crate) fn give_back(&self, line: &'static Line) {
        for page in self.pages() {
            let first = ptr::from_ref(page.lines()).addr();
            let number = ptr::from_ref(line).addr().wrapping_sub(first) / size_of::<Line>();
            if number < LINES {
                for word in &line.words {
                    word.store(0, Ordering::Relaxed);
                }
                page.taken.fetch_and(!(1 << number), Ordering::Release);
            }
        }
    }

    /// Add a page whose first line is taken, and return that line.
    #[cold]
    fn grow(&self) -> Result<&'static Line> {
        let (page, is_wiped_by_kernel) = map(self.by_handler)?;
        let description = page.cast::<Description>();
        // SAFETY: two pages of memory were mapped just now: the first for the lines, the second
        // for this description, which is smaller.
        let place = unsafe { description.byte_add(mmap::page_size()) };
        let mut fresh = Description {
            page: page.cast(),
            taken: AtomicU64::new(1),
            next: self.newest.load(Ordering::Acquire),
            is_wiped_by_kernel,
        };
        loop {
            let next = fresh.next;
            // SAFETY: as above, and not published yet.
            unsafe { place.write(fresh) };
            match self.newest.compare_exchange(
                next.cast_mut(),
                place.as_ptr(),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    // SAFETY: published, and never unmapped.
                    let first = unsafe { place.as_ref() }.lines().first();
                    return first.ok_or(Status::E_INTERNAL);
                }
                Err(now) => {
                    fresh = Description {
                        page: page.cast(),
                        taken: AtomicU64::new(1),
                        next: now,
                        is_wiped_by_kernel,
                    }
                }
            }
        }
    }
}

/// In a forked child: wipe the words that the kernel did not. Async-signal-safe.
pub(crate) fn wipe() {
    for page in OWN_WORDS.pages().filter(|page| !page.is_wiped_by_kernel) {
        for word in page.lines().iter().flat_map(|line| &line.words) {
            word.store(0, Ordering::Relaxed);
        }
    }
}

/// Map two pages of zeros, and let the kernel wipe the first in every forked child. Return whether
/// it does.
fn map(by_handler: bool) -> Result<(NonNull<c_void>, bool)> {
    let page = mmap::page_size();
    let (read_write, private) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: an anonymous mapping; the result is checked.
    let pages = unsafe { libc::mmap(ptr::null_mut(), 2 * page, read_write, private, -1, 0) };
    if pages == libc::MAP_FAILED {
        return Err(detail::just_failed("mmap"));
    }
    // SAFETY: mapped just now, and not used by any other code.
    let is_wiped = unsafe { libc::madvise(pages, page, libc::MADV_WIPEONFORK) == 0 };
    if !is_wiped && !by_handler {
        // SAFETY: as above.
        unsafe { libc::munmap(pages, 2 * page) };
        return Err(Status::E_UNSUPPORTED);
    }
    let pages = NonNull::new(pages).ok_or(Status::E_INTERNAL)?;
    Ok((pages, is_wiped))
}

//! Handles: what C holds of an object.
//!
//! A handle is a block of memory with the object in it and one word that says whether it is closed.
//! Closing marks the word and fires the handle's token, which ends the calls that wait; the last one out
//! drops the object, and with it this process's share in it. Nobody waits for anybody. A queue counts what it has lent:
//! then the last one out is who settles the last loan.
//!
//! A call notes in its thread's record that it is inside (`presence`), which takes no atomic
//! read-modify-write. Where that is not to be had (in a signal handler, for the ninth handle of a thread,
//! in a closed handle) it counts itself in the word.
//!
//! The memory itself then goes to the `quarantine`, so that a use after close finds a closed handle
//! there. Everything is done with atomics: a fork may happen at any moment, and [`enter_in_handler`] is
//! safe in a signal handler.

mod block;
mod presence;
mod quarantine;

use std::alloc::{alloc, Layout};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::{offset_of, ManuallyDrop};
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use self::presence::Visit;
use crate::ffi::handle::block::Block;
use crate::queue::Loans;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::{Cancel, Wait};
use crate::sys::fork;

/// A C type that is the outside of a handle.
pub(crate) trait Opaque {
    /// What is inside.
    type Object;
    /// Tells handles of one type from those of another.
    const MAGIC: u32;
    /// What a person calls it.
    const NAME: &'static str;
    /// Whether calls note that they are inside, which makes a close dear; not so for what is closed about as
    /// often as it is used.
    const NOTES_CALLS: bool = true;
    /// Where in the object its loans are counted, if it lends anything.
    const LOANS_AT: Option<usize> = None;
}

// The state word, from bit 0: counted calls inside, the epoch in which they came in; whether all calls are
// counted, retired, closed.
const ONE_CALL: u64 = 1;
const CALLS: u64 = (1 << 20) - 1;
const EPOCH_SHIFT: u32 = 20;
const EPOCH: u64 = ((1 << 12) - 1) << EPOCH_SHIFT;
const COUNTS_ALL: u64 = 1 << 61;
const RETIRED: u64 = 1 << 62;
const CLOSED: u64 = 1 << 63;

/// The part of a handle that does not depend on its type, and outlives its object.
#[repr(C)]
struct Header {
    block: Block,
    state: AtomicU64,
    /// Where the object's loans are counted, from here; 0 where it lends nothing.
    loans_at: usize,
}

#[repr(C)]
struct Handle<T> {
    header: Header,
    closing: ManuallyDrop<Cancel>,
    object: ManuallyDrop<T>,
}

/// A handle for C that owns `object`.
pub(crate) fn new<C: Opaque>(object: C::Object) -> Result<*mut C> {
    quarantine::retire_deferred();
    // Its first use allocates, which a signal handler must not be the one to do.
    fork::epoch();
    let layout = Layout::new::<Handle<C::Object>>();
    // SAFETY: the layout is not empty.
    let place = NonNull::new(unsafe { alloc(layout) }.cast::<Handle<C::Object>>());
    let place = place.ok_or(Status::E_NO_MEMORY)?;
    let header = Header {
        block: Block::new(C::MAGIC, finish::<C::Object>, layout),
        state: AtomicU64::new(if C::NOTES_CALLS { 0 } else { COUNTS_ALL }),
        loans_at: C::LOANS_AT.map_or(0, |at| offset_of!(Handle<C::Object>, object) + at),
    };
    let handle = Handle {
        header,
        closing: ManuallyDrop::new(Cancel::new()),
        object: ManuallyDrop::new(object),
    };
    // SAFETY: fresh memory of that layout.
    unsafe { place.write(handle) };
    Ok(place.as_ptr().cast())
}

/// Drop what is inside a handle.
///
/// # Safety
/// Of a `Handle<T>`, by the last one out, once.
unsafe fn finish<T>(block: NonNull<Block>) {
    let handle = block.cast::<Handle<T>>().as_ptr();
    // SAFETY: nobody is inside and nobody can come in any more, so the caller alone uses these.
    unsafe {
        ManuallyDrop::drop(&mut *ptr::addr_of_mut!((*handle).object));
        ManuallyDrop::drop(&mut *ptr::addr_of_mut!((*handle).closing));
    }
}

/// The handle behind a pointer of C, `E_INVALID` when it is none of that type; with the reason, but for a call that
/// a signal handler may make.
///
/// # Safety
/// `pointer` is NULL or a handle of any type, closed fewer than 1,024 closes ago if at all.
#[inline(always)]
unsafe fn known<C: Opaque>(
    pointer: *mut c_void,
    in_handler: bool,
) -> Result<NonNull<Handle<C::Object>>> {
    let refused = |why: fn(&'static str) -> Status| match in_handler {
        true => Status::E_INVALID,
        false => why(C::NAME),
    };
    let Some(handle) = NonNull::new(pointer.cast::<Handle<C::Object>>()) else {
        return Err(refused(null_handle));
    };
    if !handle.is_aligned() {
        return Err(refused(other_handle));
    }
    // SAFETY: every handle starts with a header, and a closed one keeps it for its quarantine.
    let header = unsafe { handle.cast::<Header>().as_ref() };
    if !header.block.is_of(C::MAGIC) {
        return Err(refused(other_handle));
    }
    Ok(handle)
}

// One function for each reason: with one for both the compiler computes which it is where neither is.

#[cold]
#[inline(never)]
fn null_handle(name: &'static str) -> Status {
    because!(E_INVALID, "the handle of the {name} is NULL")
}

#[cold]
#[inline(never)]
fn other_handle(name: &'static str) -> Status {
    because!(E_INVALID, "the handle is not that of a {name}")
}

impl Header {
    fn block(&self) -> NonNull<Block> {
        NonNull::from(&self.block)
    }

    /// Note that a call goes in, if the handle is open and the thread has a place left.
    #[inline]
    fn note_in(&self) -> Option<Visit> {
        let visit = presence::note(self.block())?;
        // Acquire: whoever made the handle is seen.
        if self.state.load(Ordering::Acquire) & CLOSED != 0 {
            self.turn_back(&visit);
            return None;
        }
        Some(visit)
    }

    /// The handle is closed. Who closed it may have seen the note, and left the rest to this call.
    #[cold]
    fn turn_back(&self, visit: &Visit) {
        if self.note_out(visit) {
            // SAFETY: a closed and deserted handle, which was said to this call.
            unsafe { quarantine::retire(self.block()) };
        }
    }

    /// Count one more call inside when `may` allows it, and set `flags`.
    #[inline(never)]
    fn count_in(&self, flags: u64, may: impl Fn(u64) -> Result<()>) -> Result<()> {
        let epoch = current_epoch();
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            may(state)?;
            // Calls that were inside when this process was forked are the parent's: here nobody is.
            let base = if state & EPOCH == epoch {
                state
            } else {
                state & !(EPOCH | CALLS) | epoch
            };
            if base & CALLS == CALLS {
                return Err(Status::E_LIMIT);
            }
            let next = (base + ONE_CALL) | flags;
            // Acquire: whoever made the handle or came out of it before is seen.
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(()),
                Err(now) => state = now,
            }
        }
    }

    /// One call goes out that [`note_in`](Self::note_in) let in; whether the caller is to retire the handle.
    #[inline]
    fn note_out(&self, visit: &Visit) -> bool {
        visit.leave(self.block());
        let is_last = self.state.load(Ordering::Relaxed) & CLOSED != 0 && self.is_deserted();
        visit.forget();
        is_last
    }

    /// The same for one that was counted.
    #[inline(never)]
    fn count_out(&self) -> bool {
        // AcqRel: what each one did inside comes before the last one drops the object.
        let before = self.state.fetch_sub(ONE_CALL, Ordering::AcqRel);
        before & CLOSED != 0 && self.is_deserted()
    }

    /// Whether a call may be inside of a closed handle beside the one that closes it.
    fn may_be_waited_in(&self) -> bool {
        let state = self.state.load(Ordering::Acquire);
        state & COUNTS_ALL == 0 || state & CALLS != ONE_CALL
    }

    fn has_loans(&self) -> bool {
        let loans = match self.loans_at {
            0 => return false,
            at => ptr::from_ref(self).wrapping_byte_add(at).cast::<Loans>(),
        };
        // SAFETY: within the handle, whose memory stays; loans are plain numbers, also in an object that has
        // been dropped.
        unsafe { (*loans).is_any() }
    }

    /// Whether nobody is inside of a closed handle, nor can come in any more; says so once.
    ///
    /// Who comes into a closed handle is counted in the word, so from the load on to the exchange any such
    /// shows there; who came in while it was open is in a record, unless it went out and asks the same.
    #[cold]
    fn is_deserted(&self) -> bool {
        loop {
            let state = self.state.load(Ordering::Acquire);
            let calls = if state & EPOCH == current_epoch() {
                state & CALLS
            } else {
                0
            };
            if state & RETIRED != 0 || calls != 0 {
                return false;
            }
            if state & COUNTS_ALL == 0 && presence::is_anybody_inside(self.block()) {
                return false;
            }
            // Nobody who could lend is inside. Who settles the last one later asks again on the way out.
            if self.has_loans() {
                return false;
            }
            let retired = self.state.compare_exchange(
                state,
                state | RETIRED,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            if retired.is_ok() {
                return true;
            }
        }
    }
}

/// The epoch of this process as the state word has it.
fn current_epoch() -> u64 {
    (u64::from(fork::epoch()) << EPOCH_SHIFT) & EPOCH
}

/// A call that is inside a handle, and may use its object.
pub(crate) struct Call<'a, T> {
    handle: NonNull<Handle<T>>,
    way: Way,
    inside: PhantomData<&'a Handle<T>>,
}

/// How a call came in, and goes out.
enum Way {
    Noted(Visit),
    Counted { in_handler: bool },
}

/// Go into an open handle.
///
/// # Safety
/// `handle` is NULL or a handle of any type, closed fewer than 1,024 closes ago if at all.
#[inline(always)]
pub(crate) unsafe fn enter<'a, C: Opaque>(handle: *mut C) -> Result<Call<'a, C::Object>> {
    // SAFETY: as the caller promises.
    unsafe { come_in::<C>(handle.cast(), false, unless_closed) }
}

/// The same for a function that a signal handler may call: should the handle be closed meanwhile,
/// dropping the object is left to the next create or close.
///
/// # Safety
/// As for [`enter`].
pub(crate) unsafe fn enter_in_handler<'a, C: Opaque>(
    handle: *mut C,
) -> Result<Call<'a, C::Object>> {
    // SAFETY: as the caller promises.
    unsafe { come_in::<C>(handle.cast(), true, unless_closed) }
}

/// Go in on behalf of a loan, into a closed handle too. `E_INVALID` when its object is gone: then no loan was left.
///
/// # Safety
/// `handle` is NULL or what [`Call::address`] gave.
#[inline(always)]
pub(crate) unsafe fn enter_loan<'a, C: Opaque>(handle: *mut c_void) -> Result<Call<'a, C::Object>> {
    let unless_retired = |state| {
        if state & RETIRED != 0 {
            Err(because!(E_INVALID, "the loan is settled already"))
        } else {
            Ok(())
        }
    };
    if handle.is_null() {
        return Err(because!(E_INVALID, "the loan is settled already"));
    }
    // SAFETY: as the caller promises.
    unsafe { come_in::<C>(handle, false, unless_retired) }
}

fn unless_closed(state: u64) -> Result<()> {
    if state & CLOSED != 0 {
        return Err(Status::E_CLOSED);
    }
    Ok(())
}

/// # Safety
/// As for [`enter`].
#[inline(always)]
unsafe fn come_in<'a, C: Opaque>(
    pointer: *mut c_void,
    in_handler: bool,
    may: impl Fn(u64) -> Result<()>,
) -> Result<Call<'a, C::Object>> {
    // SAFETY: as the caller promises.
    let handle = unsafe { known::<C>(pointer, in_handler) }?;
    // SAFETY: known to be a handle.
    let header = unsafe { handle.cast::<Header>().as_ref() };
    // The record is the interrupted call's, which may be about to write in it.
    let noted = if in_handler || !C::NOTES_CALLS {
        None
    } else {
        header.note_in()
    };
    let way = match noted {
        Some(visit) => Way::Noted(visit),
        None => {
            header.count_in(0, may)?;
            Way::Counted { in_handler }
        }
    };
    Ok(Call {
        handle,
        way,
        inside: PhantomData,
    })
}

impl<T> Call<'_, T> {
    fn header(&self) -> &Header {
        // SAFETY: a handle has its header while a call is inside.
        unsafe { self.handle.cast::<Header>().as_ref() }
    }

    #[cold]
    fn retire(&self) {
        let block = self.handle.cast::<Block>();
        // SAFETY: a handle begins with its block; it is closed and deserted, which was said to this call.
        unsafe {
            match self.way {
                Way::Counted { in_handler: true } => quarantine::defer(block),
                _ => quarantine::retire(block),
            }
        }
    }

    /// How long this call waits: for its timeout, its token, or the close of its handle.
    pub(crate) fn wait_for<'b>(
        &'b self,
        timeout_ns: i64,
        cancel: &'b Option<Call<'_, Cancel>>,
    ) -> Wait<'b> {
        Wait::for_ns(timeout_ns)
            .or_cancel(cancel.as_deref())
            .or_closed(self.closing())
    }

    /// The token that the close of the handle fires.
    pub(crate) fn closing(&self) -> &Cancel {
        // SAFETY: the token is dropped only when nobody is inside.
        unsafe { &(*self.handle.as_ptr()).closing }
    }

    /// What leads back to the handle from a loan.
    pub(crate) fn address(&self) -> *mut c_void {
        self.handle.as_ptr().cast()
    }
}

impl<T> Deref for Call<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the object is dropped only when nobody is inside, and never lent mutably before.
        unsafe { &(*self.handle.as_ptr()).object }
    }
}

impl<T> Drop for Call<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let is_last = match &self.way {
            Way::Noted(visit) => self.header().note_out(visit),
            Way::Counted { .. } => self.header().count_out(),
        };
        if is_last {
            self.retire();
        }
    }
}

/// Close a handle. NULL, one that is closed already and one of another type: nothing happens.
///
/// # Safety
/// As for [`enter`].
pub(crate) unsafe fn close<C: Opaque>(handle: *mut C) {
    quarantine::retire_deferred();
    // SAFETY: as the caller promises.
    let Ok(handle) = (unsafe { known::<C>(handle.cast(), true) }) else {
        return;
    };
    // SAFETY: known to be a handle.
    let header = unsafe { handle.cast::<Header>().as_ref() };
    // Closing is a call too: it keeps the token there while that fires.
    if header.count_in(CLOSED, unless_closed).is_ok() {
        let call = Call {
            handle,
            way: Way::Counted { in_handler: false },
            inside: PhantomData,
        };
        if header.may_be_waited_in() {
            // SAFETY: this call is inside.
            unsafe { &(*call.handle.as_ptr()).closing }.fire();
        }
    }
}

#[cfg(test)]
mod tests;

//! Handles: what C holds of an object.
//!
//! A handle is a block of memory with the object in it and one word that says who is inside:
//! the calls that use it now and the loans that are not settled. Closing marks the word and fires the
//! handle's token, which ends the calls that wait; the last one out drops the object, and with it
//! this process's share in it. Nobody waits for anybody.
//!
//! The memory itself then goes to the `quarantine`, so that a use after close finds a closed handle
//! there. Everything is done with atomics: a fork may happen at any moment, and [`enter_in_handler`] is
//! safe in a signal handler.

use std::alloc::{alloc, Layout};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ffi::quarantine::{self, Block};
use crate::status::{Result, Status};
use crate::sync::{Cancel, Wait};
use crate::sys::fork;

/// A C type that is the outside of a handle.
pub(super) trait Opaque {
    /// What is inside.
    type Object;
    /// Tells handles of one type from those of another.
    const MAGIC: u32;
}

// The state word, from bit 0: calls inside, the epoch in which they came in, loans, closed.
const ONE_CALL: u64 = 1;
const CALLS: u64 = (1 << 20) - 1;
const EPOCH_SHIFT: u32 = 20;
const EPOCH: u64 = ((1 << 12) - 1) << EPOCH_SHIFT;
const ONE_LOAN: u64 = 1 << 32;
const LOANS: u64 = ((1 << 31) - 1) << 32;
const CLOSED: u64 = 1 << 63;

/// The part of a handle that does not depend on its type, and outlives its object.
#[repr(C)]
struct Header {
    block: Block,
    state: AtomicU64,
}

#[repr(C)]
struct Handle<T> {
    header: Header,
    closing: ManuallyDrop<Cancel>,
    object: ManuallyDrop<T>,
}

/// A handle for C that owns `object`.
pub(super) fn new<C: Opaque>(object: C::Object) -> Result<*mut C> {
    quarantine::retire_deferred();
    // Its first use allocates, which a signal handler must not be the one to do.
    fork::epoch();
    let layout = Layout::new::<Handle<C::Object>>();
    // SAFETY: the layout is not empty.
    let place = NonNull::new(unsafe { alloc(layout) }.cast::<Handle<C::Object>>());
    let place = place.ok_or(Status::E_NO_MEMORY)?;
    let header = Header {
        block: Block::new(C::MAGIC, finish::<C::Object>, layout),
        state: AtomicU64::new(0),
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

/// The handle behind a pointer of C, `E_INVALID` when it is none of that type.
///
/// # Safety
/// `pointer` is NULL or a handle of any type, closed fewer than 1,024 closes ago if at all.
unsafe fn known<C: Opaque>(pointer: *mut c_void) -> Result<NonNull<Handle<C::Object>>> {
    let handle = NonNull::new(pointer.cast::<Handle<C::Object>>()).ok_or(Status::E_INVALID)?;
    if !handle.is_aligned() {
        return Err(Status::E_INVALID);
    }
    // SAFETY: every handle starts with a header, and a closed one keeps it for its quarantine.
    let header = unsafe { handle.cast::<Header>().as_ref() };
    if !header.block.is_of(C::MAGIC) {
        return Err(Status::E_INVALID);
    }
    Ok(handle)
}

impl Header {
    /// Count one more call inside when `may` allows it, and set `flags`.
    #[inline]
    fn come_in(&self, flags: u64, may: impl Fn(u64) -> Result<()>) -> Result<()> {
        let epoch = (u64::from(fork::epoch()) << EPOCH_SHIFT) & EPOCH;
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

    /// Count one call out; whether it was the last one of a closed handle.
    #[inline]
    fn go_out(&self) -> bool {
        // AcqRel: what each one did inside comes before the last one drops the object.
        let before = self.state.fetch_sub(ONE_CALL, Ordering::AcqRel);
        before & (CLOSED | LOANS | CALLS) == CLOSED | ONE_CALL
    }
}

/// A call that is inside a handle, and may use its object.
pub(super) struct Call<'a, T> {
    handle: NonNull<Handle<T>>,
    in_handler: bool,
    inside: PhantomData<&'a Handle<T>>,
}

/// Go into an open handle.
///
/// # Safety
/// `handle` is NULL or a handle of any type, closed fewer than 1,024 closes ago if at all.
#[inline]
pub(super) unsafe fn enter<'a, C: Opaque>(handle: *mut C) -> Result<Call<'a, C::Object>> {
    // SAFETY: as the caller promises.
    unsafe { come_in::<C>(handle.cast(), false, unless_closed) }
}

/// The same for a function that a signal handler may call: should the handle be closed meanwhile,
/// dropping the object is left to the next create or close.
///
/// # Safety
/// As for [`enter`].
pub(super) unsafe fn enter_in_handler<'a, C: Opaque>(
    handle: *mut C,
) -> Result<Call<'a, C::Object>> {
    // SAFETY: as the caller promises.
    unsafe { come_in::<C>(handle.cast(), true, unless_closed) }
}

/// Go in on behalf of a loan, into a closed handle too. `E_INVALID` when no loan is left.
///
/// # Safety
/// `handle` is NULL or what [`Call::lend`] gave out.
pub(super) unsafe fn enter_loan<'a, C: Opaque>(handle: *mut c_void) -> Result<Call<'a, C::Object>> {
    let while_lent = |state| {
        if state & LOANS == 0 {
            Err(Status::E_INVALID)
        } else {
            Ok(())
        }
    };
    // SAFETY: as the caller promises.
    unsafe { come_in::<C>(handle, false, while_lent) }
}

fn unless_closed(state: u64) -> Result<()> {
    if state & CLOSED != 0 {
        return Err(Status::E_CLOSED);
    }
    Ok(())
}

/// # Safety
/// As for [`enter`].
#[inline]
unsafe fn come_in<'a, C: Opaque>(
    pointer: *mut c_void,
    in_handler: bool,
    may: impl Fn(u64) -> Result<()>,
) -> Result<Call<'a, C::Object>> {
    // SAFETY: as the caller promises.
    let handle = unsafe { known::<C>(pointer) }?;
    // SAFETY: known to be a handle.
    unsafe { handle.cast::<Header>().as_ref() }.come_in(0, may)?;
    Ok(Call {
        handle,
        in_handler,
        inside: PhantomData,
    })
}

impl<T> Call<'_, T> {
    fn header(&self) -> &Header {
        // SAFETY: a handle has its header while a call is inside.
        unsafe { self.handle.cast::<Header>().as_ref() }
    }

    #[cold]
    fn last_out(&self) {
        let block = self.handle.cast::<Block>();
        // SAFETY: a handle begins with its block; this call was the last one inside, and it is closed.
        unsafe {
            match self.in_handler {
                true => quarantine::defer(block),
                false => quarantine::retire(block),
            }
        }
    }

    /// How long this call waits: for its timeout, its token, or the close of its handle.
    pub(super) fn wait_for<'b>(
        &'b self,
        timeout_ns: i64,
        cancel: &'b Option<Call<'_, Cancel>>,
    ) -> Wait<'b> {
        Wait::for_ns(timeout_ns)
            .or_cancel(cancel.as_deref())
            .or_closed(self.closing())
    }

    /// The token that the close of the handle fires.
    pub(super) fn closing(&self) -> &Cancel {
        // SAFETY: the token is dropped only when nobody is inside.
        unsafe { &(*self.handle.as_ptr()).closing }
    }

    /// Count a loan, which keeps the object past close, and give what leads back to it.
    pub(super) fn lend(&self) -> *mut c_void {
        self.header().state.fetch_add(ONE_LOAN, Ordering::Relaxed);
        self.handle.as_ptr().cast()
    }

    /// Count a loan that was settled.
    pub(super) fn settle(&self) {
        // Release, as in `go_out`; this call is still inside, so it is not the last one out.
        self.header().state.fetch_sub(ONE_LOAN, Ordering::Release);
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
        if self.header().go_out() {
            self.last_out();
        }
    }
}

/// Close a handle. NULL, one that is closed already and one of another type: nothing happens.
///
/// # Safety
/// As for [`enter`].
pub(super) unsafe fn close<C: Opaque>(handle: *mut C) {
    quarantine::retire_deferred();
    // SAFETY: as the caller promises.
    let Ok(handle) = (unsafe { known::<C>(handle.cast()) }) else {
        return;
    };
    // SAFETY: known to be a handle.
    let header = unsafe { handle.cast::<Header>().as_ref() };
    // Closing is a call too: it keeps the token there while that fires.
    if header.come_in(CLOSED, unless_closed).is_ok() {
        let call = Call {
            handle,
            in_handler: false,
            inside: PhantomData,
        };
        // SAFETY: this call is inside.
        unsafe { &(*call.handle.as_ptr()).closing }.fire();
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;

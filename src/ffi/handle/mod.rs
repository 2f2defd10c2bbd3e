//! Handles: C's references to objects.
//!
//! A handle is a block of memory with the object in it and one word that says whether it is closed.
//! A close marks the word and fires the handle's token, which ends the calls that wait. The last
//! call that leaves a closed handle drops the object, and with it this process's use of the object;
//! no call waits for another. A queue counts its loans: if there are loans when the last call
//! leaves, the settlement of the last loan drops the queue.
//!
//! A call (`call`) notes in its thread's record that it is inside (`presence`), which takes no atomic
//! read-modify-write. Where that is impossible (in a signal handler, for the ninth handle of a
//! thread, in a closed handle) the call counts itself in the word.
//!
//! When the object has been dropped, the memory of the handle goes to the `quarantine`, so that a
//! use after close finds a closed handle there. All steps are atomics: a fork may happen at any
//! moment, and [`enter_in_handler`] is safe in a signal handler.

mod block;
mod call;
mod presence;
mod quarantine;

use std::alloc::{alloc, Layout};
use std::mem::{offset_of, ManuallyDrop};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use self::call::{enter, enter_in_handler, enter_loan, quickly, token, wait_of, Call};
use self::call::{known, unless_closed};
use crate::ffi::handle::block::Block;
use crate::queue::Loans;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::Cancel;
use crate::sys::fork;

/// A C type that stands for a handle.
pub(crate) trait Opaque {
    /// The object in the handle.
    type Object;
    /// Distinguishes the handles of different types.
    const MAGIC: u32;
    /// The name of the type, for messages to people.
    const NAME: &'static str;
    /// Whether calls note that they are inside; a close then has to call membarrier(2). False for
    /// objects that are closed about as often as they are used.
    const NOTES_CALLS: bool = true;
    /// Where in the object its loans are counted, if it has loans.
    const LOANS_AT: Option<usize> = None;
}

// The state word, from bit 0: the number of counted calls inside, and the epoch in which they
// entered; then flags: count all calls, retired, closed.
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
    /// The offset of the object's count of loans from here; 0 if it has no loans.
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
    // The first use allocates, which must not happen in a signal handler.
    fork::epoch();
    let layout = Layout::new::<Handle<C::Object>>();
    // SAFETY: the layout is not empty.
    let place = NonNull::new(unsafe { alloc(layout) }.cast::<Handle<C::Object>>());
    let place = place.ok_or_else(|| because!(E_NO_MEMORY, "malloc(3) fails"))?;
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

/// Drop the object in a handle.
///
/// # Safety
/// `block` is that of a `Handle<T>`. The last call to leave calls this, once.
unsafe fn finish<T>(block: NonNull<Block>) {
    let handle = block.cast::<Handle<T>>().as_ptr();
    // SAFETY: no call is inside and none can enter any more, so only the caller uses these.
    unsafe {
        ManuallyDrop::drop(&mut *ptr::addr_of_mut!((*handle).object));
        ManuallyDrop::drop(&mut *ptr::addr_of_mut!((*handle).closing));
    }
}

impl Header {
    fn block(&self) -> NonNull<Block> {
        NonNull::from(&self.block)
    }

    /// Count one more call inside if `may` allows it, and set `flags`.
    #[inline(never)]
    fn count_in(&self, flags: u64, may: impl Fn(u64) -> Result<()>) -> Result<()> {
        let epoch = current_epoch();
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            may(state)?;
            // Calls that were inside when this process was forked are the parent's: no call is
            // inside here.
            let base = if state & EPOCH == epoch {
                state
            } else {
                state & !(EPOCH | CALLS) | epoch
            };
            if base & CALLS == CALLS {
                return Err(Status::E_LIMIT);
            }
            let next = (base + ONE_CALL) | flags;
            // Acquire: everything that was done before the handle was created or last left is
            // visible.
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

    /// A call that was counted leaves; return whether the caller must retire the handle.
    #[inline(never)]
    fn count_out(&self) -> bool {
        // AcqRel: everything that the calls did inside happens before the last one drops the
        // object.
        let before = self.state.fetch_sub(ONE_CALL, Ordering::AcqRel);
        before & CLOSED != 0 && self.is_deserted()
    }

    /// Return whether a call may be inside a closed handle beside the one that closes it.
    fn may_be_waited_in(&self) -> bool {
        let state = self.state.load(Ordering::Acquire);
        state & COUNTS_ALL == 0 || state & CALLS != ONE_CALL
    }

    fn has_loans(&self) -> bool {
        let loans = match self.loans_at {
            0 => return false,
            at => ptr::from_ref(self).wrapping_byte_add(at).cast::<Loans>(),
        };
        // SAFETY: within the handle, whose memory stays; the counts of loans are plain numbers,
        // also in a dropped object.
        unsafe { (*loans).is_any() }
    }

    /// Return whether no call is inside a closed handle and none can enter any more; returns true
    /// only once.
    ///
    /// A call that enters a closed handle is counted in the word, so the exchange fails if one
    /// enters after the load. A call that entered while the handle was open is in a record, unless
    /// it has left and asks the same.
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
            // No call that could make loans is inside. The call that settles the last one asks
            // again when it leaves.
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

/// The epoch of this process in the form of the state word.
fn current_epoch() -> u64 {
    (u64::from(fork::epoch()) << EPOCH_SHIFT) & EPOCH
}

/// Close a handle. Does nothing for NULL, a closed handle, or one of another type.
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
    // A close is a call too, which keeps the token alive while that fires.
    if header.count_in(CLOSED, unless_closed).is_ok() {
        // SAFETY: counted just now.
        let call = unsafe { Call::<_>::counted(handle) };
        if header.may_be_waited_in() {
            call.closing().fire();
        }
    }
}

#[cfg(test)]
mod tests;

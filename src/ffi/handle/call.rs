//! A call of C inside a handle: how it enters, how long it waits, how it leaves.
//!
//! A call notes the handle in its thread's record and then reads whether the handle is closed: see
//! `presence`, which has the other half.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{compiler_fence, AtomicUsize, Ordering};

use super::block::Block;
use super::presence::{further_place, LEAVING, RECORD};
use super::{quarantine, Handle, Header, Opaque, CLOSED, RETIRED};
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::{Cancel, LazyWait, Wait};

/// A call that is inside a handle, and may use its object. `IN_HANDLER`: a signal handler may have
/// made it.
pub(crate) struct Call<'a, T, const IN_HANDLER: bool = false> {
    handle: NonNull<Handle<T>>,
    way: Way,
    inside: PhantomData<&'a Handle<T>>,
}

/// How a call has entered, which decides how it leaves.
enum Way {
    Noted(Visit),
    Counted,
}

/// Enter an open handle.
///
/// # Safety
/// `handle` is NULL or a handle of any type, closed fewer than 1,024 closes ago if at all.
#[inline(always)]
pub(crate) unsafe fn enter<'a, C: Opaque>(handle: *mut C) -> Result<Call<'a, C::Object>> {
    // SAFETY: as the caller promises.
    unsafe { come_in::<C, false>(handle.cast(), unless_closed) }
}

/// As [`enter`], for a function that a signal handler may call. If the handle is closed meanwhile,
/// the next create or close drops the object.
///
/// # Safety
/// As for [`enter`].
pub(crate) unsafe fn enter_in_handler<'a, C: Opaque>(
    handle: *mut C,
) -> Result<Call<'a, C::Object, true>> {
    // SAFETY: as the caller promises.
    unsafe { come_in::<C, true>(handle.cast(), unless_closed) }
}

/// Run `act` inside an open handle, unless this thread makes its first call or is inside a handle
/// already. Return whether `act` did its work; if not, nothing was done, and the call must begin
/// anew.
///
/// For a call that mostly takes a few instructions. It begins anew in a function of its own, and
/// what this calls needs no argument of the call: so the quick part saves few registers.
///
/// # Safety
/// As for [`enter`]. `act` does not panic.
#[inline(always)]
pub(crate) unsafe fn quickly<C: Opaque>(
    handle: *mut C,
    act: impl FnOnce(&C::Object) -> bool,
) -> bool {
    const { assert!(C::NOTES_CALLS) };
    // SAFETY: as the caller promises.
    let Ok(handle) = (unsafe { known::<C>(handle.cast(), true) }) else {
        return false;
    };
    let [place, ..] = &RECORD.get().words;
    if place.load(Ordering::Relaxed) != 0 {
        return false;
    }
    // SAFETY: known to be a handle.
    let header = unsafe { handle.cast::<Header>().as_ref() };
    let visit = Visit::begin(place, header.block());
    // SAFETY: the object is dropped only when no call is inside.
    let object = unsafe { &(*handle.as_ptr()).object };
    // Acquire: see `note_in`.
    if header.state.load(Ordering::Acquire) & CLOSED != 0 || !act(object) {
        header.turn_back_quickly();
        return false;
    }
    visit.leave(header.block());
    match header.state.load(Ordering::Relaxed) & CLOSED == 0 {
        true => visit.forget(),
        false => header.turn_back_quickly(),
    }
    true
}

/// Enter for a loan, also into a closed handle. `E_INVALID` if the object was dropped: then no loan
/// was left.
///
/// # Safety
/// `handle` is NULL or a result of [`Call::address`].
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
    unsafe { come_in::<C, false>(handle, unless_retired) }
}

pub(super) fn unless_closed(state: u64) -> Result<()> {
    if state & CLOSED != 0 {
        return Err(Status::E_CLOSED);
    }
    Ok(())
}

/// # Safety
/// As for [`enter`].
#[inline(always)]
unsafe fn come_in<'a, C: Opaque, const IN_HANDLER: bool>(
    pointer: *mut c_void,
    may: impl Fn(u64) -> Result<()>,
) -> Result<Call<'a, C::Object, IN_HANDLER>> {
    // SAFETY: as the caller promises.
    let handle = unsafe { known::<C>(pointer, IN_HANDLER) }?;
    // SAFETY: known to be a handle.
    let header = unsafe { handle.cast::<Header>().as_ref() };
    // The record belongs to the interrupted call, which may be about to write to it.
    let noted = if IN_HANDLER || !C::NOTES_CALLS {
        None
    } else {
        header.note_in()
    };
    let way = match noted {
        Some(visit) => Way::Noted(visit),
        None => {
            header.count_in(0, may)?;
            Way::Counted
        }
    };
    Ok(Call {
        handle,
        way,
        inside: PhantomData,
    })
}

impl<T, const IN_HANDLER: bool> Call<'_, T, IN_HANDLER> {
    /// A call that [`Header::count_in`] has counted.
    ///
    /// # Safety
    /// `handle` is a handle, and the caller has counted the call.
    pub(super) unsafe fn counted(handle: NonNull<Handle<T>>) -> Self {
        Call {
            handle,
            way: Way::Counted,
            inside: PhantomData,
        }
    }

    fn header(&self) -> &Header {
        // SAFETY: a handle has its header while a call is inside.
        unsafe { self.handle.cast::<Header>().as_ref() }
    }

    #[cold]
    fn retire(&self) {
        let block = self.handle.cast::<Block>();
        // SAFETY: a handle begins with its block; it is closed, no call is inside, and only this
        // call has found that.
        unsafe {
            match IN_HANDLER {
                true => quarantine::defer(block),
                false => quarantine::retire(block),
            }
        }
    }

    /// How long this call waits: until its timeout, its token, or the close of its handle.
    pub(crate) fn wait_for<'b>(
        &'b self,
        timeout_ns: i64,
        cancel: &'b Option<Call<'_, Cancel>>,
    ) -> Wait<'b> {
        Wait::for_ns(timeout_ns)
            .or_canceled_by(cancel.as_deref())
            .or_closed(self.closing())
    }

    /// The token that the close of the handle fires.
    pub(crate) fn closing(&self) -> &Cancel {
        // SAFETY: the token is dropped only when no call is inside.
        unsafe { &(*self.handle.as_ptr()).closing }
    }

    /// The address by which a loan finds the handle again.
    pub(crate) fn address(&self) -> *mut c_void {
        self.handle.as_ptr().cast()
    }
}

impl<T, const IN_HANDLER: bool> Deref for Call<'_, T, IN_HANDLER> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the object is dropped only when no call is inside, and never borrowed mutably
        // before.
        unsafe { &(*self.handle.as_ptr()).object }
    }
}

impl<T, const IN_HANDLER: bool> Drop for Call<'_, T, IN_HANDLER> {
    #[inline]
    fn drop(&mut self) {
        let is_last = match self.way {
            Way::Noted(visit) => self.header().note_out(visit),
            Way::Counted => self.header().count_out(),
        };
        if is_last {
            self.retire();
        }
    }
}

/// A place of this thread's record that holds a handle.
#[derive(Clone, Copy)]
struct Visit(&'static AtomicUsize);

/// Note that this thread enters `block`. `None`: count the call instead.
///
/// The caller must read whether the handle is closed after this.
#[inline]
fn note(block: NonNull<Block>) -> Option<Visit> {
    let [first, ..] = &RECORD.get().words;
    let place = match first.load(Ordering::Relaxed) {
        0 => first,
        _ => further_place()?,
    };
    Some(Visit::begin(place, block))
}

impl Visit {
    /// The caller must read whether the handle is closed after this.
    #[inline]
    fn begin(place: &'static AtomicUsize, block: NonNull<Block>) -> Visit {
        place.store(block.addr().get(), Ordering::Relaxed);
        // The other half is the membarrier in `is_anybody_inside`.
        compiler_fence(Ordering::SeqCst);
        Visit(place)
    }

    /// The thread no longer uses the handle, but may read it once more before
    /// [`forget`](Self::forget).
    #[inline]
    fn leave(self, block: NonNull<Block>) {
        // Release: the thread that drops the object after reading this sees everything that was
        // done inside.
        let address = block.addr().get();
        self.0.store(address - LEAVING, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
    }

    #[inline]
    fn forget(self) {
        self.0.store(0, Ordering::Release);
    }
}

impl Header {
    /// Note that a call enters, if the handle is open and the thread has a free place.
    #[inline]
    fn note_in(&self) -> Option<Visit> {
        let visit = note(self.block())?;
        // Acquire: everything that was done before the handle was created is visible.
        if self.state.load(Ordering::Acquire) & CLOSED != 0 {
            self.turn_back(visit);
            return None;
        }
        Some(visit)
    }

    /// The handle is closed. The close may have seen the note, and left the rest to this call.
    #[cold]
    fn turn_back(&self, visit: Visit) {
        if self.note_out(visit) {
            self.retire();
        }
    }

    /// The end of [`quickly`] that has done nothing, or whose handle is closed.
    #[cold]
    #[inline(never)]
    fn turn_back_quickly(&self) {
        let [place, ..] = &RECORD.get().words;
        self.turn_back(Visit(place));
    }

    /// After [`note_out`](Self::note_out) has returned true.
    fn retire(&self) {
        // SAFETY: the handle is closed, no call is inside, and only this call has found that.
        unsafe { quarantine::retire(self.block()) };
    }

    /// A call that [`note_in`](Self::note_in) admitted leaves; returns whether the caller must
    /// retire the handle.
    #[inline]
    fn note_out(&self, visit: Visit) -> bool {
        visit.leave(self.block());
        let is_last = self.state.load(Ordering::Relaxed) & CLOSED != 0 && self.is_deserted();
        visit.forget();
        is_last
    }
}

/// Return the handle behind a pointer of C, or `E_INVALID` if it is no handle of that type; with a
/// reason, except for a call that a signal handler may make.
///
/// # Safety
/// `pointer` is NULL or a handle of any type, closed fewer than 1,024 closes ago if at
/// all.
#[inline(always)]
pub(super) unsafe fn known<C: Opaque>(
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
    // SAFETY: every handle starts with its magic number, and a closed one keeps it for its
    // quarantine. Only a pointer that is no handle can be unaligned.
    if unsafe { handle.cast::<u32>().read_unaligned() } != C::MAGIC {
        return Err(refused(other_handle));
    }
    Ok(handle)
}

// One function for each reason: a common function would make the compiler compute the reason on the
// path without a failure too.

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

/// The token that a call was given, `None` for NULL. The call keeps it alive.
///
/// # Safety
/// `cancel` is NULL or a token of C.
pub(crate) unsafe fn token<'a, C: Opaque<Object = Cancel>>(
    cancel: *mut C,
) -> Result<Option<Call<'a, Cancel>>> {
    if cancel.is_null() {
        return Ok(None);
    }
    // A closed token is a bad argument. E_CLOSED would mean that the handle of the object is
    // closed. SAFETY: as the caller promises.
    let call = unsafe { enter(cancel) }.map_err(|_| not_a_token())?;
    Ok(Some(call))
}

/// The wait of a call inside a handle: for its timeout, its token, or the close of the handle. The
/// token's handle is entered only when the call begins to wait.
///
/// It has the address of the handle and not of the call, which can stay in registers so.
pub(crate) struct CallWait<'a, T, C> {
    handle: NonNull<Handle<T>>,
    timeout_ns: i64,
    cancel: *mut C,
    call: PhantomData<&'a Call<'a, T>>,
}

/// How long `call` waits; `E_INVALID` if `cancel` is no open token.
///
/// # Safety
/// `cancel` is NULL or a token of C, and is valid as long as the result.
#[inline(always)]
pub(crate) unsafe fn wait_of<'a, T, C: Opaque<Object = Cancel>>(
    call: &'a Call<'_, T>,
    timeout_ns: i64,
    cancel: *mut C,
) -> Result<CallWait<'a, T, C>> {
    if !cancel.is_null() {
        // SAFETY: as the caller promises.
        unsafe { check_token(cancel) }?;
    }
    Ok(CallWait {
        handle: call.handle,
        timeout_ns,
        cancel,
        call: PhantomData,
    })
}

impl<T, C: Opaque<Object = Cancel>> LazyWait for CallWait<'_, T, C> {
    #[inline(always)]
    fn begin<R>(self, rest: impl FnOnce(Wait<'_>) -> Result<R>) -> Result<R> {
        // SAFETY: the call is inside the handle as long as this wait exists, and `cancel` is valid
        // as the caller of `wait_of` promised.
        unsafe { begin(self.handle, self.timeout_ns, self.cancel, rest) }
    }
}

/// # Safety
/// A call is inside the handle, and `cancel` is NULL or a token of C.
#[cold]
#[inline(never)]
unsafe fn begin<T, C: Opaque<Object = Cancel>, R>(
    handle: NonNull<Handle<T>>,
    timeout_ns: i64,
    cancel: *mut C,
    rest: impl FnOnce(Wait<'_>) -> Result<R>,
) -> Result<R> {
    // SAFETY: as the caller promises.
    let (cancel, closing) = unsafe { (token(cancel)?, &(*handle.as_ptr()).closing) };
    let wait = Wait::for_ns(timeout_ns).or_canceled_by(cancel.as_deref());
    rest(wait.or_closed(closing))
}

/// # Safety
/// As for [`token`].
#[cold]
#[inline(never)]
unsafe fn check_token<C: Opaque<Object = Cancel>>(cancel: *mut C) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe { token(cancel) }.map(drop)
}

#[cold]
#[inline(never)]
fn not_a_token() -> Status {
    because!(E_INVALID, "cancel is not an open token")
}

//! `polyproc_barrier_arrive`, `polyproc_barrier_complete`: a barrier with an action.

use crate::ffi::abi::check::{guard, switch, Out};
use crate::ffi::barrier::polyproc_barrier;
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{enter, token};
use crate::status::Status;

/// <!-- Barrier, advanced: two steps, with an action between arriving and going on -->
/// Wait until all parties have arrived, and hold them for an action. The last party to arrive is
/// the leader: its call returns at once. The others are held until the leader calls
/// polyproc_barrier_complete. When the leader's process ends before that, the barrier is broken.
///
/// ```text
/// barrier     open handle.
/// out_index   the number of this party in the round, 0 to parties - 1.
/// out_leader  1 for the leader, else 0.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 succeeds for the last party only.
///             The time during which parties are held counts.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK
///          E_BROKEN_BARRIER  it was broken before or meanwhile (a party gave up or died, or abort
///                            or the leader broke it), or it was reset meanwhile.
///          E_TIMEOUT, E_CANCELED, E_CLOSED  the wait ended early, which breaks the barrier for all
///                            parties. Exception: while the leader holds the previous round, a
///                            new party may leave and breaks nothing.
///          E_INTERRUPTED     this party counts as not arrived, and may call again; nothing is
///                            broken.
///          E_CORRUPT         its memory is damaged.
///          E_LIMIT           too many processes or threads use it.
///          E_INVALID         not a handle of a barrier, not a token, or an output is NULL.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_arrive(
    barrier: *mut polyproc_barrier,
    out_index: *mut u32,
    out_leader: *mut i32,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let barrier = unsafe { enter(barrier) }?;
        // SAFETY: the caller passes a place for the index or NULL.
        let out_index = unsafe { Out::required(out_index, "out_index") }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_leader = unsafe { Out::required(out_leader, "out_leader") }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        let arrival = barrier.arrive_timeout(barrier.wait_for(timeout_ns, &cancel))?;
        out_index.write(arrival.index);
        out_leader.write(arrival.leader.into());
        Ok(Status::OK)
    })
}

/// End the round that the leader holds. Any thread of the leader's process may call this.
///
/// ```text
/// barrier  open handle.
/// ok       1 lets the others go, 0 breaks the barrier: they get E_BROKEN_BARRIER.
///
/// Returns  OK
///          E_BROKEN_BARRIER  it was broken meanwhile: a party gave up or died.
///          E_NOT_OWNER       this process is not the leader of a round that is held; also when the
///                            barrier was reset meanwhile.
///          E_TIMEOUT         a peer is stopped inside a call; nothing has changed.
///          E_CORRUPT         its memory is damaged.
///          E_LIMIT           too many processes use it.
///          E_CLOSED          the handle is closed.
///          E_INVALID         not a handle of a barrier, or ok is neither 0 nor 1.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_barrier_complete(barrier: *mut polyproc_barrier, ok: i32) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let barrier = unsafe { enter(barrier) }?;
        barrier.complete(switch(ok, "ok")?)?;
        Ok(Status::OK)
    })
}

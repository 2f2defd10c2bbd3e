//! `polyproc_wait_any`.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::connection::{Connection, Listener};
use crate::ffi::abi::check::{guard, room, Out};
use crate::ffi::abi::constants::{
    POLYPROC_WAIT_CONNECTION, POLYPROC_WAIT_EVENT, POLYPROC_WAIT_LISTENER, POLYPROC_WAIT_PROCESS,
    POLYPROC_WAIT_QUEUE_GET, POLYPROC_WAIT_QUEUE_PUT, POLYPROC_WAIT_QUEUE_SETTLED,
    POLYPROC_WAIT_TASK,
};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::connection::polyproc_connection;
use crate::ffi::event::polyproc_event;
use crate::ffi::handle::{enter, token, Call};
use crate::ffi::listener::polyproc_listener;
use crate::ffi::pool::task::polyproc_task;
use crate::ffi::process::polyproc_process;
use crate::ffi::queue::polyproc_queue;
use crate::object::Event;
use crate::pool::Task;
use crate::process::Process;
use crate::queue::Queue;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::{Cancel, Wait};
use crate::wait::{wait_any_raw, Waitable};

/// One thing that `polyproc_wait_any` waits for.
#[repr(C)]
pub struct polyproc_waitable {
    /// `POLYPROC_WAIT_*`: the condition to wait for.
    pub kind: i32,
    /// Written: 1 when it is ready, else 0.
    pub ready: i32,
    /// The handle, of the type that the kind names.
    pub object: *mut c_void,
}

/// <!-- Waiting for several things -->
/// Wait until at least one of several things is ready: queues to get from or to put into, events,
/// connections to receive from, listeners, processes, tasks. The call performs no operation:
/// another process may be faster, so the operation may still have to wait.
///
/// ```text
/// items       what to wait for; their `ready` is written.
/// n           how many, at least 1. The call returns as soon as one is ready. If the things and
///             the processes that use them are together more than about a hundred, the call may
///             return up to 10 ms later.
/// out_ready   how many of them are ready, 1 at least.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 look once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK         at least one is ready.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED  none is.
///          E_CLOSED   one of the handles is closed, or was while the call waited.
///          E_UNSUPPORTED  a connection that only sends is among them.
///          E_LIMIT    too many descriptors or threads are there.
///          E_CORRUPT  one of the objects is damaged.
///          E_NO_MEMORY memory is exhausted.
///          E_INVALID  no items, an unknown kind, not a handle of its kind, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_wait_any(
    items: *mut polyproc_waitable,
    n: usize,
    out_ready: *mut usize,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes n items or NULL.
        let items = unsafe { room(items, n, "items") }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_ready = unsafe { Out::required(out_ready, "out_ready") }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        // SAFETY: the caller filled in every item.
        let calls = items.iter().map(|item| unsafe { AnyCall::enter(item) });
        let calls = calls.collect::<Result<Vec<_>>>()?;
        let closings: Vec<&Cancel> = calls.iter().map(AnyCall::closing).collect();
        let waitables: Vec<Waitable<'_>> = calls.iter().map(AnyCall::waitable).collect();
        let mut ready = vec![false; waitables.len()];
        let wait = Wait::for_ns(timeout_ns)
            .or_canceled_by(cancel.as_deref())
            .or_any_closed(&closings);
        let count = wait_any_raw(&waitables, &mut ready, wait)?;
        for (item, ready) in items.iter_mut().zip(ready) {
            // SAFETY: filled in by the caller, and this call's until it returns.
            unsafe { item.assume_init_mut() }.ready = ready.into();
        }
        out_ready.write(count);
        Ok(Status::OK)
    })
}

/// A call inside the handle of an item.
enum AnyCall<'a> {
    Get(Call<'a, Queue>),
    Put(Call<'a, Queue>),
    Settled(Call<'a, Queue>),
    Event(Call<'a, Event>),
    Connection(Call<'a, Connection>),
    Listener(Call<'a, Listener>),
    Process(Call<'a, Process>),
    Task(Call<'a, Task>),
}

impl<'a> AnyCall<'a> {
    /// # Safety
    /// The item was filled in; its object is as [`enter`] wants it.
    unsafe fn enter(item: &MaybeUninit<polyproc_waitable>) -> Result<AnyCall<'a>> {
        // SAFETY: as the caller promises.
        let item = unsafe { item.assume_init_ref() };
        let object = item.object;
        // SAFETY: as the caller promises.
        unsafe {
            Ok(match item.kind {
                POLYPROC_WAIT_QUEUE_GET => AnyCall::Get(enter(object.cast::<polyproc_queue>())?),
                POLYPROC_WAIT_QUEUE_PUT => AnyCall::Put(enter(object.cast::<polyproc_queue>())?),
                POLYPROC_WAIT_QUEUE_SETTLED => {
                    AnyCall::Settled(enter(object.cast::<polyproc_queue>())?)
                }
                POLYPROC_WAIT_EVENT => AnyCall::Event(enter(object.cast::<polyproc_event>())?),
                POLYPROC_WAIT_CONNECTION => {
                    AnyCall::Connection(enter(object.cast::<polyproc_connection>())?)
                }
                POLYPROC_WAIT_LISTENER => {
                    AnyCall::Listener(enter(object.cast::<polyproc_listener>())?)
                }
                POLYPROC_WAIT_PROCESS => {
                    AnyCall::Process(enter(object.cast::<polyproc_process>())?)
                }
                POLYPROC_WAIT_TASK => AnyCall::Task(enter(object.cast::<polyproc_task>())?),
                unknown => {
                    return Err(because!(
                        E_INVALID,
                        "an item's kind is {unknown}, which nothing has"
                    ))
                }
            })
        }
    }

    fn closing(&self) -> &Cancel {
        match self {
            AnyCall::Get(call) | AnyCall::Put(call) | AnyCall::Settled(call) => call.closing(),
            AnyCall::Event(call) => call.closing(),
            AnyCall::Connection(call) => call.closing(),
            AnyCall::Listener(call) => call.closing(),
            AnyCall::Process(call) => call.closing(),
            AnyCall::Task(call) => call.closing(),
        }
    }

    fn waitable(&self) -> Waitable<'_> {
        match self {
            AnyCall::Get(queue) => Waitable::Get(queue),
            AnyCall::Put(queue) => Waitable::Put(queue),
            AnyCall::Settled(queue) => Waitable::Settled(queue),
            AnyCall::Event(event) => Waitable::Event(event),
            AnyCall::Connection(connection) => Waitable::Receive(connection),
            AnyCall::Listener(listener) => Waitable::Listener(listener),
            AnyCall::Process(process) => Waitable::Process(process),
            AnyCall::Task(task) => Waitable::Task(task),
        }
    }
}

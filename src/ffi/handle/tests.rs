use std::sync::atomic::AtomicBool;
use std::sync::Arc;
use std::thread;

use super::*;

/// Says when it is dropped.
struct Probe(Arc<AtomicBool>, Loans);

impl Drop for Probe {
    fn drop(&mut self) {
        assert!(!self.0.swap(true, Ordering::SeqCst), "dropped twice");
    }
}

struct ProbeHandle;

impl Opaque for ProbeHandle {
    type Object = Probe;
    const MAGIC: u32 = 0x1111;
    const NAME: &'static str = "probe";
    const LOANS_AT: Option<usize> = Some(offset_of!(Probe, 1));
}

struct OtherHandle;

impl Opaque for OtherHandle {
    type Object = Probe;
    const MAGIC: u32 = 0x2222;
    const NAME: &'static str = "probe";
}

fn probe() -> (Arc<AtomicBool>, *mut ProbeHandle) {
    let dropped = Arc::new(AtomicBool::new(false));
    let handle = new::<ProbeHandle>(Probe(dropped.clone(), Loans::new())).unwrap();
    (dropped, handle)
}

fn status<T>(result: Result<T>) -> Status {
    result.err().unwrap_or(Status::OK)
}

#[test]
fn close_drops_the_object_and_later_calls_are_told() {
    let (dropped, handle) = probe();
    // SAFETY: a handle, closed a moment ago at most.
    unsafe {
        drop(enter(handle).unwrap());
        assert!(!dropped.load(Ordering::SeqCst));
        close(handle);
        assert!(dropped.load(Ordering::SeqCst));
        assert_eq!(status(enter(handle)), Status::E_CLOSED);
        close(handle);
        close(ptr::null_mut::<ProbeHandle>());
    }
}

#[test]
fn a_quick_call_leaves_a_closed_handle_alone() {
    let (dropped, handle) = probe();
    // SAFETY: a handle, closed a moment ago at most.
    unsafe {
        get_a_record(handle);
        assert!(!quickly(handle, |_| false));
        assert!(!quickly(ptr::null_mut::<ProbeHandle>(), |_| true));
        assert!(!quickly(handle.cast::<OtherHandle>(), |_| true));
        let outer = enter(handle).unwrap();
        assert!(!quickly(handle, |_| true), "inside a handle already");
        drop(outer);
        close(handle);
        assert!(dropped.load(Ordering::SeqCst));
        assert!(!quickly(handle, |_| unreachable!()));
        assert_eq!(status(enter(handle)), Status::E_CLOSED);
    }
}

/// The first call of a thread gets it a record, once the process has registered for barriers.
///
/// # Safety
/// `handle` is open.
unsafe fn get_a_record(handle: *mut ProbeHandle) {
    crate::segment::register_for_barriers();
    // SAFETY: as the caller promises.
    while !unsafe { quickly(handle, |_| true) } {
        // SAFETY: as above.
        drop(unsafe { enter(handle) }.unwrap());
        std::thread::yield_now();
    }
}

#[test]
fn a_quick_call_drops_an_object_that_is_closed_meanwhile() {
    for does_its_work in [true, false] {
        let (dropped, handle) = probe();
        // SAFETY: a handle, closed a moment ago at most.
        unsafe {
            get_a_record(handle);
            let told = quickly(handle, |probe| {
                close(handle);
                assert!(!probe.0.load(Ordering::SeqCst));
                does_its_work
            });
            assert_eq!(told, does_its_work);
        }
        assert!(dropped.load(Ordering::SeqCst));
    }
}

#[test]
fn another_type_is_told_and_left_alone() {
    let (dropped, handle) = probe();
    // SAFETY: a handle, and pointers that are looked at no further than allowed.
    unsafe {
        assert_eq!(
            status(enter(handle.cast::<OtherHandle>())),
            Status::E_INVALID
        );
        close(handle.cast::<OtherHandle>());
        assert!(!dropped.load(Ordering::SeqCst));
        assert_eq!(
            status(enter(handle.cast::<u8>().add(1).cast::<ProbeHandle>())),
            Status::E_INVALID
        );
        assert_eq!(
            status(enter(ptr::null_mut::<ProbeHandle>())),
            Status::E_INVALID
        );
        close(handle);
    }
}

#[test]
fn the_last_one_out_drops_the_object() {
    let (dropped, handle) = probe();
    // SAFETY: a handle, closed a moment ago at most.
    unsafe {
        let first = enter(handle).unwrap();
        let second = enter(handle).unwrap();
        close(handle);
        drop(first);
        assert!(!dropped.load(Ordering::SeqCst));
        drop(second);
    }
    assert!(dropped.load(Ordering::SeqCst));
}

#[test]
fn a_loan_keeps_the_object_past_close() {
    let (dropped, handle) = probe();
    // SAFETY: a handle, closed a moment ago at most, and its loan.
    unsafe {
        let call = enter(handle).unwrap();
        call.1.lent_apart();
        let loan = call.address();
        drop(call);
        close(handle);
        assert_eq!(status(enter(handle)), Status::E_CLOSED);
        assert!(!dropped.load(Ordering::SeqCst));
        let last = enter_loan::<ProbeHandle>(loan).unwrap();
        last.1.settled_apart();
        assert!(!dropped.load(Ordering::SeqCst));
        drop(last);
        assert!(dropped.load(Ordering::SeqCst));
        assert_eq!(status(enter_loan::<ProbeHandle>(loan)), Status::E_INVALID);
        assert_eq!(
            status(enter_loan::<ProbeHandle>(ptr::null_mut())),
            Status::E_INVALID
        );
    }
}

#[test]
fn a_signal_handler_leaves_the_drop_to_others() {
    let (dropped, handle) = probe();
    // SAFETY: a handle, closed a moment ago at most.
    unsafe {
        let call = enter_in_handler(handle).unwrap();
        close(handle);
        drop(call);
    }
    quarantine::retire_deferred();
    // Another test's create or close may have been the one to drop it, and may be about to.
    while !dropped.load(Ordering::SeqCst) {
        thread::yield_now();
    }
}

#[test]
fn a_block_rests_for_a_thousand_closes() {
    let (_, handle) = probe();
    // SAFETY: handles; the first is looked at before 1,024 more were closed. Other tests close a
    // few at the same time.
    unsafe {
        close(handle);
        for _ in 0..quarantine::LENGTH - 64 {
            close(probe().1);
        }
        assert_eq!(status(enter(handle)), Status::E_CLOSED);
        for _ in 0..quarantine::LENGTH {
            close(probe().1);
        }
    }
}

#[test]
fn calls_and_close_race_without_a_use_after_drop() {
    for _ in 0..200 {
        let (dropped, handle) = probe();
        let address = handle as usize;
        let users: Vec<_> = (0..3)
            .map(|_| {
                thread::spawn(move || {
                    let handle = address as *mut ProbeHandle;
                    let is_there = |probe: &Probe| !probe.0.load(Ordering::SeqCst);
                    // SAFETY: a handle, closed a moment ago at most.
                    while let Ok(call) = unsafe { enter(handle) } {
                        assert!(is_there(&call));
                        drop(call);
                        let looks = |probe: &Probe| {
                            assert!(is_there(probe));
                            true
                        };
                        // SAFETY: as above.
                        unsafe { quickly(handle, looks) };
                    }
                })
            })
            .collect();
        // SAFETY: the handle of this test.
        unsafe { close(handle) };
        users.into_iter().for_each(|user| user.join().unwrap());
        assert!(dropped.load(Ordering::SeqCst));
    }
}

//! The time in which a killed process's keeper has ended and its other threads have not.

use std::sync::atomic::{AtomicU64, Ordering};

use polyproc::{Acquired, CreateOptions, Lock, Wait};

use crate::child::{Child, DEADLINE};

/// How often: the busy thread and the end meet at another moment each time.
const ROUNDS: usize = 60;

/// A thread of the victim writes as fast as it can under the lock. Once another process has the
/// lock, no write may come any more.
#[test]
fn a_killed_process_writes_no_more_when_it_counts_as_dead() {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: a fresh anonymous mapping, checked.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, access, flags, -1, 0) };
    assert_ne!(page, libc::MAP_FAILED);
    // SAFETY: mapped until the end of this function.
    let written = unsafe { &*page.cast::<AtomicU64>() };
    for round in 0..ROUNDS {
        let lock = Lock::create(None, CreateOptions::default()).unwrap();
        written.store(0, Ordering::SeqCst);
        let victim = Child::started(|| {
            lock.try_acquire().unwrap();
            loop {
                written.fetch_add(1, Ordering::Relaxed);
            }
        });
        while written.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        victim.signal(libc::SIGKILL);
        let wait = Wait::from(DEADLINE);
        assert_eq!(lock.acquire_timeout(wait), Ok(Acquired::OwnerDied));
        let last = written.load(Ordering::SeqCst);
        victim.kill();
        assert_eq!(written.load(Ordering::SeqCst), last, "round {round}");
    }
    // SAFETY: nobody uses it any more.
    unsafe { libc::munmap(page, 4096) };
}

//! Barriers that one thread issues for other threads, by membarrier(2).
//!
//! [`wait_for_killed_threads`] makes sure that no thread of a process that is marked dead runs any
//! more. The kernel marks a life word when the keeper thread ends. By then the kernel has set the
//! signal that ends the other threads: it sets the signal for all threads under one lock, which the
//! keeper needs in order to end. But a thread that runs on another core continues until an
//! interrupt reaches that core. membarrier(2) sends an interrupt to every core that runs such a
//! process and waits for it; the thread ends on its way back from the interrupt.
//!
//! The kernel sends these interrupts only to processes that have registered. A registration takes
//! microseconds in a process with one thread. With more threads the kernel waits for a grace period
//! of its RCU, which takes tens of milliseconds, or seconds on a busy machine, and cannot be
//! interrupted. So such a process registers on a thread of its own. Until it has registered, others
//! need the slow barrier, which waits for a grace period and needs no registration.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::{fork, procfs, thread};

const MEMBARRIER_CMD_QUERY: libc::c_int = 0;
const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;
const MEMBARRIER_CMD_GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;
const MEMBARRIER_CMD_PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

/// The epoch in which this process began to register; 0 before that.
static BEGUN_IN: AtomicU32 = AtomicU32::new(0);
/// The epoch in which the quick barrier of other processes began to reach this one; 0 before that.
/// A fork that began before the registration may copy this word after it.
static REACHED_IN: AtomicU32 = AtomicU32::new(0);
/// [`all_threads`] works.
static REACHES_ALL_THREADS: AtomicBool = AtomicBool::new(false);

/// Register this process for the quick barrier of [`wait_for_killed_threads`], which any process of
/// this machine may call, and for [`all_threads`], if that takes no time, and unless this process
/// has begun. Since Linux 4.16.
pub(crate) fn register_if_quick() {
    // Without a slow barrier, nobody else could wait for the threads of a process that dies before
    // it has registered.
    let at_once = || procfs::has_one_thread() || !supports(MEMBARRIER_CMD_GLOBAL);
    if !has_begun() && at_once() && begins() {
        register_here();
    }
}

/// As [`register_if_quick`], on another thread if that takes time. That thread calls `then` when it
/// has registered the process.
pub(crate) fn register(then: fn()) {
    register_if_quick();
    if begins() {
        register_on_a_thread(then);
    }
}

fn has_begun() -> bool {
    BEGUN_IN.load(Ordering::Relaxed) == fork::epoch()
}

/// Return true once for a process: the caller registers it.
fn begins() -> bool {
    let epoch = fork::epoch();
    BEGUN_IN.swap(epoch, Ordering::Relaxed) != epoch
}

fn register_on_a_thread(then: fn()) {
    let body = Box::new(move || {
        if register_for_quick_barrier() {
            then();
        }
        register_for_all_threads();
    });
    if thread::start_once(body).is_err() {
        register_here();
    }
}

fn register_here() {
    register_for_quick_barrier();
    register_for_all_threads();
}

fn register_for_quick_barrier() -> bool {
    let is_reached = membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
    let epoch = if is_reached { fork::epoch() } else { 0 };
    REACHED_IN.store(epoch, Ordering::SeqCst);
    is_reached
}

fn register_for_all_threads() {
    let works = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    REACHES_ALL_THREADS.store(works, Ordering::Release);
}

/// Report whether the quick barrier of other processes reaches this one.
pub(crate) fn is_reached() -> bool {
    REACHED_IN.load(Ordering::SeqCst) == fork::epoch()
}

/// Report whether [`all_threads`] works.
pub(crate) fn reaches_all_threads() -> bool {
    REACHES_ALL_THREADS.load(Ordering::Acquire)
}

/// Wait until every thread whose end the kernel has ordered before this call has left its program.
/// `quickly`: all of their processes had registered.
pub(crate) fn wait_for_killed_threads(quickly: bool) {
    if quickly || !membarrier(MEMBARRIER_CMD_GLOBAL) {
        membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
    }
}

/// Issue a full barrier on every thread of this process, for which
/// [`reaches_all_threads`] was true once, maybe before a fork.
pub(crate) fn all_threads() {
    // A forked child may have to register again.
    if !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
        membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    }
}

/// Report whether the kernel has the barriers that reach other processes.
pub(crate) fn is_allowed() -> bool {
    supports(MEMBARRIER_CMD_GLOBAL_EXPEDITED)
}

fn supports(command: libc::c_int) -> bool {
    // SAFETY: no pointers.
    let commands = unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) };
    commands > 0 && commands & libc::c_long::from(command) != 0
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::sync::Mutex;
    use std::thread::ThreadId;

    /// A first use took 28 ms in a process of several threads, and seconds on a busy machine.
    #[test]
    fn no_thread_of_the_program_waits_for_a_registration() {
        static DONE_BY: Mutex<Option<ThreadId>> = Mutex::new(None);
        register_on_a_thread(|| {
            *DONE_BY.lock().unwrap() = Some(std::thread::current().id());
        });
        while DONE_BY.lock().unwrap().is_none() {
            std::thread::yield_now();
        }
        assert!(is_reached());
        assert_ne!(*DONE_BY.lock().unwrap(), Some(std::thread::current().id()));
    }

    #[test]
    fn the_slow_barrier_needs_no_registration() {
        assert!(supports(MEMBARRIER_CMD_GLOBAL));
        wait_for_killed_threads(false);
    }

    /// A fork copies whether a process is registered before it copies the memory that says so.
    #[test]
    fn a_forked_child_is_reached_when_it_has_registered_itself() {
        register_here();
        assert!(is_reached());
        let mut child = std::process::Command::new("true");
        let registers = || match (is_reached(), register_here(), is_reached()) {
            (false, (), true) => Ok(()),
            _ => Err(std::io::ErrorKind::Other.into()),
        };
        // SAFETY: only system calls and atomics.
        unsafe { child.pre_exec(registers) };
        assert!(child.status().is_ok_and(|ended| ended.success()));
    }
}

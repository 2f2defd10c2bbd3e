//! Barriers that one thread issues for other threads, by membarrier(2).
//!
//! [`settle`] makes sure that no thread of a process that is marked dead runs any more. The kernel
//! marks a life word when the keeper thread ends. By then the kernel has set the signal that ends
//! the other threads: it sets the signal for all threads under one lock, which the keeper needs in
//! order to end. But a thread that runs on another core continues until an interrupt reaches that
//! core. membarrier(2) sends an interrupt to every core that runs such a process and waits for it;
//! the thread ends on its way back from the interrupt.

const MEMBARRIER_CMD_GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const MEMBARRIER_CMD_PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
const MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;

/// Register this process for [`settle`], which any process of this machine may call, and for
/// [`all_threads`]. Since Linux 4.16. If the kernel refuses the registration, there is no other
/// way.
///
/// This takes microseconds in a process with one thread; with more threads the kernel waits for a
/// grace period each time. A forked child is registered as its parent was.
pub(crate) fn register() {
    membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
    register_all_threads();
}

/// Wait until every thread whose end the kernel has ordered before this call has left its program.
pub(crate) fn settle() {
    membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

/// Make [`all_threads`] work in this process. Return whether it does. Since Linux 4.14.
pub(crate) fn register_all_threads() -> bool {
    membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
}

/// Issue a full barrier on every thread of this process, which was registered before.
pub(crate) fn all_threads() {
    // A forked child may have to register again.
    if !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
        register_all_threads();
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    }
}

/// Report whether the kernel has the barriers that reach other processes.
pub(crate) fn is_allowed() -> bool {
    const MEMBARRIER_CMD_QUERY: libc::c_int = 0;
    // SAFETY: no pointers.
    let commands = unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) };
    commands > 0 && commands & libc::c_long::from(MEMBARRIER_CMD_GLOBAL_EXPEDITED) != 0
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

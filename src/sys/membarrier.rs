//! Barriers that one thread lays for others, by membarrier(2).
//!
//! [`settle`] makes sure that a process that is marked dead runs no more.
//! The kernel marks a life word when the keeper thread ends. The other threads of the process have been
//! told to end by then (the signal that ends them is set for all of them under one lock, which the keeper
//! needs to end), but one that runs on another core runs on until the interrupt with that news gets
//! there. membarrier(2) sends an interrupt to every core that runs such a process and waits for it: on its
//! way back from it the thread ends.

const MEMBARRIER_CMD_GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const MEMBARRIER_CMD_PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
const MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;

/// Have [`settle`], called anywhere on this machine, reach this process (since Linux 4.16; where it is
/// refused there is nothing else to be done), and make [`all_threads`] work in it.
///
/// Takes microseconds in a process of one thread; with more, the kernel waits for a grace period each. A
/// forked child is registered as its parent was.
pub(crate) fn register() {
    membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
    register_all_threads();
}

/// Wait until no thread that was told to end before is still in its program.
pub(crate) fn settle() {
    membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

/// Make [`all_threads`] work in this process; whether it does. Since Linux 4.14.
pub(crate) fn register_all_threads() -> bool {
    membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
}

/// A full barrier on every thread of this process, registered before.
pub(crate) fn all_threads() {
    // A forked child may have to register anew.
    if !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
        register_all_threads();
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    }
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

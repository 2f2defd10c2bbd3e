//! Making sure that a process that is marked dead runs no more.
//!
//! The kernel marks a life word when the keeper thread ends. The other threads of the process have been
//! told to end by then (the signal that ends them is set for all of them under one lock, which the keeper
//! needs to end), but one that runs on another core runs on until the interrupt with that news gets
//! there. membarrier(2) sends an interrupt to every core that runs such a process and waits for it: on its
//! way back from it the thread ends.

const MEMBARRIER_CMD_GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;

/// Have [`settle`], called anywhere on this machine, reach this process. Since Linux 4.16; where it is
/// refused there is nothing else to be done.
pub(crate) fn register() {
    membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
}

/// Wait until no thread that was told to end before is still in its program.
pub(crate) fn settle() {
    membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

fn membarrier(command: libc::c_int) {
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
}

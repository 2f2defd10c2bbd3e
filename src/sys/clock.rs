//! The monotonic clock.

use std::time::Duration;

/// Nanoseconds of CLOCK_MONOTONIC, the clock of every timeout.
pub(crate) fn now_ns() -> u64 {
    let time = read(libc::CLOCK_MONOTONIC);
    (time.tv_sec as u64)
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec as u64)
}

/// Milliseconds of the same clock as of the kernel's last tick, 1 to 10 ms ago: cheaper to read.
pub(crate) fn coarse_ms() -> u64 {
    let time = read(libc::CLOCK_MONOTONIC_COARSE);
    (time.tv_sec as u64)
        .saturating_mul(1000)
        .saturating_add(time.tv_nsec as u64 / 1_000_000)
}

/// The time since the system's start, as the start times in /proc count it.
pub(crate) fn since_boot() -> Duration {
    let time = read(libc::CLOCK_BOOTTIME);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[inline]
fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is writable and the clocks exist on every Linux.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time
}

/// `ns` as the `struct timespec` of the kernel.
pub(crate) fn timespec(ns: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (ns / 1_000_000_000) as _,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    }
}

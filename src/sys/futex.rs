//! Sleeping on a word, and waking the sleepers of a word, between processes.
//!
//! No call uses FUTEX_PRIVATE_FLAG, since the words lie in shared memory.

use std::sync::atomic::{AtomicU32, AtomicU8, Ordering};

use super::{clock, errno};

/// Maximum number of words on which the kernel lets one call wait.
const MAX_WORDS: usize = 128;

const FUTEX2_SIZE_U32: u32 = 2;
/// Since Linux 5.16; the number is the same on every architecture.
const SYS_FUTEX_WAITV: libc::c_long = 449;

/// One word of a [`wait_any`]: `struct futex_waitv`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct WaitWord {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

impl WaitWord {
    /// Sleep while the word at `address` holds `value`.
    ///
    /// The address is only passed to the kernel, which returns EFAULT for a bad one.
    pub(crate) fn new(address: *const u32, value: u32) -> WaitWord {
        WaitWord {
            value: u64::from(value),
            address: address as u64,
            flags: FUTEX2_SIZE_U32,
            reserved: 0,
        }
    }

    const EMPTY: WaitWord = WaitWord {
        value: 0,
        address: 0,
        flags: 0,
        reserved: 0,
    };
}

/// The words of one [`wait_any`].
pub(crate) struct WordList {
    words: [WaitWord; MAX_WORDS],
    count: usize,
    /// Whether some words did not fit.
    pub(crate) overflowed: bool,
}

impl WordList {
    pub(crate) fn new() -> WordList {
        WordList {
            words: [WaitWord::EMPTY; MAX_WORDS],
            count: 0,
            overflowed: false,
        }
    }

    /// Add a word: the sleep also lasts only while the word at `address` holds `value`.
    pub(crate) fn add(&mut self, address: *const u32, value: u32) {
        match self.words.get_mut(self.count) {
            Some(place) => {
                *place = WaitWord::new(address, value);
                self.count += 1;
            }
            None => self.overflowed = true,
        }
    }

    /// The first word, and its value.
    pub(crate) fn first(&self) -> Option<(*const u32, u32)> {
        let first = self.as_slice().first()?;
        Some((first.address as *const u32, first.value as u32))
    }

    pub(crate) fn as_slice(&self) -> &[WaitWord] {
        self.words.get(..self.count).unwrap_or(&self.words)
    }
}

/// The reason why a sleep ended. Every wake-up except `Unsupported` may be spurious: look at the
/// words again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wakeup {
    /// A waker woke the sleeper, or a word no longer held its value.
    Woken,
    /// The deadline passed.
    TimedOut,
    /// A signal handler ran.
    Interrupted,
    /// The kernel or a seccomp filter refuses futex_waitv.
    Unsupported,
}

fn wakeup_of(errno: i32) -> Wakeup {
    match errno {
        libc::ETIMEDOUT => Wakeup::TimedOut,
        libc::EINTR => Wakeup::Interrupted,
        _ => Wakeup::Woken,
    }
}

/// Sleep while `word` holds `value`, until `deadline` in nanoseconds of the monotonic clock.
pub(crate) fn wait(word: &AtomicU32, value: u32, deadline: Option<u64>) -> Wakeup {
    wait_address(word.as_ptr(), value, deadline)
}

/// As [`wait`], for a word whose memory the caller keeps alive.
pub(crate) fn wait_address(address: *const u32, value: u32, deadline: Option<u64>) -> Wakeup {
    let until = deadline.map(clock::timespec);
    let timeout = until
        .as_ref()
        .map_or(std::ptr::null(), |time| time as *const libc::timespec);
    // SAFETY: the kernel checks the address; BITSET takes an absolute monotonic time.
    let done = unsafe {
        libc::syscall(
            libc::SYS_futex,
            address,
            libc::FUTEX_WAIT_BITSET,
            value,
            timeout,
            std::ptr::null::<u32>(),
            libc::FUTEX_BITSET_MATCH_ANY,
        )
    };
    if done == 0 {
        Wakeup::Woken
    } else {
        wakeup_of(errno())
    }
}

/// Sleep for at most `ns` nanoseconds.
pub(crate) fn sleep(ns: u64) {
    wait(&AtomicU32::new(0), 0, Some(clock::now_ns() + ns));
}

/// Sleep while every word holds its value, until `deadline`.
pub(crate) fn wait_any(words: &[WaitWord], deadline: Option<u64>) -> Wakeup {
    let until = deadline.map(clock::timespec);
    let timeout = until
        .as_ref()
        .map_or(std::ptr::null(), |time| time as *const libc::timespec);
    // SAFETY: the array is valid for its length; the kernel checks each address.
    let done = unsafe {
        libc::syscall(
            SYS_FUTEX_WAITV,
            words.as_ptr(),
            words.len() as libc::c_uint,
            0,
            timeout,
            libc::CLOCK_MONOTONIC,
        )
    };
    if done >= 0 {
        return Wakeup::Woken;
    }
    match errno() {
        libc::ENOSYS | libc::EPERM => Wakeup::Unsupported,
        other => wakeup_of(other),
    }
}

/// Wake at most `count` sleepers of `word`. Return how many were woken.
pub(crate) fn wake(word: &AtomicU32, count: u32) -> usize {
    wake_address(word.as_ptr(), count)
}

/// As [`wake`], for a word that is half of a larger word.
pub(crate) fn wake_address(address: *const u32, count: u32) -> usize {
    let count = count.min(i32::MAX as u32);
    // SAFETY: waking reads no memory; the kernel uses the address as a key and checks it.
    let woken = unsafe { libc::syscall(libc::SYS_futex, address, libc::FUTEX_WAKE, count) };
    usize::try_from(woken).unwrap_or(0)
}

/// Report whether [`wait_any`] is available. With `POLYPROC_NO_WAITV=1` it is not, for tests.
pub(crate) fn has_wait_any() -> bool {
    const UNKNOWN: u8 = 0;
    const YES: u8 = 1;
    const NO: u8 = 2;
    static KNOWN: AtomicU8 = AtomicU8::new(UNKNOWN);
    match KNOWN.load(Ordering::Relaxed) {
        YES => true,
        NO => false,
        _ => {
            let has = !super::is_advised("POLYPROC_NO_WAITV") && probe();
            KNOWN.store(if has { YES } else { NO }, Ordering::Relaxed);
            has
        }
    }
}

fn probe() -> bool {
    let word = AtomicU32::new(1);
    // The word does not hold 0, so a kernel that knows the call returns at once.
    wait_any(&[WaitWord::new(word.as_ptr(), 0)], Some(0)) != Wakeup::Unsupported
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_at_its_deadline_and_at_a_changed_word() {
        let word = AtomicU32::new(7);
        assert_eq!(wait(&word, 8, None), Wakeup::Woken);
        let soon = clock::now_ns() + 1_000_000;
        assert_eq!(wait(&word, 7, Some(soon)), Wakeup::TimedOut);
        assert!(clock::now_ns() >= soon);
        assert_eq!(wake(&word, 1), 0);
    }
}

//! Nonsense in the shared memory of a pipe: every call returns soon, and nothing crashes.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use polyproc::{pipe, Connection, Wait};

use crate::victim::alone;
use crate::{pattern, LONG};

const ROUNDS: u64 = 1500;
/// The words of a pipe, after its participants, and the beginning of its rings.
const WORDS: std::ops::Range<i64> = 15_616..20_480;
const RING: std::ops::Range<i64> = 20_480..21_000;

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn place(&mut self, range: &std::ops::Range<i64>) -> i64 {
        let numbers = (range.end - range.start) as u64 / 8;
        range.start + (self.next() % numbers) as i64 * 8
    }

    /// A number as a damaged or a hostile process might write it.
    fn number(&mut self) -> u64 {
        let number = self.next();
        match number % 5 {
            0 => number,
            1 => number % 4096,
            2 => u64::MAX - number % 16,
            3 => 1 << (number % 64),
            _ => (1 << 20) - 8 + number % 16,
        }
    }
}

fn write(fd: &OwnedFd, at: i64, number: u64) {
    // SAFETY: writes a number of ours into a file.
    let done = unsafe { libc::pwrite(fd.as_raw_fd(), (&raw const number).cast(), 8, at) };
    assert_eq!(done, 8);
}

fn use_it(end: &Connection, long: &[u8]) {
    let mut buffer = [MaybeUninit::uninit(); 100];
    let _ = end.try_send(b"small");
    let _ = end.recv_raw(&mut buffer, Wait::TRY);
    let _ = end.try_poll();
    let _ = end.send_timeout(long, Wait::for_ns(100_000));
}

#[test]
fn nonsense_is_answered() {
    let _alone = alone();
    let long = pattern(LONG);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut worst = Duration::ZERO;
    for round in 0..ROUNDS {
        let (a, b) = pipe(true).unwrap();
        let file = a.share_fd().unwrap();
        for len in [3, 50, 500] {
            a.try_send(&pattern(len)).unwrap();
        }
        for _ in 0..=round % 40 {
            write(&file, random.place(&WORDS), random.number());
        }
        if round % 3 == 0 {
            write(&file, random.place(&RING), random.number());
        }
        let began = Instant::now();
        use_it(&a, &long);
        use_it(&b, &long);
        worst = worst.max(began.elapsed());
    }
    println!("{ROUNDS} rounds, the slowest {worst:?}");
    assert!(worst < Duration::from_secs(5));
}

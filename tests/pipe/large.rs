//! A message of a gibibyte takes the memory of its two buffers.

use std::mem::MaybeUninit;

use polyproc::{pipe, Got};

use crate::measure::in_time;
use crate::victim::alone;

const LEN: usize = 1 << 30;
/// What a process may have had at most, the buffer included.
const PEAK: u64 = (1 << 30) + (64 << 20);

/// The most memory that this process has had.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<u64>().unwrap() * 1024
}

/// The byte at a place.
fn byte(at: usize) -> u8 {
    (at ^ (at >> 20)) as u8
}

/// A child that runs `body`: its id.
fn child(body: impl FnOnce() -> bool) -> i32 {
    // SAFETY: the child runs `body` and ends.
    match unsafe { libc::fork() } {
        0 => {
            let went_well = body();
            // SAFETY: no preconditions.
            unsafe { libc::_exit(i32::from(!went_well)) }
        }
        pid => pid,
    }
}

#[test]
fn a_gibibyte_takes_its_two_buffers() {
    let _alone = alone();
    let (a, b) = pipe(false).unwrap();
    let sender = child(|| {
        let mut data = vec![0; LEN];
        data.iter_mut()
            .enumerate()
            .for_each(|(at, place)| *place = byte(at));
        b.send(&data, in_time()).is_ok() && peak() < PEAK
    });
    let receiver = child(|| {
        let mut data = vec![MaybeUninit::new(0); LEN];
        let got = a.recv(&mut data, in_time());
        // SAFETY: made of numbers.
        let right =
            |(at, place): (usize, &MaybeUninit<u8>)| unsafe { place.assume_init() } == byte(at);
        println!("peak {} MiB", peak() >> 20);
        got == Ok(Got::Message(LEN)) && data.iter().enumerate().all(right) && peak() < PEAK
    });
    drop((a, b));
    for pid in [sender, receiver] {
        let mut status = 0;
        // SAFETY: our own child; `status` is writable.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert_eq!(status, 0, "the sender or the receiver");
    }
}

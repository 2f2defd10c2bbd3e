//! The memory that pipes take, and their statuses when there is none.

use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;

use polyproc::{pipe, Connection, Got, Status, Wait};

use crate::victim::alone;

const LEN: usize = 1 << 30;
/// The most memory that the process may have used: the buffer, and what it inherits.
const PEAK: u64 = (LEN as u64) / 10 * 12;

/// A gibibyte is filled and checked byte by byte, on a busy machine.
fn in_time() -> Wait<'static> {
    Wait::for_ns(120_000_000_000)
}

/// Returns the most memory that this process has used.
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
        b.send_timeout(&data, in_time()).is_ok() && peak() < PEAK
    });
    let receiver = child(|| {
        let mut data = vec![MaybeUninit::new(0); LEN];
        let got = a.recv_raw(&mut data, in_time());
        // SAFETY: made of numbers.
        let right =
            |(at, place): (usize, &MaybeUninit<u8>)| unsafe { place.assume_init() } == byte(at);
        println!("peak {} MiB", peak() >> 20);
        got == Ok(Got::Message(LEN)) && data.iter().enumerate().all(right) && peak() < PEAK
    });
    drop((a, b));
    went_well(sender);
    went_well(receiver);
}

fn went_well(pid: i32) {
    let mut status = 0;
    // SAFETY: our own child; `status` is writable.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0);
}

/// The memory of a pipe's file.
fn size(end: &Connection) -> i64 {
    let fd = end.share_fd().unwrap();
    // SAFETY: plain data, and writable.
    unsafe {
        let mut stat = std::mem::zeroed::<libc::stat>();
        assert_eq!(libc::fstat(fd.as_raw_fd(), &mut stat), 0);
        stat.st_blocks * 512
    }
}

#[test]
fn a_pipe_whose_receiver_keeps_up_stays_small() {
    let _alone = alone();
    let (a, b) = pipe(true).unwrap();
    assert!(size(&a) <= 24 << 10, "{}", size(&a));
    let mut buffer = [MaybeUninit::uninit(); 1000];
    for _ in 0..10_000 {
        a.try_send(&[1; 1000]).unwrap();
        assert_eq!(b.recv_raw(&mut buffer, Wait::TRY), Ok(Got::Message(1000)));
    }
    assert!(size(&a) <= 160 << 10, "{}", size(&a));
}

/// A limit on the size of files stands in for memory that is full.
#[test]
fn no_memory_is_a_status() {
    let _alone = alone();
    let (a, b) = pipe(true).unwrap();
    let limited = child(|| {
        let limit = libc::rlimit {
            rlim_cur: 200 << 10,
            rlim_max: 200 << 10,
        };
        // SAFETY: `limit` is readable; no handler.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            libc::setrlimit(libc::RLIMIT_FSIZE, &limit);
        }
        let large = [1; 100_000];
        // The messages to A come first in the file.
        b.try_send(&large) == Ok(())
            && b.try_send(&large) == Err(Status::E_NO_MEMORY)
            && a.try_send(b"x") == Err(Status::E_NO_MEMORY)
            && b.try_poll() == Err(Status::E_TIMEOUT)
    });
    went_well(limited);
    let mut buffer = vec![MaybeUninit::uninit(); 100_000];
    assert_eq!(
        a.recv_raw(&mut buffer, Wait::TRY),
        Ok(Got::Message(100_000))
    );
    assert_eq!(a.recv_raw(&mut buffer, Wait::TRY), Err(Status::E_TIMEOUT));
    a.try_send(b"x").unwrap();
}

/// A short message before it, received long ago, took the room of the longest one that fits into
/// the memory.
#[test]
fn an_empty_pipe_takes_what_a_fresh_one_takes() {
    let _alone = alone();
    let (a, b) = pipe(true).unwrap();
    let limited = child(|| {
        let limit = libc::rlimit {
            rlim_cur: 132 << 10,
            rlim_max: 132 << 10,
        };
        // SAFETY: `limit` is readable; no handler.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            libc::setrlimit(libc::RLIMIT_FSIZE, &limit);
        }
        let mut buffer = vec![MaybeUninit::uninit(); 100_000];
        [100_000, 50_000, 100_000, 1, 100_000, 99_999]
            .iter()
            .all(|len| {
                b.try_send(&buffer_of(*len)) == Ok(())
                    && a.recv_raw(&mut buffer, Wait::TRY) == Ok(Got::Message(*len))
            })
            && b.try_send(&buffer_of(200_000)) == Err(Status::E_NO_MEMORY)
    });
    went_well(limited);
}

fn buffer_of(len: usize) -> Vec<u8> {
    vec![1; len]
}

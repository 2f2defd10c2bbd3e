//! The process at one end of a pipe is killed, and the process at the other end must notice: real
//! processes, real SIGKILLs.
//!
//! A program of its own, one test at a time: a forked child has a copy of each end that is open at
//! that moment, so the children of other tests would keep the pipes of this one open.

mod asleep;
mod hostile;
#[path = "../kill/measure.rs"]
mod measure;
mod memory;
#[path = "../kill/victim.rs"]
mod victim;

use std::mem::MaybeUninit;

use polyproc::{Connection, Got, Status, Wait};

/// Receives a message of up to `room` bytes.
fn receive(end: &Connection, room: usize, wait: Wait<'_>) -> Result<Vec<u8>, Status> {
    let mut buffer = vec![MaybeUninit::uninit(); room];
    match end.recv_raw(&mut buffer, wait)? {
        // SAFETY: a receive writes the bytes that it reports.
        Got::Message(len) => Ok(buffer[..len]
            .iter()
            .map(|byte| unsafe { byte.assume_init() })
            .collect()),
        Got::TooSmall(len) => panic!("{len} bytes"),
    }
}

/// Bytes that show whether one is missing or misplaced.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + (at >> 12)) as u8).collect()
}

/// One byte more than the ring holds, so the message is handed over.
const LONG: usize = (1 << 20) - 7;

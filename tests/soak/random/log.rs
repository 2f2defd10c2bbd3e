//! The log of one configuration: a file in memory to which all its processes append, and which
//! outlives them. So all steps are in one order, in which each comes between its cause and its
//! effect.

use std::fs::File;
use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// The kinds of records. The same numbers are in tests/soak/c/random.h, in Go and in Node.
pub mod op {
    pub const START: u32 = 1;
    pub const LEAVE: u32 = 2;
    pub const PUT_BEGIN: u32 = 3;
    pub const PUT_END: u32 = 4;
    pub const TAKE_BEGIN: u32 = 5;
    pub const TAKE_END: u32 = 6;
    pub const GOT: u32 = 7;
    pub const GOT_FOR_GOOD: u32 = 8;
    pub const DONE_BEGIN: u32 = 9;
    pub const DONE_END: u32 = 10;
    pub const RETURN_BEGIN: u32 = 11;
    pub const RETURN_END: u32 = 12;
    pub const DEAD_GOT: u32 = 13;
    pub const LOCK_BEGIN: u32 = 14;
    pub const LOCK_END: u32 = 15;
    pub const UNLOCK_BEGIN: u32 = 16;
    pub const UNLOCK_END: u32 = 17;
    pub const SLOW: u32 = 32;
    /// By the process that runs the configuration, before it kills the process whose number is the
    /// value.
    pub const KILL: u32 = 33;
}

#[derive(Clone, Copy, Default, Debug)]
pub struct Record {
    pub op: u32,
    pub actor: u32,
    pub place: i32,
    pub status: i32,
    pub message: u64,
    pub value: u64,
}

const LEN: usize = 32;

impl Record {
    fn from_bytes(bytes: &[u8]) -> Record {
        let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        Record {
            op: word(0),
            actor: word(4),
            place: word(8) as i32,
            status: word(12) as i32,
            message: long(16),
            value: long(24),
        }
    }

    fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[0..4].copy_from_slice(&self.op.to_ne_bytes());
        bytes[4..8].copy_from_slice(&self.actor.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.place.to_ne_bytes());
        bytes[12..16].copy_from_slice(&self.status.to_ne_bytes());
        bytes[16..24].copy_from_slice(&self.message.to_ne_bytes());
        bytes[24..32].copy_from_slice(&self.value.to_ne_bytes());
        bytes
    }
}

pub struct Log {
    file: File,
    read: u64,
}

impl Log {
    pub fn new() -> Log {
        // SAFETY: the name ends in NUL; the descriptor is checked.
        let fd = unsafe { libc::memfd_create(c"soak-log".as_ptr(), libc::MFD_CLOEXEC) };
        assert!(fd >= 0, "no memory for the log");
        // SAFETY: a flag of a descriptor that is open.
        unsafe { libc::fcntl(fd, libc::F_SETFL, libc::O_APPEND) };
        // SAFETY: new, and nobody else's.
        let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
        Log { file, read: 0 }
    }

    /// For a worker, as its standard output.
    pub fn writer(&self) -> File {
        self.file.try_clone().unwrap()
    }

    pub fn note(&mut self, record: Record) {
        self.file.write_all(&record.to_bytes()).unwrap();
    }

    /// Returns the records that have come since the last call.
    pub fn news(&mut self) -> Vec<Record> {
        let mut bytes = vec![0; 1 << 16];
        let mut records = Vec::new();
        loop {
            let read = self.file.read_at(&mut bytes, self.read).unwrap() / LEN * LEN;
            if read == 0 {
                return records;
            }
            self.read += read as u64;
            records.extend(bytes[..read].chunks_exact(LEN).map(Record::from_bytes));
        }
    }
}

//! The bytes of an object's files, which are all that other processes see of it.

use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};

/// The parts of a file that hold data, as they were at the last look.
struct Stretches {
    /// With a position of its own: that of the object's descriptor says which end of a pipe it is.
    file: File,
    stretches: Vec<(i64, Vec<u8>)>,
}

/// The files of an object.
pub struct Memory {
    files: Vec<Stretches>,
    buffer: Vec<u8>,
}

impl Memory {
    /// The files as they are now.
    pub fn of(files: Vec<RawFd>) -> Memory {
        let file = |fd| Stretches {
            file: File::open(format!("/proc/self/fd/{fd}")).expect("its file"),
            stretches: Vec::new(),
        };
        let mut memory = Memory {
            files: files.into_iter().map(file).collect(),
            buffer: Vec::new(),
        };
        memory.has_changed();
        memory
    }

    /// Returns whether any byte has changed since the last look.
    pub fn has_changed(&mut self) -> bool {
        let buffer = &mut self.buffer;
        let changed = self.files.iter_mut().map(|file| file.has_changed(buffer));
        changed.fold(false, |any, one| any | one)
    }
}

impl Stretches {
    fn has_changed(&mut self, buffer: &mut Vec<u8>) -> bool {
        let fd = self.file.as_raw_fd();
        let places = stretches(fd);
        let before = self.stretches.iter().map(|(at, bytes)| (*at, bytes.len()));
        let mut changed = !before.eq(places.iter().copied());
        if changed {
            self.stretches = places
                .into_iter()
                .map(|(at, len)| (at, vec![0; len]))
                .collect();
        }
        for (at, bytes) in &mut self.stretches {
            buffer.resize(bytes.len(), 0);
            // SAFETY: room for as many bytes.
            let read = unsafe { libc::pread(fd, buffer.as_mut_ptr().cast(), buffer.len(), *at) };
            assert_eq!(read as usize, buffer.len(), "a file that shrinks");
            if buffer != bytes {
                std::mem::swap(buffer, bytes);
                changed = true;
            }
        }
        changed
    }
}

/// Returns where a file holds data: place and length. A hole reads as zeros.
fn stretches(fd: RawFd) -> Vec<(i64, usize)> {
    // SAFETY: no pointers.
    let seek = |from: i64, what| unsafe { libc::lseek(fd, from, what) };
    let mut all = Vec::new();
    let mut from = 0;
    loop {
        let begin = seek(from, libc::SEEK_DATA);
        if begin < 0 {
            return all;
        }
        from = seek(begin, libc::SEEK_HOLE);
        all.push((begin, (from - begin) as usize));
    }
}

//! A /dev/shm of 4 MiB, in a mount namespace of its own.

use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;

use polyproc::{CreateOptions, Got, Lock, Queue, QueueOptions, Status, Wait};

use crate::{assert_plays, is_root, role, Name};

#[test]
fn a_full_dev_shm_is_no_memory() {
    if !is_root("a_full_dev_shm_is_no_memory") {
        return;
    }
    let mut command = role("full");
    // SAFETY: only system calls between fork and exec.
    unsafe {
        command.pre_exec(|| {
            let private = libc::MS_REC | libc::MS_PRIVATE;
            let none = std::ptr::null();
            let size = c"size=4m".as_ptr().cast();
            let done = libc::unshare(libc::CLONE_NEWNS) == 0
                && libc::mount(none, c"/".as_ptr(), none, private, none.cast()) == 0
                && libc::mount(
                    c"tmpfs".as_ptr(),
                    c"/dev/shm".as_ptr(),
                    c"tmpfs".as_ptr(),
                    0,
                    size,
                ) == 0;
            if done {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    assert_plays(command);
}

/// Fill it up, drain it, and fill it again: the same number of messages goes in each time.
pub fn in_four_mebibytes() {
    let name = Name::new("full");
    let queue = Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
    let first = fill(&queue);
    assert!(first > 2_000, "only {first} messages in 4 MiB");
    // Nothing else can be made, and nothing of the attempt is left.
    let other = Name::new("none");
    let large = vec![1; 1 << 20];
    assert_eq!(queue.put(&large, Wait::TRY), Err(Status::E_NO_MEMORY));
    assert_eq!(
        Queue::create(Some(&other.0), &QueueOptions::default()).err(),
        Some(Status::E_NO_MEMORY)
    );
    assert!(!std::path::Path::new(&other.path()).exists());
    assert_eq!(queue.len(), Ok(first));
    drain(&queue, first);
    Lock::create(Some(&other.0), CreateOptions::default()).unwrap();
    for _ in 0..3 {
        let again = fill(&queue);
        assert!(
            again * 10 > first * 8,
            "{again} messages fit, {first} at first"
        );
        drain(&queue, again);
    }
}

fn fill(queue: &Queue) -> u64 {
    let mut count = 0u64;
    loop {
        let mut message = [0; 1000];
        message[..8].copy_from_slice(&count.to_le_bytes());
        match queue.put(&message, Wait::TRY) {
            Ok(()) => count += 1,
            Err(Status::E_NO_MEMORY) => return count,
            Err(status) => panic!("{status:?}"),
        }
    }
}

fn drain(queue: &Queue, count: u64) {
    let mut buffer = [MaybeUninit::uninit(); 1000];
    for number in 0..count {
        assert_eq!(queue.get(&mut buffer, Wait::TRY), Ok(Got::Message(1000)));
        // SAFETY: a get writes the bytes that it reports.
        let start = [0, 1, 2, 3, 4, 5, 6, 7].map(|at| unsafe { buffer[at].assume_init() });
        assert_eq!(u64::from_le_bytes(start), number);
    }
    assert_eq!(queue.get(&mut buffer, Wait::TRY), Err(Status::E_EMPTY));
}

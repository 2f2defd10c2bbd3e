//! A system without /dev/shm, in a mount namespace of its own.

use std::os::unix::process::CommandExt;

use polyproc::{Acquired, CreateOptions, Lock, Queue, QueueOptions, Status};

use crate::{assert_plays, is_root, role};

#[test]
fn a_missing_dev_shm_is_not_a_missing_name() {
    if !is_root("a_missing_dev_shm_is_not_a_missing_name") {
        return;
    }
    let mut command = role("missing");
    // SAFETY: only system calls between fork and exec.
    unsafe {
        command.pre_exec(|| {
            let private = libc::MS_REC | libc::MS_PRIVATE;
            let none = std::ptr::null();
            let (kind, dev) = (c"tmpfs".as_ptr(), c"/dev".as_ptr());
            let done = libc::unshare(libc::CLONE_NEWNS) == 0
                && libc::mount(none, c"/".as_ptr(), none, private, none.cast()) == 0
                && libc::mount(kind, dev, kind, 0, none.cast()) == 0;
            if done {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    assert_plays(command);
}

/// A create fails because there is no place for names; the other calls find no such name, which is
/// true.
pub fn without_dev_shm() {
    assert!(!std::path::Path::new("/dev/shm").exists());
    for open_or_create in [false, true] {
        let create = CreateOptions {
            open_or_create,
            ..CreateOptions::default()
        };
        let lock = Lock::create(Some("missing"), create);
        assert_eq!(lock.err(), Some(Status::E_UNSUPPORTED));
        let options = QueueOptions {
            create,
            ..QueueOptions::default()
        };
        let queue = Queue::create(Some("missing"), &options);
        assert_eq!(queue.err(), Some(Status::E_UNSUPPORTED));
    }
    assert_eq!(Lock::open("missing").err(), Some(Status::E_NOT_FOUND));
    assert_eq!(polyproc::unlink("missing"), Err(Status::E_NOT_FOUND));
    assert_eq!(polyproc::list().map(|names| names.len()), Ok(0));
    // Anonymous objects need no directory.
    let lock = Lock::create(None, CreateOptions::default()).unwrap();
    assert_eq!(lock.try_acquire(), Ok(Acquired::Clean));
}

//! Files under our names that are not as they should be.

use std::ffi::CString;
use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{symlink, FileExt, PermissionsExt};
use std::os::unix::net::UnixListener;

use polyproc::{CreateOptions, Event, Lock, Queue, QueueOptions, Status};

use crate::{assert_plays, role, Name};

fn lock(name: &Name) {
    Lock::create(Some(&name.0), CreateOptions::default()).unwrap();
}

#[test]
fn what_is_not_ours_is_a_mismatch() {
    let name = Name::new("foreign");
    for content in [vec![], vec![7; 100], vec![7; 1 << 20]] {
        fs::write(name.path(), &content).unwrap();
        fs::set_permissions(name.path(), Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Lock::open(&name.0).err(), Some(Status::E_MISMATCH));
        assert_eq!(Queue::open(&name.0).err(), Some(Status::E_MISMATCH));
        assert_eq!(fs::read(name.path()).unwrap(), content, "it was changed");
    }
}

#[test]
fn links_and_directories_are_not_followed() {
    let (real, link) = (Name::new("real"), Name::new("link"));
    lock(&real);
    symlink(real.path(), link.path()).unwrap();
    assert_eq!(Lock::open(&link.0).err(), Some(Status::E_MISMATCH));
    fs::remove_file(link.path()).unwrap();
    fs::create_dir(link.path()).unwrap();
    assert_eq!(Lock::open(&link.0).err(), Some(Status::E_MISMATCH));
    fs::remove_dir(link.path()).unwrap();
    assert_eq!(Lock::open(&link.0).err(), Some(Status::E_NOT_FOUND));
}

#[test]
fn a_fifo_or_a_socket_holds_up_nobody() {
    let name = Name::new("fifo");
    let path = CString::new(name.path()).unwrap();
    // SAFETY: the path ends in NUL.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
    assert_eq!(Lock::open(&name.0).err(), Some(Status::E_MISMATCH));
    assert!(polyproc::list()
        .unwrap()
        .iter()
        .all(|one| one.name != name.0));
    fs::remove_file(name.path()).unwrap();
    let _socket = UnixListener::bind(name.path()).unwrap();
    assert_eq!(Lock::open(&name.0).err(), Some(Status::E_MISMATCH));
}

#[test]
fn the_mode_is_what_was_asked_for_whatever_the_umask() {
    assert_plays(role("umasks"));
}

/// In a process of its own, because the umask is the whole process's.
pub fn under_umasks() {
    let name = Name::new("umask");
    for (umask, asked, expected) in [
        (0o000, 0, 0o600),
        (0o777, 0, 0o600),
        (0o077, 0o660, 0o660),
        (0o000, 0o666, 0o666),
    ] {
        // SAFETY: no preconditions.
        unsafe { libc::umask(umask) };
        let create = CreateOptions {
            mode: asked,
            ..Default::default()
        };
        Queue::create(
            Some(&name.0),
            &QueueOptions {
                create,
                ..Default::default()
            },
        )
        .unwrap();
        let mode = fs::metadata(name.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, expected, "umask {umask:o}");
        polyproc::unlink(&name.0).unwrap();
    }
    for mode in [0o777, 0o4600, 0o400, 0o060, 0o10_600] {
        let create = CreateOptions {
            mode,
            ..Default::default()
        };
        assert_eq!(
            Lock::create(Some(&name.0), create).err(),
            Some(Status::E_INVALID)
        );
    }
}

#[test]
fn a_truncated_object_is_corrupt_and_no_sigbus() {
    let name = Name::new("truncated");
    for size in [0, 8, 100, 4096, 8192, 100_000] {
        Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
        let file = OpenOptions::new().write(true).open(name.path()).unwrap();
        file.set_len(size).unwrap();
        let status = Queue::open(&name.0).err();
        let expected = if size < 256 {
            [Status::E_MISMATCH, Status::E_CORRUPT]
        } else {
            [Status::E_CORRUPT; 2]
        };
        assert!(
            expected.iter().any(|one| status == Some(*one)),
            "{size}: {status:?}"
        );
        polyproc::unlink(&name.0).unwrap();
    }
}

#[test]
fn another_kind_another_layout_or_a_wider_mode_is_refused() {
    let name = Name::new("kind");
    lock(&name);
    assert_eq!(Event::open(&name.0).err(), Some(Status::E_MISMATCH));
    fs::set_permissions(name.path(), Permissions::from_mode(0o666)).unwrap();
    assert_eq!(Lock::open(&name.0).err(), Some(Status::E_PERMISSION));
    fs::set_permissions(name.path(), Permissions::from_mode(0o600)).unwrap();
    Lock::open(&name.0).unwrap();
    // The layout version, behind the magic number.
    let file = OpenOptions::new().write(true).open(name.path()).unwrap();
    file.write_all_at(&99u32.to_le_bytes(), 8).unwrap();
    assert_eq!(Lock::open(&name.0).err(), Some(Status::E_MISMATCH));
}

#[test]
fn a_queue_of_another_version_says_which_layouts_differ() {
    let name = Name::new("layout");
    Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.path())
        .unwrap();
    let mut number = [0; 4];
    file.read_exact_at(&mut number, 8).unwrap();
    let ours = u32::from_le_bytes(number);
    file.write_all_at(&(ours - 1).to_le_bytes(), 8).unwrap();
    let create = QueueOptions::OPEN_OR_CREATE;
    let open = || Queue::open(&name.0);
    let create = || Queue::create(Some(&name.0), &create);
    let attempts: [&dyn Fn() -> polyproc::Result<Queue>; 2] = [&open, &create];
    for attempt in attempts {
        let error = polyproc::Error::from(attempt().unwrap_err());
        assert_eq!(error.status(), Status::E_MISMATCH);
        let (theirs, known) = (ours - 1, ours);
        assert_eq!(
            error.detail(),
            format!(
                "its memory has layout {theirs}, and this version of the library knows {known}"
            )
        );
    }
}

#[test]
fn an_existing_name_is_opened_only_with_the_same_shape() {
    let name = Name::new("shape");
    let create = CreateOptions {
        open_or_create: true,
        ..Default::default()
    };
    let options = QueueOptions {
        create,
        max_items: 7,
        ..Default::default()
    };
    let first = Queue::create(Some(&name.0), &options).unwrap();
    assert_eq!(
        Queue::create(
            Some(&name.0),
            &QueueOptions {
                max_items: 7,
                ..Default::default()
            }
        )
        .err(),
        Some(Status::E_EXISTS)
    );
    let second = Queue::create(Some(&name.0), &options).unwrap();
    first.put_timeout(b"shared", polyproc::Wait::TRY).unwrap();
    assert_eq!(second.len(), Ok(1));
    let other = QueueOptions {
        max_items: 8,
        ..options
    };
    assert_eq!(
        Queue::create(Some(&name.0), &other).err(),
        Some(Status::E_MISMATCH)
    );
    assert_eq!(
        Lock::create(Some(&name.0), create).err(),
        Some(Status::E_MISMATCH)
    );
}

#[test]
fn a_damaged_queue_answers_with_a_status() {
    let name = Name::new("damaged");
    // Everything after the header and the participants is overwritten, with several patterns.
    for pattern in [0u8, 0xff, 0x55, 0x01, 0x80] {
        let queue = Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
        queue.try_put(b"a message").unwrap();
        let file = OpenOptions::new().write(true).open(name.path()).unwrap();
        file.write_all_at(&vec![pattern; 100_000], 65_792).unwrap();
        // Every call must return, with any status.
        let _ = queue.try_get_into(&mut [0; 100]);
        let _ = queue.try_put(b"another");
        let _ = queue.try_take();
        let _ = queue.try_reserve(50_000);
        let _ = queue.task_done();
        let _ = queue.len();
        let _ = queue.info();
        let _ = queue.take_dead_raw();
        let _ = queue.shutdown(true);
        drop(queue);
        polyproc::unlink(&name.0).unwrap();
    }
}

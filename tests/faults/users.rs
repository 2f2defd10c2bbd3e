//! Another user's objects, and files that another user has planted under our names.

use std::os::unix::fs::{chown, PermissionsExt};
use std::os::unix::process::CommandExt;

use polyproc::{CreateOptions, Lock, Queue, QueueOptions, Status};

use crate::{assert_plays, is_root, role, Name};

/// Nobody.
const STRANGER: u32 = 65534;
const NAME: &str = "POLYPROC_TEST_NAME";

#[test]
fn another_user_is_kept_out() {
    if !is_root("another_user_is_kept_out") {
        return;
    }
    let name = Name::new("private");
    Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
    let mode = std::fs::metadata(name.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let shared = Name(format!("{}.shared", name.0));
    let create = CreateOptions {
        mode: 0o666,
        open_or_create: false,
    };
    Lock::create(Some(&shared.0), create).unwrap();
    // The test binary may lie where another user cannot read it.
    let copy = std::env::temp_dir().join(format!("polyproc-test-{}", std::process::id()));
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = std::process::Command::new(&copy);
    command
        .args(role("stranger").get_args())
        .env(crate::ROLE, "stranger")
        .env(NAME, &name.0);
    command.current_dir("/").uid(STRANGER).gid(STRANGER);
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| assert_plays(command)));
    std::fs::remove_file(&copy).unwrap();
    played.unwrap();
}

/// What the other user may do.
pub fn stranger() {
    let name = std::env::var(NAME).unwrap();
    assert_eq!(Queue::open(&name).err(), Some(Status::E_PERMISSION));
    let open_or_create = CreateOptions {
        mode: 0o600,
        open_or_create: true,
    };
    let options = QueueOptions {
        create: open_or_create,
        ..Default::default()
    };
    assert_eq!(
        Queue::create(Some(&name), &options).err(),
        Some(Status::E_PERMISSION)
    );
    assert_eq!(
        Queue::create(Some(&name), &QueueOptions::default()).err(),
        Some(Status::E_EXISTS)
    );
    assert_eq!(polyproc::unlink(&name), Err(Status::E_PERMISSION));
    // One that is meant for all is only opened by who says that he shares.
    let shared = format!("{name}.shared");
    assert_eq!(Lock::open(&shared).err(), Some(Status::E_PERMISSION));
    assert_eq!(
        Lock::create(Some(&shared), open_or_create).err(),
        Some(Status::E_PERMISSION)
    );
    let sharing = CreateOptions {
        mode: 0o666,
        open_or_create: true,
    };
    Lock::create(Some(&shared), sharing).unwrap();
}

#[test]
fn a_file_that_another_user_planted_is_refused() {
    if !is_root("a_file_that_another_user_planted_is_refused") {
        return;
    }
    let name = Name::new("planted");
    Lock::create(Some(&name.0), CreateOptions::default()).unwrap();
    chown(name.path(), Some(STRANGER), Some(STRANGER)).unwrap();
    assert_eq!(Lock::open(&name.0).err(), Some(Status::E_PERMISSION));
}

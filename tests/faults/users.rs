//! Another user's objects, and files that another user has put under our names.

use std::os::unix::fs::{chown, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use polyproc::{CreateOptions, Lock, Queue, QueueOptions, Status};

use crate::{assert_plays, is_root, role, Name};

/// The user nobody.
pub const STRANGER: u32 = 65534;
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
    let program = binary_for_all("stranger");
    let mut command = std::process::Command::new(&program.0);
    command
        .args(role("stranger").get_args())
        .env(crate::ROLE, "stranger")
        .env(NAME, &name.0);
    command.current_dir("/").uid(STRANGER).gid(STRANGER);
    assert_plays(command);
}

/// A file that is removed when it is not needed any more.
pub struct Program(pub PathBuf);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Copies this test binary to where every user can run it.
pub fn binary_for_all(test: &str) -> Program {
    let file = format!("polyproc-test-{test}-{}", std::process::id());
    let copy = Program(std::env::temp_dir().join(file));
    std::fs::copy(std::env::current_exe().unwrap(), &copy.0).unwrap();
    std::fs::set_permissions(&copy.0, PermissionsExt::from_mode(0o755)).unwrap();
    copy
}

/// Checks what the other user may do.
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
    let listed = polyproc::list().unwrap();
    assert!(listed.iter().all(|one| !one.name.starts_with(&name)));
    // An object that is meant for all is opened only with the option that shares.
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
    // A name that is taken makes no process write to that object either.
    let open_or_create = CreateOptions {
        open_or_create: true,
        ..Default::default()
    };
    assert_eq!(
        Lock::create(Some(&name.0), open_or_create).err(),
        Some(Status::E_PERMISSION)
    );
    assert_eq!(
        Lock::create(Some(&name.0), CreateOptions::default()).err(),
        Some(Status::E_EXISTS)
    );
    let listed = polyproc::list().unwrap();
    assert!(listed.iter().all(|one| one.name != name.0));
}

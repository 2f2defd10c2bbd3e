//! A program with more rights than its caller must not trust the caller's environment.

use std::os::fd::AsRawFd;
use std::os::unix::fs::{chown, PermissionsExt};
use std::process::Command;

use polyproc::{
    current_process, inherited, Kind, Process, ProcessOptions, Queue, QueueOptions, Status,
};

use crate::users::{binary_for_all, STRANGER};
use crate::{assert_plays, is_root, role};

#[test]
fn a_set_uid_program_takes_no_advice_from_its_environment() {
    if !is_root("a_set_uid_program_takes_no_advice_from_its_environment") {
        return;
    }
    let queue = Queue::create(None, &QueueOptions::default()).unwrap();
    // Not closed on exec: a program that trusts the variable finds it. SAFETY: no pointers; closed
    // below.
    let fd = unsafe { libc::dup(queue.raw_fd()) };
    let forged = format!("v1;name=forged;daemon=0;h=jobs:4:{fd}");
    let program = binary_for_all("set-uid");
    let runs_as = |name: &str, mode: u32| {
        chown(&program.0, Some(STRANGER), Some(STRANGER)).unwrap();
        std::fs::set_permissions(&program.0, PermissionsExt::from_mode(mode)).unwrap();
        let mut command = Command::new(&program.0);
        command.args(role(name).get_args()).env(crate::ROLE, name);
        command
            .env("POLYPROC_PROCESS", &forged)
            .env("POLYPROC_NO_PIDFD", "1");
        assert_plays(command);
    };
    // Any other program trusts the same environment: so the other half of the test runs one.
    runs_as("believes", 0o755);
    runs_as("believes_nothing", 0o4755);
    // SAFETY: made above.
    unsafe { libc::close(fd) };
}

fn spawned() -> Process {
    let options = ProcessOptions {
        argv: vec![c"true".to_owned()],
        ..Default::default()
    };
    let child = Process::spawn(&options).unwrap();
    child.join().unwrap();
    child
}

pub fn believes() {
    assert_eq!(std::env::var_os("POLYPROC_PROCESS"), None);
    assert_eq!(current_process().name, "forged");
    assert!(inherited("jobs", Kind::Queue).unwrap().as_raw_fd() > 2);
    assert_eq!(spawned().fd().err(), Some(Status::E_UNSUPPORTED));
}

pub fn believes_nothing() {
    // SAFETY: no preconditions.
    assert_ne!(unsafe { libc::getuid() }, unsafe { libc::geteuid() });
    assert_eq!(std::env::var_os("POLYPROC_PROCESS"), None);
    assert_eq!(current_process().name, "MainProcess");
    assert_eq!(
        inherited("jobs", Kind::Queue).err(),
        Some(Status::E_NOT_FOUND)
    );
    assert!(spawned().fd().is_ok());
}

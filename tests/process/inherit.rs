//! The objects that a program inherits by name, and that no other program gets them.

use std::os::fd::AsRawFd;

use polyproc::{
    current_process, inherited, InheritHandle, Kind, Process, ProcessOptions, Status, Stdio,
};

use crate::support::*;

fn handle(name: &str, kind: Kind, fd: &impl AsRawFd) -> InheritHandle {
    InheritHandle {
        name: name.into(),
        kind,
        fd: fd.as_raw_fd(),
    }
}

#[test]
fn a_program_inherits_by_name_and_its_parent_may_close_at_once() {
    let (jobs, results) = (memory("jobs"), memory("results"));
    let mut options = role("heir");
    options.stdout = Stdio::Null;
    options.name = Some(c("工人 1; %"));
    options.handles = vec![
        handle("jobs", Kind::Queue, &jobs),
        handle("results", Kind::Lock, &results),
    ];
    let child = Process::spawn(&options).expect("spawn");
    drop((jobs, results));
    child.join_timeout(seconds(30)).expect("join");
    assert_eq!(child.exit_code(), Ok(0));
}

#[test]
fn inheritance_goes_through_a_wrapper() {
    let (jobs, results) = (memory("jobs"), memory("results"));
    let inner = role("heir");
    let mut options = shell("exec \"$@\"");
    options.argv.push(c("sh"));
    options.argv.extend(inner.argv);
    options.env = inner.env;
    options.name = Some(c("工人 1; %"));
    options.handles = vec![
        handle("jobs", Kind::Queue, &jobs),
        handle("results", Kind::Lock, &results),
    ];
    assert_plays(options);
}

pub fn heir() {
    assert_eq!(std::env::var_os("POLYPROC_PROCESS"), None);
    let me = current_process();
    // SAFETY: no preconditions.
    assert_eq!((me.pid, me.parent_pid), unsafe {
        (libc::getpid(), libc::getppid())
    });
    assert_eq!((me.name.as_str(), me.daemon), ("工人 1; %", false));
    let first = inherited("jobs", Kind::Queue).expect("jobs");
    let second = inherited("jobs", Kind::Queue).expect("jobs again");
    assert_ne!(first.as_raw_fd(), second.as_raw_fd());
    assert_eq!(contents(&first), "jobs");
    drop(first);
    assert_eq!(contents(&second), "jobs");
    assert_eq!(
        contents(&inherited("results", Kind::Lock).expect("results")),
        "results"
    );
    assert_eq!(
        inherited("results", Kind::Queue).err(),
        Some(Status::E_MISMATCH)
    );
    assert_eq!(
        inherited("nothing", Kind::Queue).err(),
        Some(Status::E_NOT_FOUND)
    );
    for bad in ["", "a b", ".a", "a/b"] {
        assert_eq!(inherited(bad, Kind::Queue).err(), Some(Status::E_INVALID));
    }

    // A child that another library starts gets neither the variable nor its descriptors.
    let list = |program: &str, arg: &[&str]| {
        let out = std::process::Command::new(program)
            .args(arg)
            .output()
            .expect("output");
        String::from_utf8(out.stdout).expect("UTF-8")
    };
    assert!(!list("env", &[]).contains("POLYPROC_PROCESS"));
    assert!(!list("ls", &["-l", "/proc/self/fd"]).contains("process-test"));
    // Passed on, it reaches another generation.
    let mut options = role("heir_of_low_descriptor");
    options.handles = vec![handle("low", Kind::Event, &second)];
    options.env.push(c("EXPECTED=jobs"));
    assert_plays(options);
}

#[test]
fn a_descriptor_among_the_standard_ones_is_inherited_beside_them() {
    assert_plays(role("bequeaths_low_descriptor"));
}

/// A parent that had closed its stdin got 0 as the descriptor of an object.
pub fn bequeaths_low_descriptor() {
    let object = memory("from below");
    // SAFETY: numbers only.
    unsafe { libc::dup2(object.as_raw_fd(), 0) };
    for stdin in [Stdio::Null, Stdio::Inherit, Stdio::Fd(2)] {
        let mut options = role("heir_of_low_descriptor");
        options.env.push(c("EXPECTED=from below"));
        options.handles = vec![InheritHandle {
            name: "low".into(),
            kind: Kind::Event,
            fd: 0,
        }];
        (options.stdin, options.stdout) = (stdin, Stdio::Null);
        assert_eq!(run(&options), 0);
    }
}

pub fn heir_of_low_descriptor() {
    let object = inherited("low", Kind::Event).expect("inherited");
    assert_eq!(Some(contents(&object)), std::env::var("EXPECTED").ok());
}

#[test]
fn a_variable_of_nobody_gives_nothing() {
    for text in [
        "",
        "v1;h=jobs:4:1",
        "v1;h=jobs:4:999999",
        "v1;h=jobs:4:x",
        "v9;h=jobs:4:5",
    ] {
        let me = std::env::current_exe().expect("own path");
        let mut command = std::process::Command::new(me);
        command
            .args(["roles::play", "--exact", "--nocapture"])
            .env(ROLE, "heir_of_nothing");
        let status = command
            .env("POLYPROC_PROCESS", text)
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.expect("status").success(), "{text}");
    }
}

pub fn heir_of_nothing() {
    assert_eq!(std::env::var_os("POLYPROC_PROCESS"), None);
    assert_eq!(current_process().name, "MainProcess");
    assert_eq!(
        inherited("jobs", Kind::Queue).err(),
        Some(Status::E_NOT_FOUND)
    );
}

#[test]
fn many_handles_travel_at_once() {
    extern "C" fn count(_: *mut std::ffi::c_void) -> libc::c_int {
        (0..100)
            .filter(|at| inherited(&format!("object-{at}"), Kind::Lock).is_ok())
            .count() as libc::c_int
    }
    let object = memory("");
    let named = |at| handle(&format!("object-{at}"), Kind::Lock, &object);
    let options = ProcessOptions {
        handles: (0..100).map(named).collect(),
        ..ProcessOptions::default()
    };
    // SAFETY: it uses this library and the allocator, which know of forks.
    let child = unsafe { Process::fork(&options, count, std::ptr::null_mut()) }.expect("fork");
    child.join_timeout(seconds(10)).expect("join");
    assert_eq!(child.exit_code(), Ok(100));
}

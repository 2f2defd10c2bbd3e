//! Daemonic processes: they die with their parent and have no children.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::time::Duration;

use polyproc::{current_process, Process, ProcessOptions, Status, Stdio};

use crate::support::*;

/// Starts a role in which a parent makes a daemonic child, ends that parent, and sees the child
/// die.
fn dies_with(role_name: &str, kill: bool) {
    let (read, write) = pipe();
    let (hold_read, hold_write) = pipe();
    let mut options = role(role_name);
    options.stdin = Stdio::Fd(hold_read.as_raw_fd());
    options.stdout = Stdio::Null;
    options.stderr = Stdio::Fd(write.as_raw_fd());
    let player = Process::spawn(&options).expect("spawn");
    drop(write);
    let mut line = String::new();
    BufReader::new(read).read_line(&mut line).expect("a line");
    let pids = line
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<Vec<_>, _>>();
    let [parent, child] = pids.unwrap_or_else(|_| panic!("{line}"))[..] else {
        panic!("{line}")
    };
    // They are no children of this process; their descriptors report their ends.
    let [parent, child] = [parent, child].map(|pid| Process::adopt(pid).expect("adopt"));
    assert_eq!(child.is_alive(), Ok(true));
    if kill {
        parent.kill().expect("kill");
        assert_eq!(
            child.join_timeout(seconds(10)),
            Ok(()),
            "it outlived its parent"
        );
    }
    drop(hold_write);
    assert_eq!(
        child.join_timeout(seconds(10)),
        Ok(()),
        "it outlived its parent"
    );
    assert_eq!(player.join_timeout(seconds(10)), Ok(()));
}

fn sleeper() -> ProcessOptions {
    let mut options = program(&["sleep", "600"]);
    options.daemon = true;
    options
}

/// Reports the parent and the child to the test, and lives on until the test closes its end of
/// stdin.
fn tell_and_wait(pid: i32) {
    eprintln!("{} {pid}", std::process::id());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("end of file");
}

#[test]
fn a_daemon_dies_with_its_parent() {
    dies_with("parent_of_daemon", true);
    dies_with("parent_of_daemon", false);
}

pub fn parent_of_daemon() {
    let child = Process::spawn(&sleeper()).expect("spawn");
    assert!(child.is_daemon());
    tell_and_wait(child.pid());
}

#[test]
fn a_daemon_outlives_the_thread_that_spawned_it_and_dies_with_the_process() {
    dies_with("parent_of_daemon_in_thread", true);
}

pub fn parent_of_daemon_in_thread() {
    let child = in_thread_that_ends(|| Process::spawn(&sleeper()).expect("spawn"));
    assert_eq!(child.is_alive(), Ok(true));
    tell_and_wait(child.pid());
}

/// Runs `make` in a thread; returns when the kernel has forgotten that thread, its last signals
/// sent.
fn in_thread_that_ends(make: fn() -> Process) -> Process {
    let thread = std::thread::spawn(move || {
        // SAFETY: no preconditions.
        (unsafe { libc::syscall(libc::SYS_gettid) }, make())
    });
    let (tid, child) = thread.join().expect("thread");
    let task = format!("/proc/self/task/{tid}");
    eventually("the end of the thread", || {
        !std::path::Path::new(&task).exists()
    });
    child
}

extern "C" fn sleep_for_long(_: *mut std::ffi::c_void) -> libc::c_int {
    std::thread::sleep(std::time::Duration::from_secs(600));
    0
}

fn fork_sleeper() -> Process {
    let options = ProcessOptions {
        daemon: true,
        ..ProcessOptions::default()
    };
    // SAFETY: it only sleeps.
    unsafe { Process::fork(&options, sleep_for_long, std::ptr::null_mut()) }.expect("fork")
}

#[test]
fn a_forked_daemon_dies_with_its_parent() {
    dies_with("parent_of_forked_daemon", true);
}

/// In the first thread of a process: in a forked child that is whatever thread forks.
pub fn parent_of_forked_daemon() {
    extern "C" fn parent(_: *mut std::ffi::c_void) -> libc::c_int {
        let child = fork_sleeper();
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("/proc");
        assert!(
            status.contains("Threads:\t1\n"),
            "the kernel sends the signal, no watcher: {status}"
        );
        tell_and_wait(child.pid());
        0
    }
    let options = ProcessOptions::default();
    // SAFETY: nothing else runs in this role.
    let parent = unsafe { Process::fork(&options, parent, std::ptr::null_mut()) }.expect("fork");
    parent.join_timeout(seconds(30)).expect("join");
}

#[test]
fn a_daemon_forked_in_a_thread_outlives_it_and_dies_with_the_process() {
    dies_with("parent_of_forked_daemon_in_thread", true);
    dies_with("parent_of_forked_daemon_in_thread", false);
}

pub fn parent_of_forked_daemon_in_thread() {
    let child = in_thread_that_ends(fork_sleeper);
    assert_eq!(child.is_alive(), Ok(true));
    tell_and_wait(child.pid());
}

#[test]
fn a_parent_killed_at_any_moment_of_a_start_leaves_no_daemon() {
    for way in [
        "spawns_daemons",
        "forks_daemons_in_thread",
        "forks_daemons_in_first_thread",
    ] {
        for moment in 0..20 {
            let (read, write) = pipe();
            let mut options = role(way);
            // The parent and each child hold the pipe's other end as their stdin.
            options.stdin = Stdio::Fd(write.as_raw_fd());
            (options.stdout, options.stderr) = (Stdio::Null, Stdio::Null);
            let player = Process::spawn(&options).expect("spawn");
            drop(write);
            let mut read = BufReader::new(read);
            let mut line = String::new();
            read.read_line(&mut line).expect("a line");
            let parent = Process::adopt(line.trim().parse().expect("a pid")).expect("adopt");
            std::thread::sleep(Duration::from_micros(moment * 211));
            parent.kill().expect("kill");
            assert!(wait_for_end(&mut read), "{way}: a child lives on");
            player.join_timeout(seconds(10)).expect("join");
        }
    }
}

/// Whether the last holder of the pipe's other end goes.
fn wait_for_end(read: &mut BufReader<File>) -> bool {
    let mut item = libc::pollfd {
        fd: read.get_ref().as_raw_fd(),
        events: 0,
        revents: 0,
    };
    // SAFETY: one entry.
    unsafe { libc::poll(&mut item, 1, 10_000) == 1 && item.revents & libc::POLLHUP != 0 }
}

/// Makes daemonic children until this process is killed.
fn make_without_end(make: fn() -> Process) -> ! {
    let line = format!("{}\n", std::process::id());
    // SAFETY: the line's bytes.
    assert!(unsafe { libc::write(0, line.as_ptr().cast(), line.len()) } > 0);
    loop {
        let children = (0..20).map(|_| make()).collect::<Vec<_>>();
        for child in children {
            child.kill().expect("kill");
            child.join_timeout(seconds(10)).expect("join");
        }
    }
}

pub fn spawns_daemons() {
    make_without_end(|| Process::spawn(&sleeper()).expect("spawn"));
}

pub fn forks_daemons_in_thread() {
    make_without_end(fork_sleeper);
}

pub fn forks_daemons_in_first_thread() {
    extern "C" fn parent(_: *mut std::ffi::c_void) -> libc::c_int {
        make_without_end(fork_sleeper)
    }
    // SAFETY: nothing else runs in this role.
    let parent = unsafe { Process::fork(&ProcessOptions::default(), parent, std::ptr::null_mut()) };
    parent
        .expect("fork")
        .join_timeout(seconds(30))
        .expect("join");
}

#[test]
fn a_daemon_may_have_no_children() {
    let mut options = role("daemonic");
    options.daemon = true;
    assert_plays(options);
}

pub fn daemonic() {
    assert!(current_process().daemon);
    assert_eq!(
        Process::spawn(&program(&["/bin/true"])).err(),
        Some(Status::E_DAEMONIC)
    );
    // SAFETY: it is not run.
    let forked = unsafe {
        Process::fork(
            &ProcessOptions::default(),
            sleep_for_long,
            std::ptr::null_mut(),
        )
    };
    assert_eq!(forked.err(), Some(Status::E_DAEMONIC));
}

#[test]
fn a_forked_daemon_may_have_no_children() {
    extern "C" fn try_both(_: *mut std::ffi::c_void) -> libc::c_int {
        let spawned = Process::spawn(&program(&["/bin/true"]));
        i32::from(current_process().daemon && spawned.err() == Some(Status::E_DAEMONIC))
    }
    let options = ProcessOptions {
        daemon: true,
        ..ProcessOptions::default()
    };
    // SAFETY: it touches this library and the allocator, which know of forks.
    let child = unsafe { Process::fork(&options, try_both, std::ptr::null_mut()) }.expect("fork");
    child.join_timeout(seconds(10)).expect("join");
    assert_eq!(child.exit_code(), Ok(1));
}

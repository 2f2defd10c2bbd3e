//! Forking into a function.

use std::ffi::c_void;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libc::c_int;
use polyproc::{
    active_children, current_process, inherited, InheritHandle, Kind, Process, ProcessOptions,
    Status, Stdio,
};

use crate::support::*;

fn fork(
    options: &ProcessOptions,
    target: unsafe extern "C" fn(*mut c_void) -> c_int,
    arg: usize,
) -> Process {
    // SAFETY: the targets below need no lock of another thread but the allocator's, which knows of
    // forks.
    unsafe { Process::fork(options, target, arg as *mut c_void) }.expect("fork")
}

fn code_of(process: &Process) -> i32 {
    process.join_timeout(seconds(20)).expect("join");
    process.exit_code().expect("exit code")
}

extern "C" fn returns(code: *mut c_void) -> c_int {
    code as usize as c_int
}

#[test]
fn a_function_gets_its_argument_and_gives_the_exit_code() {
    for (returned, code) in [(0, 0), (7, 7), (255, 255), (300, 44)] {
        assert_eq!(
            code_of(&fork(&ProcessOptions::default(), returns, returned)),
            code
        );
    }
}

#[test]
fn a_forked_child_knows_who_it_is() {
    extern "C" fn check(parent: *mut c_void) -> c_int {
        let me = current_process();
        let told = me.name == "a child" && !me.daemon && me.pid != me.parent_pid;
        let right = told && me.parent_pid == parent as usize as i32 && active_children().is_empty();
        let mut options = shell("exit 3");
        let child = Process::spawn(&options).expect("spawn");
        options.name = Some(c("x"));
        let numbered_afresh = child.name() == "Process-1";
        i32::from(right && numbered_afresh && code_of(&child) == 3)
    }
    let options = ProcessOptions {
        name: Some(c("a child")),
        ..ProcessOptions::default()
    };
    let other = Process::spawn(&program(&["sleep", "600"])).expect("spawn");
    let child = fork(&options, check, std::process::id() as usize);
    assert_eq!(child.name(), "a child");
    assert_eq!(code_of(&child), 1);
    other.kill().expect("kill");
    assert_eq!(current_process().name, "MainProcess");
}

#[test]
fn a_forked_child_may_use_its_parents_handles() {
    extern "C" fn signal_sibling(sibling: *mut c_void) -> c_int {
        // SAFETY: the parent's frame, of which this is a copy.
        let sibling = unsafe { &*sibling.cast::<Process>() };
        let alive = sibling.is_alive() == Ok(true) && sibling.exit_code() == Err(Status::E_TIMEOUT);
        let ended = sibling.kill().is_ok() && sibling.join_timeout(seconds(9)).is_ok();
        i32::from(alive && ended && sibling.is_alive() == Ok(false))
    }
    let sibling = Process::spawn(&program(&["sleep", "600"])).expect("spawn");
    let child = fork(
        &ProcessOptions::default(),
        signal_sibling,
        std::ptr::from_ref(&sibling) as usize,
    );
    assert_eq!(code_of(&child), 1);
    // It was not the child's to reap.
    assert_eq!(code_of(&sibling), -9);
}

#[test]
fn a_forked_child_has_its_own_descriptors_directory_and_environment() {
    extern "C" fn tell(_: *mut c_void) -> c_int {
        let cwd = std::env::current_dir().expect("cwd");
        let variable = std::env::var("ONLY").unwrap_or_default();
        let path = std::env::var_os("PATH").is_some();
        let text = format!("{} {variable} {path}", cwd.display());
        // SAFETY: the text's bytes.
        let wrote = unsafe { libc::write(1, text.as_ptr().cast(), text.len()) };
        i32::from(wrote < 0)
    }
    let (mut read, write) = pipe();
    let options = ProcessOptions {
        env: vec![c("ONLY=this")],
        clear_env: true,
        cwd: Some(c("/usr/bin")),
        stdin: Stdio::Null,
        stdout: Stdio::Fd(write.as_raw_fd()),
        ..ProcessOptions::default()
    };
    let child = fork(&options, tell, 0);
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).expect("text");
    assert_eq!((code_of(&child), text.as_str()), (0, "/usr/bin this false"));
}

#[test]
fn what_is_wrong_is_said_before_the_fork() {
    let status = |options: &ProcessOptions| {
        // SAFETY: it is not run.
        unsafe { Process::fork(options, returns, std::ptr::null_mut()) }.err()
    };
    for (cwd, expected) in [
        ("/nowhere", Status::E_NOT_FOUND),
        ("/etc/passwd", Status::E_NOT_FOUND),
    ] {
        let options = ProcessOptions {
            cwd: Some(c(cwd)),
            ..ProcessOptions::default()
        };
        assert_eq!(status(&options), Some(expected));
    }
    let options = ProcessOptions {
        env: vec![c("=")],
        ..ProcessOptions::default()
    };
    assert_eq!(status(&options), Some(Status::E_INVALID));
}

#[test]
fn a_forked_child_inherits_by_name_whatever_becomes_of_the_parents_handle() {
    extern "C" fn read_back(closed_by_child: *mut c_void) -> c_int {
        // SAFETY: the number of the descriptor that the child shares with its parent.
        unsafe { libc::close(closed_by_child as usize as c_int) };
        let first = inherited("text", Kind::Lock).expect("inherited");
        let second = inherited("text", Kind::Lock).expect("inherited");
        let both = contents(&first) == "hello" && contents(&second) == "hello";
        let wrong_kind = inherited("text", Kind::Queue).err() == Some(Status::E_MISMATCH);
        i32::from(
            both && wrong_kind && inherited("other", Kind::Lock).err() == Some(Status::E_NOT_FOUND),
        )
    }
    let text = memory("hello");
    let fd = text.as_raw_fd();
    let handles = vec![InheritHandle {
        name: "text".into(),
        kind: Kind::Lock,
        fd,
    }];
    let options = ProcessOptions {
        handles,
        ..ProcessOptions::default()
    };
    let child = fork(&options, read_back, fd as usize);
    drop(text);
    assert_eq!(code_of(&child), 1);
    assert_eq!(
        inherited("text", Kind::Lock).err(),
        Some(Status::E_NOT_FOUND)
    );
}

#[test]
fn a_panic_ends_the_child_and_goes_no_further() {
    assert_plays(role("child_panics"));
}

pub fn child_panics() {
    extern "C" fn panics(_: *mut c_void) -> c_int {
        panic!("in the child")
    }
    assert_eq!(
        code_of(&fork(&ProcessOptions::default(), panics, 0)),
        -libc::SIGABRT
    );
}

#[test]
fn a_fork_beside_threads_that_spawn_has_whole_tables() {
    assert_plays(role("forks_beside_threads"));
}

/// Other threads hold the locks of this library at the moment of the fork, again and again.
pub fn forks_beside_threads() {
    extern "C" fn use_everything(_: *mut c_void) -> c_int {
        let child = Process::spawn(&program(&["sleep", "600"])).expect("spawn");
        let listed = active_children() == [child.pid()];
        child.kill().expect("kill");
        i32::from(listed && code_of(&child) == -9 && current_process().name == "f")
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    active_children();
                    current_process();
                    // The locks are not fair: leave the forking thread its turn.
                    std::thread::sleep(Duration::from_micros(20));
                }
            });
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                run(&program(&["/bin/true"]));
            }
        });
        let options = ProcessOptions {
            name: Some(c("f")),
            ..ProcessOptions::default()
        };
        let codes = (0..50)
            .map(|_| code_of(&fork(&options, use_everything, 0)))
            .collect::<Vec<_>>();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(codes, [1; 50]);
    });
}

#[test]
fn a_blocked_signal_mask_leaves_sigterm_to_the_child() {
    assert_plays(role("blocks_everything"));
}

pub fn blocks_everything() {
    extern "C" fn wait(_: *mut c_void) -> c_int {
        std::thread::sleep(Duration::from_secs(600));
        0
    }
    // SAFETY: sets on the stack.
    unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
    }
    let child = fork(&ProcessOptions::default(), wait, 0);
    child.signal(libc::SIGUSR1).expect("a signal");
    assert_eq!(child.is_alive(), Ok(true), "the rest of the mask is kept");
    child.terminate().expect("terminate");
    child.join_timeout(seconds(20)).expect("join");
    assert_eq!(child.exit_code(), Ok(-libc::SIGTERM));
}

#[test]
fn what_c_streams_hold_is_written_once() {
    assert_plays(role("fork_streams"));
}

pub fn fork_streams() {
    extern "C" fn print(_: *mut c_void) -> c_int {
        // SAFETY: a text that ends in NUL.
        unsafe { libc::printf(c"child ".as_ptr()) };
        0
    }
    let (mut read, write) = pipe();
    // SAFETY: stdout becomes the pipe, and is given its last descriptor to keep.
    let kept = unsafe {
        let kept = libc::dup(1);
        libc::dup2(write.as_raw_fd(), 1);
        libc::printf(c"parent ".as_ptr());
        std::fs::File::from_raw_fd(kept)
    };
    assert_eq!(code_of(&fork(&ProcessOptions::default(), print, 0)), 0);
    // SAFETY: as above.
    unsafe { libc::dup2(kept.as_raw_fd(), 1) };
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).expect("text");
    // libtest's own line may come first.
    assert!(text.ends_with("parent child "), "{text:?}");
}

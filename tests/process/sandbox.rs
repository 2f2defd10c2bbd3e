//! Processes to which the kernel refuses a way of making a child.

use polyproc::{Process, ProcessOptions, Status};

use crate::support::*;

/// Refuses, for the rest of this process, `call` if its first argument has one of `flags` (0:
/// always).
fn refuse(call: libc::c_long, flags: libc::c_int, errno: libc::c_int) {
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let jump = |test: u32| (libc::BPF_JMP | test | libc::BPF_K) as u16;
    let answer = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    // Of `struct seccomp_data`: the number of the call, and the low half of its first argument.
    let (number, first) = (0, 16);
    let mut steps = vec![
        step(load, 0, 0, number),
        step(
            jump(libc::BPF_JEQ),
            0,
            if flags == 0 { 1 } else { 3 },
            call as u32,
        ),
    ];
    if flags != 0 {
        steps.push(step(load, 0, 0, first));
        steps.push(step(jump(libc::BPF_JSET), 0, 1, flags as u32));
    }
    steps.push(step(answer, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32));
    steps.push(step(answer, 0, 0, libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog {
        len: steps.len() as u16,
        filter: steps.as_mut_ptr(),
    };
    // SAFETY: the program lives through the call.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0
    };
    assert!(done, "{}", std::io::Error::last_os_error());
}

/// Starts, exit codes and errors work as without a sandbox.
fn everything_works() {
    assert_eq!(run(&shell("exit 7")), 7);
    let missing = Process::spawn(&program(&["/nowhere"])).err();
    assert_eq!(missing, Some(Status::E_NOT_FOUND));
    let forbidden = Process::spawn(&program(&["/dev/null"])).err();
    assert_eq!(forbidden, Some(Status::E_PERMISSION));
    let mut sleeper = program(&["sleep", "600"]);
    for daemon in [false, true] {
        sleeper.daemon = daemon;
        let child = Process::spawn(&sleeper).expect("spawn");
        assert_eq!(child.is_alive(), Ok(true));
        assert_eq!(child.try_join(), Err(Status::E_TIMEOUT));
        child.terminate().expect("terminate");
        child.join_timeout(seconds(20)).expect("join");
        assert_eq!(child.exit_code(), Ok(-libc::SIGTERM));
    }
    let (code, text) = output(shell("echo bun"));
    assert_eq!((code, text.as_str()), (0, "bun\n"));
    extern "C" fn three(_: *mut std::ffi::c_void) -> libc::c_int {
        3
    }
    // SAFETY: it only returns.
    let forked = unsafe { Process::fork(&ProcessOptions::default(), three, std::ptr::null_mut()) };
    let forked = forked.expect("fork");
    forked.join_timeout(seconds(20)).expect("join");
    assert_eq!(forked.exit_code(), Ok(3));
    assert!(!has_children(), "what could not be started is collected");
}

fn refused_ways(flags: libc::c_int, errno: libc::c_int) {
    // First one child in the usual way: its success must not mislead the next one.
    assert_eq!(run(&shell("exit 0")), 0);
    let descriptors = open_descriptors();
    refuse(libc::SYS_clone, flags, errno);
    everything_works();
    assert_eq!(open_descriptors(), descriptors);
}

#[test]
fn clone_with_a_process_descriptor_is_refused() {
    assert_plays(role("no_clone_pidfd"));
}

pub fn no_clone_pidfd() {
    refused_ways(libc::CLONE_PIDFD, libc::EINVAL);
}

#[test]
fn clone_with_borrowed_memory_is_refused() {
    assert_plays(role("no_clone_vfork"));
}

pub fn no_clone_vfork() {
    refused_ways(libc::CLONE_VFORK, libc::EPERM);
}

#[test]
fn process_descriptors_are_refused_everywhere() {
    assert_plays(role("no_pidfd_at_all"));
}

pub fn no_pidfd_at_all() {
    refuse(libc::SYS_pidfd_open, 0, libc::EPERM);
    refused_ways(libc::CLONE_PIDFD, libc::EPERM);
}

#[test]
fn clone3_and_vfork_are_refused() {
    assert_plays(role("no_clone3"));
}

pub fn no_clone3() {
    refuse(libc::SYS_clone3, 0, libc::ENOSYS);
    #[cfg(target_arch = "x86_64")]
    refuse(libc::SYS_vfork, 0, libc::EPERM);
    everything_works();
}

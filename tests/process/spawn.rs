//! Starting programs: where they run, what they inherit, which are refused.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use polyproc::{InheritHandle, Kind, Process, ProcessOptions, Status, Stdio};

use crate::support::*;

#[test]
fn start_does_not_block_and_join_does() {
    let begun = Instant::now();
    let process = Process::spawn(&shell("sleep 2; exit 5")).expect("spawn");
    assert!(begun.elapsed() < Duration::from_millis(1900));
    assert_eq!(process.is_alive(), Ok(true));
    assert_eq!(process.exit_code(), Err(Status::E_TIMEOUT));
    assert_eq!(process.join(), Ok(()));
    assert!(begun.elapsed() >= Duration::from_millis(1990));
    assert_eq!(process.is_alive(), Ok(false));
    assert_eq!(process.exit_code(), Ok(5));
    assert_eq!(process.try_join(), Ok(()));
    assert_eq!(process.exit_code(), Ok(5));
}

#[test]
fn a_program_is_found_in_the_path_of_its_environment() {
    assert_eq!(run(&program(&["true"])), 0);
    assert_eq!(run(&program(&["false"])), 1);
    let mut options = program(&["true"]);
    options.env.push(c("PATH=/nowhere:/usr/bin:/bin"));
    assert_eq!(run(&options), 0);
    options.env.push(c("PATH=/nowhere"));
    assert_eq!(Process::spawn(&options).err(), Some(Status::E_NOT_FOUND));
    options.env.clear();
    options.clear_env = true;
    assert_eq!(run(&options), 0);
}

#[test]
fn environment_is_added_to_or_started_afresh() {
    let mut options = program(&["/usr/bin/env"]);
    options.env = vec![c("A=1"), c("HOME=/else"), c("A=2=3"), c("EMPTY=")];
    let (_, text) = output(options.clone());
    let lines = text.lines().collect::<Vec<_>>();
    for expected in ["A=2=3", "HOME=/else", "EMPTY="] {
        assert_eq!(
            lines.iter().filter(|line| **line == expected).count(),
            1,
            "{text}"
        );
    }
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("A=")).count(),
        1
    );
    assert!(lines.iter().any(|line| line.starts_with("PATH=")));

    options.clear_env = true;
    options.name = Some(c("one name"));
    let (_, text) = output(options);
    let mut lines = text.lines().collect::<Vec<_>>();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "A=2=3",
            "EMPTY=",
            "HOME=/else",
            "POLYPROC_PROCESS=v1;name=one%20name;daemon=0"
        ]
    );
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let refused = |change: fn(&mut ProcessOptions)| {
        let mut options = program(&["/bin/true"]);
        change(&mut options);
        assert_eq!(Process::spawn(&options).err(), Some(Status::E_INVALID));
    };
    refused(|options| options.argv.clear());
    refused(|options| options.env.push(c("")));
    refused(|options| options.env.push(c("NOEQUALS")));
    refused(|options| options.env.push(c("=x")));
    refused(|options| options.env.push(c("POLYPROC_PROCESS=v1")));
    refused(|options| options.name = Some(c("")));
    refused(|options| options.name = Some(c("a\nb")));
    refused(|options| options.name = Some(c(&"a".repeat(64))));
    refused(|options| options.stdin = Stdio::Fd(-5));
    refused(|options| options.stdout = Stdio::Fd(1_000_000));
    fn handle(name: &str, fd: i32) -> InheritHandle {
        InheritHandle {
            name: name.into(),
            kind: Kind::Lock,
            fd,
        }
    }
    refused(|options| options.handles.push(handle("", 0)));
    refused(|options| options.handles.push(handle("a b", 0)));
    refused(|options| options.handles.push(handle(".a", 0)));
    refused(|options| options.handles.push(handle(&"a".repeat(201), 0)));
    refused(|options| options.handles.push(handle("a", 1_000_000)));
    refused(|options| options.handles = vec![handle("a", 0), handle("a", 1)]);
}

#[test]
fn working_directory_is_the_childs() {
    let mut options = shell("pwd -P");
    options.cwd = Some(c("/usr"));
    assert_eq!(output(options), (0, "/usr\n".into()));
    // A relative program is looked up there.
    let mut options = program(&["./sh", "-c", "exit 3"]);
    options.cwd = Some(c("/bin"));
    assert_eq!(run(&options), 3);
}

#[test]
fn standard_descriptors_come_from_where_they_are_said_to() {
    let input = memory("from a file");
    let mut options = program(&["cat"]);
    options.stdin = Stdio::Fd(input.as_raw_fd());
    assert_eq!(output(options), (0, "from a file".into()));
    let mut options = program(&["cat"]);
    options.stdin = Stdio::Null;
    assert_eq!(output(options), (0, String::new()));
    let mut options = shell("echo lost; echo lost >&2; echo kept >&3");
    (options.stdout, options.stderr) = (Stdio::Null, Stdio::Null);
    // Nothing was passed as 3, so the shell fails to write there.
    assert_eq!(run(&options), 2);
    assert_plays(role("swaps_stdio"));
}

/// stdout and stderr are swapped: each is the other's source.
pub fn swaps_stdio() {
    let (out, err) = (memory(""), memory(""));
    // SAFETY: numbers only.
    unsafe {
        libc::dup2(out.as_raw_fd(), 1);
        libc::dup2(err.as_raw_fd(), 2);
    }
    let mut options = shell("echo to out; echo to err >&2");
    (options.stdout, options.stderr) = (Stdio::Fd(2), Stdio::Fd(1));
    let code = run(&options);
    let swapped = contents(&err) == "to out\n" && contents(&out) == "to err\n";
    std::process::exit(if code == 0 && swapped { 0 } else { 1 });
}

#[test]
fn signals_are_reset_and_none_is_blocked() {
    assert_plays(role("signals"));
}

pub fn signals() {
    // SAFETY: a set on the stack; ignoring signals that nobody sends here.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigaddset(&mut set, libc::SIGUSR1);
        libc::sigaddset(&mut set, libc::SIGTERM);
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
        libc::signal(libc::SIGUSR2, libc::SIG_IGN);
        libc::signal(libc::SIGTERM, libc::SIG_IGN);
    }
    let (_, text) = output(program(&["cat", "/proc/self/status"]));
    let mask = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(name))
            .expect("a line");
        let digits = line.split_whitespace().nth(1).expect("a mask");
        u64::from_str_radix(digits, 16).expect("hexadecimal")
    };
    let bit = |signal: i32| 1u64 << (signal - 1);
    assert_eq!(mask("SigBlk"), 0, "{text}");
    assert_eq!(mask("SigIgn") & bit(libc::SIGTERM), 0, "{text}");
    assert_eq!(mask("SigIgn") & bit(libc::SIGPIPE), 0, "{text}");
    assert_ne!(mask("SigIgn") & bit(libc::SIGUSR2), 0, "{text}");
    assert_eq!(mask("SigCgt"), 0, "{text}");
}

#[test]
fn what_cannot_be_started_says_why_and_leaves_nothing() {
    assert_plays(role("leaves_nothing"));
    let mut plain = role("leaves_nothing");
    plain.env.push(c("POLYPROC_NO_PIDFD=1"));
    assert_plays(plain);
}

/// A hundred failures and a hundred children leave no descriptor and no zombie.
pub fn leaves_nothing() {
    run(&program(&["/bin/true"]));
    let before = open_descriptors();
    let refused = |options: &ProcessOptions| Process::spawn(options).err();
    let mut nowhere = program(&["/bin/true"]);
    nowhere.cwd = Some(c("/nowhere"));
    let mut in_a_file = program(&["/bin/true"]);
    in_a_file.cwd = Some(c("/etc/passwd"));
    for _ in 0..25 {
        assert_eq!(
            refused(&program(&["/bin/no such program"])),
            Some(Status::E_NOT_FOUND)
        );
        assert_eq!(
            refused(&program(&["no such program"])),
            Some(Status::E_NOT_FOUND)
        );
        assert_eq!(refused(&program(&[""])), Some(Status::E_NOT_FOUND));
        assert_eq!(
            refused(&program(&["/etc/passwd/x"])),
            Some(Status::E_NOT_FOUND)
        );
        assert_eq!(
            refused(&program(&["/etc/passwd"])),
            Some(Status::E_PERMISSION)
        );
        assert_eq!(refused(&program(&["/etc"])), Some(Status::E_PERMISSION));
        assert_eq!(refused(&nowhere), Some(Status::E_NOT_FOUND));
        assert_eq!(refused(&in_a_file), Some(Status::E_NOT_FOUND));
    }
    assert!(!has_children());
    assert_eq!(open_descriptors(), before);
    for _ in 0..100 {
        assert_eq!(run(&program(&["/bin/true"])), 0);
    }
    assert!(!has_children());
    assert_eq!(open_descriptors(), before);
}

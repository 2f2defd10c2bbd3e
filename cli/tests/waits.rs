//! Ctrl-C ends each command that waits, and the programs that it runs.

mod support;

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};

use support::{children, ok, own_shm, runs, until, POLYPROC};

/// Starts the command as a shell with job control does: in a process group of its own, and with
/// SIGINT as usual, which a test that runs in the background may have inherited as ignored.
fn start(line: &str) -> Child {
    let mut command = Command::new(POLYPROC);
    command
        .args(line.split(' '))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    // SAFETY: signal may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            Ok(())
        });
    }
    command.spawn().expect("polyproc")
}

/// Sends the signal of Ctrl-C, as a terminal does.
fn interrupt(child: &Child) {
    // SAFETY: no preconditions. It is the group of a child of this test.
    unsafe { libc::kill(-(child.id() as i32), libc::SIGINT) };
}

/// Whether its first thread sleeps.
fn sleeps(child: &Child) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    stat.contains(") S ")
}

#[test]
fn ctrl_c_ends_each_wait() {
    if !own_shm() {
        return;
    }
    ok("polyproc put full one --create --joinable --max-items 1");
    ok("polyproc put empty x --create; polyproc get empty");
    ok("polyproc event clear never --create");
    let holder = start("lock held -- sleep 1000");
    let last = start("sem permits --permits 1 -- sleep 1000");
    for holder in [&holder, &last] {
        until("the program runs", || children(holder.id()).len() == 1);
    }
    for line in [
        "get empty",
        "get empty --follow",
        "get empty -n 5 --timeout 1h",
        "put full two",
        "take empty --follow -- true",
        "take empty --timeout 1h -- true",
        "join full",
        "event wait never",
        "lock held -- true",
        "sem permits -- true",
    ] {
        let mut waits = start(line);
        until("it waits", || sleeps(&waits));
        interrupt(&waits);
        let status = waits.wait().expect("a child");
        assert_eq!(status.signal(), Some(libc::SIGINT), "{line}: {status}");
    }
    // The program ends by the signal, and the command says so as a shell does.
    for mut holder in [holder, last] {
        let program = children(holder.id())[0];
        interrupt(&holder);
        assert_eq!(holder.wait().expect("a child").code(), Some(130));
        assert!(!runs(program));
    }
    ok("polyproc lock held -n -- true; polyproc sem permits -n -- true");
    assert_eq!(ok("polyproc get full --all"), "one\n");
}

#[test]
fn ctrl_c_ends_the_programs_of_take() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs 1000 1001 1002 --create");
    let mut take = start("take jobs -P 2 -- sleep {}");
    until("two programs run", || children(take.id()).len() == 2);
    let programs = children(take.id());
    interrupt(&take);
    let status = take.wait().expect("a child");
    assert_eq!(status.signal(), Some(libc::SIGINT), "{status}");
    until("the programs have ended", || {
        !programs.iter().any(|program| runs(*program))
    });
    assert_eq!(ok("polyproc get jobs --all | sort"), "1000\n1001\n1002\n");
}

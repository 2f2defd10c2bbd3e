//! `doctor`: what it finds, and what it says to type.

use std::os::unix::process::CommandExt;
use std::process::Command;

use polyproc::{CreateOptions, Lock, Queue};
use serde_json::Value;

use crate::joinable;
use crate::support::{code, ok, own_shm, until, POLYPROC};

/// The findings of a line of shell that runs `doctor --json`.
struct Findings(Vec<Value>);

impl Findings {
    fn of(line: &str) -> Findings {
        Findings::parse(&code(line).1)
    }

    fn parse(text: &str) -> Findings {
        let lines = text.lines().map(serde_json::from_str);
        Findings(lines.map(|line| line.expect("JSON")).collect())
    }

    /// Panics if no finding of this level has these parts in its text and in what to type.
    fn have(&self, level: &str, text: &str, advice: &str) {
        let contains = |one: &Value, field: &str, part: &str| {
            let value = one[field].as_str();
            value.is_some_and(|value| value.contains(part))
        };
        let mut findings = self.0.iter();
        let found = findings.any(|one| {
            one["level"] == level && contains(one, "text", text) && contains(one, "type", advice)
        });
        assert!(found, "no {level} {text}: {:?}", self.0);
    }
}

#[test]
fn doctor_says_what_to_type_about_objects() {
    if !own_shm() {
        return;
    }
    let jobs = Queue::create(Some("jobs"), &joinable()).unwrap();
    jobs.put(b"one").unwrap();
    jobs.put(b"two").unwrap();
    jobs.take().unwrap().give_back().unwrap();
    drop(Lock::create(Some("left"), CreateOptions::default()).unwrap());
    let seen = Findings::of("polyproc doctor --json");
    seen.have("WARN", "1 dead letter", "polyproc peek jobs --from dead");
    seen.have("WARN", "no process has left open", "polyproc rm left");

    // In another pid namespace this process has another number, or none.
    let seen = Findings::of("unshare --pid --fork --mount-proc polyproc doctor --json");
    seen.have("WARN", "another pid namespace", "polyproc stat jobs");

    ok("printf '\\377' | dd of=/dev/shm/polyproc.left bs=1 seek=28 conv=notrunc status=none");
    assert_eq!(code("polyproc doctor").0, 1);
    let seen = Findings::of("polyproc doctor --json");
    seen.have("FAIL", "damaged", "polyproc rm left");
}

#[test]
fn doctor_says_what_to_type_about_the_system() {
    if !own_shm() {
        return;
    }
    let seen = Findings::of("POLYPROC_NO_WAITV=1 polyproc doctor --json");
    seen.have("WARN", "slices", "unset POLYPROC_NO_WAITV");
    let mut command = Command::new(POLYPROC);
    command.args(["doctor", "--json"]);
    // SAFETY: the function makes system calls only.
    let output = unsafe { command.pre_exec(refuse_futex_waitv).output() };
    let text = String::from_utf8(output.expect("polyproc").stdout).expect("UTF-8");
    let advice = "docker run --security-opt seccomp=";
    Findings::parse(&text).have("WARN", "slices", advice);

    ok("mount -o remount,size=64M /dev/shm");
    let seen = Findings::of("polyproc doctor --json");
    seen.have("WARN", "small", "size=1G");
    code("dd if=/dev/zero of=/dev/shm/filler bs=1M count=70 status=none");
    let seen = Findings::of("polyproc doctor --json");
    seen.have("FAIL", "full", "size=1G");
    ok("rm /dev/shm/filler");
}

/// As the seccomp profile of an old container does.
fn refuse_futex_waitv() -> std::io::Result<()> {
    const FUTEX_WAITV: u32 = 449;
    let statement = |code: u32, k: u32, jt: u8, jf: u8| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let refuse = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    let mut program = [
        // The number of the system call is first in `seccomp_data`.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        statement(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            FUTEX_WAITV,
            0,
            1,
        ),
        statement(libc::BPF_RET | libc::BPF_K, refuse, 0, 0),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `filter` and `program` are locals, which the kernel copies.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &filter) == 0
    };
    match done {
        true => Ok(()),
        false => Err(std::io::Error::last_os_error()),
    }
}

#[test]
fn doctor_names_a_stopped_holder_and_a_dead_one() {
    if !own_shm() {
        return;
    }
    let lock = Lock::create(Some("lock"), CreateOptions::default()).unwrap();
    // A process that stops itself while it holds the lock: a fork of this one.
    // SAFETY: the child calls only this library, which supports it, and ends by a signal.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        lock.lock().unwrap().leak();
        loop {
            // SAFETY: no preconditions.
            unsafe { libc::raise(libc::SIGSTOP) };
        }
    }
    let stopped = format!("process {pid} is stopped and holds the lock");
    until("stopped", || code("polyproc doctor").1.contains(&stopped));
    Findings::of("polyproc doctor --json").have("WARN", &stopped, &format!("kill -CONT {pid}"));
    let text = ok("polyproc stat lock");
    assert!(text.contains("STOPPED"), "{text}");
    let mut status = 0;
    // SAFETY: a child of this process, and a local.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, &mut status, 0);
    }
    let text = ok("polyproc stat lock");
    assert!(text.contains("its holder died"), "{text}");
    assert!(text.contains("DEAD"), "{text}");
    let seen = Findings::of("polyproc doctor --json");
    seen.have("WARN", "has died and holds the lock", "polyproc stat lock");
}

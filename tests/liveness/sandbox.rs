//! The scenarios of `holders`, each in processes to which the kernel refuses some calls.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::holders::{self, Watched};

/// Tells the test binary what it may expect.
pub const ROLE: &str = "POLYPROC_TEST_SANDBOX";

const FUTEX_WAITV: libc::c_long = 449;

/// One refused system call.
type Refusal = (libc::c_long, libc::c_int);

const NO_ROBUST_LIST: Refusal = (libc::SYS_set_robust_list, libc::EPERM);

pub fn is_root(test: &str) -> bool {
    // SAFETY: no preconditions.
    let is_root = unsafe { libc::geteuid() } == 0;
    if !is_root {
        println!("skipped {test}: needs root, for pid namespaces");
    }
    is_root
}

/// Runs every scenario, in processes to which these calls are refused.
fn all_scenarios(role: &str, wrapper: &[&str], refused: &'static [Refusal]) {
    let me = std::env::current_exe().unwrap();
    let me = me.to_str().unwrap();
    let mut words = wrapper.to_vec();
    words.extend([me, "play", "--exact", "--nocapture", "--test-threads=1"]);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env(ROLE, role);
    // SAFETY: only system calls between fork and exec.
    unsafe {
        command.pre_exec(move || refused.iter().try_for_each(refuse));
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
    println!("{text}");
}

/// Runs in the role.
pub fn run_scenarios() {
    let role = std::env::var(ROLE).unwrap();
    let watched = if role.contains("unwatched") {
        Watched::No
    } else {
        Watched::ByTheKernel
    };
    holders::all(watched);
    if role.contains("emulated") {
        holders::its_own_stat_is_made_up();
    }
    if role.contains("namespace") {
        holders::its_number_is_given_to_another();
        holders::the_first_of_its_namespace();
    }
}

#[test]
fn with_all_that_the_kernel_offers() {
    all_scenarios("plain", &[], &[]);
}

#[test]
fn set_robust_list_is_refused() {
    all_scenarios("unwatched", &[], &[NO_ROBUST_LIST]);
}

#[test]
fn futex_waitv_is_not_known() {
    all_scenarios("plain", &[], &[(FUTEX_WAITV, libc::ENOSYS)]);
}

#[test]
fn futex_waitv_is_refused() {
    all_scenarios("plain", &[], &[(FUTEX_WAITV, libc::EPERM)]);
}

/// Then a handler of fork(2) wipes the words of this process, which the kernel would have wiped.
#[test]
fn madvise_is_refused() {
    all_scenarios("plain", &[], &[(libc::SYS_madvise, libc::EPERM)]);
}

#[test]
fn both_are_refused() {
    all_scenarios(
        "unwatched",
        &[],
        &[NO_ROBUST_LIST, (FUTEX_WAITV, libc::EPERM)],
    );
}

const NAMESPACE: [&str; 5] = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

#[test]
fn in_a_pid_namespace() {
    if is_root("in_a_pid_namespace") {
        all_scenarios("namespace", &NAMESPACE, &[]);
    }
}

#[test]
fn in_a_pid_namespace_without_robust_lists() {
    if is_root("in_a_pid_namespace_without_robust_lists") {
        all_scenarios("namespace unwatched", &NAMESPACE, &[NO_ROBUST_LIST]);
    }
}

/// As under qemu-user, which knows no robust lists either.
#[test]
fn an_emulator_answers_for_proc() {
    if is_root("an_emulator_answers_for_proc") {
        all_scenarios("emulated unwatched", &[], &[NO_ROBUST_LIST]);
    }
}

#[test]
fn another_pid_namespace() {
    if is_root("another_pid_namespace") {
        holders::in_another_pid_namespace();
    }
}

/// Makes the kernel refuse a system call with an error, for this process and all that it starts.
fn refuse((call, errno): &Refusal) -> std::io::Result<()> {
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let jump_if_equal = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let answer = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut steps = [
        // The number of the call is the first field of `struct seccomp_data`.
        step(load, 0, 0, 0),
        step(jump_if_equal, 0, 1, *call as u32),
        step(answer, 0, 0, libc::SECCOMP_RET_ERRNO | *errno as u32),
        step(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: steps.len() as u16,
        filter: steps.as_mut_ptr(),
    };
    // SAFETY: the program lives through the call.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0
    };
    if done {
        return Ok(());
    }
    Err(std::io::Error::last_os_error())
}

//! The programs of `tests/c`: each is compiled as C99 and as C++17 with warnings as errors, and run
//! under a deadline.
//!
//! With `POLYPROC_TEST_VALGRIND=1` they run under valgrind's memcheck, which must find no error and
//! no definite leak.

mod compiled_c;

use std::env;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use compiled_c::{compile, Language};

/// Longer than any program here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);
/// The same under valgrind.
const VALGRIND_DEADLINE: Duration = Duration::from_secs(600);
/// Time for processes that are about to end by themselves when a program has ended.
const GRACE: Duration = Duration::from_secs(10);

fn run(program: &str, language: Language) {
    let executable = compile(program, language);
    let under_valgrind = env::var_os("POLYPROC_TEST_VALGRIND").is_some_and(|value| value == "1");
    let (mut command, deadline) = if under_valgrind {
        (valgrind(&executable), VALGRIND_DEADLINE)
    } else {
        (Command::new(&executable), DEADLINE)
    };
    let said = executable.with_extension("stderr");
    command.stderr(File::create(&said).expect("a file for what it says"));
    let (pid, status, left_processes) = run_with_deadline(&mut command, deadline);
    let left = remove_names_of(pid);
    let said = fs::read_to_string(&said).expect("what it says");
    let status = status.unwrap_or_else(|| panic!("{program} hangs as {language:?}\n{said}"));
    assert!(
        status.success(),
        "{program} as {language:?}: {status}\n{said}"
    );
    assert!(
        !left_processes,
        "{program} as {language:?} leaves processes behind"
    );
    assert!(
        left.is_empty(),
        "{program} as {language:?} leaves {left:?} in /dev/shm"
    );
}

fn valgrind(executable: &Path) -> Command {
    let mut command = Command::new("valgrind");
    let suppressions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/valgrind.supp");
    command
        .args([
            "--quiet",
            "--error-exitcode=99",
            "--leak-check=full",
            "--fair-sched=yes",
        ])
        .args([
            "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite",
        ])
        .arg(format!("--suppressions={}", suppressions.display()));
    if executable.to_string_lossy().contains("torn_get") {
        // Its signal handler returns to the copy that has faulted. Without this, valgrind goes on
        // with registers from before that.
        command.arg("--vex-iropt-register-updates=allregs-at-mem-access");
    }
    command.arg(executable);
    command
}

/// Runs it in a process group of its own, and kills the group after the deadline, so that none of
/// its processes remains. The third result says whether one had to be killed.
fn run_with_deadline(command: &mut Command, deadline: Duration) -> (u32, Option<ExitStatus>, bool) {
    // Processes that the program leaves become this process's children. SAFETY: a switch of this
    // process, no memory is involved.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let mut child = command.process_group(0).spawn().expect("it starts");
    let group = i32::try_from(child.id()).expect("a process id");
    let mut status = None;
    wait_until(deadline, || {
        status = child.try_wait().expect("it is a child");
        status.is_some()
    });
    let all_ended = status.is_some() && wait_until(GRACE, || group_has_ended(group));
    if !all_ended {
        // SAFETY: a signal to the group that was made for this child, and still has a process.
        unsafe { libc::kill(-group, libc::SIGKILL) };
        child.wait().expect("it was killed");
        wait_until(GRACE, || group_has_ended(group));
    }
    (child.id(), status, !all_ended)
}

/// Reaps the orphans of a group; returns whether none is left.
fn group_has_ended(group: i32) -> bool {
    // SAFETY: no status is asked for. The group's first process was collected before.
    while unsafe { libc::waitpid(-group, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
    // SAFETY: asks, and sends nothing.
    unsafe { libc::kill(-group, 0) == -1 }
}

fn wait_until(deadline: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + deadline;
    while !is_so() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Removes the names that a program left, which carry its process id, and returns them.
fn remove_names_of(pid: u32) -> Vec<PathBuf> {
    let prefix = format!("polyproc.test-c.{pid}.");
    let entries = fs::read_dir("/dev/shm").expect("/dev/shm");
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(&prefix))
    });
    for path in &paths {
        let _ = fs::remove_file(path);
    }
    paths
}

macro_rules! programs {
    ($($name:ident),* $(,)?) => {
        const PROGRAMS: &[&str] = &[$(stringify!($name)),*];

        mod c99 {
            $(#[test] fn $name() { super::run(stringify!($name), super::Language::C99) })*
        }

        mod cpp17 {
            $(#[test] fn $name() { super::run(stringify!($name), super::Language::Cpp17) })*
        }
    };
}

programs! {
    arguments,
    barrier,
    barrier_steps,
    cancel,
    close,
    closed,
    closed_standard,
    condition,
    condition_faults,
    connection,
    connection_processes,
    detail,
    event,
    first_use,
    exit,
    file_size_limit,
    fork,
    fork_exit,
    header,
    hostile_list,
    killed,
    library,
    list,
    listener,
    lock,
    names,
    no_thread,
    pool,
    pool_faults,
    pool_no_room,
    pool_stopped,
    pool_worker,
    process,
    process_group,
    queue,
    queue_loans,
    queue_many,
    queue_settled,
    queue_shutdown,
    queue_tasks,
    renewed,
    rlock,
    semaphore,
    semaphore_owned,
    share,
    socket,
    sync_faults,
    thread_cancel,
    torn_get,
    truncated,
    wait,
    waits,
    waits_pool,
}

#[test]
fn every_program_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c");
    let files = fs::read_dir(folder).expect("tests/c");
    let sources = files.filter_map(|file| Some(PathBuf::from(file.ok()?.file_name())));
    for source in sources.filter(|source| source.extension().is_some_and(|ext| ext == "c")) {
        let name = source
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a plain name");
        assert!(PROGRAMS.contains(&name), "{name}.c is not among the tests");
    }
}

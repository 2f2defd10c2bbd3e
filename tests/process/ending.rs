//! How a process ends, and which calls report it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use polyproc::{active_children, interruptible, Cancel, Process, Status, Wait};

use crate::support::*;

#[test]
fn life_from_start_to_end() {
    assert_plays(role("lifecycle"));
}

#[test]
fn life_from_start_to_end_without_process_descriptors() {
    let mut options = role("lifecycle");
    options.env.push(c("POLYPROC_NO_PIDFD=1"));
    assert_plays(options);
}

/// All that has two ways, with and without process descriptors.
pub fn lifecycle() {
    exit_codes();
    join_ends_early();
    many_threads_join_one();
    interruption();
    signals();
    collected_by_somebody_else();
    adoption();
    assert!(!has_children());
}

fn exit_codes() {
    for code in [0, 1, 3, 127, 128, 255] {
        assert_eq!(run(&shell(&format!("exit {code}"))), code);
    }
    for signal in [
        libc::SIGTERM,
        libc::SIGKILL,
        libc::SIGSEGV,
        libc::SIGRTMAX(),
    ] {
        assert_eq!(
            run(&shell(&format!("ulimit -c 0; kill -{signal} $$"))),
            -signal
        );
    }
}

fn join_ends_early() {
    let process = Process::spawn(&program(&["sleep", "600"])).expect("spawn");
    assert_eq!(process.try_join(), Err(Status::E_TIMEOUT));
    let begun = Instant::now();
    assert_eq!(
        process.join_timeout(Wait::for_ns(100_000_000)),
        Err(Status::E_TIMEOUT)
    );
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert!(begun.elapsed() < Duration::from_secs(5));

    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let joined = scope.spawn(|| process.join_timeout(Wait::FOREVER.or_cancel(&cancel)));
        std::thread::sleep(Duration::from_millis(30));
        cancel.fire();
        assert_eq!(joined.join().expect("thread"), Err(Status::E_CANCELED));
    });
    assert_eq!(
        process.join_timeout(seconds(9).or_cancel(&cancel)),
        Err(Status::E_CANCELED)
    );
    let closing = Cancel::new();
    closing.fire();
    assert_eq!(
        process.join_timeout(seconds(9).or_closed(&closing)),
        Err(Status::E_CLOSED)
    );

    assert_eq!(process.is_alive(), Ok(true));
    process.kill().expect("kill");
    assert_eq!(process.join_timeout(seconds(9)), Ok(()));
    // A process that has ended is joined, also with a fired token.
    assert_eq!(process.join_timeout(Wait::TRY.or_cancel(&cancel)), Ok(()));
    assert_eq!(process.exit_code(), Ok(-9));
}

fn many_threads_join_one() {
    for _ in 0..20 {
        let process = Process::spawn(&shell("exit 7")).expect("spawn");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    process.join_timeout(seconds(9)).expect("join");
                    assert_eq!(process.exit_code(), Ok(7));
                });
            }
        });
    }
}

/// A handler runs and the wait goes on, unless the program has asked for E_INTERRUPTED.
fn interruption() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    extern "C" fn count(_: libc::c_int) {
        RUNS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: all zeros is a valid sigaction, without SA_RESTART; the handler counts.
    unsafe {
        let mut action = std::mem::zeroed::<libc::sigaction>();
        action.sa_sigaction = count as *const () as libc::sighandler_t;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut());
    }
    let process = Process::spawn(&program(&["sleep", "600"])).expect("spawn");
    for (asked, expected) in [(false, Status::E_TIMEOUT), (true, Status::E_INTERRUPTED)] {
        interruptible(asked);
        let before = RUNS.load(Ordering::Relaxed);
        // SAFETY: no preconditions.
        let waiter = unsafe { libc::pthread_self() };
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(5));
                    // SAFETY: the waiter is this thread's parent and outlives it.
                    unsafe { libc::pthread_kill(waiter, libc::SIGUSR1) };
                }
            });
            let timeout = if asked {
                seconds(20)
            } else {
                Wait::for_ns(100_000_000)
            };
            let ended = process.join_timeout(timeout);
            done.store(true, Ordering::Relaxed);
            assert_eq!(ended, Err(expected));
        });
        assert!(RUNS.load(Ordering::Relaxed) > before);
    }
    interruptible(false);
    process.kill().expect("kill");
    process.join_timeout(seconds(9)).expect("join");
}

fn signals() {
    let process = Process::spawn(&program(&["sleep", "600"])).expect("spawn");
    for bad in [-1, 0, 65, 1000] {
        assert_eq!(process.signal(bad), Err(Status::E_INVALID));
    }
    assert_eq!(process.signal(libc::SIGCONT), Ok(()));
    assert_eq!(process.is_alive(), Ok(true));
    // A stopped process is alive, and stays stopped.
    assert_eq!(process.signal(libc::SIGSTOP), Ok(()));
    assert_eq!(
        process.join_timeout(Wait::for_ns(50_000_000)),
        Err(Status::E_TIMEOUT)
    );
    assert_eq!(process.terminate(), Ok(()));
    assert_eq!(process.signal(libc::SIGCONT), Ok(()));
    assert_eq!(process.join_timeout(seconds(9)), Ok(()));
    assert_eq!(process.exit_code(), Ok(-libc::SIGTERM));
    for signal in [Process::terminate, Process::kill] {
        assert_eq!(signal(&process), Ok(()));
    }
    assert_eq!(process.signal(libc::SIGUSR1), Ok(()));

    // A zombie that no call has looked at yet.
    let process = Process::spawn(&shell("exit 6")).expect("spawn");
    eventually("the zombie", has_zombie);
    assert_eq!(process.terminate(), Ok(()));
    assert_eq!(process.exit_code(), Ok(6));
}

fn has_zombie() -> bool {
    // SAFETY: all zeros is a valid siginfo_t, and WNOWAIT takes nothing away.
    unsafe {
        let mut info = std::mem::zeroed::<libc::siginfo_t>();
        libc::waitid(
            libc::P_ALL,
            0,
            &mut info,
            libc::WEXITED | libc::WNOHANG | libc::WNOWAIT,
        );
        info.si_pid() != 0
    }
}

fn collect(pid: i32) {
    // SAFETY: no status is asked for.
    assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid);
}

fn collected_by_somebody_else() {
    for (script, code) in [("exit 9", 9), ("kill -15 $$", -15)] {
        let process = Process::spawn(&shell(script)).expect("spawn");
        collect(process.pid());
        assert_eq!(process.join_timeout(seconds(9)), Ok(()));
        assert_eq!(process.is_alive(), Ok(false));
        let expected = if kernel_keeps_exit_codes() {
            Ok(code)
        } else {
            Err(Status::E_NOT_FOUND)
        };
        assert_eq!(process.exit_code(), expected);
        assert_eq!(process.exit_code(), expected);
        assert_eq!(process.kill(), Ok(()));
    }
}

#[allow(
    clippy::zombie_processes,
    reason = "it is adopted, and collected by that"
)]
fn adoption() {
    for bad in [i32::MIN, -1, 0, std::process::id() as i32] {
        assert_eq!(Process::adopt(bad).err(), Some(Status::E_INVALID));
    }
    assert_eq!(Process::adopt(i32::MAX).err(), Some(Status::E_NOT_FOUND));

    let others = std::process::Command::new("/bin/sh")
        .args(["-c", "exit 8"])
        .spawn()
        .expect("child");
    let adopted = Process::adopt(others.id() as i32).expect("adopt");
    assert_eq!(adopted.pid(), others.id() as i32);
    assert_eq!(adopted.name(), format!("pid-{}", others.id()));
    assert_eq!(adopted.join_timeout(seconds(9)), Ok(()));
    assert_eq!(adopted.exit_code(), Ok(8));
    assert_eq!(
        Process::adopt(others.id() as i32).err(),
        Some(Status::E_NOT_FOUND)
    );

    // A second handle of one child: both see its end.
    let first = Process::spawn(&program(&["sleep", "600"])).expect("spawn");
    let second = Process::adopt(first.pid()).expect("adopt");
    assert_eq!(second.name(), first.name());
    second.kill().expect("kill");
    assert_eq!(first.join_timeout(seconds(9)), Ok(()));
    assert_eq!((first.exit_code(), second.exit_code()), (Ok(-9), Ok(-9)));
    let zombie = Process::spawn(&shell("exit 4")).expect("spawn");
    eventually("the zombie", has_zombie);
    assert_eq!(
        Process::adopt(zombie.pid()).expect("adopt").exit_code(),
        Ok(4)
    );

    // Another process's child can be watched, but only by its descriptor. SAFETY: no preconditions.
    let parent = unsafe { libc::getppid() };
    match Process::adopt(parent) {
        Ok(parent) => {
            assert_eq!(parent.is_alive(), Ok(true));
            assert_eq!(parent.exit_code(), Err(Status::E_TIMEOUT));
            assert_eq!(
                parent.join_timeout(Wait::for_ns(1_000_000)),
                Err(Status::E_TIMEOUT)
            );
        }
        Err(status) => assert_eq!(status, Status::E_UNSUPPORTED),
    }
}

#[test]
fn the_descriptor_is_readable_once_the_process_has_ended() {
    let process = Process::spawn(&shell("exit 2")).expect("spawn");
    let mut item = libc::pollfd {
        fd: process.fd().expect("pidfd"),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry.
    assert_eq!(unsafe { libc::poll(&mut item, 1, 9000) }, 1);
    assert_eq!(process.exit_code(), Ok(2));
}

#[test]
fn a_caller_that_ignores_its_children_is_told_how_they_end() {
    assert_plays(role("sigchld_ignored"));
}

/// The kernel reaps each child at once.
pub fn sigchld_ignored() {
    // SAFETY: no handler.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    assert_eq!(
        Process::spawn(&program(&["/nowhere"])).err(),
        Some(Status::E_NOT_FOUND)
    );
    for code in 0..50 {
        let process = Process::spawn(&shell(&format!("exit {code}"))).expect("spawn");
        process.join_timeout(seconds(9)).expect("join");
        let expected = if kernel_keeps_exit_codes() {
            Ok(code)
        } else {
            Err(Status::E_NOT_FOUND)
        };
        assert_eq!(process.exit_code(), expected);
    }
    assert_eq!(active_children(), []);
}

#[test]
fn a_handler_that_collects_every_child_takes_no_exit_code() {
    assert_plays(role("sigchld_reaper"));
}

/// As many C programs do: a handler of SIGCHLD that reaps every child.
pub fn sigchld_reaper() {
    extern "C" fn collect_all(_: libc::c_int) {
        // SAFETY: async-signal-safe; errno is put back.
        unsafe {
            let errno = *libc::__errno_location();
            while libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) > 0 {}
            *libc::__errno_location() = errno;
        }
    }
    extern "C" fn leave(code: *mut std::ffi::c_void) -> libc::c_int {
        code as usize as libc::c_int
    }
    // SAFETY: the handler does what handlers may.
    unsafe {
        libc::signal(
            libc::SIGCHLD,
            collect_all as *const () as libc::sighandler_t,
        )
    };
    for code in 0..100 {
        let options = shell(&format!("exit {code}"));
        let spawned = Process::spawn(&options).expect("spawn");
        // SAFETY: the function only returns.
        let forked =
            unsafe { Process::fork(&options, leave, code as usize as *mut _) }.expect("fork");
        for process in [spawned, forked] {
            process.join_timeout(seconds(9)).expect("join");
            let known = process.exit_code();
            let lost = known == Err(Status::E_NOT_FOUND) && !kernel_keeps_exit_codes();
            assert!(known == Ok(code) || lost, "{code}: {known:?}");
        }
    }
}

#[test]
fn the_list_holds_who_runs_and_collects_who_does_not() {
    assert_plays(role("list"));
    let mut plain = role("list");
    plain.env.push(c("POLYPROC_NO_PIDFD=1"));
    assert_plays(plain);
}

pub fn list() {
    assert_eq!(active_children(), []);
    let first = Process::spawn(&program(&["sleep", "600"])).expect("spawn");
    let mut options = program(&["sleep", "600"]);
    options.name = Some(c("worker"));
    let named = Process::spawn(&options).expect("spawn");
    let second = Process::spawn(&program(&["sleep", "600"])).expect("spawn");
    assert_eq!(
        (first.name(), named.name(), second.name()),
        ("Process-1", "worker", "Process-2")
    );
    assert_eq!(active_children(), [first.pid(), named.pid(), second.pid()]);
    named.kill().expect("kill");
    named.join_timeout(seconds(9)).expect("join");
    assert_eq!(active_children(), [first.pid(), second.pid()]);

    // The handle is dropped while the child runs: it goes on, and is reaped once it has ended.
    let pid = first.pid();
    drop(first);
    assert_eq!(active_children(), [pid, second.pid()]);
    Process::adopt(pid).expect("adopt").kill().expect("kill");
    eventually("the end of the dropped one", || {
        active_children() == [second.pid()]
    });

    // The handle is dropped, then another spawn follows: no zombie is left.
    drop(Process::spawn(&program(&["/bin/true"])).expect("spawn"));
    second.kill().expect("kill");
    second.join_timeout(seconds(9)).expect("join");
    drop(second);
    eventually("no child", || {
        run(&program(&["/bin/true"]));
        !has_children()
    });
    assert_eq!(active_children(), []);
}

//! What /proc tells about processes: for a person who looks, and for detecting the end of a process
//! for which the kernel keeps no robust list.
//!
//! A process is identified by its process id and its start time, within its namespaces: a later
//! process with the same id has started later. If this cannot be determined, the process counts as
//! alive.

use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{clock, fork, syscall};

/// The identity of a process, which no later process with the same id has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lifetime {
    pub(crate) pid: u32,
    /// In clock ticks since the system's start, as counted in this time namespace.
    pub(crate) started: u64,
    /// Identifies the pid namespace and the time namespace to which the other two fields refer.
    pub(crate) namespaces: u32,
}

/// The identity of this process; `None` if /proc does not tell.
pub(crate) fn own() -> Option<Lifetime> {
    let pid = std::process::id();
    Some(Lifetime {
        pid,
        started: stat_of(pid)?.started,
        namespaces: namespaces()?,
    })
}

/// Report whether the process has certainly ended, with all its threads. It need not be reaped yet.
pub(crate) fn has_ended(process: &Lifetime) -> bool {
    if namespaces() != Some(process.namespaces) {
        return false;
    }
    let Some(pid) = libc::pid_t::try_from(process.pid)
        .ok()
        .filter(|pid| *pid > 0)
    else {
        return false;
    };
    // Do not ask /proc here: it can be mounted so that it hides the processes of other users.
    // SAFETY: no pointers; signal 0 only tests for existence.
    if unsafe { libc::kill(pid, 0) } != 0 && super::errno() == libc::ESRCH {
        return true;
    }
    stat_of(process.pid).is_some_and(|now| now.started != process.started || now.is_over)
}

/// The fields of /proc/PID/stat that matter here.
struct Stat {
    started: u64,
    /// The process waits to be reaped, and none of its threads is left.
    is_over: bool,
    /// A signal or a debugger has stopped it.
    is_stopped: bool,
}

/// What a person wants to know about a process.
pub(crate) struct Account {
    /// Its arguments, each ended by a NUL byte; empty for a process that has ended.
    pub(crate) arguments: Vec<u8>,
    /// How long it has been running.
    pub(crate) age: Duration,
    /// Whether a signal or a debugger has stopped it.
    pub(crate) is_stopped: bool,
}

/// What /proc tells about a process; `None` if there is none with this id, or if it is hidden.
pub(crate) fn account_of(pid: u32) -> Option<Account> {
    let stat = stat_of(pid)?;
    let read = || std::fs::read(format!("/proc/{pid}/cmdline"));
    // SAFETY: no pointers. The answer does not change.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    let second = u64::try_from(ticks).ok().filter(|ticks| *ticks > 0)?;
    let started = Duration::from_millis(stat.started.saturating_mul(1000) / second);
    Some(Account {
        arguments: syscall::without_cancellation(read).unwrap_or_default(),
        age: clock::since_boot().saturating_sub(started),
        is_stopped: stat.is_stopped,
    })
}

/// The name of a thread of a process.
pub(crate) fn thread_name(pid: u32, tid: u32) -> Option<Vec<u8>> {
    let read = || std::fs::read(format!("/proc/{pid}/task/{tid}/comm"));
    let mut name = syscall::without_cancellation(read).ok()?;
    if name.last() == Some(&b'\n') {
        name.pop();
    }
    Some(name)
}

/// The number of this process's pid namespace; `None` if /proc belongs to another one.
pub(crate) fn pid_namespace() -> Option<u32> {
    namespaces()?;
    inode("/proc/self/ns/pid")
}

fn stat_of(pid: u32) -> Option<Stat> {
    // Read the file of its first thread, which has the same contents. Emulators (qemu-user) answer
    // /proc/PID/stat themselves if a process asks for itself, with a start time that no other
    // process sees.
    let path = format!("/proc/{pid}/task/{pid}/stat");
    parse(&syscall::without_cancellation(|| std::fs::read(path)).ok()?)
}

/// Parse the format of proc(5): `pid (name) state ...`. The name may contain any bytes.
fn parse(stat: &[u8]) -> Option<Stat> {
    let behind_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let text = std::str::from_utf8(stat.get(behind_name..)?).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = fields.next()?;
    let threads: u64 = fields.nth(16)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    // A first thread that has ended also looks like this while other threads continue.
    let is_over = matches!(state, "Z" | "X") && threads <= 1;
    Some(Stat {
        started,
        is_over,
        is_stopped: matches!(state, "T" | "t"),
    })
}

/// Report whether the calling thread is the only one of its process. False if this cannot be seen.
pub(crate) fn has_one_thread() -> bool {
    // Two links of the folder itself, and one for each thread.
    const ONE_THREAD: u64 = 3;
    let folder = syscall::without_cancellation(|| std::fs::metadata("/proc/self/task"));
    folder.is_ok_and(|folder| folder.nlink() == ONE_THREAD)
}

/// The activity of a process, as one look shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Activity {
    /// A thread has a core or waits for one, or waits in the kernel for memory or for a disk.
    Busy,
    /// A signal or a container's freezer has stopped a thread, and none is busy.
    Stopped,
    /// All threads sleep. The number of times that they have left a core since they began: it
    /// grows if one of them runs.
    Asleep(u64),
}

impl Activity {
    /// The process cannot be seen.
    pub(crate) const UNKNOWN: Activity = Activity::Asleep(0);
}

/// Look at all threads of a process other than this one. A process in a frozen cgroup of version 2
/// sleeps, and so does one that a debugger has stopped: the stops of a process that is only traced
/// are short.
pub(crate) fn activity(pid: u32) -> Activity {
    syscall::without_cancellation(|| activity_of_threads(pid))
}

/// Report whether /proc shows the processes of this pid namespace.
pub(crate) fn shows_own_namespace() -> bool {
    namespaces().is_some()
}

fn activity_of_threads(pid: u32) -> Activity {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Activity::UNKNOWN;
    };
    let (mut switches, mut waits_in_kernel, mut is_stopped) = (0u64, false, false);
    for thread in threads.flatten().map(|one| one.path()) {
        let Ok(status) = std::fs::read(thread.join("status")) else {
            continue;
        };
        switches = switches.wrapping_add(switches_in(&status));
        match field(&status, b"State:").first() {
            Some(b'R') => return Activity::Busy,
            Some(b'T') => is_stopped = true,
            Some(b'D') => match std::fs::read(thread.join("wchan")).as_deref() {
                // In a frozen cgroup of version 1, a sleep at a futex has this state too.
                Ok(place) if is_frozen_at(place) => is_stopped = true,
                // A frozen child does not come to its exec.
                Ok(place) if is_in_vfork(place) => {}
                // Only the process's own user can see the place.
                Err(_) | Ok(b"" | b"0") => {}
                Ok(_) => waits_in_kernel = true,
            },
            _ => {}
        }
    }
    match (is_stopped, waits_in_kernel) {
        (true, _) => Activity::Stopped,
        (false, true) => Activity::Busy,
        (false, false) => Activity::Asleep(switches),
    }
}

fn is_frozen_at(place: &[u8]) -> bool {
    place.ends_with(b"refrigerator") || place.starts_with(b"futex_")
}

/// Report whether a thread waits in vfork(2) or posix_spawn(3) until its child has started a program.
fn is_in_vfork(place: &[u8]) -> bool {
    place == b"kernel_clone" || place == b"wait_for_vfork_done"
}

/// How often a thread has left a core, by its /proc/PID/task/TID/status.
fn switches_in(status: &[u8]) -> u64 {
    let names: [&[u8]; 2] = [b"voluntary_ctxt_switches:", b"nonvoluntary_ctxt_switches:"];
    let count = |name| std::str::from_utf8(field(status, name)).ok()?.parse().ok();
    names
        .into_iter()
        .filter_map(count)
        .fold(0, u64::wrapping_add)
}

/// The value of a line of a status file; empty if there is no such line. A name of a process cannot
/// forge one, since its line ends are escaped.
fn field<'a>(status: &'a [u8], name: &[u8]) -> &'a [u8] {
    let mut lines = status.split(|byte| *byte == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(name));
    value.unwrap_or_default().trim_ascii()
}

/// The namespaces of this process; `None` if /proc belongs to another pid namespace, whose ids mean
/// nothing here.
fn namespaces() -> Option<u32> {
    /// The epoch (high half) and the namespaces. They stay the same for the whole life of a
    /// process.
    static KNOWN: AtomicU64 = AtomicU64::new(0);
    let epoch = fork::epoch();
    let known = KNOWN.load(Ordering::Relaxed);
    if (known >> 32) as u32 == epoch {
        return Some(known as u32);
    }
    let status =
        syscall::without_cancellation(|| std::fs::read_to_string("/proc/self/status")).ok()?;
    let numbers = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    // One id for each pid namespace, from that of /proc down to that of this process.
    if numbers.split_ascii_whitespace().count() != 1 {
        return None;
    }
    let pids = inode("/proc/self/ns/pid")?;
    // Since Linux 5.6.
    let times = inode("/proc/self/ns/time").unwrap_or(0);
    // If either of the two differs, this differs.
    let both = pids.wrapping_mul(0x9e37_79b1) ^ times;
    KNOWN.store(u64::from(epoch) << 32 | u64::from(both), Ordering::Relaxed);
    Some(both)
}

/// The number of a namespace, from a link like `pid:[4026531836]`.
fn inode(link: &str) -> Option<u32> {
    let target = std::fs::read_link(link).ok()?;
    let (_, number) = target.to_str()?.split_once('[')?;
    number.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_what_follows_it() {
        let rest = "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 2 0 777 1";
        let stat = parse(format!("7 (a) Z 1 (b\n) S {rest}").as_bytes()).expect("well-formed");
        assert_eq!((stat.started, stat.is_over), (777, false));
        assert!(parse(b"7 (a) Z 1").is_none());
        assert!(parse(b"").is_none());
    }

    #[test]
    fn another_thread_is_seen() {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || stopped.recv());
        assert!(!has_one_thread());
        drop(stop);
        let _ = other.join();
    }

    #[test]
    fn a_status_says_what_a_thread_does() {
        let status = b"Name:\tState: R\\nState:\tR\nState:\tT (stopped)\nSigQ:\t0/9\n\
            voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n";
        assert_eq!(field(status, b"State:"), b"T (stopped)");
        assert_eq!(switches_in(status), 695);
        assert_eq!((field(b"", b"State:"), switches_in(b"")), (&b""[..], 0));
        assert!(is_frozen_at(b"__refrigerator") && !is_frozen_at(b"shmem_fallocate"));
    }

    #[test]
    fn a_process_is_busy_or_asleep_or_stopped() {
        assert_eq!(activity(u32::MAX), Activity::UNKNOWN);
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .spawn()
            .expect("sleep(1)");
        let pid = child.id();
        let until = |wanted: &dyn Fn(Activity) -> bool| {
            let end = std::time::Instant::now() + Duration::from_secs(30);
            while !wanted(activity(pid)) {
                assert!(std::time::Instant::now() < end, "{:?}", activity(pid));
                std::thread::yield_now();
            }
        };
        until(&|seen| matches!(seen, Activity::Asleep(1..)) && activity(pid) == seen);
        let signal = |signal| {
            // SAFETY: our own child, not reaped yet.
            assert_eq!(unsafe { libc::kill(pid as libc::pid_t, signal) }, 0);
        };
        signal(libc::SIGSTOP);
        until(&|seen| seen == Activity::Stopped);
        signal(libc::SIGCONT);
        until(&|seen| matches!(seen, Activity::Asleep(_)));
        // A tracer stops a process at each of its calls. One look at such a stop said that it was
        // stopped.
        let trace = |request: libc::c_uint| {
            // SAFETY: our own child; the request has no memory.
            let asked = unsafe { libc::ptrace(request, pid as libc::pid_t, 0, 0) };
            assert_eq!(asked, 0);
        };
        trace(libc::PTRACE_SEIZE);
        trace(libc::PTRACE_INTERRUPT);
        let is_traced = || {
            let status = std::fs::read(format!("/proc/{pid}/status")).expect("our own child");
            field(&status, b"State:").starts_with(b"t")
        };
        until(&|_| is_traced());
        assert!(matches!(activity(pid), Activity::Asleep(1..)));
        child.kill().expect("our own child");
        child.wait().expect("our own child");
    }

    /// A frozen process waits like this for a child that is frozen before its exec. A call beside it
    /// took five seconds.
    #[test]
    fn who_waits_for_a_child_to_start_a_program_sleeps() {
        let die_with_parent = || {
            // SAFETY: no pointers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        };
        let (mut told, tells) = std::io::pipe().expect("a pipe");
        let waits_for_a_child = move || {
            die_with_parent();
            let me = std::process::id();
            std::io::Write::write_all(&mut &tells, &me.to_ne_bytes())?;
            // SAFETY: the child has memory of its own, as after a fork.
            unsafe {
                libc::syscall(
                    libc::SYS_clone,
                    libc::CLONE_VFORK | libc::SIGCHLD,
                    0,
                    0,
                    0,
                    0,
                )
            };
            die_with_parent();
            while std::os::unix::process::parent_id() == me {
                std::thread::park();
            }
            Ok(())
        };
        let mut waiter = std::process::Command::new("true");
        // SAFETY: only system calls.
        unsafe { std::os::unix::process::CommandExt::pre_exec(&mut waiter, waits_for_a_child) };
        let spawner = std::thread::spawn(move || waiter.status());
        let mut pid = [0; 4];
        std::io::Read::read_exact(&mut told, &mut pid).expect("its number");
        let pid = u32::from_ne_bytes(pid);
        let end = std::time::Instant::now() + Duration::from_secs(30);
        let is_in_it = || {
            let place = std::fs::read(format!("/proc/{pid}/wchan"));
            place.is_ok_and(|place| is_in_vfork(&place))
        };
        while !is_in_it() {
            assert!(std::time::Instant::now() < end, "it waits elsewhere");
            std::thread::yield_now();
        }
        let seen = activity(pid);
        // SAFETY: our own child, not reaped yet.
        assert_eq!(unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) }, 0);
        assert!(spawner.join().is_ok_and(|ended| ended.is_ok()));
        assert!(matches!(seen, Activity::Asleep(1..)), "{seen:?}");
    }

    #[test]
    fn only_what_is_certain_is_an_end() {
        let me = own().expect("/proc");
        assert!(!has_ended(&me));
        let earlier = Lifetime {
            started: me.started - 1,
            ..me
        };
        assert!(has_ended(&earlier), "its number is another's now");
        let elsewhere = Lifetime {
            namespaces: me.namespaces ^ 1,
            ..earlier
        };
        assert!(!has_ended(&elsewhere));
    }
}

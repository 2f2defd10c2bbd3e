//! Telling whether a process has ended where the kernel keeps no robust list for it.
//!
//! A process is known by its number and the moment of its start, within its namespaces: another one that
//! gets the number later started later. Whoever cannot tell says that it lives.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{fork, syscall};

/// A process beyond its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lifetime {
    pub(crate) pid: u32,
    /// In clock ticks since the system's start, as this time namespace counts.
    pub(crate) started: u64,
    /// Stands for the pid and the time namespace, within which the other two mean something.
    pub(crate) namespaces: u32,
}

/// This process's, `None` where /proc does not say.
pub(crate) fn own() -> Option<Lifetime> {
    let pid = std::process::id();
    Some(Lifetime {
        pid,
        started: stat_of(pid)?.started,
        namespaces: namespaces()?,
    })
}

/// Whether the process has ended for certain, with all its threads. It need not be reaped yet.
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
    // Not what /proc says: that can be mounted so that it hides the processes of others.
    // SAFETY: no pointers; signal 0 only asks.
    if unsafe { libc::kill(pid, 0) } != 0 && super::errno() == libc::ESRCH {
        return true;
    }
    stat_of(process.pid).is_some_and(|now| now.started != process.started || now.is_over)
}

/// What /proc says of a process.
struct Stat {
    started: u64,
    /// It waits to be reaped, and no thread of it is left.
    is_over: bool,
    /// It has or waits for a core.
    runs: bool,
}

fn stat_of(pid: u32) -> Option<Stat> {
    // Of its first thread, which says the same: emulators (qemu-user) answer /proc/PID/stat themselves for
    // the process that asks about itself, with a start that nobody else sees.
    let path = format!("/proc/{pid}/task/{pid}/stat");
    parse(&syscall::without_cancellation(|| std::fs::read(path)).ok()?)
}

/// proc(5): `pid (name) state ...`, the name being any bytes.
fn parse(stat: &[u8]) -> Option<Stat> {
    let behind_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let text = std::str::from_utf8(stat.get(behind_name..)?).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = fields.next()?;
    let threads: u64 = fields.nth(16)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    // A first thread that has ended looks like this too, while others go on.
    let is_over = matches!(state, "Z" | "X") && threads <= 1;
    let runs = state == "R";
    Some(Stat {
        started,
        is_over,
        runs,
    })
}

/// Whether a thread of this process has or waits for a core. False also where that cannot be seen.
pub(crate) fn is_running(pid: u32) -> bool {
    if pid == std::process::id() {
        return true;
    }
    syscall::without_cancellation(|| {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
            return false;
        };
        let mut stats = threads.flatten().map(|one| one.path().join("stat"));
        stats.any(|path| {
            let stat = std::fs::read(path).ok().and_then(|stat| parse(&stat));
            stat.is_some_and(|stat| stat.runs)
        })
    })
}

/// `None` where /proc is another pid namespace's: its numbers are of no use here.
fn namespaces() -> Option<u32> {
    /// Epoch (high half) and namespaces: they are a process's for its whole life.
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
    // One number for each pid namespace from that of /proc down to this process's.
    if numbers.split_ascii_whitespace().count() != 1 {
        return None;
    }
    let pids = inode("/proc/self/ns/pid")?;
    // Since Linux 5.6.
    let times = inode("/proc/self/ns/time").unwrap_or(0);
    // A difference in either alone is a difference.
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

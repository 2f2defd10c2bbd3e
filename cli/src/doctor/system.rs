//! What the system allows, and its room.

use std::path::Path;

use polyproc::inspect::{self, System};
use polyproc::Error;

use super::{logout, Finding, Level};
use crate::view::{self, size};

/// The oldest kernel on which everything works, and the first one with futex_waitv(2).
const OLDEST: (u32, u32) = (5, 10);
const WITH_WAITV: (u32, u32) = (5, 16);
const SHM: &str = "/dev/shm";
/// A /dev/shm below this size is that of a container that was started without thought: docker gives
/// 64 MiB.
const SMALL: u64 = 256 << 20;
/// One ring of a busy queue.
const LITTLE: u64 = 1 << 20;
const FEW_DESCRIPTORS: u64 = 1024;

pub fn check() -> Vec<Finding> {
    let system = inspect::system();
    let mut findings = vec![
        kernel(&system),
        futex_waitv(&system),
        robust_lists(&system),
        membarrier(&system),
        location(&system),
        descriptors(&system),
        pid_namespace(&system),
    ];
    findings.extend(file_size(&system));
    findings.extend(cores(&system));
    findings.extend(logout());
    findings
}

fn version(system: &System) -> Option<(u32, u32)> {
    let mut numbers = system
        .kernel
        .split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn kernel(system: &System) -> Finding {
    match version(system) {
        Some(version) if version < OLDEST => Finding::new(
            Level::Warn,
            "kernel",
            format!("{}, older than 5.10: not tested there", system.kernel),
            "uname -r  # and install a newer one",
        ),
        _ => Finding::ok("kernel", system.kernel.clone()),
    }
}

fn futex_waitv(system: &System) -> Finding {
    if system.has_futex_waitv {
        return Finding::ok("futex_waitv", "a death wakes sleepers at once");
    }
    let text = "refused: a sleep is cut into slices of 10 to 250 ms, and a death is seen that late";
    let is_unwanted = std::env::var("POLYPROC_NO_WAITV").is_ok_and(|value| value == "1");
    let advice = match version(system) {
        _ if is_unwanted => "unset POLYPROC_NO_WAITV",
        Some(version) if version < WITH_WAITV => "uname -r  # futex_waitv needs Linux 5.16",
        _ => "docker run --security-opt seccomp=profile.json  # one that allows futex_waitv",
    };
    Finding::new(Level::Warn, "futex_waitv", text, advice)
}

fn robust_lists(system: &System) -> Finding {
    match system.has_robust_lists {
        true => Finding::ok("robust lists", "the kernel marks each death"),
        false => Finding::new(
            Level::Warn,
            "robust lists",
            "refused: processes look in /proc whether another one has ended",
            "docker run --security-opt seccomp=profile.json  # one that allows set_robust_list",
        ),
    }
}

fn membarrier(system: &System) -> Finding {
    match system.has_membarrier {
        true => Finding::ok("membarrier", "reaches other processes"),
        false => Finding::new(
            Level::Warn,
            "membarrier",
            "refused: a thread of a process that was killed may still store for a moment",
            "docker run --security-opt seccomp=profile.json  # one that allows membarrier",
        ),
    }
}

/// The directory of named objects, which `POLYPROC_SHM_DIR` may have changed.
fn location(system: &System) -> Finding {
    match inspect::directory() {
        Ok(directory) => shared_memory(system, &directory),
        Err(status) => {
            let text = Error::from(status).to_string();
            let text = text.strip_prefix("polyproc: ").unwrap_or(&text);
            let advice = "unset POLYPROC_SHM_DIR POLYPROC_SHM_PREFIX";
            Finding::new(Level::Fail, "names", text, advice)
        }
    }
}

fn shared_memory(system: &System, directory: &Path) -> Finding {
    let (place, is_usual) = (directory.display().to_string(), directory == Path::new(SHM));
    let Some(space) = system.shared_memory else {
        let text = "does not exist: no object can be made";
        let advice = match is_usual {
            true => format!("mount -t tmpfs -o size=1G,mode=1777 tmpfs {SHM}"),
            false => format!("mkdir -p {place}  # in a tmpfs"),
        };
        return Finding::new(Level::Fail, place, text, advice);
    };
    let text = format!("{} free of {}", size(space.free), size(space.total));
    let larger = match is_usual {
        true => format!("mount -o remount,size=1G {SHM}  # or: docker run --shm-size=1g"),
        false => format!("df -h {place}  # and a larger tmpfs"),
    };
    if space.free < LITTLE {
        let text = format!("full: {text}; puts that need memory fail with E_NO_MEMORY");
        return Finding::new(Level::Fail, place, text, larger);
    }
    if space.free < space.total / 10 {
        let text = format!("nearly full: {text}");
        return Finding::new(Level::Warn, place, text, larger);
    }
    if space.total < SMALL {
        let text = format!("small: {text}");
        return Finding::new(Level::Warn, place, text, larger);
    }
    Finding::ok(place, text)
}

fn descriptors(system: &System) -> Finding {
    let limit = system.max_descriptors;
    match limit < FEW_DESCRIPTORS {
        true => Finding::new(
            Level::Warn,
            "descriptors",
            format!("{limit} in a process: each open object needs one"),
            "ulimit -n 4096",
        ),
        false => Finding::ok("descriptors", format!("{limit} in a process")),
    }
}

fn file_size(system: &System) -> Option<Finding> {
    let limit = system.max_file_size?;
    let text = format!(
        "files of at most {}: a queue cannot grow further",
        size(limit)
    );
    Some(Finding::new(
        Level::Warn,
        "file size",
        text,
        "ulimit -f unlimited",
    ))
}

fn pid_namespace(system: &System) -> Finding {
    match system.pid_namespace {
        Some(number) => Finding::ok("pid namespace", format!("{number}, that of /proc")),
        None => Finding::new(
            Level::Warn,
            "pid namespace",
            "/proc shows another one: commands and ages cannot be shown",
            "mount -t proc proc /proc",
        ),
    }
}

fn logout() -> Option<Finding> {
    let number = rustix::process::geteuid().as_raw();
    logout::check(&inspect::directory().ok()?, number, &view::user(number))
}

fn cores(system: &System) -> Option<Finding> {
    let cores = std::thread::available_parallelism().ok()?;
    let groups = &system.core_groups;
    let text = match groups.len() {
        0 | 1 => format!("{cores}, near each other"),
        count => format!(
            "{cores}, in {count} groups that share no cache ({}): messages between groups take longer; \
             `taskset -c {}` keeps a program in one",
            groups.join(" | "),
            groups.first()?
        ),
    };
    Some(Finding::ok("cores", text))
}

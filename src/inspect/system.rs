//! What this system allows, and what it has room for.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::status::Result;
use crate::sys::{descriptor, futex, membarrier, memory, procfs, robust_list, shm};

/// What this system allows to this process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct System {
    /// The version of the kernel.
    pub kernel: String,
    /// Whether a thread can sleep on several words: futex_waitv(2). Without it a sleep is cut into
    /// slices of 10 to 250 ms. False also if `POLYPROC_NO_WAITV=1` asks for that.
    pub has_futex_waitv: bool,
    /// Whether the kernel marks the end of a process: set_robust_list(2). Without it the other
    /// participants look in /proc.
    pub has_robust_lists: bool,
    /// Whether barriers reach other processes: membarrier(2).
    pub has_membarrier: bool,
    /// The room where named objects lie; `None` if that [`directory`] does not exist.
    pub shared_memory: Option<Space>,
    /// How many descriptors this process may have open: `ulimit -n`.
    pub max_descriptors: u64,
    /// The largest file that this process may make: `ulimit -f`; `None` if there is no limit.
    pub max_file_size: Option<u64>,
    /// The number of this process's pid namespace; `None` if /proc belongs to another one.
    pub pid_namespace: Option<u32>,
    /// Groups of cores that share a cache. Messages between groups take longer.
    pub core_groups: Vec<String>,
}

/// Room in a file system, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Space {
    /// All of it.
    pub total: u64,
    /// The part that is free.
    pub free: u64,
}

/// The directory of named objects: /dev/shm, unless `POLYPROC_SHM_DIR` names another one.
///
/// # Errors
/// `E_INVALID` if that variable, or `POLYPROC_SHM_PREFIX`, has a value that cannot be used.
pub fn directory() -> Result<PathBuf> {
    let location = shm::location()?;
    location.check_memory()?;
    let directory = OsStr::from_bytes(location.directory.to_bytes());
    Ok(PathBuf::from(directory))
}

/// Ask what this system allows.
pub fn system() -> System {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let max_file_size = memory::file_limit();
    System {
        kernel: kernel.trim().to_owned(),
        has_futex_waitv: futex::has_wait_any(),
        has_robust_lists: robust_list::is_allowed(),
        has_membarrier: membarrier::is_allowed(),
        shared_memory: memory::space()
            .ok()
            .map(|(total, free)| Space { total, free }),
        max_descriptors: descriptor::limit(),
        max_file_size: (max_file_size != u64::MAX).then_some(max_file_size),
        pid_namespace: procfs::pid_namespace(),
        core_groups: core_groups(),
    }
}

/// The groups of cores that share their last cache, as the kernel writes them: `0-3`, `4-7`.
fn core_groups() -> Vec<String> {
    let Ok(cores) = std::fs::read_dir("/sys/devices/system/cpu") else {
        return Vec::new();
    };
    let caches = cores.flatten().filter_map(|core| {
        let caches = std::fs::read_dir(core.path().join("cache")).ok()?;
        let level = |path: &std::path::Path| {
            let level = std::fs::read_to_string(path.join("level")).ok()?;
            level.trim().parse::<u32>().ok()
        };
        let paths = caches.flatten().map(|cache| cache.path());
        let last = paths
            .filter_map(|path| Some((level(&path)?, path)))
            .max_by_key(|(level, _)| *level)?;
        std::fs::read_to_string(last.1.join("shared_cpu_list")).ok()
    });
    let mut groups: Vec<String> = caches.map(|group| group.trim().to_owned()).collect();
    groups.sort();
    groups.dedup();
    groups
}

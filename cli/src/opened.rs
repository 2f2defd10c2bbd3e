//! The objects that processes have open. A process becomes a participant with its first use of an
//! object, which can be long after it opened the object; until then only its mapping of the file
//! shows it.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

use polyproc::inspect::{self, Object};
use rustix::fs::{major, minor};

/// The files that other processes have mapped. Processes that /proc hides are missing.
pub struct Opened {
    /// Device and inode, as in /proc/PID/maps.
    files: HashSet<(String, u64)>,
}

impl Opened {
    pub fn now() -> Opened {
        let mut files = HashSet::new();
        let own = std::process::id();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = process.file_name().to_string_lossy().parse::<u32>();
            if pid.is_ok_and(|pid| pid != own) {
                // A process that has ended meanwhile has nothing open.
                let maps = fs::read(process.path().join("maps")).unwrap_or_default();
                files.extend(
                    String::from_utf8_lossy(&maps)
                        .lines()
                        .filter_map(shared_file),
                );
            }
        }
        Opened { files }
    }

    /// Returns whether a process has the object open, also one that has not used it yet.
    pub fn has(&self, object: &Object) -> bool {
        let file = inspect::file(&object.name).ok();
        let file = file.and_then(|file| fs::metadata(file).ok());
        file.is_some_and(|file| {
            let device = format!("{:02x}:{:02x}", major(file.dev()), minor(file.dev()));
            self.files.contains(&(device, file.ino()))
        })
    }
}

/// The device and inode of a line such as
/// `7f1c00000000-7f1c00020000 rw-s 00000000 00:1b 42 /dev/shm/polyproc.jobs`, if it is shared
/// memory.
fn shared_file(line: &str) -> Option<(String, u64)> {
    let mut fields = line.split_ascii_whitespace();
    let (_, permissions, _) = (fields.next()?, fields.next()?, fields.next()?);
    let (device, inode) = (fields.next()?, fields.next()?.parse().ok()?);
    permissions
        .ends_with('s')
        .then(|| (device.to_owned(), inode))
}

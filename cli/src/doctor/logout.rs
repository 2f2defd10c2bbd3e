//! Whether systemd-logind removes a user's objects when the user logs out: `RemoveIPC`, in
//! logind.conf(5). It removes what the user owns in /dev/shm, and the user's own folder of /run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::{Finding, Level};

/// Users up to this number are those of the system, whose objects logind leaves alone.
const LAST_SYSTEM_USER: u32 = 999;
const NOBODY: u32 = 65534;

/// The folders of systemd's settings. A file in an earlier one hides the file of that name in a
/// later one.
const SETTINGS: [&str; 4] = [
    "etc/systemd",
    "run/systemd",
    "usr/local/lib/systemd",
    "usr/lib/systemd",
];

/// The finding for a user whose objects lie in `directory`.
pub fn check(directory: &Path, number: u32, user: &str) -> Option<Finding> {
    removes(Path::new("/"), directory, number, user).then(|| {
        Finding::new(
            Level::Warn,
            "logout",
            format!("systemd removes the objects of {user} when the last session of {user} ends"),
            format!(
                "loginctl enable-linger {user}  # or: RemoveIPC=no in /etc/systemd/logind.conf"
            ),
        )
    })
}

fn removes(root: &Path, directory: &Path, number: u32, user: &str) -> bool {
    let is_running = root.join("run/systemd/system").exists();
    let lingers = root.join("var/lib/systemd/linger").join(user).exists();
    if !is_running || lingers || number <= LAST_SYSTEM_USER || number == NOBODY {
        return false;
    }
    directory.starts_with("/run/user") || directory.starts_with("/dev/shm") && is_set(root)
}

/// The last value of `RemoveIPC`, in logind.conf and then in its drop-ins ordered by name.
fn is_set(root: &Path) -> bool {
    let folders = SETTINGS.map(|folder| root.join(folder));
    let main = folders.iter().map(|folder| folder.join("logind.conf"));
    let main = main.into_iter().find(|file| file.exists());
    let mut drop_ins: BTreeMap<OsString, _> = BTreeMap::new();
    for folder in &folders {
        let files = fs::read_dir(folder.join("logind.conf.d"));
        for file in files.into_iter().flatten().flatten() {
            drop_ins.entry(file.file_name()).or_insert(file.path());
        }
    }
    drop_ins.retain(|name, _| Path::new(name).extension().is_some_and(|end| end == "conf"));
    let mut is_set = true;
    for file in main.into_iter().chain(drop_ins.into_values()) {
        for line in fs::read_to_string(file).unwrap_or_default().lines() {
            match line
                .split_once('=')
                .map(|(key, value)| (key.trim(), value.trim()))
            {
                Some(("RemoveIPC", "no" | "n" | "false" | "f" | "off" | "0")) => is_set = false,
                Some(("RemoveIPC", _)) => is_set = true,
                _ => {}
            }
        }
    }
    is_set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_logind_are_read_as_systemd_reads_them() {
        let root = std::env::temp_dir().join(format!("polyproc-logout-{}", std::process::id()));
        let put = |file: &str, text: &str| {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let shm = Path::new("/dev/shm/team");
        let ann = || removes(&root, shm, 1000, "ann");
        assert!(!ann(), "without systemd");
        put("run/systemd/system/unit", "");
        assert!(ann(), "the default");
        assert!(!removes(&root, shm, 999, "daemon"));
        put("usr/lib/systemd/logind.conf", "[Login]\nRemoveIPC=no\n");
        assert!(!ann(), "the distribution's file");
        put("etc/systemd/logind.conf", "[Login]\n#RemoveIPC=no\n");
        assert!(ann(), "the administrator's file hides it");
        put("usr/lib/systemd/logind.conf.d/50.conf", "RemoveIPC = no\n");
        assert!(!ann(), "a drop-in is later");
        put("etc/systemd/logind.conf.d/50.conf", "RemoveIPC=yes\n");
        assert!(ann(), "another drop-in hides it");
        put("etc/systemd/logind.conf.d/60.conf", "RemoveIPC=off\n");
        put("etc/systemd/logind.conf.d/70.txt", "RemoveIPC=yes\n");
        assert!(!ann(), "the last one by name");
        assert!(removes(&root, Path::new("/run/user/1000/x"), 1000, "ann"));
        put("var/lib/systemd/linger/ann", "");
        assert!(!removes(&root, Path::new("/run/user/1000/x"), 1000, "ann"));
        fs::remove_dir_all(&root).unwrap();
    }
}

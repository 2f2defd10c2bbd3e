//! Where named objects lie: the files `/dev/shm/polyproc.<name>`.
//!
//! `POLYPROC_SHM_DIR` names another directory, `POLYPROC_SHM_PREFIX` another prefix, for programs
//! that may not use, or do not share, those files: in a snap, a flatpak or containers. Processes
//! see the same names if both variables agree. They are read once, when a name is first used.

use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::status::detail::because;
use crate::status::Result;

const DIRECTORY_VARIABLE: &str = "POLYPROC_SHM_DIR";
const PREFIX_VARIABLE: &str = "POLYPROC_SHM_PREFIX";

/// The directory of POSIX shared memory objects, with glibc and with musl.
const DEFAULT_DIRECTORY: &str = "/dev/shm";
const DEFAULT_PREFIX: &str = "polyproc.";

/// Maximum length of a prefix in bytes. With the longest name it makes a file name of 250 bytes,
/// and 255 are allowed.
const MAX_PREFIX: usize = 50;

/// The directory and the prefix of the files of named objects.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Location {
    pub(crate) directory: CString,
    pub(crate) prefix: String,
    /// Whether a variable named the directory.
    is_chosen: bool,
}

/// The sentence that says why a variable's value cannot be used.
type Fault = String;

/// Names and prefixes consist of these bytes.
pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// The location that this process uses.
///
/// # Errors
/// `E_INVALID` if a variable has a value that cannot be used.
pub(crate) fn location() -> Result<&'static Location> {
    static READ: AtomicPtr<std::result::Result<Location, Fault>> = AtomicPtr::new(ptr::null_mut());
    let mut known = READ.load(Ordering::Acquire);
    if known.is_null() {
        let own = Box::into_raw(Box::new(Location::read()));
        // Not with a lock: a child that was forked meanwhile would wait for it for ever.
        let order = (Ordering::AcqRel, Ordering::Acquire);
        known = match READ.compare_exchange(ptr::null_mut(), own, order.0, order.1) {
            Ok(_) => own,
            Err(first) => {
                // SAFETY: it is from `into_raw`, and no other thread has seen it.
                drop(unsafe { Box::from_raw(own) });
                first
            }
        };
    }
    // SAFETY: what was stored is from `into_raw`, is never changed and never freed.
    let location = unsafe { &*known }.as_ref();
    location.map_err(|fault| because!(E_INVALID, "{fault}"))
}

impl Location {
    fn read() -> std::result::Result<Location, Fault> {
        // An empty value is as good as none.
        let value = |name| match super::is_secure() {
            true => None,
            false => std::env::var_os(name).filter(|value| !value.is_empty()),
        };
        Location::parse(value(DIRECTORY_VARIABLE), value(PREFIX_VARIABLE))
    }

    fn parse(
        directory: Option<OsString>,
        prefix: Option<OsString>,
    ) -> std::result::Result<Location, Fault> {
        let is_chosen = directory.is_some();
        let directory = directory.unwrap_or_else(|| DEFAULT_DIRECTORY.into());
        let prefix = prefix.unwrap_or_else(|| DEFAULT_PREFIX.into());
        if !directory.as_encoded_bytes().starts_with(b"/") {
            let given = directory.to_string_lossy();
            return Err(format!(
                "{DIRECTORY_VARIABLE} is \"{}\": it is an absolute path",
                given.escape_default()
            ));
        }
        let bytes = prefix.as_encoded_bytes();
        let is_short = (1..=MAX_PREFIX).contains(&bytes.len());
        if !is_short || bytes.starts_with(b".") || !bytes.iter().all(|byte| is_name_byte(*byte)) {
            let given = prefix.to_string_lossy();
            return Err(format!(
                "{PREFIX_VARIABLE} is \"{}\": it has 1 to {MAX_PREFIX} bytes of A-Z a-z 0-9 . _ - \
                 and no dot first",
                given.escape_default()
            ));
        }
        let no_nul = |_| format!("{DIRECTORY_VARIABLE} has a NUL");
        Ok(Location {
            directory: CString::new(directory.into_vec()).map_err(no_nul)?,
            prefix: prefix.to_string_lossy().into_owned(),
            is_chosen,
        })
    }

    /// The path of a file, which need not exist.
    pub(crate) fn path(&self, name: std::fmt::Arguments<'_>) -> Result<CString> {
        let mut path = self.directory.to_bytes().to_vec();
        path.extend_from_slice(format!("/{}{name}", self.prefix).as_bytes());
        CString::new(path).map_err(|_| because!(E_INVALID, "the name has a NUL"))
    }

    /// Check, before a file is made, that a chosen directory lies in memory. The objects of a disk
    /// would still be there after a restart of the machine: with holders whose end the kernel has
    /// not marked, so they would count as alive for ever.
    pub(crate) fn check_memory(&self) -> Result<()> {
        // Both magic numbers are those of statfs(2).
        const TMPFS: u64 = 0x0102_1994;
        const RAMFS: u64 = 0x8584_58f6;
        if !self.is_chosen {
            return Ok(());
        }
        match file_system(&self.directory) {
            // The caller's open says what is wrong with the directory.
            None | Some(TMPFS | RAMFS) => Ok(()),
            Some(_) => Err(because!(
                E_INVALID,
                "{DIRECTORY_VARIABLE} is \"{}\", which is not in memory: it is a folder of a tmpfs",
                self.directory.to_string_lossy().escape_default()
            )),
        }
    }
}

/// The magic number of the file system in which a directory lies.
fn file_system(directory: &CStr) -> Option<u64> {
    // SAFETY: plain data.
    let mut stat = unsafe { std::mem::zeroed::<libc::statfs>() };
    // SAFETY: the path ends in NUL, `stat` is writable.
    let done = unsafe { libc::statfs(directory.as_ptr(), &mut stat) };
    (done == 0).then_some(stat.f_type as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(directory: &str, prefix: &str) -> std::result::Result<Location, Fault> {
        let given = |text: &str| (!text.is_empty()).then(|| OsString::from(text));
        Location::parse(given(directory), given(prefix))
    }

    fn path(directory: &str, prefix: &str) -> String {
        let location = parse(directory, prefix).expect("a location");
        let path = location.path(format_args!("{}", "jobs")).expect("a path");
        path.into_string().expect("UTF-8")
    }

    #[test]
    fn each_variable_changes_its_part() {
        assert_eq!(path("", ""), "/dev/shm/polyproc.jobs");
        assert_eq!(path("/run/shm", ""), "/run/shm/polyproc.jobs");
        assert_eq!(path("", "snap.letters."), "/dev/shm/snap.letters.jobs");
        assert_eq!(path("/run", "-"), "/run/-jobs");
    }

    #[test]
    fn a_value_that_cannot_be_used_is_refused_with_its_variable() {
        for directory in ["shm", "./shm", " /dev/shm"] {
            let fault = parse(directory, "").expect_err(directory);
            assert!(fault.starts_with("POLYPROC_SHM_DIR is \""), "{fault}");
        }
        for prefix in [".", ".a", "a/b", "../a", "a b", "ä", &"p".repeat(51)] {
            let fault = parse("", prefix).expect_err(prefix);
            assert!(fault.starts_with("POLYPROC_SHM_PREFIX is \""), "{fault}");
        }
        assert!(parse("", &"p".repeat(50)).is_ok());
    }

    #[test]
    fn only_a_chosen_directory_must_be_in_memory() {
        let memory = |directory| parse(directory, "").expect(directory).check_memory();
        assert!(memory("").is_ok());
        assert!(memory("/proc").is_err());
        assert!(memory("/dev/shm").is_ok());
        assert!(memory("/nowhere/at/all").is_ok());
    }
}

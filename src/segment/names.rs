//! Names of objects, and the files that stand for them.

use std::ffi::CString;

use crate::status::{Result, Status};
use crate::sys::memory;
use crate::sys::tmpfile::SHM_DIRECTORY;

/// The longest name, in bytes.
pub const MAX_NAME: usize = 200;

/// Every file of ours in shared memory starts like this.
const PREFIX: &str = "polyproc.";

/// 1 to 200 bytes of `A-Z a-z 0-9 . _ -`, not starting with a dot.
pub(crate) fn is_valid(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
}

/// The file that a name stands for; `E_INVALID` for a bad name.
pub(crate) fn path(name: &str) -> Result<CString> {
    if !is_valid(name) {
        return Err(Status::E_INVALID);
    }
    let directory = SHM_DIRECTORY.to_str().map_err(|_| Status::E_INTERNAL)?;
    CString::new(format!("{directory}/{PREFIX}{name}")).map_err(|_| Status::E_INVALID)
}

/// The name that a file stands for, `None` when it stands for none.
pub(crate) fn of_file(file: &str) -> Option<&str> {
    file.strip_prefix(PREFIX).filter(|name| is_valid(name))
}

/// Remove a name. Whoever has the object open keeps it.
///
/// # Errors
/// `E_INVALID` for a bad name, `E_NOT_FOUND` when there is none, `E_PERMISSION` when it is another's.
pub fn unlink(name: &str) -> Result<()> {
    memory::unlink(&path(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["a", "Jobs-1.x_y", &"n".repeat(200)] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", ".a", "a/b", "a b", "ä", "a\0", &"n".repeat(201)] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}

//! Names of objects, and their files.

use std::ffi::CString;

use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sys::memory;
use crate::sys::tmpfile::SHM_DIRECTORY;

/// Maximum length of a name in bytes.
pub const MAX_NAME: usize = 200;

/// Prefix of every file that this library makes in shared memory.
const PREFIX: &str = "polyproc.";

/// A valid name has 1 to 200 bytes of `A-Z a-z 0-9 . _ -` and does not start with a dot.
pub(crate) fn is_valid(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
}

/// The path of the file for a name; `E_INVALID` if the name is not valid.
pub(crate) fn path(name: &str) -> Result<CString> {
    if !is_valid(name) {
        return Err(because!(
            E_INVALID,
            "name is \"{}\": it has 1 to {MAX_NAME} bytes of A-Z a-z 0-9 . _ - and no dot first",
            name.escape_default()
        ));
    }
    let directory = SHM_DIRECTORY.to_str().map_err(|_| Status::E_INTERNAL)?;
    CString::new(format!("{directory}/{PREFIX}{name}")).map_err(|_| Status::E_INVALID)
}

/// The name to which a file belongs; `None` if there is none.
pub(crate) fn of_file(file: &str) -> Option<&str> {
    file.strip_prefix(PREFIX).filter(|name| is_valid(name))
}

/// Remove a name. Processes that have the object open keep it.
///
/// # Errors
/// `E_INVALID` if the name is not valid, `E_NOT_FOUND` if it does not exist, `E_PERMISSION` if it
/// belongs to another user.
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

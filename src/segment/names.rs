//! Names of objects, and their files.

use std::ffi::CString;

use crate::status::detail::{self, because};
use crate::status::Result;
use crate::sys::{memory, shm};

/// Maximum length of a name in bytes.
pub const MAX_NAME: usize = 200;

/// A valid name has 1 to 200 bytes of `A-Z a-z 0-9 . _ -` and does not start with a dot.
pub(crate) fn is_valid(name: &str) -> bool {
    let has_length = (1..=MAX_NAME).contains(&name.len());
    has_length && !name.starts_with('.') && name.bytes().all(shm::is_name_byte)
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
    shm::location()?.path(format_args!("{name}"))
}

/// The name to which a file belongs; `None` if there is none.
pub(crate) fn of_file(file: &str) -> Option<&str> {
    let prefix = &shm::location().ok()?.prefix;
    file.strip_prefix(prefix.as_str())
        .filter(|name| is_valid(name))
}

/// Remove a name. Processes that have the object open keep it.
///
/// # Errors
/// `E_INVALID` if the name is not valid, `E_NOT_FOUND` if it does not exist, `E_PERMISSION` if it
/// belongs to another user.
pub fn unlink(name: &str) -> Result<()> {
    path(name)
        .and_then(|path| memory::unlink(&path))
        .map_err(|status| detail::at(status, "unlink", "", Some(name)))
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

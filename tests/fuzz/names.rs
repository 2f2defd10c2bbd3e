//! Any text as a name: the rule accepts or refuses it, and nothing else happens.

use polyproc::{Lock, Status};

/// 1 to 200 bytes of `A-Z a-z 0-9 . _ -`, not starting with a dot.
fn is_good(name: &str) -> bool {
    let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name.chars().all(|letter| allowed.contains(letter))
}

pub fn run(name: &str) {
    let expected = if is_good(name) {
        Status::E_NOT_FOUND
    } else {
        Status::E_INVALID
    };
    assert_eq!(
        polyproc::unlink(&format!("{name}.fuzz-{}", "0".repeat(300))),
        Err(Status::E_INVALID)
    );
    match Lock::open(name) {
        // An object has this name.
        Ok(_) | Err(Status::E_MISMATCH | Status::E_PERMISSION) => assert!(is_good(name)),
        Err(status) => assert_eq!(status, expected, "{name:?}"),
    }
}

//! The libraries for C, of this build's profile. The crate that the tests link is an rlib.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The dynamic library.
pub fn path() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| build(!cfg!(debug_assertions)).join("libpolyproc.so"))
        .clone()
}

/// Build both libraries and return their folder. Cargo leaves fresh ones alone, and makes several
/// processes that ask for them wait for each other.
pub fn build(release: bool) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (profile, folder) = if release {
        ("release", "release")
    } else {
        ("dev", "debug")
    };
    let built = Command::new("make")
        .args(["--silent", "library"])
        .arg(format!("CARGO={} --quiet", env!("CARGO")))
        .arg(format!("LIBRARY_PROFILE={profile}"))
        // A make that started the tests has options of its own.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .current_dir(root)
        .status();
    assert!(built.expect("make").success());
    root.join("target").join(folder)
}

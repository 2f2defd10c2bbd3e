//! The library of this build.

use std::env;
use std::path::PathBuf;

/// The dynamic library that cargo built for these tests.
pub fn path() -> PathBuf {
    let test = env::current_exe().expect("this test's own path");
    let folder = test.parent().expect("the folder of the tests");
    let library = folder.join("libpolyproc.so");
    assert!(library.exists(), "{} is not there", library.display());
    library
}

//! Compiles a program of `tests/c` against the header and the library of this build.

pub mod library;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The language that a program is compiled as.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    C99,
    Cpp17,
}

impl Language {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Language::C99 => &["-std=c99", "-Wstrict-prototypes"],
            Language::Cpp17 => &["-x", "c++", "-std=c++17"],
        }
    }

    fn label(self) -> &'static str {
        match self {
            Language::C99 => "c99",
            Language::Cpp17 => "cpp17",
        }
    }
}

/// Returns the executable of `tests/c/<program>.c`, with every warning an error.
pub fn compile(program: &str, language: Language) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = library::path();
    let folder = folder(&library, language.label());
    let executable = folder.join(program);

    let mut command = compiler(language).to_command();
    command
        .args(language.flags())
        .args([
            "-D_GNU_SOURCE",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-O1",
            "-g",
            "-pthread",
        ])
        .arg("-I")
        .arg(root.join("include"))
        .arg(root.join("tests/c").join(program).with_extension("c"))
        .args(["-x", "none"])
        .arg(&library)
        .arg(format!("-Wl,-rpath,{}", soname_folder(&library).display()))
        .arg("-o")
        .arg(&executable);
    let output = command.output().expect("a C compiler");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} as {language:?}:\n{errors}"
    );
    executable
}

/// Returns the compiler that the `cc` crate finds, `CC` and `CXX` included.
fn compiler(language: Language) -> cc::Tool {
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let mut build = cc::Build::new();
    build
        .cargo_metadata(false)
        .no_default_flags(true)
        .opt_level(1);
    build
        .target(&target)
        .host(&target)
        .out_dir(env!("CARGO_TARGET_TMPDIR"));
    build
        .cpp(matches!(language, Language::Cpp17))
        .get_compiler()
}

/// A folder of this build's own: a debug and a release build share cargo's folder for tests.
fn folder(library: &Path, name: &str) -> PathBuf {
    let profile = library.ancestors().nth(1).and_then(Path::file_name);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("c")
        .join(profile.expect("target/<profile>"))
        .join(name);
    fs::create_dir_all(&folder).expect("a folder for what is built");
    folder
}

/// Returns a folder that has the library under its soname, for which programs look.
fn soname_folder(library: &Path) -> PathBuf {
    let folder = folder(library, "soname");
    let link = folder.join("libpolyproc.so.0");
    // Several tests do this at once: a link that another one has made is as good.
    match std::os::unix::fs::symlink(library, &link) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => panic!("{error}"),
        _ => folder,
    }
}

//! The options of a new child, and the checks that need no kernel.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;

use crate::segment::Kind;
use crate::status::detail::because;
use crate::status::Result;
use crate::sys::process::exec::Source;
use crate::sys::process::is_open;

/// The environment variable that carries a child's identity. Callers may not set it.
pub(super) const VARIABLE: &str = "POLYPROC_PROCESS";
/// The longest name of a process: with its NUL it fits a C caller's buffer.
const MAX_PROCESS_NAME: usize = 63;
/// The longest name of an inherited handle, the same as for an object.
const MAX_HANDLE_NAME: usize = 200;

/// The source of one of a child's standard descriptors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stdio {
    /// The parent's own.
    #[default]
    Inherit,
    /// /dev/null.
    Null,
    /// A descriptor of the parent; the parent keeps it.
    Fd(RawFd),
}

/// An object that a child inherits under a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InheritHandle {
    /// 1 to 200 bytes of `A-Z a-z 0-9 . _ -`, not starting with a dot; the child asks for it with
    /// `inherited`.
    pub name: String,
    /// The object's kind; the child has to ask for the same kind.
    pub kind: Kind,
    /// The object's descriptor. The child gets a copy, so the parent may close this one.
    pub fd: RawFd,
}

/// Options of a new child. By default it inherits everything and is named `Process-N`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProcessOptions {
    /// Up to 63 bytes of UTF-8 without control characters; `Process-N` when none is given.
    pub name: Option<CString>,
    /// The program and its arguments. A program without a slash is looked for in the directories of
    /// the child's PATH. Not used by fork.
    pub argv: Vec<CString>,
    /// `K=V`: added to the environment, or replacing the variable `K`.
    pub env: Vec<CString>,
    /// Start from an empty environment.
    pub clear_env: bool,
    /// The child's working directory; a relative program path is looked up from there too.
    pub cwd: Option<CString>,
    /// Its standard input.
    pub stdin: Stdio,
    /// Its standard output.
    pub stdout: Stdio,
    /// Its standard error.
    pub stderr: Stdio,
    /// The child is killed when this process ends, however it ends, and may have no children.
    pub daemon: bool,
    /// The child leads its own process group: signals of the terminal (Ctrl-C, Ctrl-Z) reach only
    /// the parent, and `kill(-pid)` reaches the child and everything it starts.
    pub group: bool,
    /// The objects that the child inherits.
    pub handles: Vec<InheritHandle>,
}

impl ProcessOptions {
    /// The options of a child that runs a program with these arguments, its own name first.
    ///
    /// # Errors
    /// `E_INVALID`: an argument contains a NUL.
    pub fn program<T: Into<Vec<u8>>>(argv: impl IntoIterator<Item = T>) -> Result<ProcessOptions> {
        let argument = |text: T| {
            CString::new(text).map_err(|_| because!(E_INVALID, "an argument contains a NUL"))
        };
        Ok(ProcessOptions {
            argv: argv.into_iter().map(argument).collect::<Result<_>>()?,
            ..ProcessOptions::default()
        })
    }

    /// `E_INVALID` for options that no child can have.
    pub(super) fn check(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        for InheritHandle { name, fd, .. } in &self.handles {
            if !is_handle_name(name) {
                return Err(because!(
                    E_INVALID,
                    "a handle's name is \"{}\", which none can have",
                    name.escape_default()
                ));
            }
            if !names.insert(name) {
                return Err(because!(E_INVALID, "two handles have the name {name}"));
            }
            if !is_open(*fd) {
                return Err(because!(E_INVALID, "the handle {name} has no descriptor"));
            }
        }
        for entry in &self.env {
            let key = key_of(entry.as_bytes());
            if !key.is_some_and(|key| !key.is_empty() && key != VARIABLE.as_bytes()) {
                return Err(because!(
                    E_INVALID,
                    "env has an entry that is not KEY=value, or {VARIABLE}, which is the library's"
                ));
            }
        }
        let sources = [
            ("stdin", self.stdin),
            ("stdout", self.stdout),
            ("stderr", self.stderr),
        ];
        for (name, source) in sources {
            if let Stdio::Fd(fd) = source {
                if !is_open(fd) {
                    return Err(because!(E_INVALID, "{name} is {fd}, no open descriptor"));
                }
            }
        }
        self.chosen_name().map(|_| ())
    }

    /// The name that the caller gave.
    pub(super) fn chosen_name(&self) -> Result<Option<String>> {
        let Some(name) = &self.name else {
            return Ok(None);
        };
        match name.to_str() {
            Ok(name) if is_process_name(name) => Ok(Some(name.to_owned())),
            _ => Err(because!(
                E_INVALID,
                "name has 1 to {MAX_PROCESS_NAME} bytes of text, and no control character"
            )),
        }
    }

    pub(super) fn sources(&self) -> [Source; 3] {
        [self.stdin, self.stdout, self.stderr].map(|stdio| match stdio {
            Stdio::Inherit => Source::Inherit,
            Stdio::Null => Source::Null,
            Stdio::Fd(fd) => Source::Fd(fd),
        })
    }

    /// The child's environment, without the variable of this library.
    pub(super) fn environment(&self) -> Vec<CString> {
        let mut entries = Vec::new();
        if !self.clear_env {
            for (key, value) in std::env::vars_os() {
                let (key, value) = (key.as_bytes(), value.as_bytes());
                if key != VARIABLE.as_bytes() && !self.sets(key) {
                    entries.extend(CString::new([key, b"=", value].concat()));
                }
            }
        }
        for (at, entry) in self.env.iter().enumerate() {
            let key = key_of(entry.as_bytes());
            let mut later = self.env.iter().skip(at + 1);
            if !later.any(|other| key_of(other.as_bytes()) == key) {
                entries.push(entry.clone());
            }
        }
        entries
    }

    fn sets(&self, key: &[u8]) -> bool {
        self.env
            .iter()
            .any(|entry| key_of(entry.as_bytes()) == Some(key))
    }
}

/// The `K` of `K=V`.
pub(super) fn key_of(entry: &[u8]) -> Option<&[u8]> {
    let end = entry.iter().position(|byte| *byte == b'=')?;
    entry.get(..end)
}

/// Whether this is a valid name of a process.
pub(super) fn is_process_name(name: &str) -> bool {
    (1..=MAX_PROCESS_NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// Whether this is a valid name of a handle.
pub(super) fn is_handle_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_HANDLE_NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(fits)
}

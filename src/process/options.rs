//! What a caller says about a child, and the checks that need no kernel.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;

use crate::segment::Kind;
use crate::status::{Result, Status};
use crate::sys::process::exec::Source;
use crate::sys::process::is_open;

/// The environment variable that tells a child who it is. Callers may not set it.
pub(super) const VARIABLE: &str = "POLYPROC_PROCESS";
/// The longest name of a process, as a C caller's buffer holds it with its NUL.
const MAX_PROCESS_NAME: usize = 63;
/// The longest name of an inherited handle, like that of an object.
const MAX_HANDLE_NAME: usize = 200;

/// Where one of a child's standard descriptors comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stdio {
    /// The parent's own.
    #[default]
    Inherit,
    /// /dev/null.
    Null,
    /// A descriptor of the parent, which keeps it.
    Fd(RawFd),
}

/// An object that a child inherits under a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InheritHandle {
    /// 1 to 200 bytes of `A-Z a-z 0-9 . _ -`, not starting with a dot; the child asks for it with `inherited`.
    pub name: String,
    /// What it is; the child has to ask for the same.
    pub kind: Kind,
    /// The object's descriptor. The child gets its own, so the parent may close this one.
    pub fd: RawFd,
}

/// How a child is to be started. The default inherits everything and names it `Process-N`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProcessOptions {
    /// Up to 63 bytes of UTF-8 without control characters; `Process-N` when none is given.
    pub name: Option<CString>,
    /// The program and its arguments. A program without a slash is looked for in the directories of
    /// the child's PATH. Not used by fork.
    pub argv: Vec<CString>,
    /// `K=V`, added to the environment or in place of what it holds.
    pub env: Vec<CString>,
    /// Start from an empty environment.
    pub clear_env: bool,
    /// The child's working directory, from which a relative program is looked for too.
    pub cwd: Option<CString>,
    /// Its standard input.
    pub stdin: Stdio,
    /// Its standard output.
    pub stdout: Stdio,
    /// Its standard error.
    pub stderr: Stdio,
    /// It is killed when this process ends in whatever way, and may have no children.
    pub daemon: bool,
    /// It leads a process group of its own: what the terminal sends (Ctrl-C, Ctrl-Z) reaches its parent
    /// only, and `kill(-pid)` reaches it with all that it starts.
    pub group: bool,
    /// What it inherits.
    pub handles: Vec<InheritHandle>,
}

impl ProcessOptions {
    /// `E_INVALID` for what no child can be given.
    pub(super) fn check(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        let handles_fit = self.handles.iter().all(|handle| {
            is_handle_name(&handle.name) && names.insert(&handle.name) && is_open(handle.fd)
        });
        let env_fits = self.env.iter().all(|entry| {
            let key = key_of(entry.as_bytes());
            key.is_some_and(|key| !key.is_empty() && key != VARIABLE.as_bytes())
        });
        let sources = [self.stdin, self.stdout, self.stderr];
        let stdio_fits = sources.iter().all(|source| match source {
            Stdio::Fd(fd) => is_open(*fd),
            Stdio::Inherit | Stdio::Null => true,
        });
        self.chosen_name()?;
        if handles_fit && env_fits && stdio_fits {
            Ok(())
        } else {
            Err(Status::E_INVALID)
        }
    }

    /// The name that the caller gave.
    pub(super) fn chosen_name(&self) -> Result<Option<String>> {
        let Some(name) = &self.name else {
            return Ok(None);
        };
        match name.to_str() {
            Ok(name) if is_process_name(name) => Ok(Some(name.to_owned())),
            _ => Err(Status::E_INVALID),
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

/// Whether a process may be called this.
pub(super) fn is_process_name(name: &str) -> bool {
    (1..=MAX_PROCESS_NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// Whether a handle may be called this.
pub(super) fn is_handle_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_HANDLE_NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(fits)
}

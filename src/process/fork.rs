//! Forking into a function.

use std::ffi::{c_int, c_void, CStr, CString};
use std::os::fd::AsRawFd;

use super::children::{self, AtExit};
use super::daemon::{self, Bond};
use super::exit;
use super::inherit::{become_child, Carried, Identity};
use super::options::ProcessOptions;
use super::Process;
use crate::status::Result;
use crate::sys::descriptor::OwnedFd;
use crate::sys::process::exec::{NullEnded, SignalMask, Source};
use crate::sys::process::fork::{self as kernel, Manner, Target};
use crate::sys::process::{open, open_path, pid};

/// The exit code of a child whose set-up failed: the one the shell uses for a program it cannot
/// run.
const NOT_SET_UP: c_int = 127;

impl Process {
    /// Fork this process and run `target(arg)` in the child. The child exits with the low 8 bits of
    /// the returned value. As in Python the child first waits for its own children and flushes C's
    /// streams (but not Rust's own stdout buffer). Output that the parent had buffered, and
    /// functions that the parent registered with atexit, stay with the parent. An exception out of
    /// `target` aborts the child.
    ///
    /// The child has the calling thread's signal mask, except that SIGTERM is unblocked.
    ///
    /// A daemonic child that was forked by a thread other than the first of its process must not
    /// execute another program: that program would outlive this process. A daemonic
    /// [`spawn`](Process::spawn) has no such limit.
    ///
    /// # Errors
    /// As for [`spawn`](Process::spawn).
    ///
    /// # Safety
    /// `target` may be called with `arg` in a copy of this process that has only the calling
    /// thread: if there are other threads, it must not need a lock that one of them may hold.
    #[allow(
        unsafe_code,
        reason = "only the caller knows what target does in a forked child"
    )]
    #[doc(hidden)]
    pub unsafe fn fork(
        options: &ProcessOptions,
        target: Target,
        arg: *mut c_void,
    ) -> Result<Process> {
        // SAFETY: the caller promises this.
        let mut body = || unsafe { kernel::run(target, arg) };
        daemon::refuse_children()?;
        start(options, options.daemon, SignalMask::of_a_copy(), &mut body)
    }
}

/// Fork a daemonic child that runs `body` and may itself be the child of a daemonic process: a pool
/// worker.
pub(crate) fn fork_daemon(
    options: &ProcessOptions,
    mask: SignalMask,
    body: &mut dyn FnMut() -> c_int,
) -> Result<Process> {
    start(options, true, mask, body)
}

/// Fork a child that ends with this process as a daemonic one does, and may have such children
/// itself.
pub(crate) fn fork_server_process(
    options: &ProcessOptions,
    mask: SignalMask,
    body: &mut dyn FnMut() -> c_int,
) -> Result<Process> {
    daemon::refuse_children()?;
    start(options, true, mask, body)
}

/// Everything that the child needs. The parent makes it, so that a failure is an error in the
/// parent and not an exit code of the child.
struct Parts<'a> {
    carried: Carried<'a>,
    identity: Identity,
    stdio: [Source; 3],
    cwd: Option<OwnedFd>,
    env: Option<Vec<CString>>,
    bond: Option<Bond>,
    parent_fd: Option<OwnedFd>,
}

impl Parts<'_> {
    fn new(options: &ProcessOptions, name: String, is_bound: bool) -> Result<Parts<'_>> {
        let changes_env = options.clear_env || !options.env.is_empty();
        Ok(Parts {
            carried: Carried::to_fork(&options.handles)?,
            identity: Identity {
                name: Some(name),
                daemon: options.daemon,
                handles: Vec::new(),
            },
            stdio: options.sources(),
            cwd: options.cwd.as_deref().map(open_directory).transpose()?,
            env: changes_env.then(|| options.environment()),
            bond: is_bound.then(Bond::new),
            parent_fd: open(pid())?,
        })
    }

    /// Called in the child.
    fn use_up(mut self) -> Result<()> {
        if let Some(bond) = self.bond {
            bond.tie(self.parent_fd)?;
        }
        let env = self.env.map(|env| {
            let env = Box::leak(env.into_boxed_slice());
            &*Box::leak(Box::new(NullEnded::new(env)))
        });
        kernel::set_up(self.stdio, self.cwd.as_ref(), env)?;
        self.identity.handles = self.carried.into_inherited();
        become_child(self.identity);
        Ok(())
    }
}

/// `is_bound`: the child ends with this process.
fn start(
    options: &ProcessOptions,
    is_bound: bool,
    mask: SignalMask,
    body: &mut dyn FnMut() -> c_int,
) -> Result<Process> {
    options.check()?;
    children::collect_finished();

    let name = options
        .chosen_name()?
        .unwrap_or_else(children::default_name);
    let mut parts = Some(Parts::new(options, name.clone(), is_bound)?);
    let own = parts
        .as_ref()
        .and_then(|parts| parts.parent_fd.as_ref())
        .map(AsRawFd::as_raw_fd);
    exit::prepare()?;
    let manner = Manner {
        own,
        mask,
        leads_group: options.group,
        at_end: exit::run,
    };
    let started = kernel::fork(&manner, &mut || match parts.take().map(Parts::use_up) {
        Some(Ok(())) => body(),
        _ => kernel::leave(NOT_SET_UP),
    })?;
    Ok(Process {
        child: children::add(started, name, options.daemon, AtExit::of(is_bound)),
    })
}

/// A directory that this process may change to.
fn open_directory(path: &CStr) -> Result<OwnedFd> {
    // The entry `.` in it can be opened only where this process may enter the directory.
    let mut inside = path.to_bytes().to_vec();
    inside.extend_from_slice(b"/.");
    let inside = CString::new(inside).unwrap_or_default();
    open_path(&inside, libc::O_PATH | libc::O_DIRECTORY)
}

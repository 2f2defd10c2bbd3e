//! Starting a program in a new process.

use std::ffi::CString;

use super::children::{self, AtExit};
use super::inherit::{encode, Carried};
use super::options::{key_of, ProcessOptions, VARIABLE};
use super::Process;
use super::{daemon, exit};
use crate::status::detail::{self, because};
use crate::status::{Result, Status};
use crate::sys::malloc;
use crate::sys::process::exec::{self, NullEnded, Program};

/// The search path for a program when the child has no PATH.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

impl Process {
    /// Start the program `options.argv`. Inherited handles travel as descriptors, so this process
    /// may close its handles or end at once.
    ///
    /// The child starts with no signal blocked, with default actions for the signals that this
    /// process handles and for SIGPIPE and SIGTERM, and with every descriptor that is not closed on
    /// exec.
    ///
    /// # Errors
    /// `E_INVALID` for invalid options, `E_NOT_FOUND` when the program or directory does not exist,
    /// `E_PERMISSION` when the program may not be executed, `E_DAEMONIC` in a daemonic process,
    /// `E_LIMIT`, `E_NO_MEMORY`. A failure leaves nothing behind.
    pub fn spawn(options: &ProcessOptions) -> Result<Process> {
        Process::start(options).map_err(|status| {
            let program = options
                .argv
                .first()
                .and_then(|program| program.to_str().ok());
            detail::at(status, "spawn", "program", program)
        })
    }

    fn start(options: &ProcessOptions) -> Result<Process> {
        malloc::check()?;
        daemon::refuse_children()?;
        options.check()?;
        let command = options
            .argv
            .first()
            .ok_or_else(|| because!(E_INVALID, "argv is NULL or empty"))?;
        children::collect_finished();

        let carried = Carried::to_program(&options.handles)?;
        let name = options
            .chosen_name()?
            .unwrap_or_else(children::default_name);
        let mut env = options.environment();
        let paths = candidates(command, &env);
        env.push(variable(&name, options.daemon, &carried)?);
        let keep = carried
            .handles
            .iter()
            .map(|(_, fd)| *fd)
            .collect::<Vec<_>>();
        let program = Program {
            paths: &paths,
            argv: &NullEnded::new(&options.argv),
            env: &NullEnded::new(&env),
            cwd: options.cwd.as_deref(),
            stdio: options.sources(),
            keep: &keep,
            leads_group: options.group,
            dies_with_parent: options.daemon,
        };
        let start = if options.daemon {
            daemon::start
        } else {
            exec::start
        };
        exit::prepare()?;
        let started = start(&program)?;
        Ok(Process {
            child: children::add(started, name, options.daemon, AtExit::of(options.daemon)),
        })
    }
}

/// `POLYPROC_PROCESS=…` for the child.
fn variable(name: &str, daemon: bool, carried: &Carried<'_>) -> Result<CString> {
    let text = format!("{VARIABLE}={}", encode(name, daemon, &carried.handles));
    CString::new(text).map_err(|_| Status::E_INVALID)
}

/// The files to try for `command`, in the order of the child's PATH.
fn candidates(command: &CString, env: &[CString]) -> Vec<CString> {
    let name = command.as_bytes();
    if name.is_empty() || name.contains(&b'/') {
        return vec![command.clone()];
    }
    let in_env = env
        .iter()
        .map(|entry| entry.as_bytes())
        .find(|entry| key_of(entry) == Some(b"PATH"));
    let path = in_env
        .and_then(|entry| entry.strip_prefix(b"PATH="))
        .unwrap_or(DEFAULT_PATH);
    let join = |directory: &[u8]| {
        let mut file = directory.to_vec();
        // An empty entry means the working directory.
        if !file.is_empty() {
            file.push(b'/');
        }
        file.extend_from_slice(name);
        CString::new(file).ok()
    };
    path.split(|byte| *byte == b':').filter_map(join).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_in_the_path_of_the_child() {
        let found = |command: &str, env: &[&str]| {
            let own = |text: &str| CString::new(text).expect("no NUL");
            let env = env.iter().map(|entry| own(entry)).collect::<Vec<_>>();
            let files = candidates(&own(command), &env);
            files
                .iter()
                .map(|file| file.to_str().expect("UTF-8").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            found("ls", &["A=1", "PATH=/a::/b c"]),
            ["/a/ls", "ls", "/b c/ls"]
        );
        assert_eq!(found("ls", &["PATHS=/a"]), ["/bin/ls", "/usr/bin/ls"]);
        assert_eq!(found("./ls", &["PATH=/a"]), ["./ls"]);
        assert_eq!(found("", &["PATH=/a"]), [""]);
    }
}

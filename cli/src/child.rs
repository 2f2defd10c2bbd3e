//! Programs that a command runs.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::thread;

use polyproc::Process;
use rustix::process::{getpid, getppid, kill_process, set_parent_process_death_signal, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::{Failure, Outcome};

/// As env(1) and the shells exit when a program cannot be run.
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;
/// A shell adds this to the number of the signal that ended a program.
const SIGNAL_BASE: i32 = 128;

/// A program that gets the signal `at_death` when this process dies, however it does. To be started
/// by the first thread: the kernel sends the signal when the thread ends that started the program.
pub fn command(argv: &[OsString], at_death: Signal) -> Option<Command> {
    let (program, arguments) = argv.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments);
    let parent = getpid();
    let tie = move || {
        set_parent_process_death_signal(Some(at_death))?;
        if getppid() != Some(parent) {
            // It died before the signal was asked for, and nobody is there to be told.
            kill_process(getpid(), Signal::KILL)?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec there are system calls only.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(tie);
    }
    Some(command)
}

/// Whether a program cannot be run, whatever its arguments are.
pub fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
    )
}

/// Why a program was not started.
pub fn not_started(program: &OsString, error: &io::Error) -> Failure {
    let code = match error.kind() {
        io::ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_EXECUTABLE,
    };
    Failure::new(code, format_args!("{}: {error}", program.display()))
}

/// Runs a program, and returns its exit code as a shell does. SIGTERM and SIGHUP go on to the
/// program, and this process ends after it. A terminal sends SIGINT and SIGQUIT to both.
pub fn run(argv: &[OsString]) -> Outcome {
    let Some(mut command) = command(argv, Signal::KILL) else {
        return Ok(ExitCode::SUCCESS);
    };
    // From here on these signals do not end this process.
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT])?;
    let child = command
        .spawn()
        .map_err(|error| not_started(&argv[0], &error))?;
    let process = Arc::new(Process::adopt(child.id() as i32)?);
    let program = Arc::clone(&process);
    thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGTERM || signal == SIGHUP {
                // It fails when the program has ended, or is another user's by now.
                let _ = program.signal(signal);
            }
        }
    });
    process.join()?;
    Ok(exit_code(process.exit_code()?))
}

/// The exit code of a shell for a program that ended with `code`, negative for a signal.
fn exit_code(code: i32) -> ExitCode {
    let code = match code {
        0.. => code,
        signal => SIGNAL_BASE - signal,
    };
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

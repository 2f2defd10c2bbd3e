//! Standard input and output, which may be closed: `polyproc get jobs >&-`. Every command that
//! writes to standard output does it here.
//!
//! Before `main`, the standard library opens /dev/null where they are closed. So they are looked at
//! before that, or a get would take messages and write them nowhere.

use std::io::{self, Stdin, StdoutLock, Write};
use std::os::fd::{BorrowedFd, RawFd};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::fcntl_getfd;
use rustix::stdio::{raw_stdin, raw_stdout};

use crate::failure::{Failure, Outcome, ERROR, USAGE};

static INPUT_IS_CLOSED: AtomicBool = AtomicBool::new(false);
static OUTPUT_IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Standard input.
pub fn stdin() -> Result<Stdin, Failure> {
    match INPUT_IS_CLOSED.load(Ordering::Relaxed) {
        true => Err(Failure::new(ERROR, "standard input is closed")),
        false => Ok(io::stdin()),
    }
}

/// Standard output.
pub fn stdout() -> Result<StdoutLock<'static>, Failure> {
    match OUTPUT_IS_CLOSED.load(Ordering::Relaxed) {
        true => Err(Failure::new(ERROR, "standard output is closed")),
        false => Ok(io::stdout().lock()),
    }
}

/// Writes to standard output.
pub fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = stdout()?;
    let written = out.write_all(text).and_then(|()| out.flush());
    written.map_err(not_written)
}

/// Prints the help that the command line asks for, or says what is wrong with it.
pub fn explain(error: &clap::Error) -> Outcome {
    if error.use_stderr() {
        // If nobody can be told, the exit code is left.
        let _ = error.print();
    } else {
        drop(stdout()?);
        let printed = error.print().and_then(|()| io::stdout().flush());
        printed.map_err(not_written)?;
    }
    let code = u8::try_from(error.exit_code()).unwrap_or(USAGE);
    Ok(ExitCode::from(code))
}

/// Why standard output was not written.
pub fn not_written(error: io::Error) -> Failure {
    Failure::from(error).about("standard output")
}

extern "C" fn look() {
    INPUT_IS_CLOSED.store(is_closed(raw_stdin()), Ordering::Relaxed);
    OUTPUT_IS_CLOSED.store(is_closed(raw_stdout()), Ordering::Relaxed);
}

fn is_closed(descriptor: RawFd) -> bool {
    // SAFETY: nothing opens or closes descriptors while the one call runs, which fails if this one
    // is not open.
    #[allow(unsafe_code)]
    let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
    fcntl_getfd(descriptor).is_err()
}

// SAFETY: the loader calls the functions of this section, in the only thread, before `main`. `look`
// needs nothing of the standard library.
#[allow(unsafe_code)]
#[used]
#[link_section = ".init_array"]
static LOOK: extern "C" fn() = look;

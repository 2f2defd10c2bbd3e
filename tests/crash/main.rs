//! Killed at every instruction: each operation runs in a child, one instruction after the other,
//! and is killed with SIGKILL after n of them. Then its parent and a third process must find the
//! object whole, nothing lost and no call delayed, and do real work with it.
//!
//! `make crash` prints a line per operation; `make crash FULL=1` kills at every instruction.
//! Arguments: `--full`, `--points=n` (the number of points of an operation), `--stop` (see
//! `stops`), `--shm=n` (see `small`), and words: an operation runs if its name contains one of
//! them.

#[cfg(target_arch = "x86_64")]
mod case;
#[cfg(target_arch = "x86_64")]
mod crew;
#[cfg(target_arch = "x86_64")]
mod figures;
#[cfg(target_arch = "x86_64")]
mod operations;
#[cfg(target_arch = "x86_64")]
mod page;
#[cfg(target_arch = "x86_64")]
mod small;
#[cfg(target_arch = "x86_64")]
mod stepper;
#[cfg(target_arch = "x86_64")]
mod stops;
#[cfg(target_arch = "x86_64")]
mod stores;
#[cfg(target_arch = "x86_64")]
mod third;

#[cfg(target_arch = "x86_64")]
fn main() -> std::process::ExitCode {
    crew::run(&std::env::args().skip(1).collect::<Vec<_>>())
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("not run: it knows the instructions of x86-64 only");
}

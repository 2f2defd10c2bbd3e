//! Which processes are alive: each way in which a living process can look dead, and each way to
//! end, with and without the kernel's report.

mod child;
mod crowd;
mod holders;
mod sandbox;
mod stopped;
mod threads;

/// The test binary as another process, in the sandbox that a test has chosen.
#[test]
fn play() {
    if std::env::var_os(sandbox::ROLE).is_some() {
        sandbox::run_scenarios();
    }
}

//! Who is alive: each way in which a process can be hard to tell from a dead one, and each way to end, with
//! and without what the kernel offers to tell them apart.

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

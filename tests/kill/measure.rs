//! How soon a sleeper goes on after a kill.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use polyproc::Wait;

use crate::victim::{own_syscall_file, wait_until_asleep_or, Victim, DEADLINE};

/// Kills per measurement.
pub const ROUNDS: usize = 25;
/// The promised limits, for the worst of the rounds and for their median.
const WORST: Duration = Duration::from_millis(50);
const MEDIAN: Duration = Duration::from_millis(2);
/// The same if sleeps are cut into slices, because the kernel cannot wait on several words.
const WORST_SLICE: Duration = Duration::from_millis(550);
const MEDIAN_SLICE: Duration = Duration::from_millis(280);

/// `sleep` blocks in a thread of its own until `victim` is killed. Returns how long after the kill
/// it returned.
pub fn woken_after(victim: Victim, sleep: impl FnOnce() + Send) -> Duration {
    woken_if_asleep(victim, |_| {}, sleep).expect("it returned before the kill")
}

/// The same for a `sleep` that may be over before it falls asleep: then there is nothing to
/// measure, and the answer is `None`. Meanwhile `interrupt` stops the victim.
///
/// Only a sleeper is timed. A thread that the scheduler has taken off its core goes on when its
/// turn comes, and that says nothing about the kill.
pub fn woken_if_asleep(
    victim: Victim,
    interrupt: impl FnOnce(&Victim),
    sleep: impl FnOnce() + Send,
) -> Option<Duration> {
    std::thread::scope(|scope| {
        let (file_to, file_from) = mpsc::channel();
        let (end_to, end_from) = mpsc::channel();
        let sleeper = scope.spawn(move || {
            file_to.send(own_syscall_file()).unwrap();
            sleep();
            end_to.send(Instant::now()).unwrap();
        });
        let file = file_from.recv().unwrap();
        interrupt(&victim);
        let is_asleep = wait_until_asleep_or(&file, || sleeper.is_finished());
        let killed = Instant::now();
        victim.kill();
        let woken = end_from
            .recv_timeout(DEADLINE)
            .expect("the sleeper does not go on");
        is_asleep.then(|| woken.saturating_duration_since(killed))
    })
}

/// Compares the times with the promise.
pub fn check(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{what}: {} kills, median {median:?}, worst {worst:?}",
        times.len()
    );
    let has_slices = std::env::var_os("POLYPROC_NO_WAITV").is_some_and(|value| value == "1");
    let (worst_allowed, median_allowed) = match has_slices {
        false => (WORST, MEDIAN),
        true => (WORST_SLICE, MEDIAN_SLICE),
    };
    assert!(worst < worst_allowed, "{what}: {times:?}");
    assert!(median < median_allowed, "{what}: {times:?}");
}

/// Longer than any call takes.
pub fn in_time() -> Wait<'static> {
    Wait::from(DEADLINE)
}

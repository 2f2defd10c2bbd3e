//! How soon a sleeper goes on after a kill.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use polyproc::Wait;

use crate::victim::{own_syscall_file, wait_until_asleep, Victim, DEADLINE};

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
    std::thread::scope(|scope| {
        let (file_to, file_from) = mpsc::channel();
        let (end_to, end_from) = mpsc::channel();
        scope.spawn(move || {
            file_to.send(own_syscall_file()).unwrap();
            sleep();
            end_to.send(Instant::now()).unwrap();
        });
        wait_until_asleep(&file_from.recv().unwrap());
        let killed = Instant::now();
        victim.kill();
        let woken = end_from
            .recv_timeout(DEADLINE)
            .expect("the sleeper does not go on");
        woken.saturating_duration_since(killed)
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

//! Producers, consumers, lockers and users of permits in C, Go and Node, killed at random and
//! replaced, while an auditor accounts for every message.
//!
//! `make soak SECONDS=600`; `make test` runs ten seconds of it. It prints its figures, and exits
//! with 1 if a message is lost or comes from nowhere, a worker makes no progress, or something is
//! left behind.
//!
//! `RANDOM=1` runs random configurations instead, see `random`. `SHM=16` gives either a /dev/shm of
//! so many MiB.

mod audit;
mod objects;
mod random;
mod staff;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use audit::Audit;
use objects::Objects;
use staff::{Staff, Worker};

/// On the average.
const KILLS_PER_SECOND: u64 = 22;
/// No worker may make no progress for longer: in a run of minutes, which has the machine to itself,
/// and in a short one, for which this is only a deadline.
const STALL: Duration = Duration::from_secs(1);
const STALL_SHORT: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_secs(60);
/// Longer than anything takes.
const DEADLINE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let is = |word: &str| words.iter().any(|given| given == word);
    let number = |word: &str| {
        let mut values = words.iter().filter_map(|given| given.strip_prefix(word));
        values.find_map(|value| value.parse::<u64>().ok())
    };
    let lasts = Duration::from_secs(number("--seconds=").unwrap_or(10));
    let memory = number("--shm=");
    if let Some(one) = number("--one=") {
        let seed = number("--seed=").unwrap_or(0);
        return ended(
            random::stage::run(seed, one, is("--lacks-memory")).map(|line| println!("{line}")),
        );
    }
    if let Some(Err(breach)) = memory.map(random::small_memory) {
        return ended(Err(breach));
    }
    if memory.is_some() {
        std::env::set_var("POLYPROC_SOAK_LACKS_MEMORY", "1");
    }
    if is("--random") {
        let plan = random::Plan {
            lasts,
            seed: number("--seed=").unwrap_or_else(|| u64::from(std::process::id())),
            only: number("--only="),
            memory,
        };
        return match random::run(&plan) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        };
    }
    ended(soak(lasts))
}

fn ended(how: Result<(), String>) -> ExitCode {
    match how {
        Ok(()) => ExitCode::SUCCESS,
        Err(breach) => {
            println!("breach: {breach}");
            ExitCode::FAILURE
        }
    }
}

fn soak(lasts: Duration) -> Result<(), String> {
    let allowed = if lasts < SHORT { STALL_SHORT } else { STALL };
    let objects = Objects::new();
    let empty = objects.memory();
    let mut audit = Audit::default();
    let mut staff = Staff::hire(&objects)?;
    let mut random = Random::new();
    let end = Instant::now() + lasts;
    let mut next_kill = Instant::now();
    while Instant::now() < end {
        let until = next_kill.min(end);
        staff.listen(until, &mut audit)?;
        if Instant::now() >= next_kill && next_kill < end {
            staff.kill_one(random.below(Staff::LOTS), &mut audit)?;
            next_kill += Duration::from_micros(random.below(2_000_000 / KILLS_PER_SECOND));
        }
        audit.check_progress(allowed)?;
    }
    objects
        .stop
        .set()
        .map_err(|status| format!("stop: {status:?}"))?;
    staff.until_over(Worker::ends_when_stopped, DEADLINE, &mut audit)?;
    objects.until_empty(
        &mut || staff.listen(Instant::now() + Duration::from_millis(5), &mut audit),
        DEADLINE,
    )?;
    objects.shut_down();
    staff.until_over(|_| true, DEADLINE, &mut audit)?;
    audit.settle(&staff)?;
    let left = objects.check_whole()?;
    println!(
        "memory: {} KiB when made, {} KiB in the end",
        empty / 1024,
        left / 1024
    );
    match left <= empty + objects::MAY_STAY {
        true => Ok(()),
        false => Err("memory does not come back".to_owned()),
    }
}

/// Small, fast, and good enough to choose the next victim.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let seed = u64::from(std::process::id()) << 32 | 0x9e37_79b9;
        println!("seed {seed:#x}");
        Random(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % limit
    }
}

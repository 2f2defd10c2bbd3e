//! Random configurations one after the other, each in a process of its own, several at once.
//!
//! `make soak RANDOM=1 SECONDS=60 SEED=1`; one of them alone, again and again: `ONLY=17`. A
//! configuration follows from the seed and its number: its objects, its workers, their steps, and
//! when one is killed or stopped. The machine decides the order in which processes run.

mod config;
mod crew;
mod ledger;
mod locks;
mod log;
pub mod stage;
mod things;

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

pub struct Plan {
    pub lasts: Duration,
    pub seed: u64,
    pub only: Option<u64>,
    /// /dev/shm has so many MiB.
    pub memory: Option<u64>,
}

const PROGRESS: Duration = Duration::from_secs(30);
/// This many breaches are enough to look at.
const ENOUGH: usize = 20;

/// Thirty-two zeros of each queue's options are no information.
const NO_LABEL: &str = ", format: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]";

#[derive(Default)]
struct Totals {
    configurations: u64,
    figures: BTreeMap<String, u64>,
    breaches: Vec<String>,
}

impl Totals {
    fn add(&mut self, line: &str) {
        for (name, value) in line
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
        {
            let value = value.parse().unwrap_or(0);
            let total = self.figures.entry(name.to_owned()).or_default();
            *total = match name {
                "stall" | "memory" => value.max(*total),
                _ => value + *total,
            };
        }
    }

    fn figure(&self, name: &str) -> u64 {
        self.figures.get(name).copied().unwrap_or(0)
    }

    fn breaches_of(&self, word: &str) -> usize {
        self.breaches
            .iter()
            .filter(|breach| breach.contains(word))
            .count()
    }

    fn print(&self) {
        println!(
            "{} configurations, {} kills, {} stops, {} puts returned, {} more by the killed, {} turns with locks and permits",
            self.configurations,
            self.figure("kills"),
            self.figure("stops"),
            self.figure("puts"),
            self.figure("extra"),
            self.figure("turns"),
        );
        println!(
            "{} lost, {} doubled, {} forged, {} stuck, {} E_CORRUPT, {} other faults; {} delivered again after a death or a return",
            self.breaches_of("lost:"),
            self.breaches_of("doubled"),
            self.breaches_of("forged"),
            self.breaches_of("stuck"),
            self.breaches_of("E_CORRUPT"),
            self.breaches
                .iter()
                .filter(|breach| {
                    let known = ["lost:", "doubled", "forged", "stuck", "E_CORRUPT"];
                    !known.iter().any(|word| breach.contains(word))
                })
                .count(),
            self.figure("again"),
        );
        println!(
            "longest wait beyond a call's own time {:?}; most memory of empty objects {} KiB",
            Duration::from_nanos(self.figure("stall")),
            self.figure("memory") / 1024
        );
    }
}

/// Returns true if nothing was wrong.
pub fn run(plan: &Plan) -> bool {
    println!("seed {}", plan.seed);
    let end = Instant::now() + plan.lasts;
    let next = AtomicU64::new(0);
    let totals = Mutex::new(Totals::default());
    // A probe for memory needs /dev/shm for itself.
    let at_once = if plan.only.is_some() || plan.memory.is_some() {
        1
    } else {
        2
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| loop {
                let is_enough = totals.lock().unwrap().breaches.len() >= ENOUGH;
                if Instant::now() >= end || is_enough {
                    return;
                }
                let number = plan
                    .only
                    .unwrap_or_else(|| next.fetch_add(1, Ordering::Relaxed));
                let answer = one(plan, number);
                let mut totals = totals.lock().unwrap();
                totals.configurations += 1;
                match answer {
                    Ok(line) => totals.add(&line),
                    Err(breach) => {
                        println!(
                            "breach in configuration {number} (SEED={} ONLY={number}): {breach}",
                            plan.seed
                        );
                        totals.breaches.push(breach);
                    }
                }
            });
        }
        let mut told = Instant::now();
        while Instant::now() < end && totals.lock().unwrap().breaches.len() < ENOUGH {
            std::thread::sleep(Duration::from_millis(200));
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                let totals = totals.lock().unwrap();
                println!(
                    "... {} configurations, {} kills, {} breaches",
                    totals.configurations,
                    totals.figure("kills"),
                    totals.breaches.len()
                );
            }
        }
    });
    let totals = totals.into_inner().unwrap();
    totals.print();
    totals.breaches.is_empty()
}

/// Returns the figures of one configuration, or all its output and its workers'.
fn one(plan: &Plan, number: u64) -> Result<String, String> {
    // SAFETY: the name ends in NUL; the descriptor is checked.
    let fd = unsafe { libc::memfd_create(c"soak-output".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0, "no memory for the output");
    // SAFETY: a flag of a descriptor that is open.
    unsafe { libc::fcntl(fd, libc::F_SETFL, libc::O_APPEND) };
    // SAFETY: new, and nobody else's.
    let output = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    let copy = || Stdio::from(output.try_clone().unwrap());
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(program)
        .arg(format!("--one={number}"))
        .arg(format!("--seed={}", plan.seed))
        .args(plan.memory.map(|_| "--lacks-memory"))
        .stdin(Stdio::null())
        .stdout(copy())
        .stderr(copy())
        .spawn()
        .map_err(|error| error.to_string())?;
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        unlink_all(&stage::prefix(child.id(), number));
    }
    let len = output.metadata().map_or(0, |about| about.len());
    let mut bytes = vec![0; len.min(1 << 20) as usize];
    let read = output.read_at(&mut bytes, 0).unwrap_or(0);
    let said = String::from_utf8_lossy(&bytes[..read]).replace(NO_LABEL, "");
    let figures = said.lines().find(|line| line.starts_with("figures"));
    match (status.success(), figures) {
        (true, Some(line)) => Ok(line.to_owned()),
        // Its alarm.
        _ if status.signal() == Some(libc::SIGALRM) => {
            Err(format!("stuck: no end after a minute and a half\n{said}"))
        }
        _ => Err(format!("{status}\n{said}")),
    }
}

/// Unlinks what a configuration left that did not reach its end.
fn unlink_all(prefix: &str) {
    for object in polyproc::list().unwrap_or_default() {
        if object.name.starts_with(prefix) {
            let _ = polyproc::unlink(&object.name);
        }
    }
}

/// Makes a /dev/shm for this process and its children only.
pub fn small_memory(mebibytes: u64) -> Result<(), String> {
    let error = |what: &str| format!("{what}: {}", std::io::Error::last_os_error());
    let options = std::ffi::CString::new(format!("size={mebibytes}m,mode=1777")).unwrap();
    // SAFETY: all strings end in NUL; nobody else runs in this process yet.
    unsafe {
        if libc::unshare(libc::CLONE_NEWNS) != 0 {
            return Err(error("a mount namespace (needs root)"));
        }
        let none = std::ptr::null();
        let private = libc::MS_REC | libc::MS_PRIVATE;
        if libc::mount(none, c"/".as_ptr(), none, private, none.cast()) != 0 {
            return Err(error("private mounts"));
        }
        let (kind, place) = (c"tmpfs".as_ptr(), c"/dev/shm".as_ptr());
        if libc::mount(kind, place, kind, 0, options.as_ptr().cast()) != 0 {
            return Err(error("a small /dev/shm"));
        }
    }
    Ok(())
}

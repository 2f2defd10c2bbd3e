//! The processes of one configuration: started, stopped, killed, replaced, reaped.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::config::{Language, Random, Worker};

/// The exit code of a child that finds its parent gone.
const EARLY: i32 = 127;

struct Place {
    pid: Option<i32>,
    lives: u64,
    is_killed: bool,
}

pub struct Crew<'c> {
    workers: &'c [Worker],
    seed: (u64, u64),
    words: Vec<String>,
    places: Vec<Place>,
    /// When they go on.
    stopped: Vec<(Instant, i32)>,
    pub kills: u64,
    pub stops: u64,
}

fn command(language: Language) -> Result<Command, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (interpreter, program) = match language {
        Language::C => (None, "build/soak/random-c"),
        Language::Go => (None, "build/soak/random-go"),
        Language::Node => (Some("node"), "tests/soak/node/random.js"),
    };
    let program = root.join(program);
    if !program.exists() {
        return Err(format!(
            "{} is missing: `make soak-workers` builds it",
            program.display()
        ));
    }
    Ok(match interpreter {
        None => Command::new(program),
        Some(interpreter) => {
            let mut command = Command::new(interpreter);
            command.arg(program);
            command
        }
    })
}

impl<'c> Crew<'c> {
    pub fn new(workers: &'c [Worker], seed: (u64, u64), words: &[String]) -> Crew<'c> {
        let places = workers.iter().map(|_| Place {
            pid: None,
            lives: 0,
            is_killed: false,
        });
        Crew {
            workers,
            seed,
            words: words.to_vec(),
            places: places.collect(),
            stopped: Vec::new(),
            kills: 0,
            stops: 0,
        }
    }

    /// Starts the missing processes.
    pub fn fill(&mut self, log: &dyn Fn() -> File) -> Result<(), String> {
        for (at, place) in self.places.iter_mut().enumerate() {
            if place.pid.is_some() {
                continue;
            }
            let worker = &self.workers[at];
            place.lives += 1;
            // The steps of a life follow from its place, not from when it began.
            let mut random = Random::new(
                self.seed.0 ^ self.seed.1 << 32,
                (at as u64) << 32 | place.lives,
            );
            let mut command = command(worker.language)?;
            command
                .args([
                    random.below(1 << 40).to_string(),
                    worker.steps.to_string(),
                    "0".to_owned(),
                ])
                .args(&self.words)
                .arg(format!("puts={}", worker.puts_in_ten))
                .stdin(Stdio::null())
                .stdout(log());
            // SAFETY: one system call that takes no memory; it is allowed between fork and exec.
            unsafe {
                command.pre_exec(|| {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    Ok(())
                });
            }
            let child = command
                .spawn()
                .map_err(|error| format!("cannot start {:?}: {error}", worker.language))?;
            place.pid = Some(child.id() as i32);
            place.is_killed = false;
        }
        Ok(())
    }

    /// Notes the processes that have ended; an end that is no kill must be a success.
    pub fn reap(&mut self) -> Result<(), String> {
        loop {
            let mut status = 0;
            // SAFETY: asks for any child, and writes an integer.
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
            if pid <= 0 {
                return Ok(());
            }
            let killed = libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL;
            let well = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
            let place = self.places.iter_mut().find(|place| place.pid == Some(pid));
            // Orphans of killed processes die with them.
            let may_be_killed = place.as_ref().is_none_or(|place| place.is_killed);
            if let Some(place) = place {
                place.pid = None;
            }
            // A daemon whose parent was killed before the daemon had started its program.
            let is_early = may_be_killed && status == EARLY << 8;
            if !(well || is_early || killed && may_be_killed) {
                return Err(format!("process {pid} ended: {:#x}", status));
            }
        }
    }

    pub fn is_over(&self) -> bool {
        // SAFETY: asks whether there is any child, and leaves it as it is.
        let none = unsafe {
            let mut about: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(
                libc::P_ALL,
                0,
                &mut about,
                libc::WEXITED | libc::WNOHANG | libc::WNOWAIT,
            )
        };
        none < 0
    }

    /// Kills one of the living processes, children of workers too.
    pub fn kill(&mut self, pid: i32, tell: &mut dyn FnMut()) {
        if let Some(process) = Pinned::new(pid) {
            tell();
            if let Some(place) = self.places.iter_mut().find(|place| place.pid == Some(pid)) {
                place.is_killed = true;
            }
            self.kills += u64::from(process.signal(libc::SIGKILL));
        }
    }

    pub fn stop(&mut self, pid: i32, until: Instant) {
        if let Some(process) = Pinned::new(pid) {
            if process.signal(libc::SIGSTOP) {
                self.stops += 1;
                self.stopped.push((until, pid));
            }
        }
    }

    /// Lets the stopped processes go on whose time is over; all of them with None.
    pub fn go_on(&mut self, now: Option<Instant>) {
        self.stopped.retain(|(until, pid)| {
            let stays = now.is_some_and(|now| now < *until);
            if !stays {
                if let Some(process) = Pinned::new(*pid) {
                    process.signal(libc::SIGCONT);
                }
            }
            stays
        });
    }
}

/// A process that surely belongs to this configuration: its number may be reused a moment after it
/// was read.
struct Pinned(OwnedFd);

impl Pinned {
    fn new(pid: i32) -> Option<Pinned> {
        // SAFETY: asks for a descriptor of a process.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) } as i32;
        if fd < 0 {
            return None;
        }
        // SAFETY: new, and nobody else's.
        let pinned = Pinned(unsafe { OwnedFd::from_raw_fd(fd) });
        // SAFETY: always possible.
        let own = unsafe { libc::getpid() };
        is_descendant(pid, own).then_some(pinned)
    }

    fn signal(&self, signal: i32) -> bool {
        use std::os::fd::AsRawFd;
        let fd = self.0.as_raw_fd();
        // SAFETY: a signal to the process behind an open descriptor.
        let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, 0, 0) };
        sent == 0
    }
}

fn is_descendant(pid: i32, of: i32) -> bool {
    let mut at = pid;
    for _ in 0..8 {
        if at == of {
            return true;
        }
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{at}/stat")) else {
            return false;
        };
        let Some(parent) = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1))
        else {
            return false;
        };
        at = parent.parse().unwrap_or(0);
        if at <= 1 {
            return false;
        }
    }
    false
}

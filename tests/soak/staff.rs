//! The workers: starts, reads, kills and replaces them.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::audit::Audit;
use crate::objects::Objects;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Produce,
    ConsumeJoinable,
    ConsumeUnlimited,
    Lock,
    Permits,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Role::Produce => "produce",
            Role::ConsumeJoinable => "consume-joinable",
            Role::ConsumeUnlimited => "consume-unlimited",
            Role::Lock => "lock",
            Role::Permits => "permits",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Language {
    C,
    Go,
    Node,
}

impl Language {
    fn command(self) -> Result<Command, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (interpreter, program) = match self {
            Language::C => (None, "build/soak/c"),
            Language::Go => (None, "build/soak/go"),
            Language::Node => (Some("node"), "tests/soak/node/worker.js"),
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

    /// One worker in this language is killed for so many lots: a process of Node takes 50 ms of a
    /// core to start, so 20 a second would leave no time to the others.
    fn lots(self) -> u64 {
        match self {
            Language::C => 8,
            Language::Go => 3,
            Language::Node => 1,
        }
    }
}

use Language::{Go, Node, C};
use Role::{ConsumeJoinable, ConsumeUnlimited, Lock, Permits, Produce};

/// The workers that run at any time.
const PLACES: [(Role, Language); 16] = [
    (Produce, C),
    (Produce, C),
    (Produce, Go),
    (Produce, Node),
    (ConsumeJoinable, C),
    (ConsumeJoinable, Go),
    (ConsumeJoinable, Node),
    (ConsumeUnlimited, C),
    (ConsumeUnlimited, Go),
    (ConsumeUnlimited, Node),
    (Lock, C),
    (Lock, Go),
    (Lock, Node),
    (Permits, C),
    (Permits, Go),
    (Permits, Node),
];

/// One process, and its reports so far.
pub struct Worker {
    role: Role,
    language: Language,
    life: u32,
    child: Child,
    out: ChildStdout,
    /// The beginning of an incomplete record.
    rest: Vec<u8>,
    /// When it last reported; None before the first time, when it may still be starting.
    last: Option<Instant>,
    status: Option<ExitStatus>,
    /// A worker that was killed makes no progress.
    is_killed: bool,
}

impl Worker {
    fn start(role: Role, language: Language, life: u32, prefix: &str) -> Result<Worker, String> {
        let mut command = language.command()?;
        command
            .args([role.word(), prefix, &life.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        // SAFETY: one system call that takes no memory; it is allowed between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let mut child = command
            .spawn()
            .map_err(|error| format!("cannot start {language:?}: {error}"))?;
        let out = child.stdout.take().ok_or("no output")?;
        // SAFETY: a flag of a descriptor that is open.
        unsafe { libc::fcntl(out.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        Ok(Worker {
            role,
            language,
            life,
            child,
            out,
            rest: Vec::new(),
            last: None,
            status: None,
            is_killed: false,
        })
    }

    /// It looks at the event between two turns; a consumer waits for messages instead.
    pub fn ends_when_stopped(&self) -> bool {
        !matches!(self.role, ConsumeJoinable | ConsumeUnlimited)
    }

    fn name(&self) -> String {
        format!(
            "{} in {:?} (life {}, pid {})",
            self.role.word(),
            self.language,
            self.life,
            self.child.id()
        )
    }

    /// Reads all that it has written until now.
    fn hear(&mut self, audit: &mut Audit) -> Result<(), String> {
        let mut buffer = [0; 1 << 16];
        loop {
            match self.out.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(len) => {
                    self.rest.extend_from_slice(&buffer[..len]);
                    self.understand(audit)?;
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(format!("{}: {error}", self.name())),
            }
        }
    }

    fn understand(&mut self, audit: &mut Audit) -> Result<(), String> {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now).filter(|_| !self.is_killed) {
            audit.stood_still(&|| self.name(), now - last);
        }
        let whole = self.rest.len() / 8 * 8;
        for record in self.rest[..whole].chunks_exact(8) {
            let word = |at: usize| {
                u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
            };
            audit
                .note(self.role, word(0), word(4))
                .map_err(|breach| format!("{}: {breach}", self.name()))?;
        }
        self.rest.drain(..whole);
        Ok(())
    }

    /// Returns whether it has ended; a worker that was not killed must exit with 0.
    fn has_ended(&mut self) -> Result<bool, String> {
        if self.status.is_none() {
            self.status = self.child.try_wait().map_err(|error| error.to_string())?;
        }
        match self.status {
            Some(status) if !status.success() => Err(format!("{} ended: {status}", self.name())),
            status => Ok(status.is_some()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All workers.
pub struct Staff {
    prefix: String,
    workers: Vec<Worker>,
    /// Those that were killed and have not ended yet. A thread that waits in the kernel ends after
    /// that wait, which can take seconds on a busy machine, so the auditor does not wait for them.
    dying: Vec<Worker>,
    lives: u32,
    kills: BTreeMap<Language, u64>,
}

impl Staff {
    /// The number of lots for the next kill.
    pub const LOTS: u64 = 1 << 20;

    pub fn hire(objects: &Objects) -> Result<Staff, String> {
        let mut staff = Staff {
            prefix: objects.prefix.clone(),
            workers: Vec::new(),
            dying: Vec::new(),
            lives: 0,
            kills: BTreeMap::new(),
        };
        for (role, language) in PLACES {
            let worker = staff.start(role, language)?;
            staff.workers.push(worker);
        }
        Ok(staff)
    }

    fn start(&mut self, role: Role, language: Language) -> Result<Worker, String> {
        self.lives += 1;
        Worker::start(role, language, self.lives, &self.prefix)
    }

    /// Reads the workers' reports until a moment.
    pub fn listen(&mut self, until: Instant, audit: &mut Audit) -> Result<(), String> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let mut polled: Vec<libc::pollfd> = self.workers.iter().map(polled).collect();
            // Rounded up, so that a wait of less than a millisecond is one.
            let milliseconds = left.as_micros().div_ceil(1000) as i32;
            // SAFETY: an array of its length.
            unsafe {
                libc::poll(
                    polled.as_mut_ptr(),
                    polled.len() as libc::nfds_t,
                    milliseconds,
                )
            };
            for (worker, polled) in self.workers.iter_mut().zip(&polled) {
                if polled.revents != 0 {
                    worker.hear(audit)?;
                    worker.has_ended()?;
                }
                if let Some(last) = worker.last.filter(|_| worker.status.is_none()) {
                    audit.stood_still(&|| worker.name(), last.elapsed());
                }
            }
            self.hear_the_dying(audit)?;
            if left.is_zero() {
                return Ok(());
            }
        }
    }

    /// Reads what killed workers had reported, and drops those that have ended.
    fn hear_the_dying(&mut self, audit: &mut Audit) -> Result<(), String> {
        for mut worker in std::mem::take(&mut self.dying) {
            // Asked first: then all its reports are in the pipe.
            let ended = worker.child.try_wait().map_err(|error| error.to_string())?;
            worker.hear(audit)?;
            if ended.is_none() {
                self.dying.push(worker);
            }
        }
        Ok(())
    }

    /// Kills the worker that `lot` selects, and replaces it.
    pub fn kill_one(&mut self, lot: u64, audit: &mut Audit) -> Result<(), String> {
        let all: u64 = self
            .workers
            .iter()
            .map(|worker| worker.language.lots())
            .sum();
        let mut lot = lot % all;
        let place = self
            .workers
            .iter()
            .position(|worker| {
                let is_it = lot < worker.language.lots();
                lot = lot.saturating_sub(worker.language.lots());
                is_it
            })
            .ok_or("nobody is there")?;
        let worker = &mut self.workers[place];
        let (role, language) = (worker.role, worker.language);
        worker.child.kill().map_err(|error| error.to_string())?;
        worker.is_killed = true;
        audit.killed(role);
        *self.kills.entry(language).or_default() += 1;
        let next = self.start(role, language)?;
        let killed = std::mem::replace(&mut self.workers[place], next);
        self.dying.push(killed);
        Ok(())
    }

    /// Waits until all workers that are `meant` have ended.
    pub fn until_over(
        &mut self,
        meant: impl Fn(&Worker) -> bool,
        deadline: Duration,
        audit: &mut Audit,
    ) -> Result<(), String> {
        let end = Instant::now() + deadline;
        loop {
            self.listen(Instant::now() + Duration::from_millis(5), audit)?;
            let mut is_over = self.dying.is_empty();
            for worker in self.workers.iter_mut().filter(|worker| meant(worker)) {
                is_over &= worker.has_ended()?;
            }
            if is_over {
                // Read their last reports.
                return self.listen(Instant::now(), audit);
            }
            if Instant::now() > end {
                let late = self
                    .workers
                    .iter()
                    .find(|worker| meant(worker) && worker.status.is_none());
                return Err(format!(
                    "{} does not end",
                    late.map(Worker::name).unwrap_or_default()
                ));
            }
        }
    }

    /// Returns how many were killed of each language.
    pub fn kills(&self) -> String {
        let each = self
            .kills
            .iter()
            .map(|(language, kills)| format!("{kills} of {language:?}"));
        each.collect::<Vec<_>>().join(", ")
    }
}

/// Ended workers are left out: their pipes would be ready for ever.
fn polled(worker: &Worker) -> libc::pollfd {
    libc::pollfd {
        fd: if worker.status.is_some() {
            -1
        } else {
            worker.out.as_raw_fd()
        },
        events: libc::POLLIN,
        revents: 0,
    }
}

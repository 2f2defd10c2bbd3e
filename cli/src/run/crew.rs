//! The processes of a pipeline: started, watched, started again, stopped.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use polyproc::{
    wait_any_timeout, InheritHandle, Process, ProcessOptions, Status, Stdio, Wait, Waitable,
};
use rustix::process::{kill_process_group, Pid, Signal};

use super::file::{ProcessTable, Restart};
use super::log::{Output, Prefix};
use super::signals::Stop;
use crate::failure::{Failure, ERROR};

/// How long a process may take from SIGTERM to its end.
const GRACE: Duration = Duration::from_secs(5);
/// The pause before a process is started again, which doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// A process that ran this long has not failed at its start.
const STEADY: Duration = Duration::from_secs(10);
/// How often in a row a process may fail at its start.
const FAILURES: u32 = 8;

/// One process of the pipeline.
pub struct Member<'f> {
    pub table: &'f ProcessTable,
    name: String,
    prefix: Prefix,
    state: State,
    /// How often in a row it failed.
    failures: u32,
}

enum State {
    Runs { process: Process, since: Instant },
    StartsAt(Instant),
    Ended,
}

impl<'f> Member<'f> {
    pub fn new(table: &'f ProcessTable, name: String, prefix: Prefix) -> Member<'f> {
        Member {
            table,
            name,
            prefix,
            state: State::StartsAt(Instant::now()),
            failures: 0,
        }
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    fn process(&self) -> Option<&Process> {
        match &self.state {
            State::Runs { process, .. } => Some(process),
            _ => None,
        }
    }

    fn due(&self) -> Option<Instant> {
        match self.state {
            State::StartsAt(due) => Some(due),
            _ => None,
        }
    }

    /// Sees how its process ended. An error ends the pipeline.
    fn look(&mut self) -> Result<(), Failure> {
        let State::Runs { process, since } = &self.state else {
            return Ok(());
        };
        let code = match process.exit_code() {
            Err(Status::E_TIMEOUT) => return Ok(()),
            code => code?,
        };
        if since.elapsed() >= STEADY {
            self.failures = 0;
        }
        let how = match code {
            0.. => format!("{} (pid {}) exited with {code}", self.name, process.pid()),
            signal => format!(
                "{} (pid {}) was ended by signal {}",
                self.name,
                process.pid(),
                -signal
            ),
        };
        self.state = State::Ended;
        match (self.table.restart, code) {
            (Restart::Never | Restart::OnFailure, 0) => return Ok(()),
            (Restart::Never, _) => return Err(Failure::new(ERROR, how)),
            _ if self.failures >= FAILURES => {
                return Err(Failure::new(ERROR, how + ", again and again"))
            }
            _ => {}
        }
        eprintln!("polyproc: {how}; it is started again");
        self.state = State::StartsAt(Instant::now() + FIRST_PAUSE * (1 << self.failures));
        self.failures += 1;
        Ok(())
    }

    fn start(&mut self, shared: &Shared<'_>) -> Result<Vec<JoinHandle<()>>, Failure> {
        let (output, threads) = match self.table.prefix {
            true => {
                let (output, threads) = Output::with_prefix(&self.prefix)?;
                (output, Vec::from(threads))
            }
            false => (Output::inherited(), Vec::new()),
        };
        let text =
            |text: &[u8]| CString::new(text).map_err(|_| Failure::new(ERROR, "a NUL in the file"));
        let directory = shared.directory.join(&self.table.directory);
        let mut options = ProcessOptions::program(self.table.run.words())?;
        options.name = Some(text(self.name.as_bytes())?);
        options.cwd = Some(text(directory.as_os_str().as_bytes())?);
        options.env.push(text(&shared.path)?);
        for (key, value) in &self.table.env {
            options.env.push(text(format!("{key}={value}").as_bytes())?);
        }
        options.stdin = Stdio::Null;
        [options.stdout, options.stderr] = output.sources();
        // It ends with this process, however that ends, and a terminal's Ctrl-C reaches this
        // process alone, which then ends the others in order.
        (options.daemon, options.group) = (true, true);
        options.handles = shared.handles.clone();
        let process = Process::spawn(&options)
            .map_err(|status| Failure::from(status).with_code(ERROR).about(&self.name))?;
        let since = Instant::now();
        self.state = State::Runs { process, since };
        Ok(threads)
    }

    /// Sends a signal to its process and to all that this process has started.
    fn signal(&self, signal: Signal) {
        let pid = self
            .process()
            .and_then(|process| Pid::from_raw(process.pid()));
        if let Some(pid) = pid {
            // It fails when all of them have ended.
            let _ = kill_process_group(pid, signal);
        }
    }
}

/// What all processes are started with.
pub struct Shared<'f> {
    pub directory: &'f Path,
    /// `PATH=…`
    pub path: Vec<u8>,
    pub handles: Vec<InheritHandle>,
}

pub struct Crew<'f> {
    pub members: Vec<Member<'f>>,
    pub shared: Shared<'f>,
    /// The threads that copy output.
    pub copies: Vec<JoinHandle<()>>,
}

impl Crew<'_> {
    /// Starts what is due, after a look at what has ended.
    pub fn attend(&mut self) -> Result<(), Failure> {
        for member in &mut self.members {
            member.look()?;
            if member.due().is_some_and(|due| due <= Instant::now()) {
                self.copies.extend(member.start(&self.shared)?);
            }
        }
        self.copies.retain(|thread| !thread.is_finished());
        Ok(())
    }

    pub fn have_all_ended(&self) -> bool {
        self.members.iter().all(Member::has_ended)
    }

    /// Waits until a process ends, one is due, or a signal comes.
    pub fn wait(&self, stop: &Stop) -> Result<(), Failure> {
        let processes: Vec<_> = self.members.iter().filter_map(Member::process).collect();
        let due = self.members.iter().filter_map(Member::due).min();
        wait_for(&processes, due, stop)
    }

    /// As [`wait`](Self::wait), and starts nothing until `end`.
    fn wait_for_the_end(&self, end: Option<Instant>, stop: &Stop) -> Result<(), Failure> {
        wait_for(&self.running(), end, stop)
    }

    /// Ends all processes: SIGTERM, and SIGKILL for those that run on after a while or after a
    /// second Ctrl-C.
    pub fn stop(&mut self, stop: &Stop) -> Result<(), Failure> {
        let end = Instant::now() + GRACE;
        let before = stop.count();
        self.signal_all(Signal::TERM);
        stop.reset();
        while !self.are_gone() && Instant::now() < end && stop.count() == before {
            self.wait_for_the_end(Some(end), stop)?;
            stop.reset();
        }
        self.signal_all(Signal::KILL);
        while !self.are_gone() {
            stop.reset();
            self.wait_for_the_end(None, stop)?;
        }
        Ok(())
    }

    fn signal_all(&self, signal: Signal) {
        self.members.iter().for_each(|member| member.signal(signal));
    }

    /// Whether no process runs.
    fn are_gone(&self) -> bool {
        self.running().is_empty()
    }

    fn running(&self) -> Vec<&Process> {
        let processes = self.members.iter().filter_map(Member::process);
        let is_alive = |process: &&Process| matches!(process.is_alive(), Ok(true));
        processes.filter(is_alive).collect()
    }
}

/// Waits until one of the processes has ended, the time has come, or a signal.
fn wait_for(processes: &[&Process], end: Option<Instant>, stop: &Stop) -> Result<(), Failure> {
    let items: Vec<_> = processes
        .iter()
        .map(|process| Waitable::Process(process))
        .collect();
    let left = end.map(|end| end.saturating_duration_since(Instant::now()));
    if items.is_empty() {
        stop.sleep(left.unwrap_or_default());
        return Ok(());
    }
    match wait_any_timeout(&items, Wait::from(left).or_cancel(stop.token())) {
        Ok(_) | Err(Status::E_TIMEOUT | Status::E_CANCELED) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

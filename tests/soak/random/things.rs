//! The objects of one configuration, which the auditor makes and removes.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use polyproc::{
    pipe, Barrier, Condition, Connection, CreateOptions, Event, Lock, Queue, Rlock, Semaphore,
    SemaphoreOptions, Status,
};

use super::config::{Config, QueueChoice, MAY_LACK_MEMORY};

/// A queue, and the queues that had its name before.
pub struct Line {
    pub name: Option<String>,
    pub all: Vec<Queue>,
    /// Its name was removed, and the next queue of that name is not held yet.
    is_owed: bool,
    _shared: Option<OwnedFd>,
}

pub struct Things {
    prefix: String,
    lacks_memory: bool,
    pub stop: Event,
    pub lines: Vec<Line>,
    pub lock: Option<Lock>,
    pub rlock: Option<Rlock>,
    pub permits: Option<Semaphore>,
    pub pipe: Option<(Connection, Connection)>,
    /// Passed to each worker.
    words: Vec<String>,
    _shared: Vec<OwnedFd>,
    _kept: (Option<Event>, Option<Condition>, Option<Barrier>),
}

/// A descriptor that a child keeps through its exec.
fn inheritable(fd: RawFd) -> OwnedFd {
    // SAFETY: duplicates a descriptor; what comes of it is checked.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD, 3) };
    assert!(copy >= 0, "no descriptor");
    // SAFETY: new, and nobody else's.
    unsafe { OwnedFd::from_raw_fd(copy) }
}

fn open(name: Option<&str>, choice: &QueueChoice) -> Result<Queue, String> {
    Queue::create(name, &choice.options).map_err(|status| format!("a queue: {status:?}"))
}

impl Things {
    pub fn new(prefix: &str, config: &Config) -> Result<Things, String> {
        let plain = CreateOptions::default();
        let name = |what: &str| format!("{prefix}{what}");
        let mut words = vec![format!("stop={prefix}stop"), format!("may={}", config.may)];
        let said = |what: &str, status: polyproc::Status| format!("{what}: {status:?}");
        let mut lines = Vec::new();
        for (place, choice) in config.queues.iter().enumerate() {
            let own = (!choice.anonymous).then(|| name(&format!("q{place}")));
            let queue = open(own.as_deref(), choice)?;
            let shared = choice.anonymous.then(|| inheritable(queue.raw_fd()));
            let known = match (&own, &shared) {
                (Some(name), _) => name.clone(),
                (None, shared) => format!("fd:{}", shared.as_ref().map_or(-1, AsRawFd::as_raw_fd)),
            };
            words.push(format!("q{place}={known}"));
            words.push(choice.word(place));
            lines.push(Line {
                name: own,
                all: vec![queue],
                is_owed: false,
                _shared: shared,
            });
        }
        let mut kept = |is: bool, what: &str| {
            if is {
                words.push(format!("{what}={prefix}{what}"));
            }
            is.then(|| name(what))
        };
        let lock = kept(config.lock, "lock").map(|name| Lock::create(Some(&name), plain));
        let rlock = kept(config.rlock, "rlock").map(|name| Rlock::create(Some(&name), plain));
        let permits = kept(config.permits > 0, "permits").map(|name| {
            let options = SemaphoreOptions {
                initial: config.permits,
                owned: true,
                ..Default::default()
            };
            Semaphore::create(Some(&name), &options)
        });
        let event = kept(config.event, "event").map(|name| Event::create(Some(&name), plain));
        let condition =
            kept(config.condition, "condition").map(|name| Condition::create(Some(&name), plain));
        let barrier = kept(config.parties > 0, "barrier")
            .map(|name| Barrier::create(Some(&name), plain, config.parties));
        let mut shared = Vec::new();
        let mut ends = None;
        if config.pipe {
            let (reader, writer) = pipe(false).map_err(|status| said("pipe", status))?;
            for (end, word) in [(&reader, "recv"), (&writer, "send")] {
                let fd = inheritable(end.raw_fd());
                words.push(format!("{word}=fd:{}", fd.as_raw_fd()));
                shared.push(fd);
            }
            ends = Some((reader, writer));
        }
        let made = |status| said("an object", status);
        Ok(Things {
            prefix: prefix.to_owned(),
            lacks_memory: config.may & MAY_LACK_MEMORY != 0,
            stop: Event::create(Some(&name("stop")), plain).map_err(made)?,
            lines,
            lock: lock.transpose().map_err(made)?,
            rlock: rlock.transpose().map_err(made)?,
            permits: permits.transpose().map_err(made)?,
            pipe: ends,
            words,
            _shared: shared,
            _kept: (
                event.transpose().map_err(made)?,
                condition.transpose().map_err(made)?,
                barrier.transpose().map_err(made)?,
            ),
        })
    }

    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Removes a queue's name; a worker or this process makes the next one of that name.
    pub fn rename(&mut self, place: usize) -> Result<(), String> {
        let line = &mut self.lines[place];
        if let (Some(name), false) = (&line.name, line.is_owed) {
            polyproc::unlink(name).map_err(|status| format!("unlink: {status:?}"))?;
            line.is_owed = true;
        }
        Ok(())
    }

    /// Opens every queue that was made under a removed name. Without memory there may be none for a
    /// while.
    pub fn catch_up(&mut self, choices: &[QueueChoice]) -> Result<(), String> {
        for (line, choice) in self.lines.iter_mut().zip(choices) {
            if !line.is_owed {
                continue;
            }
            match Queue::create(line.name.as_deref(), &choice.options) {
                Ok(queue) => line.all.push(queue),
                Err(Status::E_NO_MEMORY) if self.lacks_memory => continue,
                Err(status) => return Err(format!("a queue made anew: {status:?}")),
            }
            line.is_owed = false;
        }
        Ok(())
    }

    /// Returns how much memory the named ones occupy, in bytes.
    pub fn memory(&self) -> u64 {
        let all = polyproc::list().unwrap_or_default();
        let own = all
            .iter()
            .filter(|object| object.name.starts_with(&self.prefix));
        own.map(|object| object.bytes).sum()
    }
}

impl Drop for Things {
    fn drop(&mut self) {
        for object in polyproc::list().unwrap_or_default() {
            if object.name.starts_with(&self.prefix) {
                let _ = polyproc::unlink(&object.name);
            }
        }
    }
}

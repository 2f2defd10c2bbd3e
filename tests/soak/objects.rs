//! The objects of all processes of the soak.

use std::time::{Duration, Instant};

use polyproc::{
    CreateOptions, Event, Lock, Queue, QueueOptions, Semaphore, SemaphoreOptions, Status,
};

/// A queue keeps the ring that it uses at the end, which a backlog may have made larger than the
/// first.
pub const MAY_STAY: u64 = 4 << 20;

const PERMITS: i64 = 2;

/// Named objects, which are unlinked when this is dropped.
pub struct Objects {
    pub prefix: String,
    pub stop: Event,
    joinable: Queue,
    unlimited: Queue,
    lock: Lock,
    inside: Semaphore,
    permits: Semaphore,
}

const NAMES: [&str; 6] = ["stop", "joinable", "unlimited", "lock", "inside", "permits"];

impl Objects {
    pub fn new() -> Objects {
        let prefix = format!("soak.{}", std::process::id());
        let name = |what: &str| format!("{prefix}.{what}");
        let queue = |what: &str, joinable: bool, max_items: u64| {
            let options = QueueOptions {
                joinable,
                max_items,
                ..Default::default()
            };
            Queue::create(Some(&name(what)), &options).unwrap()
        };
        let semaphore = |what: &str, initial: i64| {
            let options = SemaphoreOptions {
                initial,
                owned: true,
                ..Default::default()
            };
            Semaphore::create(Some(&name(what)), &options).unwrap()
        };
        let plain = CreateOptions::default();
        Objects {
            stop: Event::create(Some(&name("stop")), plain).unwrap(),
            joinable: queue("joinable", true, 16),
            unlimited: queue("unlimited", false, 0),
            lock: Lock::create(Some(&name("lock")), plain).unwrap(),
            inside: semaphore("inside", 1),
            permits: semaphore("permits", PERMITS),
            prefix,
        }
    }

    /// Returns how much memory all of them occupy, in bytes.
    pub fn memory(&self) -> u64 {
        let all = polyproc::list().unwrap();
        let own = all
            .iter()
            .filter(|object| object.name.starts_with(&self.prefix));
        own.map(|object| object.bytes).sum()
    }

    /// Waits until every message is settled; calls `meanwhile` all the time.
    pub fn until_empty(
        &self,
        meanwhile: &mut dyn FnMut() -> Result<(), String>,
        deadline: Duration,
    ) -> Result<(), String> {
        let end = Instant::now() + deadline;
        loop {
            let unfinished =
                [&self.joinable, &self.unlimited].map(|queue| queue.info().unwrap().unfinished);
            if unfinished == [0, 0] {
                return self
                    .joinable
                    .try_join()
                    .map_err(|status| format!("join: {status:?}"));
            }
            if Instant::now() > end {
                return Err(format!("stuck: {unfinished:?} messages are not consumed"));
            }
            meanwhile()?;
        }
    }

    pub fn shut_down(&self) {
        self.joinable.shutdown(false).unwrap();
        self.unlimited.shutdown(false).unwrap();
    }

    /// Checks that no process is left and nothing is held; returns the occupied memory.
    pub fn check_whole(&self) -> Result<u64, String> {
        for queue in [&self.joinable, &self.unlimited] {
            let info = queue.info().unwrap();
            println!("{info:?}");
            let is_empty = (info.items, info.in_flight, info.bytes) == (0, 0, 0);
            if !is_empty || info.puts != info.gets || info.participants != 1 {
                return Err("a queue is not as it was".to_owned());
            }
        }
        match self.lock.try_acquire() {
            Ok(_) => self.lock.release().unwrap(),
            Err(status) => return Err(format!("the lock: {status:?}")),
        }
        let values = [self.inside.value(), self.permits.value()];
        if values != [Ok::<_, Status>(1), Ok(PERMITS)] {
            return Err(format!("permits are missing: {values:?}"));
        }
        Ok(self.memory())
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        for what in NAMES {
            let _ = polyproc::unlink(&format!("{}.{what}", self.prefix));
        }
    }
}

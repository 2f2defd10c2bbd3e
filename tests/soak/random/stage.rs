//! One configuration from its beginning to its accounts, in a process of its own.

use std::time::{Duration, Instant};

use polyproc::{Got, Queue, Status, Wait};

use super::config::{Config, QueueChoice, Random, Shutdown, MAY_WAIT_FOR_EVER};
use super::crew::Crew;
use super::ledger::{Ledger, AUDITOR, PIPE};
use super::log::{op, Log, Record};
use super::things::{Line, Things};

const TICK: Duration = Duration::from_millis(2);
/// The workers see that they are to stop; after this time the queues are shut down, which ends
/// every wait.
const STOPS_WITHIN: Duration = Duration::from_millis(200);
/// Longer than anything takes.
const DEADLINE: Duration = Duration::from_secs(30);
/// How much memory an empty queue may keep, beside a ring that suits its largest message.
const MAY_STAY: u64 = 4 << 20;

struct Stage<'c> {
    config: &'c Config,
    ledger: Ledger,
    log: Log,
    things: Things,
    crew: Crew<'c>,
    /// A queue was shut down immediately.
    has_discarded: bool,
}

/// Returns its figures in the form in which the caller adds them up.
pub fn run(seed: u64, number: u64, lacks_memory: bool) -> Result<String, String> {
    // SAFETY: plain system calls. Orphans come to this process; it ends with the one that started
    // it, and in any case.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::alarm(90);
    }
    let mut random = Random::new(seed, number);
    let mut config = Config::new(&mut random, lacks_memory);
    if lacks_memory {
        // No worker may need a shutdown: the queues are used afterwards.
        config.may &= !MAY_WAIT_FOR_EVER;
    }
    println!("{config:?}");
    let prefix = prefix(std::process::id(), number);
    let mut ledger = Ledger::default();
    ledger.locks.permits = config.permits as usize;
    for (place, choice) in config.queues.iter().enumerate() {
        let most = u64::from(choice.options.max_deliveries);
        ledger.max_deliveries.insert(place as i32, most);
    }
    ledger.lacks_memory = lacks_memory;
    let things = Things::new(&prefix, &config)?;
    let mut log = Log::new();
    log.note(Record {
        op: op::START,
        actor: AUDITOR,
        value: u64::from(std::process::id()) << 32,
        ..Default::default()
    });
    let crew = Crew::new(&config.workers, (seed, number), things.words());
    let mut stage = Stage {
        config: &config,
        ledger,
        log,
        things,
        crew,
        has_discarded: false,
    };
    stage.play(&mut random)?;
    stage.end(lacks_memory)?;
    let memory = stage.account(lacks_memory)?;
    if lacks_memory {
        stage.takes_as_a_fresh_one(&prefix)?;
    }
    let figures = &stage.ledger.figures;
    let line = format!(
        "figures kills={} stops={} puts={} extra={} lost={} again={} turns={} stall={} memory={memory}",
        stage.crew.kills,
        stage.crew.stops,
        figures.puts,
        figures.extra,
        figures.lost,
        figures.again,
        stage.ledger.locks.turns,
        figures.stall,
    );
    drop(stage);
    let left = polyproc::list().map_err(|status| format!("list: {status:?}"))?;
    match left.iter().find(|object| object.name.starts_with(&prefix)) {
        Some(object) => Err(format!("{} is left", object.name)),
        None => Ok(line),
    }
}

/// The beginning of a configuration's names.
pub fn prefix(pid: u32, number: u64) -> String {
    format!("soak.{pid}.{number}.")
}

/// The time of the next event, which come with an average frequency.
struct Clock {
    every: u64,
    next: Instant,
}

impl Clock {
    fn new(every: u64, random: &mut Random) -> Clock {
        let mut clock = Clock {
            every,
            next: Instant::now() + Duration::from_millis(10),
        };
        clock.advance(random);
        clock
    }

    fn advance(&mut self, random: &mut Random) {
        self.next += match self.every {
            0 => Duration::from_secs(3600),
            every => Duration::from_micros(random.below(every * 2000)),
        };
    }

    fn strikes(&mut self, random: &mut Random) -> bool {
        let is_due = Instant::now() >= self.next;
        if is_due {
            self.advance(random);
        }
        is_due
    }
}

impl Stage<'_> {
    fn play(&mut self, random: &mut Random) -> Result<(), String> {
        let end = Instant::now() + Duration::from_millis(self.config.milliseconds);
        let mut kills = Clock::new(self.config.kill_every, random);
        let mut stops = Clock::new(self.config.stop_every, random);
        let mut renames = Clock::new(self.config.rename_every, random);
        let at = random.below(self.config.milliseconds);
        let mut shutdown = (self.config.shutdown != Shutdown::AtTheEnd)
            .then(|| Instant::now() + Duration::from_millis(at));
        while Instant::now() < end {
            self.things.catch_up(&self.config.queues)?;
            let log = &self.log;
            self.crew.fill(&|| log.writer())?;
            self.look_round()?;
            self.crew.go_on(Some(Instant::now()));
            let living = self.living();
            if living.is_empty() {
                std::thread::sleep(TICK);
                continue;
            }
            let lot = |random: &mut Random| living[random.below(living.len() as u64) as usize];
            if stops.strikes(random) {
                let long = Duration::from_millis(1 + random.below(self.config.stop_for * 2));
                self.crew.stop(lot(random), Instant::now() + long);
            }
            if kills.strikes(random) {
                let pid = lot(random);
                let log = &mut self.log;
                self.crew.kill(pid, &mut || {
                    log.note(Record {
                        op: op::KILL,
                        value: pid as u64,
                        ..Default::default()
                    })
                });
            }
            if renames.strikes(random) {
                let place = random.below(self.config.queues.len() as u64) as usize;
                self.things.rename(place)?;
            }
            if shutdown.is_some_and(|at| Instant::now() >= at) {
                // If a process is stopped in the middle of a call: again, later.
                if self.shut_down(self.config.shutdown == Shutdown::Immediate)? {
                    shutdown = None;
                }
            }
            std::thread::sleep(TICK.min(end.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }

    fn look_round(&mut self) -> Result<(), String> {
        self.crew.reap()?;
        for record in self.log.news() {
            self.ledger.take_in(record)?;
        }
        Ok(())
    }

    fn living(&self) -> Vec<i32> {
        let own = std::process::id() as i32;
        let mut living = self.ledger.living();
        living.retain(|pid| *pid != own && *pid > 0);
        living
    }

    /// Returns whether no queue is left to be shut down.
    fn shut_down(&mut self, immediate: bool) -> Result<bool, String> {
        let mut are_all = true;
        for queue in self.things.lines.iter().flat_map(|line| &line.all) {
            match queue.shutdown(immediate) {
                Ok(()) => self.has_discarded |= immediate,
                Err(Status::E_TIMEOUT) => are_all = false,
                Err(status) => return Err(format!("shutdown: {status:?}")),
            }
        }
        Ok(are_all)
    }

    /// Lets all processes come to their ends.
    fn end(&mut self, lacks_memory: bool) -> Result<(), String> {
        self.crew.go_on(None);
        let set = self.things.stop.set();
        set.map_err(|status| format!("stop: {status:?}"))?;
        let began = Instant::now();
        loop {
            // A worker may wait for ever at a queue that it has made under a name that was removed
            // last.
            self.things.catch_up(&self.config.queues)?;
            self.look_round()?;
            if self.crew.is_over() {
                break;
            }
            self.drain()?;
            if began.elapsed() > STOPS_WITHIN && !lacks_memory {
                self.shut_down(false)?;
            }
            if began.elapsed() > DEADLINE {
                return Err(format!("stuck: {} do not end", self.describe_living()));
            }
            std::thread::sleep(TICK);
        }
        self.look_round()
    }

    /// Describes each process that does not end: where its threads are, and its last record.
    fn describe_living(&self) -> String {
        let each = self.living().into_iter().map(|pid| {
            let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
            let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
            let threads = threads.into_iter().flatten().flatten().map(|thread| {
                let path = thread.path().display().to_string();
                let status = read(&format!("{path}/status"));
                let state = status.lines().find(|line| line.starts_with("State"));
                let call = read(&format!("{path}/syscall"));
                format!("\n    {} {}", state.unwrap_or_default(), call.trim())
            });
            let threads: String = threads.collect();
            format!("process {pid}, last {}{threads}", self.ledger.last_of(pid))
        });
        each.collect::<Vec<_>>().join(",\n")
    }

    fn drain(&mut self) -> Result<(), String> {
        for (place, line) in self.things.lines.iter().enumerate() {
            for queue in &line.all {
                drain(queue, place as i32, &mut self.log)?;
            }
        }
        let Some((reader, _)) = &self.things.pipe else {
            return Ok(());
        };
        let mut buffer = vec![std::mem::MaybeUninit::uninit(); 2 << 20];
        loop {
            match reader.recv_raw(&mut buffer, Wait::for_ns(2_000_000)) {
                Ok(Got::TooSmall(len)) => {
                    return Err(format!("a message of {len} bytes in the pipe"))
                }
                Ok(Got::Message(len)) => {
                    // SAFETY: what a receive says that it has written.
                    let message = unsafe { identity(buffer.as_ptr().cast(), len) };
                    let record = Record {
                        op: op::GOT_FOR_GOOD,
                        place: PIPE,
                        message,
                        ..Default::default()
                    };
                    self.log.note(record);
                }
                Err(Status::E_TIMEOUT) => return Ok(()),
                Err(status) => return Err(format!("recv: {status:?}")),
            }
        }
    }

    /// All processes are gone: everything must be there, and nothing held.
    fn account(&mut self, lacks_memory: bool) -> Result<u64, String> {
        self.drain()?;
        self.look_round()?;
        for (place, line) in self.things.lines.iter().enumerate() {
            let discarded = check_line(line, place, &self.ledger, self.has_discarded)?;
            self.ledger.settle(place as i32, discarded)?;
        }
        self.ledger.settle(PIPE, 0)?;
        if let Some(lock) = &self.things.lock {
            let free = lock.try_acquire().and_then(|_| lock.release());
            free.map_err(|status| format!("stuck: the lock: {status:?}"))?;
        }
        if let Some(rlock) = &self.things.rlock {
            let free = rlock.try_acquire().and_then(|_| rlock.release());
            free.map_err(|status| format!("stuck: the rlock: {status:?}"))?;
        }
        if let Some(permits) = &self.things.permits {
            let value = permits.value();
            if value != Ok(self.config.permits) {
                return Err(format!(
                    "stuck: of {} permits {value:?} are there",
                    self.config.permits
                ));
            }
        }
        let memory = self.things.memory();
        let each = self.config.queues.iter();
        let may_stay: u64 = each.map(|choice| MAY_STAY + 4 * choice.largest).sum();
        match memory <= may_stay || lacks_memory {
            true => Ok(memory),
            false => Err(format!("memory: {} KiB stay", memory / 1024)),
        }
    }

    /// An empty queue must take every message that a new one of its kind takes.
    fn takes_as_a_fresh_one(&mut self, prefix: &str) -> Result<(), String> {
        for (place, choice) in self.config.queues.iter().enumerate() {
            let line = &self.things.lines[place];
            let (Some(_), Some(queue)) = (&line.name, line.all.last()) else {
                continue;
            };
            if queue.info().is_ok_and(|info| info.shutdown) {
                continue;
            }
            for len in [1_000, 100_000, 1 << 20, 3 << 20, 8 << 20, 15 << 20] {
                let message = vec![7; len];
                let fresh = takes_fresh(&format!("{prefix}fresh"), choice, &message)?;
                let drained = queue.try_put(&message);
                if fresh == Ok(()) && drained != Ok(()) {
                    return Err(format!(
                        "memory: queue {place} is empty and refuses {len} bytes ({drained:?}), a fresh one takes them"
                    ));
                }
                if drained.is_ok() {
                    let taken = queue
                        .take_raw(Wait::TRY)
                        .and_then(|loan| queue.done_raw(loan.ticket));
                    taken.map_err(|status| format!("stuck: a message is not there: {status:?}"))?;
                }
            }
        }
        Ok(())
    }
}

/// Returns whether a new queue of that kind takes the message.
fn takes_fresh(
    name: &str,
    choice: &QueueChoice,
    message: &[u8],
) -> Result<Result<(), Status>, String> {
    let fresh = Queue::create(Some(name), &choice.options);
    let answer = match &fresh {
        Ok(queue) => queue.try_put(message),
        Err(status) => Err(*status),
    };
    drop(fresh);
    let _ = polyproc::unlink(name);
    Ok(answer)
}

/// # Safety
/// `len` bytes are there.
unsafe fn identity(data: *const u8, len: usize) -> u64 {
    match len {
        0 => 0,
        // SAFETY: the caller says so; workers check the shorter ones, of which there are none.
        8.. => unsafe { data.cast::<u64>().read_unaligned() },
        _ => u64::MAX,
    }
}

/// Takes all that is there, dead letters too.
fn drain(queue: &Queue, place: i32, log: &mut Log) -> Result<(), String> {
    let mut is_dead = false;
    loop {
        let taken = match is_dead {
            false => queue.take_raw(Wait::TRY),
            true => queue.take_dead_raw(),
        };
        let loan = match taken {
            Ok(loan) => loan,
            Err(Status::E_EMPTY | Status::E_SHUTDOWN | Status::E_TIMEOUT) if is_dead => {
                return Ok(())
            }
            Err(Status::E_EMPTY | Status::E_SHUTDOWN | Status::E_TIMEOUT) => {
                is_dead = true;
                continue;
            }
            Err(status) => return Err(format!("take by the auditor: {status:?}")),
        };
        // SAFETY: what a loan says.
        let message = unsafe { identity(loan.data, loan.len) };
        let mut note = |op, value| {
            log.note(Record {
                op,
                place,
                message,
                value,
                ..Default::default()
            })
        };
        note(
            if is_dead { op::DEAD_GOT } else { op::GOT },
            u64::from(loan.deliveries),
        );
        note(op::DONE_BEGIN, 0);
        let mut done = queue.done_raw(loan.ticket);
        while done == Err(Status::E_TIMEOUT) {
            done = queue.done_raw(loan.ticket);
        }
        done.map_err(|status| format!("done by the auditor: {status:?}"))?;
        note(op::DONE_END, 0);
    }
}

/// Checks the figures of a queue, and of those that had its name; returns how many messages were
/// discarded.
fn check_line(
    line: &Line,
    place: usize,
    ledger: &Ledger,
    has_discarded: bool,
) -> Result<u64, String> {
    let (mut puts, mut gets, mut discarded) = (0, 0, 0);
    for queue in &line.all {
        let info = queue.info().map_err(|status| format!("info: {status:?}"))?;
        let nothing = [
            info.items,
            info.in_flight,
            info.unfinished,
            info.bytes,
            info.dead_letters,
        ];
        if nothing != [0; 5] {
            return Err(format!("stuck: queue {place} is not empty: {info:?}"));
        }
        if info.participants != 1 {
            return Err(format!(
                "queue {place}: the dead are still counted: {info:?}"
            ));
        }
        puts += info.puts;
        gets += info.gets;
        discarded += info.discarded;
    }
    let (least, most) = ledger.puts_between(place as i32);
    if puts < least || puts > most {
        return Err(format!(
            "queue {place}: {puts} puts, where there were {least} to {most}"
        ));
    }
    if !has_discarded {
        if gets != puts {
            return Err(format!("queue {place}: {puts} puts and {gets} gets"));
        }
        discarded = 0;
    }
    Ok(discarded)
}

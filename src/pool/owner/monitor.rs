//! The thread that looks after the workers: it sleeps until one ends, and replaces it.
//!
//! Calls that succeed never pass through the monitor.

use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::crew::Crew;
use super::leadership::Local;
use super::submitted::Outcome;
use super::tasks::{Limit, PoolState, Shared};
use crate::pace::{LONGEST_START_PAUSE_NS, MONITOR_LOOK_NS, START_PAUSE_NS};
use crate::pool::protocol::board::{SeatPhase, Step, TaskWord};
use crate::pool::protocol::message::{Report, ReportHead, Ticket};
use crate::process::is_exiting;
use crate::status::{Result, Status};
use crate::sys::eventfd;
use crate::sys::{clock, poll, thread};

/// How long a worker may take to end after SIGTERM.
const TERM_NS: u64 = 2_000_000_000;
/// The pool is broken after more consecutive failed starts than this plus one per worker.
const FAILURES: u32 = 4;

/// The next step of the monitor.
enum Next {
    /// Sleep until an event, or until this time.
    Sleep(Option<u64>),
    /// No worker is left, and none will be started.
    End,
}

impl Shared {
    /// Start the monitor of a pool whose workers have been started.
    pub(crate) fn start_monitor(self: &Arc<Shared>) -> Result<()> {
        let pool = Arc::clone(self);
        thread::start_once(Box::new(move || {
            thread::set_name(c"polyproc-pool");
            pool.monitor();
        }))
    }

    fn monitor(&self) {
        loop {
            let (next, descriptors) = {
                let mut crew = self.crew.lock();
                let next = self.tend(&mut crew);
                (next, crew.descriptors())
            };
            let Next::Sleep(deadline) = next else { break };
            let look = clock::now_ns().saturating_add(MONITOR_LOOK_NS);
            let (mut descriptors, deadline) = match descriptors {
                Some(descriptors) => (descriptors, deadline),
                None => (Vec::new(), Some(deadline.map_or(look, |end| end.min(look)))),
            };
            descriptors.push(self.kick.as_raw_fd());
            let _ = poll::any_readable(&descriptors, deadline);
            eventfd::lower(self.kick.as_raw_fd());
        }
        self.crew.lock().end();
        // The report goes behind all reports of the workers: tasks that are not over by then never
        // will be.
        self.report(ReportHead::about_nothing(Report::Broken));
        self.workers_gone.store(true, Ordering::SeqCst);
        self.joins.notify_all(&Local);
        self.wake_leader();
    }

    /// Look at every worker and at the deadlines.
    fn tend(&self, crew: &mut Crew) -> Next {
        let now = clock::now_ns();
        for seat in 0..crew.members.len() {
            self.look_at(crew, seat);
        }
        let limit = self.end_overdue(crew, now);
        if self.state() == PoolState::Closed {
            // The seats to fill depend on whether there is work left.
            self.settle_what_is_there();
        }
        let start = self.fill_seats(crew, now);
        let kill = self.press(crew, now);
        let tell = (!self.tell_workers()).then(|| clock::now_ns().saturating_add(MONITOR_LOOK_NS));
        let nobody = crew.processes().next().is_none();
        if nobody && start.is_none() && self.state() != PoolState::Open {
            return Next::End;
        }
        Next::Sleep([limit, start, kill, tell].into_iter().flatten().min())
    }

    /// Notice that a worker has become ready, or has ended.
    fn look_at(&self, crew: &mut Crew, seat: usize) {
        let Some(member) = crew.members.get_mut(seat) else {
            return;
        };
        let Some(process) = &member.process else {
            return;
        };
        let is_alive = process.is_alive().unwrap_or(true);
        let Ok(place) = self.board.seat(seat) else {
            return;
        };
        // Read the phase after looking at the process, to see everything that the worker wrote
        // before its end.
        let phase = place.phase();
        if phase != SeatPhase::Starting && !member.was_ready {
            member.was_ready = true;
            crew.failures = 0;
            crew.not_before = 0;
        }
        if is_alive {
            return;
        }
        let Some(member) = crew.members.get_mut(seat) else {
            return;
        };
        member.process = None;
        member.is_wanted = phase != SeatPhase::Left;
        match phase {
            SeatPhase::Starting => self.count_failure(crew),
            SeatPhase::Ready => {
                self.counters.died_workers.fetch_add(1, Ordering::Relaxed);
                self.blame(
                    seat,
                    Ticket::from_bits(place.current.load(Ordering::Acquire)),
                );
            }
            SeatPhase::Retired | SeatPhase::Left => {}
        }
    }

    /// Report that a worker died in a task. This report goes behind the worker's own reports, so if
    /// the worker has reported a result, the result counts.
    fn blame(&self, seat: usize, ticket: Ticket) {
        let Ok(word) = self.board.look(ticket.slot) else {
            return;
        };
        let was_in_it = word.is_attempt()
            && word.generation == ticket.generation
            && usize::from(word.seat) == seat;
        if was_in_it {
            self.report(ReportHead {
                kind: Report::Died,
                ticket,
                seat: word.seat,
                detail: word.attempt.into(),
            });
        }
    }

    fn count_failure(&self, crew: &mut Crew) {
        crew.failures = crew.failures.saturating_add(1);
        let pause = START_PAUSE_NS
            .checked_shl(crew.failures.min(16))
            .unwrap_or(START_PAUSE_NS);
        crew.not_before = clock::now_ns().saturating_add(pause.min(LONGEST_START_PAUSE_NS));
        let limit = FAILURES.saturating_add(crew.members.len() as u32);
        if crew.failures > limit && !crew.has_ready(&self.board) {
            self.advance(PoolState::Broken);
            crew.signal_all(libc::SIGKILL);
        }
    }

    /// Start the workers that the pool needs. Returns when to try again, if a seat stays empty.
    fn fill_seats(&self, crew: &mut Crew, now: u64) -> Option<u64> {
        let mut is_on_its_way = false;
        for seat in 0..crew.members.len() {
            let is_wanted = |crew: &Crew| crew.members.get(seat).is_some_and(|seat| seat.is_wanted);
            if !self.needs_workers() || !is_wanted(crew) {
                continue;
            }
            if now < crew.not_before {
                return Some(crew.not_before);
            }
            match crew.start(seat, &self.board) {
                Ok(()) => drop(
                    self.counters
                        .started_workers
                        .fetch_add(1, Ordering::Relaxed),
                ),
                Err(Status::E_TIMEOUT) => is_on_its_way = true,
                Err(_) => self.count_failure(crew),
            }
        }
        if is_on_its_way {
            return Some(clock::now_ns().saturating_add(MONITOR_LOOK_NS));
        }
        let is_missing = crew.members.iter().any(|member| member.is_wanted);
        (is_missing && self.needs_workers()).then_some(crew.not_before)
    }

    /// Whether an empty seat is to be filled.
    fn needs_workers(&self) -> bool {
        match self.state() {
            _ if is_exiting() => false,
            PoolState::Open => true,
            PoolState::Closed => self.outstanding() > 0,
            PoolState::Terminated | PoolState::Broken => false,
        }
    }

    /// Terminate the workers of a pool that was terminated, and kill them after their time to end.
    /// Returns the end of that time, if it is still to come.
    fn press(&self, crew: &mut Crew, now: u64) -> Option<u64> {
        if self.state() == PoolState::Broken {
            crew.signal_all(libc::SIGKILL);
        }
        if self.state() != PoolState::Terminated {
            return None;
        }
        if crew.kill_at.is_none() {
            crew.signal_all(libc::SIGTERM);
        }
        let at = *crew.kill_at.get_or_insert(now.saturating_add(TERM_NS));
        if now >= at {
            crew.signal_all(libc::SIGKILL);
            return None;
        }
        Some(at)
    }

    /// Give up tasks whose time limit has passed, and kill their workers. Returns the next
    /// deadline.
    fn end_overdue(&self, crew: &Crew, now: u64) -> Option<u64> {
        loop {
            let (ticket, limit) = {
                let mut limits = self.limits.lock();
                let next = *limits.keys().next()?;
                if next.0 > now {
                    return Some(next.0);
                }
                (Ticket::from_bits(next.1), limits.remove(&next)?)
            };
            self.give_up(crew, ticket, &limit);
        }
    }

    fn give_up(&self, crew: &Crew, ticket: Ticket, limit: &Limit) {
        let running = TaskWord {
            step: Step::Running,
            generation: ticket.generation,
            seat: limit.seat,
            attempt: limit.attempt,
        };
        let over = TaskWord {
            step: Step::Over,
            ..running
        };
        // The worker changes the word too before it reports: the first change decides.
        if self.board.change(ticket.slot, running, over) != Ok(true) {
            return;
        }
        let member = crew.members.get(usize::from(limit.seat));
        let worker = member.and_then(|member| member.process.as_ref());
        if let Some(worker) = worker.filter(|worker| worker.pid() == limit.pid) {
            let _ = worker.kill();
        }
        self.finish(ticket, Outcome::without_data(Status::E_TIMEOUT));
        self.wake_leader();
    }
}

//! More processes at one lock than one sleep can watch: they sleep, and a death among them is
//! noticed as among a few.

use std::io::{pipe, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use polyproc::{CreateOptions, Lock, Queue, QueueOptions, Wait};

use crate::measure::{check, ROUNDS};
use crate::victim::{alone, Victim, DEADLINE};

/// A death across a gap is noticed within 10 ms; here other tests run beside. A sleeper that does
/// not know of the gap would need a second.
const NOTICED: Duration = Duration::from_millis(500);

/// The orders to a member.
const ACQUIRE: [u8; 1] = *b"a";
const GIVE_UP: [u8; 1] = *b"g";
/// How long a member waits before it gives up: by then the slices of other sleepers are long.
const BRIEF: Duration = Duration::from_millis(1500);

/// Processes that have a slot each, in their order, and then acquire the lock when they are told.
struct Crowd {
    members: Vec<Option<Victim>>,
    starts: Vec<PipeWriter>,
    reports: PipeReader,
    report: PipeWriter,
}

impl Crowd {
    fn empty() -> Crowd {
        let (reports, report) = pipe().unwrap();
        Crowd {
            members: Vec::new(),
            starts: Vec::new(),
            reports,
            report,
        }
    }

    fn of(number: usize) -> Crowd {
        let lock = Lock::create(None, CreateOptions::default()).unwrap();
        let mut crowd = Crowd::empty();
        for index in 0..number {
            let (mut wait, start) = pipe().unwrap();
            let mut report = crowd.report.try_clone().unwrap();
            let mut say = move || report.write_all(&(index as u32).to_ne_bytes()).unwrap();
            let lock = &lock;
            let member = Victim::inside(move || {
                lock.try_acquire().unwrap();
                lock.release().unwrap();
                say();
                let mut order = [0];
                wait.read_exact(&mut order).unwrap();
                match order {
                    ACQUIRE => drop(lock.acquire().unwrap()),
                    _ => assert!(lock.acquire_timeout(BRIEF).is_err()),
                }
                say();
            });
            crowd.members.push(Some(member));
            crowd.starts.push(start);
            assert_eq!(crowd.next_report(), index);
        }
        crowd
    }

    /// The member that has taken its slot, or the lock, or has given up.
    fn next_report(&mut self) -> usize {
        let mut poll = libc::pollfd {
            fd: self.reports.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one element.
        let ready = unsafe { libc::poll(&mut poll, 1, DEADLINE.as_millis() as i32) };
        assert_eq!(ready, 1, "nobody gets the lock");
        let mut index = [0; 4];
        self.reports.read_exact(&mut index).unwrap();
        u32::from_ne_bytes(index) as usize
    }

    fn hold(&mut self, index: usize) {
        self.starts[index].write_all(&ACQUIRE).unwrap();
        assert_eq!(self.next_report(), index);
    }

    fn sleep(&mut self, index: usize) {
        self.starts[index].write_all(&ACQUIRE).unwrap();
        self.members[index].as_ref().unwrap().wait_until_asleep();
    }

    /// Sleep for [`BRIEF`], and then give up.
    fn sleep_briefly(&mut self, index: usize) {
        self.starts[index].write_all(&GIVE_UP).unwrap();
        assert_eq!(self.next_report(), index);
    }

    fn kill(&mut self, index: usize) {
        self.members[index].take().unwrap().kill();
    }

    /// Kill the holder. Return the next one, and how long after the kill it has the lock.
    fn kill_holder(&mut self, index: usize) -> (usize, Duration) {
        let start = Instant::now();
        self.kill(index);
        let next = self.next_report();
        (next, start.elapsed())
    }

    /// How often the members have slept.
    fn sleeps(&self) -> u64 {
        let sleeps = |member: &Victim| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", member.pid)).unwrap();
            let mut lines = status.lines();
            let line = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.unwrap().trim().parse::<u64>().unwrap()
        };
        self.members.iter().flatten().map(sleeps).sum()
    }
}

fn has_slices() -> bool {
    std::env::var_os("POLYPROC_NO_WAITV").is_some_and(|value| value == "1")
}

#[test]
fn a_crowd_sleeps_and_notices_each_death() {
    let _alone = alone();
    let mut crowd = Crowd::of(200);
    let mut holder = 100;
    crowd.hold(holder);
    for index in (0..200).filter(|index| *index != holder) {
        crowd.sleep(index);
    }
    let before = crowd.sleeps();
    std::thread::sleep(Duration::from_secs(1));
    let sleeps = crowd.sleeps() - before;
    println!("200 sleepers woke {sleeps} times in a second");
    // If each looked every 10 ms, as without a crowd, it would be 20,000.
    assert!(has_slices() || sleeps < 2_000, "{sleeps}");
    let times = (0..ROUNDS).map(|_| {
        let (next, time) = crowd.kill_holder(holder);
        holder = next;
        time
    });
    check("killed in a crowd", times.collect());
}

#[test]
fn the_only_sleeper_of_a_crowd_notices_a_death() {
    let _alone = alone();
    let mut crowd = Crowd::of(150);
    crowd.hold(3);
    crowd.sleep(140);
    std::thread::sleep(BRIEF);
    let (next, time) = crowd.kill_holder(3);
    assert_eq!(next, 140);
    assert!(has_slices() || time < NOTICED, "{time:?}");
}

/// The holder's slot is watched by no sleeper once the one before it has left.
#[test]
fn a_sleeper_that_leaves_leaves_no_gap_in_a_crowd() {
    let _alone = alone();
    let mut crowd = Crowd::of(150);
    crowd.hold(80);
    crowd.sleep(1);
    crowd.sleep(110);
    crowd.sleep_briefly(50);
    let (_, time) = crowd.kill_holder(80);
    assert!(has_slices() || time < NOTICED, "{time:?}");
}

#[test]
fn a_sleeper_that_dies_leaves_no_gap_in_a_crowd() {
    let _alone = alone();
    let mut crowd = Crowd::of(150);
    crowd.hold(80);
    for index in [1, 50, 110] {
        crowd.sleep(index);
    }
    std::thread::sleep(BRIEF);
    crowd.kill(50);
    let (_, time) = crowd.kill_holder(80);
    assert!(has_slices() || time < NOTICED, "{time:?}");
}

/// All sleepers that watch the holder's life are stopped. A stop takes a process out of its sleep,
/// so the kernel wakes nobody, and the death is noticed at a look of another sleeper.
#[test]
fn stopped_watchers_in_a_crowd_hide_no_death() {
    let _alone = alone();
    let mut crowd = Crowd::of(150);
    crowd.hold(100);
    for index in (0..150).filter(|index| *index != 100) {
        crowd.sleep(index);
    }
    std::thread::sleep(BRIEF);
    for index in 36..100 {
        crowd.members[index].as_ref().unwrap().signal(libc::SIGSTOP);
    }
    let (next, time) = crowd.kill_holder(100);
    assert!(!(36..100).contains(&next), "{next} is stopped");
    println!("noticed beside stopped watchers after {time:?}");
    assert!(has_slices() || time < NOTICED, "{time:?}");
}

/// As above, where few of the crowd sleep: then each of them looks more often.
#[test]
fn stopped_watchers_hide_no_death_from_the_few_sleepers_of_a_crowd() {
    let _alone = alone();
    let mut crowd = Crowd::of(150);
    crowd.hold(80);
    for index in [20, 70, 120] {
        crowd.sleep(index);
    }
    std::thread::sleep(BRIEF);
    for index in [20, 70] {
        crowd.members[index].as_ref().unwrap().signal(libc::SIGSTOP);
    }
    let (next, time) = crowd.kill_holder(80);
    assert_eq!(next, 120, "the others are stopped");
    println!("noticed by the last of few sleepers after {time:?}");
    assert!(has_slices() || time < NOTICED, "{time:?}");
}

/// The recovery of a process that held a message woke every member, and each recovered once more.
#[test]
fn a_message_of_the_dead_wakes_few_of_a_crowd() {
    let _alone = alone();
    let queue = Queue::create(None, &QueueOptions::default()).unwrap();
    queue.try_put(b"one").unwrap();
    let holder = Victim::that(|| {
        queue.take_raw(Wait::TRY).unwrap();
    });
    let mut crowd = Crowd::empty();
    for index in 0..150u32 {
        let mut report = crowd.report.try_clone().unwrap();
        let member = Victim::inside(|| {
            queue.take_raw(Wait::FOREVER).unwrap();
            report.write_all(&index.to_ne_bytes()).unwrap();
        });
        member.wait_until_asleep();
        crowd.members.push(Some(member));
    }
    let before = crowd.sleeps();
    holder.kill();
    let next = crowd.next_report();
    for (index, member) in crowd.members.iter().flatten().enumerate() {
        match index == next {
            true => member.wait_until_awake(),
            false => member.wait_until_asleep(),
        }
    }
    let sleeps = crowd.sleeps() - before;
    println!("{sleeps} sleeps of a crowd of 150 after a death");
    // The looks of all members together are 25 a second.
    assert!(has_slices() || sleeps < 75, "{sleeps}");
    assert_eq!(queue.info().unwrap().redelivered, 1);
}

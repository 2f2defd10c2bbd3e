//! Workers, fork servers and parents that are killed.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use polyproc::{PoolOptions, Process, Status};

use super::support::*;

/// Pseudo-random numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }
}

fn kill(pid: i32) {
    // SAFETY: a signal to a worker of a pool of this test.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Ten thousand tasks while twenty workers are killed: ten thousand results, none wrong.
#[test]
fn every_task_has_its_result_whoever_is_killed() {
    let pool = pool(PoolOptions {
        max_attempts: 20,
        ..workers(4)
    });
    let is_over = AtomicBool::new(false);
    let killed = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut numbers = Numbers(1);
            let mut killed = 0;
            while killed < 20 && !is_over.load(Ordering::Relaxed) {
                let pids = pids_of(&pool);
                if !pids.is_empty() {
                    kill(pids[numbers.below(pids.len() as u64) as usize]);
                    killed += 1;
                }
                std::thread::sleep(Duration::from_micros(numbers.below(20_000)));
            }
            killed
        });
        let mut numbers = Numbers(2);
        let lengths: Vec<u64> = (0..10_000).map(|_| numbers.below(3000)).collect();
        let tasks: Vec<_> = lengths
            .iter()
            .map(|len| {
                // Not faster than the killer.
                std::thread::sleep(Duration::from_micros(20));
                (submit(&pool, "long", &len.to_ne_bytes()), *len)
            })
            .collect();
        for (task, len) in &tasks {
            let right: Vec<u8> = (0..*len).map(|at| (at % 251) as u8).collect();
            assert!(result(task) == right, "the result of {len} bytes");
        }
        is_over.store(true, Ordering::Relaxed);
        killer.join().expect("the killer")
    });
    assert_eq!(
        killed, 20,
        "the tasks were over before twenty workers were killed"
    );
    let info = pool.info().expect("info");
    assert_eq!(
        (info.succeeded, info.failed, info.outstanding),
        (10_000, 0, 0)
    );
    eventually("every place taken", || {
        pool.info().expect("info").alive == 4
    });
}

/// With one attempt a killed worker costs its task and no other, and never one that it has
/// reported.
#[test]
fn a_killed_worker_costs_its_task_alone() {
    let pool = pool(workers(2));
    let mut died = 0;
    for round in 0..20u64 {
        let tasks: Vec<_> = (0..20).map(|_| submit(&pool, "echo", b"bun")).collect();
        std::thread::sleep(Duration::from_micros(round * 37 % 500));
        if let Some(pid) = pids_of(&pool).first() {
            kill(*pid);
        }
        let lost = tasks
            .iter()
            .filter(|task| match outcome(task).status {
                Status::OK => false,
                Status::E_WORKER_DIED => true,
                other => panic!("{other:?}"),
            })
            .count();
        assert!(lost <= 1, "{lost} tasks were lost with one worker");
        died += lost;
    }
    let info = pool.info().expect("info");
    assert_eq!(info.failed, died as u64);
    assert_eq!(info.succeeded, 400 - died as u64);
}

#[test]
fn a_task_whose_worker_dies_is_done_by_another() {
    let path = path("die-once");
    let pool = pool(PoolOptions {
        max_attempts: 2,
        ..workers(1)
    });
    let task = submit(&pool, "die-once", path.as_bytes());
    assert_eq!(result(&task), b"survived");
    let info = pool.info().expect("info");
    assert_eq!((info.retried, info.died_workers), (1, 1));
    std::fs::remove_file(path).expect("the file");
}

/// Nobody reads the reports while workers die: they are replaced nevertheless.
#[test]
fn the_dead_are_replaced_while_nobody_waits() {
    let pool = pool(workers(2));
    let task = submit(&pool, "die", b"");
    eventually("its death", || pool.info().expect("info").died_workers == 1);
    eventually("another worker", || {
        let info = pool.info().expect("info");
        info.alive == 2 && info.started_workers == 3
    });
    ends_with(&task, Status::E_WORKER_DIED);
}

/// The last task kills its worker after the pool was shut down: another worker does it, and the
/// join returns.
#[test]
fn a_death_after_the_close_is_made_good() {
    let path = path("die-after-close");
    let pool = pool(PoolOptions {
        max_attempts: 2,
        ..workers(1)
    });
    let task = submit(&pool, "die-once", path.as_bytes());
    pool.shutdown().expect("shut down");
    pool.join_timeout(patience()).expect("joined");
    assert_eq!(result(&task), b"survived");
    std::fs::remove_file(path).expect("the file");
}

#[test]
fn a_join_sees_the_end_of_a_task_that_killed_its_last_worker() {
    let pool = pool(workers(1));
    let task = submit(&pool, "die", b"");
    pool.shutdown().expect("shut down");
    pool.join_timeout(patience()).expect("joined");
    ends_with(&task, Status::E_WORKER_DIED);
}

/// The process that forks workers is killed, and they with it: a new one replaces it.
#[test]
fn a_killed_fork_server_is_replaced() {
    let pool = pool(PoolOptions {
        max_attempts: 3,
        ..workers(2)
    });
    let fork_server = parent_of(started(&pool, 2)[0]);
    assert_ne!(fork_server, std::process::id() as i32);
    let task = submit(&pool, "sleep", &50u64.to_ne_bytes());
    kill(fork_server);
    ends_with(&task, Status::OK);
    for _ in 0..10 {
        assert_eq!(result(&submit(&pool, "echo", b"bun")), b"bun");
    }
}

/// The thread that replaces dead workers blocks every signal: the workers must not.
#[test]
fn a_worker_that_takes_anothers_place_can_be_asked_to_end() {
    let pool = pool(workers(1));
    // A worker at work starts no thread, so no signal is blocked even for a moment.
    let at_work = || assert_eq!(result(&submit(&pool, "echo", b"bun")), b"bun");
    at_work();
    let first = pids_of(&pool)[0];
    let mask = blocked_by(first);
    let fork_server = parent_of(first);
    for killed in [first, fork_server] {
        let before = pids_of(&pool);
        kill(killed);
        eventually("another worker", || {
            let now = pids_of(&pool);
            now.len() == 1 && now != before
        });
        at_work();
        assert_eq!(blocked_by(pids_of(&pool)[0]), mask, "after {killed}");
    }
    let last = Process::adopt(pids_of(&pool)[0]).expect("adopted");
    last.terminate().expect("terminated");
    last.join_timeout(patience()).expect("it ends");
}

fn blocked_by(pid: i32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("/proc");
    let line = status.lines().find(|line| line.starts_with("SigBlk"));
    line.expect("a mask").to_owned()
}

fn parent_of(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("/proc");
    let (_, rest) = stat.rsplit_once(") ").expect("a name in parentheses");
    let parent = rest.split(' ').nth(1).expect("a parent");
    parent.parse().expect("a number")
}

/// The role of a parent that is killed while its workers work.
const PARENT: &str = "POLYPROC_POOL_TEST_PARENT";

#[test]
fn parent() {
    if std::env::var_os(PARENT).is_none() {
        return;
    }
    let pool = pool(workers(2));
    for _ in 0..4 {
        submit(&pool, "sleep", &600_000u64.to_ne_bytes());
    }
    let pids = started(&pool, 2);
    let fork_server = parent_of(pids[0]);
    eprintln!("pids {fork_server} {} {}", pids[0], pids[1]);
    let _ = pool.finished(1);
}

#[test]
fn workers_end_when_their_parent_is_killed() {
    use std::io::{BufRead, BufReader};
    let mut parent = Command::new(std::env::current_exe().expect("own path"))
        .args([
            "deaths::parent",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(PARENT, "1")
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("started");
    let said = BufReader::new(parent.stderr.take().expect("a pipe"));
    let line = said.lines().map(|line| line.expect("text"));
    let mut line = line.filter(|line| line.starts_with("pids "));
    let pids: Vec<i32> = line
        .next()
        .expect("its workers")
        .split(' ')
        .skip(1)
        .map(|pid| pid.parse().expect("a number"))
        .collect();
    assert_eq!(pids.len(), 3);
    assert!(pids.iter().all(|pid| is_running(*pid)));
    parent.kill().expect("killed");
    parent.wait().expect("it was there");
    eventually("the end of its workers", || {
        !pids.iter().any(|pid| is_running(*pid))
    });
}

/// False for a zombie that was not reaped yet.
fn is_running(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| {
        let (_, rest) = stat.rsplit_once(") ").expect("a name in parentheses");
        !rest.starts_with(['Z', 'X'])
    })
}

/// Pools come and go with work in them, and leave nothing.
#[test]
fn a_dropped_pool_leaves_nothing_behind() {
    for round in 0..10 {
        let pool = pool(workers(2));
        let pids = started(&pool, 2);
        let fork_server = parent_of(pids[0]);
        let tasks: Vec<_> = (0..5)
            .map(|_| submit(&pool, "sleep", &600_000u64.to_ne_bytes()))
            .collect();
        drop(pool);
        for task in &tasks {
            assert_eq!(
                task.outcome().expect("it is over").status,
                Status::E_SHUTDOWN
            );
        }
        let all = pids.iter().chain([&fork_server]);
        assert!(all.clone().all(|pid| !is_running(*pid)), "round {round}");
    }
}

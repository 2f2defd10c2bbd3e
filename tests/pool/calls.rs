//! Tasks and their results.

use std::time::Duration;

use polyproc::chunk::{pack, unpack};
use polyproc::{Cancel, PoolOptions, Status, TaskOptions, Wait};

use super::support::*;

fn number(value: u64) -> [u8; 8] {
    value.to_ne_bytes()
}

#[test]
fn results_come_back_to_whom_they_belong() {
    let pool = pool(workers(4));
    let tasks: Vec<_> = (0..1000u64)
        .map(|at| submit(&pool, "square", &number(at)))
        .collect();
    for (at, task) in (0..).zip(&tasks) {
        assert_eq!(result(task), number(at * at));
    }
    let info = pool.info().expect("info");
    assert_eq!(
        (info.submitted, info.succeeded, info.outstanding),
        (1000, 1000, 0)
    );
    assert_eq!((info.workers, info.alive), (4, 4));
}

#[test]
fn workers_are_other_processes() {
    let pool = pool(workers(2));
    let pids = started(&pool, 2);
    assert_eq!(pids.len(), 2);
    let task = submit(&pool, "pid", b"");
    let pid = i32::from_ne_bytes(result(&task).try_into().expect("a pid"));
    assert!(pids.contains(&pid) && pid != std::process::id() as i32);
}

#[test]
fn messages_of_any_length_go_both_ways() {
    let pool = pool(workers(2));
    for len in [0, 1, 15, 16, 1000, 4096, 100_000, 20 << 20] {
        let data: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        let echo = submit(&pool, "echo", &data);
        let long = submit(&pool, "long", &number(len));
        assert!(result(&echo) == data, "echo of {len}");
        assert!(result(&long) == data, "long of {len}");
    }
}

#[test]
fn a_failure_brings_its_message() {
    let pool = pool(workers(1));
    let task = submit(&pool, "fail", b"no flour");
    ends_with(&task, Status::E_TASK_FAILED);
    assert_eq!(&*outcome(&task).data, b"no flour");
    let task = submit(&pool, "fail-silently", b"");
    ends_with(&task, Status::E_TASK_FAILED);
    assert_eq!(&*outcome(&task).data, b"the function returned 3");
    let task = submit(&pool, "panic", b"no steam");
    ends_with(&task, Status::E_TASK_FAILED);
    assert_eq!(&*outcome(&task).data, b"no steam");
    let task = submit(&pool, "knead", b"");
    ends_with(&task, Status::E_NOT_FOUND);
    assert_eq!(
        &*outcome(&task).data,
        b"no function \"knead\" is registered in the worker"
    );
    // All of it ran in the one worker, which still works.
    assert_eq!(pool.info().expect("info").started_workers, 1);
}

#[test]
fn a_chunk_is_one_task_of_many_items() {
    let pool = pool(workers(2));
    let mut chunk = Vec::new();
    for at in 0..100 {
        pack(&mut chunk, &number(at)).expect("packed");
    }
    let task = pool
        .submit_chunk("square", &chunk, 100, &TaskOptions::default())
        .expect("submitted");
    let mut rest = result(&task);
    for at in 0..100 {
        let (item, after) = unpack(rest).expect("well-formed").expect("an item");
        assert_eq!(item, number(at * at));
        rest = after;
    }
    assert!(rest.is_empty());
}

#[test]
fn the_first_failure_of_a_chunk_is_the_chunks() {
    let pool = pool(workers(1));
    let mut chunk = Vec::new();
    pack(&mut chunk, b"first").expect("packed");
    pack(&mut chunk, b"second").expect("packed");
    let task = pool
        .submit_chunk("fail", &chunk, 2, &TaskOptions::default())
        .expect("submitted");
    ends_with(&task, Status::E_TASK_FAILED);
    assert_eq!(&*outcome(&task).data, b"first");
}

#[test]
fn a_task_that_has_not_begun_can_be_cancelled() {
    let path = path("let-go");
    let pool = pool(workers(1));
    let busy = submit(&pool, "wait-for-file", path.as_bytes());
    let begun = format!("{path}.begun");
    eventually("its beginning", || {
        std::fs::exists(&begun).expect("a folder")
    });
    let waiting: Vec<_> = (0..10).map(|_| submit(&pool, "echo", b"")).collect();
    assert_eq!(waiting[3].cancel(), Ok(true));
    ends_with(&waiting[3], Status::E_CANCELED);
    assert_eq!(waiting[3].cancel(), Ok(false), "it is over");
    assert_eq!(busy.cancel(), Ok(false), "it has begun");
    std::fs::write(&path, b"").expect("the file");
    for (at, task) in waiting.iter().enumerate().filter(|(at, _)| *at != 3) {
        assert_eq!(outcome(task).status, Status::OK, "{at}");
    }
    ends_with(&busy, Status::OK);
    std::fs::remove_file(path).expect("the file");
    std::fs::remove_file(begun).expect("the file");
}

#[test]
fn a_wait_can_end_early() {
    let pool = pool(workers(1));
    let task = submit(&pool, "sleep", &number(600_000));
    assert_eq!(task.wait_timeout(Wait::TRY), Err(Status::E_TIMEOUT));
    assert_eq!(
        task.wait_timeout(Wait::for_ns(20_000_000)),
        Err(Status::E_TIMEOUT)
    );
    let token = Cancel::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            token.fire();
        });
        let wait = Wait::FOREVER.or_cancel(&token);
        assert_eq!(task.wait_timeout(wait), Err(Status::E_CANCELED));
    });
    assert!(task.outcome().is_none());
}

#[test]
fn many_threads_wait_for_their_own_tasks() {
    let pool = pool(workers(2));
    std::thread::scope(|scope| {
        for thread in 0..16u64 {
            let pool = &pool;
            scope.spawn(move || {
                for at in 0..200 {
                    let task = submit(pool, "square", &number(thread * 1000 + at));
                    assert_eq!(result(&task), number((thread * 1000 + at).pow(2)));
                }
            });
        }
    });
}

#[test]
fn finished_tells_the_tags() {
    let pool = pool(workers(2));
    let tasks: Vec<_> = (0..100u64)
        .map(|at| {
            let options = TaskOptions {
                tag: Some(at),
                ..TaskOptions::default()
            };
            pool.submit("square", &number(at), &options)
                .expect("submitted")
        })
        .collect();
    let mut seen = [false; 100];
    let mut count = 0;
    while count < 100 {
        let tags = pool.finished_timeout(7, patience()).expect("some");
        assert!((1..=7).contains(&tags.len()));
        for tag in &tags {
            assert!(!std::mem::replace(&mut seen[*tag as usize], true), "once");
            assert!(tasks[*tag as usize].outcome().is_some());
        }
        count += tags.len();
    }
    let none = pool.try_finished(1);
    assert_eq!(none, Err(Status::E_TIMEOUT));
}

#[test]
fn a_worker_ends_after_as_many_tasks_as_it_may() {
    let pool = pool(PoolOptions {
        max_tasks_per_worker: 3,
        ..workers(1)
    });
    let mut pids = Vec::new();
    for _ in 0..9 {
        let task = submit(&pool, "pid", b"");
        pids.push(result(&task).to_vec());
    }
    pids.dedup();
    assert_eq!(pids.len(), 3, "three workers had three tasks each");
    assert_eq!(pool.info().expect("info").died_workers, 0);
}

#[test]
fn each_worker_is_initialised_first() {
    let path = path("initialised");
    let pool = pool(PoolOptions {
        initialiser: Some(("append-pid".into(), path.clone().into_bytes())),
        max_tasks_per_worker: 2,
        ..workers(1)
    });
    for _ in 0..2 {
        let mut pid = Vec::new();
        for _ in 0..2 {
            pid = result(&submit(&pool, "pid", b"")).to_vec();
        }
        let pid = u32::from_ne_bytes(pid.try_into().expect("a pid"));
        let lines = std::fs::read_to_string(&path).expect("the file");
        assert_eq!(
            lines
                .lines()
                .filter(|line| *line == pid.to_string())
                .count(),
            1
        );
    }
    std::fs::remove_file(path).expect("the file");
}

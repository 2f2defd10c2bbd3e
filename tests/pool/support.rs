//! Functions for workers, and the common part of the pools' tests.

use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use polyproc::worker::register;
use polyproc::{Outcome, Pool, PoolOptions, Reply, Status, Task, TaskOptions, Wait};

/// Longer than any test here takes on a busy machine.
pub fn patience() -> Wait<'static> {
    Wait::for_ns(60_000_000_000)
}

/// The functions of every worker. Registered before the first pool is made, because workers are
/// forks.
fn register_functions() {
    static ONCE: Once = Once::new();
    let function = |name: &str, function: fn(&[u8], &mut Reply) -> i32| {
        register(name, Arc::new(function)).expect("a name");
    };
    ONCE.call_once(|| {
        function("square", |data, reply| {
            let number = u64::from_ne_bytes(data.try_into().expect("eight bytes"));
            reply.write(&(number * number).to_ne_bytes());
            0
        });
        function("echo", |data, reply| {
            reply.write(data);
            0
        });
        function("pid", |_, reply| {
            reply.write(&std::process::id().to_ne_bytes());
            0
        });
        function("fail", |data, reply| {
            reply.write(data);
            3
        });
        function("fail-silently", |_, _| 3);
        function("panic", |data, _| {
            panic!("{}", String::from_utf8_lossy(data))
        });
        function("exit", |_, _| std::process::exit(7));
        function("die", |_, _| die());
        function("sleep", |data, _| {
            let ms = u64::from_ne_bytes(data.try_into().expect("eight bytes"));
            std::thread::sleep(Duration::from_millis(ms));
            0
        });
        // Creates a file to show that it has begun.
        function("wait-for-file", |path, _| {
            let path = std::str::from_utf8(path).expect("a path");
            std::fs::write(format!("{path}.begun"), b"").expect("a file");
            while !std::path::Path::new(path).exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
            0
        });
        // As long as the task asks, with bytes that tell their position.
        function("long", |data, reply| {
            let len = u64::from_ne_bytes(data.try_into().expect("eight bytes"));
            let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            reply.write(&bytes);
            0
        });
        // Dies in each attempt until the file exists that it makes in the first one.
        function("die-once", |path, reply| {
            let path = std::str::from_utf8(path).expect("a path");
            if std::fs::File::create_new(path).is_ok() {
                die();
            }
            reply.write(b"survived");
            0
        });
        function("append-pid", |path, _| {
            use std::io::Write;
            let path = std::str::from_utf8(path).expect("a path");
            let mut file = std::fs::File::options()
                .append(true)
                .create(true)
                .open(path)
                .expect("a file");
            writeln!(file, "{}", std::process::id()).expect("a line");
            0
        });
    });
}

fn die() -> ! {
    // SAFETY: ends this process.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    std::process::abort()
}

pub fn pool(options: PoolOptions) -> Pool {
    register_functions();
    Pool::create(&options).expect("a pool")
}

pub fn workers(count: u32) -> PoolOptions {
    PoolOptions {
        workers: count,
        ..PoolOptions::default()
    }
}

pub fn pids_of(pool: &Pool) -> Vec<i32> {
    pool.worker_pids().expect("pids")
}

/// The workers of a pool once that many have started: on a busy machine the pool is there first.
pub fn started(pool: &Pool, workers: usize) -> Vec<i32> {
    let mut pids = Vec::new();
    eventually("the start of the workers", || {
        pids = pids_of(pool);
        pids.len() >= workers
    });
    pids
}

pub fn submit(pool: &Pool, function: &str, data: &[u8]) -> Task {
    pool.submit(function, data, &TaskOptions::default())
        .expect("submitted")
}

pub fn outcome(task: &Task) -> &Outcome {
    task.wait_timeout(patience()).expect("it ends");
    task.outcome().expect("it is over")
}

pub fn ends_with(task: &Task, status: Status) {
    assert_eq!(outcome(task).status, status, "{:?}", outcome(task));
}

pub fn result(task: &Task) -> &[u8] {
    ends_with(task, Status::OK);
    &outcome(task).data
}

/// Waits for a change that another process brings about.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Returns a path that no other test has, without a file.
pub fn path(name: &str) -> String {
    let path = std::env::temp_dir().join(format!("polyproc-pool-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path.to_str().expect("UTF-8").to_owned()
}

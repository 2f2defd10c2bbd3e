//! A program in Python that inherits objects of each kind from a parent in another language.
//!
//! The interpreter is built before (`make interop` does that).

use std::ffi::CString;
use std::os::fd::RawFd;
use std::path::Path;
use std::time::Duration;

use polyproc::{
    pipe, Barrier, Condition, CreateOptions, Event, InheritHandle, Kind, Lock, Process,
    ProcessOptions, Queue, QueueOptions, Rlock, Semaphore, SemaphoreOptions,
};

/// Generous: the program takes less than a second on an idle machine.
const DEADLINE: Duration = Duration::from_secs(300);

fn path(below_the_crate: &str) -> CString {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(below_the_crate);
    assert!(
        path.exists(),
        "{} is missing: `make interop`",
        path.display()
    );
    CString::new(path.to_str().expect("UTF-8")).expect("no NUL")
}

fn handle(name: &str, kind: Kind, fd: RawFd) -> InheritHandle {
    InheritHandle {
        name: name.into(),
        kind,
        fd,
    }
}

#[test]
fn python_inherits_objects_of_each_kind() {
    let options = CreateOptions::default();
    let mut messages = QueueOptions::default();
    messages.format[..7].copy_from_slice(b"msgpack");
    let work = Queue::create(None, &messages).expect("a queue");
    let lock = Lock::create(None, options).expect("a lock");
    let rlock = Rlock::create(None, options).expect("an rlock");
    let permits = SemaphoreOptions {
        initial: 2,
        ..SemaphoreOptions::default()
    };
    let permits = Semaphore::create(None, &permits).expect("a semaphore");
    let go = Event::create(None, options).expect("an event");
    let barrier = Barrier::create(None, options, 2).expect("a barrier");
    let changed = Condition::create(None, options).expect("a condition");
    let (ours, theirs) = pipe(true).expect("a pipe");

    lock.acquire().expect("it is free");
    let child = Process::spawn(&ProcessOptions {
        argv: vec![
            path("build/python/venv/bin/python"),
            path("tests/interop/python/inherits.py"),
        ],
        handles: vec![
            handle("work", Kind::Queue, work.raw_fd()),
            handle("lock", Kind::Lock, lock.raw_fd()),
            handle("rlock", Kind::Rlock, rlock.raw_fd()),
            handle("permits", Kind::Semaphore, permits.raw_fd()),
            handle("go", Kind::Event, go.raw_fd()),
            handle("barrier", Kind::Barrier, barrier.raw_fd()),
            handle("changed", Kind::Condition, changed.raw_fd()),
            handle("pipe", Kind::Connection, theirs.raw_fd()),
        ],
        ..ProcessOptions::default()
    })
    .expect("spawn");
    // The list [1, 2, 3].
    work.put(&[0x93, 1, 2, 3]).expect("put");
    go.set().expect("set");
    barrier.wait_timeout(DEADLINE).expect("the child comes");
    assert_eq!(ours.recv_timeout(DEADLINE).as_deref(), Ok(&b"6"[..]));
    ours.send(b"changed").expect("send");
    rlock.acquire().expect("the child releases it");
    changed.notify_all().expect("notify");
    rlock.release().expect("release");
    child.join_timeout(DEADLINE).expect("it ends");
    assert_eq!(child.exit_code(), Ok(0));
    assert_eq!(lock.is_locked(), Ok(false), "the child has released it");
    assert_eq!(permits.value(), Ok(1));
}
